"""Refusals on account of the sender pause the edition, and blame no reader."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from digest.domain.deliveries import Delivery, Lease, LetterKind, Result
from digest.domain.editions import Edition
from digest.domain.states import DeliveryState, EditionState
from digest.send import progress, steering
from digest.send.job import Claim, Job
from digest.send.storm import StormWatch
from digest.storage import answers, editions
from digest.storage.engine import Database
from tests.builders import NOW, add_newsletter
from tests.posting import (
    DESK,
    Clock,
    add_edition,
    add_reader,
    audit_of,
    release_edition,
)


@pytest.fixture
def edition(db: Database) -> Edition:
    """An edition that is being sent."""
    newsletter = add_newsletter(db)
    add_reader(db, newsletter, "alice@example.com")
    return release_edition(db, add_edition(db, newsletter))


async def persist(work: Callable[[], Any]) -> Any:
    """Write at once."""
    return await asyncio.to_thread(work)


def make_watch(db: Database, *, share: float = 0.05) -> StormWatch:
    """One worker's watch."""
    return StormWatch(db, share=share, persist=persist, clock=Clock())


def state_of(db: Database, edition: Edition) -> EditionState:
    """Where the edition is."""
    with db.read() as tx:
        return editions.get(tx, edition.id).state


def answer(
    watch: StormWatch, edition: Edition, domain: str, policy: str | None
) -> bool:
    """One answer to a letter to a domain."""
    job = make_job(edition, domain)
    result = Result(
        lease=job.claim.lease,
        letter_id=1,
        at=NOW,
        state=DeliveryState.DEFERRED if policy else DeliveryState.SENT,
        smtp_code=550 if policy else 250,
        policy=policy,
    )
    return watch.hear(job, result)


def make_job(edition: Edition, domain: str) -> Job:
    """A letter in a worker's hands."""
    letter = Delivery(
        id=1,
        edition_id=edition.id,
        subscription_id=1,
        variant_id=1,
        address=f"alice@{domain}",
        confirmed_on=NOW.date(),
        key_id=1,
        state=DeliveryState.DISPATCHING,
        attempts=1,
        refusals=0,
        first_attempt_at=NOW,
        dated_at=NOW,
    )
    lease = Lease(kind=LetterKind.DELIVERY, row_id=1, fence=1)
    claim = Claim(lease=lease, outstanding=1)
    return Job(claim=claim, letter=letter, bar=None, writer=unwritten)


def unwritten(_letter: Any, *, dated_at: datetime) -> Any:
    """No letter is written here."""


async def refuse(
    watch: StormWatch, edition: Edition, times: int, domain: str = "example.com"
) -> None:
    """Refuse so many letters."""
    for _ in range(times):
        assert answer(watch, edition, domain, "550 5.7.1")
        await watch.share()


async def test_ten_refusals_in_a_row_pause(db: Database, edition: Edition) -> None:
    watch = make_watch(db)

    await refuse(watch, edition, 9)
    before = state_of(db, edition)
    await refuse(watch, edition, 1)

    assert (before, state_of(db, edition)) == (
        EditionState.SENDING,
        EditionState.PAUSED,
    )


async def test_the_reason_names_domain_and_codes(
    db: Database, edition: Edition
) -> None:
    await refuse(make_watch(db), edition, 10)

    status = progress.status(db, edition_id=edition.id, now=NOW)

    assert status.pause_reason == (
        "example.com refused 10 of the last 10 letters because of their sender: "
        "550 5.7.1 (10 times)"
    )


async def test_the_worker_is_named_in_the_audit(db: Database, edition: Edition) -> None:
    await refuse(make_watch(db), edition, 10)

    assert ("edition.paused", "worker") in audit_of(db)


async def test_two_workers_add_up_what_they_heard(
    db: Database, edition: Edition
) -> None:
    one, two = make_watch(db), make_watch(db)

    await asyncio.gather(refuse(one, edition, 5), refuse(two, edition, 5))

    assert state_of(db, edition) == EditionState.PAUSED


async def test_ten_small_domains_are_the_relays_storm(
    db: Database, edition: Edition
) -> None:
    watch = make_watch(db)

    for number in range(10):
        await refuse(watch, edition, 1, f"d{number}.example")

    status = progress.status(db, edition_id=edition.id, now=NOW)
    assert status.pause_reason is not None
    assert status.pause_reason.startswith("The relay refused 10 of the last 10")


async def test_a_share_that_is_borne_does_not_pause(
    db: Database, edition: Edition
) -> None:
    watch = make_watch(db)

    for _ in range(40):
        for _ in range(24):
            answer(watch, edition, "example.com", None)
        await refuse(watch, edition, 1)

    assert state_of(db, edition) == EditionState.SENDING


async def test_a_share_of_one_never_pauses(db: Database, edition: Edition) -> None:
    await refuse(make_watch(db, share=1), edition, 30)

    assert state_of(db, edition) == EditionState.SENDING


async def test_resuming_counts_anew(db: Database, edition: Edition) -> None:
    watch = make_watch(db)
    await refuse(watch, edition, 12)
    steering.resume(db, edition_id=edition.id, actor=DESK, now=NOW)

    await refuse(watch, edition, 9)
    before = state_of(db, edition)
    await refuse(watch, edition, 1)

    assert (before, state_of(db, edition)) == (
        EditionState.SENDING,
        EditionState.PAUSED,
    )


async def test_refusals_at_once_share_a_transaction(
    db: Database, edition: Edition
) -> None:
    watch = make_watch(db)

    await asyncio.gather(*(refuse(watch, edition, 1) for _ in range(30)))

    assert state_of(db, edition) == EditionState.PAUSED


async def test_counts_of_many_domains_are_bounded(
    db: Database, edition: Edition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.send.storm._MOST_DOMAINS", 5)
    watch = make_watch(db)

    for number in range(20):
        answer(watch, edition, f"d{number}.example", None)

    assert len(watch._others) <= 7


async def test_nothing_is_kept_of_an_edition_that_is_through(
    db: Database, edition: Edition
) -> None:
    await refuse(make_watch(db), edition, 3)
    steering.cancel(db, edition_id=edition.id, actor=DESK, now=NOW)

    with db.read() as tx:
        assert answers.load(tx, edition.id, ["*", "example.com"]) == {}
