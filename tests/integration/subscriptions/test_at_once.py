"""Requests for one reader at the same instant follow each other, on both databases."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from digest.domain.actor import READER
from digest.domain.addresses import parse_address
from digest.domain.subscribers import Origin
from digest.domain.tokens import Purpose
from digest.storage import subscribers, subscriptions, tables
from digest.storage.engine import Database
from digest.subscriptions import leave, opt_in, sign_up
from digest.templating import Templates
from tests.builders import NOW, SECRETS, SITE, add_newsletter

AT_ONCE = 6
DINA = parse_address("dina@example.test")
FORM = Origin(source="/subscribe", wording="Yes.")


def ask(db: Database) -> str:
    return sign_up.request(
        db,
        newsletter="weekly",
        address=DINA,
        origin=FORM,
        site=SITE,
        secrets=SECRETS,
        templates=Templates(),
        actor=READER,
        now=NOW,
    )


def confirm(db: Database) -> str:
    return opt_in.confirm(
        db,
        token=token(db, Purpose.CONFIRM),
        origin=FORM,
        site=SITE,
        secrets=SECRETS,
        templates=Templates(),
        actor=READER,
        now=NOW,
    ).outcome


def go(db: Database) -> str:
    standing = leave.by_token(
        db,
        token=token(db, Purpose.UNSUBSCRIBE),
        origin=FORM,
        secrets=SECRETS,
        actor=READER,
        now=NOW,
    )
    return str(standing and standing.has_left)


def token(db: Database, purpose: Purpose) -> str:
    with db.read() as tx:
        reader = subscribers.find(tx, DINA.key)
        assert reader is not None
        held = subscriptions.for_subscriber(tx, reader.id)[0]
    return SECRETS.tokens.issue(purpose, held.id, at=NOW)


def together(db: Database, act: Callable[[Database], str]) -> Counter[str]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Counter(pool.map(act, [db] * AT_ONCE))


def kinds(db: Database) -> Counter[str]:
    with db.read() as tx:
        return Counter(row.kind for row in tx.execute(tables.notices.select()))


@pytest.fixture
def asked(db: Database) -> Database:
    add_newsletter(db)
    ask(db)
    return db


def test_sign_ups_mail_one_confirmation(db: Database) -> None:
    add_newsletter(db)

    outcomes = together(db, ask)

    assert outcomes == {"mailed": 1, "limited": AT_ONCE - 1}
    assert kinds(db) == {"confirmation": 1}


def test_confirmations_mail_one_welcome(asked: Database) -> None:
    outcomes = together(asked, confirm)

    assert outcomes == {"confirmed": 1, "already": AT_ONCE - 1}
    assert kinds(asked) == {"confirmation": 1, "welcome": 1}


def test_leaving_is_noted_once(asked: Database) -> None:
    outcomes = together(asked, go)

    with asked.read() as tx:
        rows = tx.execute(tables.audit.select()).all()
    assert outcomes == {"True": AT_ONCE}
    assert [row.action for row in rows].count("subscription.left") == 1
