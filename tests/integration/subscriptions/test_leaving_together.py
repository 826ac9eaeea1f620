"""Many readers leave in one transaction, on both databases."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from digest.domain.actor import READER
from digest.domain.addresses import parse_address
from digest.domain.subscribers import Origin
from digest.domain.tokens import Purpose
from digest.storage import tables
from digest.storage.engine import Database
from digest.subscriptions import erase, opt_in
from digest.subscriptions.leaving import Leave, leave_together
from tests.builders import NOW, SECRETS, add_newsletter
from tests.integration.subscriptions.common import CLI

NAMES = ("alice", "dina", "nadia")
AT_ONCE = 6


@pytest.fixture
def joined(db: Database) -> Database:
    """Three readers, whose subscriptions are 1, 2 and 3."""
    add_newsletter(db)
    for name in NAMES:
        opt_in.record(
            db,
            newsletter="weekly",
            address=parse_address(f"{name}@example.test"),
            origin=Origin(source="test", wording="Yes."),
            secrets=SECRETS,
            actor=CLI,
            now=NOW,
        )
    return db


def wish(row_id: int, network: str = "192.0.2.1") -> Leave:
    token = SECRETS.tokens.issue(Purpose.UNSUBSCRIBE, row_id)
    return Leave(token=token, origin=Origin(source="/u", network=network))


def go(db: Database, *wishes: Leave) -> None:
    leave_together(db, wishes, secrets=SECRETS, actor=READER, now=NOW)


def states(db: Database) -> Sequence[str]:
    c = tables.subscriptions.c
    with db.read() as tx:
        rows = tx.execute(tables.subscriptions.select().order_by(c.id)).all()
    return [row.state for row in rows]


def evidence(db: Database) -> Sequence[tuple[int, str]]:
    c = tables.consents.c
    with db.read() as tx:
        query = tables.consents.select().where(c.action == "withdrawn")
        rows = tx.execute(query.order_by(c.id)).all()
    return [(row.subscriber_id, row.network) for row in rows]


def audited(db: Database) -> Sequence[tuple[int, object]]:
    c = tables.audit.c
    with db.read() as tx:
        query = tables.audit.select().where(c.action == "subscription.left")
        rows = tx.execute(query.order_by(c.id)).all()
    return [(row.subject_id, row.detail) for row in rows]


def test_each_leaves_with_evidence_of_their_own(joined: Database) -> None:
    go(joined, wish(1, "192.0.2.1"), wish(3, "192.0.2.3"))

    assert states(joined) == ["unsubscribed", "active", "unsubscribed"]
    assert evidence(joined) == [(1, "192.0.2.1"), (3, "192.0.2.3")]
    assert audited(joined) == [(1, {"before": "active"}), (3, {"before": "active"})]


def test_a_wish_that_is_repeated_is_noted_once(joined: Database) -> None:
    go(joined, wish(1, "192.0.2.1"), wish(1, "192.0.2.9"))
    go(joined, wish(1), wish(2))

    assert [row_id for row_id, _ in audited(joined)] == [1, 2]
    assert evidence(joined)[0] == (1, "192.0.2.1")


def test_links_that_are_not_ours_keep_nobody_from_leaving(joined: Database) -> None:
    other = SECRETS.tokens.issue(Purpose.PREFERENCES, 2)
    strange = [Leave(token=t, origin=Origin(source="/u")) for t in ("x", other)]

    go(joined, *strange, wish(99), wish(1))
    go(joined, *strange)

    assert states(joined) == ["unsubscribed", "active", "active"]


def test_erased_readers_leave_no_new_trace(joined: Database) -> None:
    erase.erase(joined, subscriber_id=1, secrets=SECRETS, actor=CLI, now=NOW)
    before = len(evidence(joined))

    go(joined, wish(1), wish(2))

    assert [whose for whose, _ in evidence(joined)[before:]] == [2]


def test_groups_that_cross_do_not_wait_for_each_other(joined: Database) -> None:
    orders = [[1, 2, 3], [3, 2, 1]] * (AT_ONCE // 2)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda order: go(joined, *map(wish, order)), orders))

    assert states(joined) == ["unsubscribed"] * 3
    assert len(audited(joined)) == 3
