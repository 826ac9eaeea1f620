"""Permits in the database: many workers, one limit."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy import select, update

from digest.domain.rates import Limit, per_minute
from digest.send import progress
from digest.storage import rates, tables
from digest.storage.engine import Database
from tests.builders import NOW, add_newsletter
from tests.posting import DESK, add_edition, add_readers, release_edition


def lease_all(db: Database, limit: Limit) -> int:
    """Take share after share until nothing is left."""
    total = 0
    while True:
        with db.write() as tx:
            granted = rates.lease(tx, [limit], now=NOW)[limit.key]
        if not granted:
            return total
        total += granted


def test_shares_add_up_to_the_span(db: Database) -> None:
    limit = per_minute("relay", 2400)

    assert lease_all(db, limit) == 40


def test_the_next_span_has_permits_again(db: Database) -> None:
    limit = per_minute("relay", 2400)
    lease_all(db, limit)

    with db.write() as tx:
        granted = rates.lease(tx, [limit], now=NOW + limit.period)

    assert granted == {"relay": 4}


def test_many_workers_share_one_limit(db: Database) -> None:
    limit = per_minute("relay", 6000)

    with ThreadPoolExecutor(4) as threads:
        taken = list(threads.map(lambda _: lease_all(db, limit), range(4)))

    assert sum(taken) == 100


def test_several_limits_are_leased_at_once(db: Database) -> None:
    limits = [per_minute("relay", 600), per_minute("domain:example.com", 60)]
    lease_all(db, limits[1])

    with db.write() as tx:
        granted = rates.lease(tx, limits, now=NOW)

    assert granted == {"relay": 1, "domain:example.com": 0}


def test_a_finished_edition_leaves_no_old_spans(db: Database) -> None:
    newsletter = add_newsletter(db)
    add_readers(db, newsletter, 1)
    edition = release_edition(db, add_edition(db, newsletter))
    now = NOW + timedelta(days=7)
    domains = [per_minute("example.com", 600), per_minute("example.org", 600)]
    for limit, at in zip(domains, (NOW, now), strict=True):
        with db.write() as tx:
            rates.lease(tx, [limit], now=at)
    with db.write() as tx:
        tx.execute(update(tables.chunks).values(due_at=None))

    progress.finish_editions(db, actor=DESK, now=now)

    with db.read() as tx:
        kept = tx.execute(select(tables.rates.c.key)).scalars().all()
    assert progress.status(db, edition_id=edition.id, now=now).state == "sent"
    assert kept == ["example.org"]


def test_the_first_release_is_remembered(db: Database) -> None:
    newsletter = add_newsletter(db)
    add_readers(db, newsletter, 1)
    with db.read() as tx:
        before = rates.first_release(tx)
    release_edition(db, add_edition(db, newsletter))
    later = add_edition(db, newsletter, revision=2)
    release_edition(db, later, now=NOW + timedelta(days=7))

    with db.read() as tx:
        after = rates.first_release(tx)

    assert (before, after) == (None, NOW)
