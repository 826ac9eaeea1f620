"""Not me, never write: what it ends, what it bars, and what alone undoes it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from digest.domain.actor import READER, Actor, ActorKind
from digest.domain.addresses import parse_address
from digest.domain.allowances import SignUpRules
from digest.domain.states import SuppressionReason
from digest.domain.subscribers import NEVER, Origin, Subscription, Suppression
from digest.domain.tokens import Purpose
from digest.storage import consents, subscribers, subscriptions, suppressions, tables
from digest.storage.engine import Database
from digest.subscriptions import asking_again, declining, erase, opt_in, sign_up
from digest.subscriptions.opt_in import OptIn
from digest.subscriptions.sign_up import SignUp
from digest.templating import Templates
from tests.builders import NOW, SECRETS, SITE, add_newsletter

BOB = parse_address("bob@example.test")
FORM = Origin(source="/", network="192.0.2.7", wording="One letter a week.")
DAY = timedelta(days=1)
MAIL = Actor(kind=ActorKind.MAIL)
PARTS: dict[str, Any] = {"origin": FORM, "site": SITE, "secrets": SECRETS}


@pytest.fixture
def asked(sqlite_db: Database) -> Database:
    """Somebody asked for the weekly on bob's behalf; there is a monthly, too."""
    add_newsletter(sqlite_db)
    add_newsletter(sqlite_db, slug="monthly", name="The Month")
    ask(sqlite_db)
    return sqlite_db


def ask(
    db: Database,
    *,
    slug: str = "weekly",
    days: int = 0,
    actor: Actor = READER,
    by_holder: bool = False,
) -> SignUp:
    return sign_up.request(
        db,
        newsletter=slug,
        address=BOB,
        templates=Templates(),
        by_holder=by_holder,
        actor=actor,
        now=NOW + days * DAY,
        **PARTS,
    )


def held(db: Database, number: int = 0) -> Subscription:
    with db.read() as tx:
        reader = subscribers.find(tx, BOB.key)
        assert reader is not None
        return subscriptions.for_subscriber(tx, reader.id)[number]


def link(db: Database, number: int = 0) -> str:
    return SECRETS.tokens.issue(Purpose.CONFIRM, held(db, number).id, at=NOW)


def decline(db: Database, token: str | None = None) -> OptIn:
    return declining.decline(
        db,
        token=token or link(db),
        origin=FORM,
        secrets=SECRETS,
        actor=READER,
        now=NOW,
    ).outcome


def take_back(db: Database, token: str | None = None) -> OptIn:
    return declining.take_back(
        db, token=token or link(db), secrets=SECRETS, actor=READER, now=NOW
    ).outcome


def confirm(db: Database, number: int = 0) -> OptIn:
    return opt_in.confirm(
        db,
        token=link(db, number),
        templates=Templates(),
        actor=READER,
        now=NOW,
        **PARTS,
    ).outcome


def suppression(db: Database) -> Suppression | None:
    with db.read() as tx:
        return suppressions.find(tx, SECRETS.hash_address(BOB.key))


def evidence(db: Database) -> Sequence[str]:
    with db.read() as tx:
        rows = consents.for_subscriber(tx, held(db).subscriber_id)
        return [row.action for row in rows]


def letters(db: Database) -> int:
    with db.read() as tx:
        return len(tx.execute(tables.notices.select()).all())


def test_declining_ends_the_request_with_its_evidence(asked: Database) -> None:
    outcome = decline(asked)

    found = suppression(asked)
    assert outcome is OptIn.DECLINED
    assert held(asked).state == "unsubscribed"
    assert evidence(asked) == ["requested", "declined"]
    assert found is not None
    assert (found.reason, found.detail) == (SuppressionReason.REQUEST, NEVER)


def test_nobody_at_a_form_has_the_address_asked_again(asked: Database) -> None:
    """Attack A6."""
    decline(asked)

    outcomes = {
        ask(asked, slug=s, days=d) for d in (2, 40) for s in ("weekly", "monthly")
    }

    assert outcomes == {SignUp.SUPPRESSED}
    assert letters(asked) == 1


def test_who_writes_from_the_address_is_asked_again(asked: Database) -> None:
    decline(asked)

    outcome = ask(asked, days=2, actor=MAIL, by_holder=True)

    assert outcome is SignUp.MAILED


def test_only_a_confirmed_opt_in_lifts_it(asked: Database) -> None:
    decline(asked)
    taken_back = take_back(asked)
    before = suppression(asked)

    confirmed = confirm(asked)

    assert (taken_back, confirmed) == (OptIn.OPEN, OptIn.CONFIRMED)
    assert before is not None
    assert suppression(asked) is None
    assert ask(asked, slug="monthly", days=2) is SignUp.MAILED


def test_a_declined_link_confirms_nothing_until_it_is_taken_back(
    asked: Database,
) -> None:
    decline(asked)

    assert confirm(asked) is OptIn.DECLINED
    assert held(asked).state == "unsubscribed"


def test_an_expired_declined_link_still_brings_a_new_one(asked: Database) -> None:
    decline(asked)

    newsletter = asking_again.send_again(
        asked,
        token=link(asked),
        rules=SignUpRules(),
        templates=Templates(),
        actor=READER,
        now=NOW + 8 * DAY,
        **PARTS,
    )

    assert newsletter is not None
    assert letters(asked) == 2


def test_another_newsletter_goes_on(asked: Database) -> None:
    opt_in.record(
        asked,
        newsletter="monthly",
        address=BOB,
        origin=FORM,
        secrets=SECRETS,
        actor=READER,
        now=NOW - DAY,
    )

    decline(asked)

    assert [held(asked, n).state for n in (0, 1)] == ["unsubscribed", "active"]
    assert suppression(asked) is None
    assert ask(asked, days=2) is SignUp.SUPPRESSED


def test_a_confirmed_subscription_stays(asked: Database) -> None:
    confirm(asked)

    assert decline(asked) is OptIn.ALREADY
    assert take_back(asked) is OptIn.ALREADY
    assert held(asked).state == "active"


def test_pressing_twice_is_noted_once(asked: Database) -> None:
    outcomes = [decline(asked), decline(asked)]

    assert outcomes == [OptIn.DECLINED, OptIn.DECLINED]
    assert evidence(asked) == ["requested", "declined"]


def test_a_link_that_is_not_ours_declines_nothing(asked: Database) -> None:
    assert decline(asked, "x" * 44) is OptIn.UNKNOWN
    assert take_back(asked, "x" * 44) is OptIn.UNKNOWN


def test_it_outlives_the_readers_record(asked: Database) -> None:
    decline(asked)

    erase.erase(
        asked,
        subscriber_id=held(asked).subscriber_id,
        secrets=SECRETS,
        actor=READER,
        now=NOW,
    )

    assert ask(asked, days=2) is SignUp.SUPPRESSED
