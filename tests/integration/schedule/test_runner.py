"""The schedule's loop: one process leads, wakes in time, and survives trouble."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest_asyncio
from structlog.testing import capture_logs

from digest.bootstrap import Service
from digest.domain.states import SubscriptionState
from digest.schedule.runner import Runner, run
from digest.storage import (
    address_changes,
    newsletters,
    subscribers,
    subscriptions,
    tables,
)
from digest.storage.engine import Database
from digest.storage.leader import Leadership
from tests.integration.schedule.newsroom import DUE, HOUR, Newsroom
from tests.posting import add_reader

LONG = timedelta(hours=1)
SHORT = timedelta(milliseconds=20)


def at(room: Newsroom, now: datetime) -> Service:
    return replace(room.service, clock=lambda: now)


def leadership(room: Newsroom) -> Leadership:
    return Leadership(room.db, room.service.settings.home / "schedule.lock")


def make(room: Newsroom, now: datetime) -> Runner:
    lock = leadership(room)
    return Runner(at(room, now), lock, heartbeat=LONG, patience=LONG)


async def until(room: Newsroom, states: list[str]) -> None:
    async with asyncio.timeout(20):
        while await asyncio.to_thread(room.states) != states:
            continue


@pytest_asyncio.fixture
async def runner(room: Newsroom) -> AsyncIterator[Runner]:
    """A runner whose clock stands where the issue is due."""
    made = make(room, DUE)
    made.start()
    yield made
    await made.close()


async def test_a_due_issue_is_composed_and_released(shared_room: Newsroom) -> None:
    shared_room.set()
    stop = asyncio.Event()

    task = asyncio.create_task(run(at(shared_room, DUE), stop=stop))
    await until(shared_room, ["sending"])
    stop.set()
    await task

    assert shared_room.actions()["edition.released"] == 1


async def test_what_people_changed_is_seen_at_the_next_heartbeat(
    room: Newsroom,
) -> None:
    stop = asyncio.Event()
    task = asyncio.create_task(run(at(room, DUE), stop=stop, heartbeat=SHORT))

    await asyncio.to_thread(room.set)
    await until(room, ["sending"])
    stop.set()
    await task

    assert room.kept().trouble is None


async def test_two_runners_release_an_issue_once(shared_room: Newsroom) -> None:
    shared_room.set()
    stop = asyncio.Event()

    tasks = [
        asyncio.create_task(run(at(shared_room, DUE), stop=stop, heartbeat=SHORT))
        for _ in range(2)
    ]
    await until(shared_room, ["sending"])
    stop.set()
    await asyncio.gather(*tasks)

    actions = shared_room.actions()
    assert (actions["edition.composed"], actions["edition.released"]) == (1, 1)


async def test_who_does_not_lead_does_nothing(room: Newsroom, runner: Runner) -> None:
    room.set()
    other = leadership(room)
    assert other.hold()

    await runner.turn()

    assert runner.is_idle
    assert room.editions() == []
    other.release()


async def test_a_pause_whose_time_has_come_ends(room: Newsroom, runner: Runner) -> None:
    with room.db.read() as tx:
        newsletter = newsletters.get(tx, "weekly")
    subscription = add_reader(
        room.db,
        newsletter,
        "bob@example.com",
        state=SubscriptionState.PAUSED,
        paused_until=DUE,
    )

    await runner.turn()

    with room.db.read() as tx:
        found = subscriptions.get(tx, subscription)
    assert found is not None
    assert found.state == SubscriptionState.ACTIVE
    assert room.actions()["subscription.resumed"] == 1


async def test_an_address_that_was_never_confirmed_is_forgotten(
    room: Newsroom, runner: Runner
) -> None:
    with room.db.read() as tx:
        newsletter = newsletters.get(tx, "weekly")
    subscription = add_reader(
        room.db, newsletter, "bob@example.com", state=SubscriptionState.PENDING
    )
    with room.db.write() as tx:
        month_ago = DUE - timedelta(days=31)
        tx.execute(tables.subscriptions.update().values(since=month_ago))

    await runner.turn()

    with room.db.read() as tx:
        found = subscriptions.get(tx, subscription)
        reader = subscribers.find(tx, "bob@example.com")
    assert found is not None
    assert (found.state, reader) == (SubscriptionState.UNSUBSCRIBED, None)
    assert room.actions()["subscriber.forgotten"] == 1


async def test_a_new_address_whose_holder_never_agreed_is_forgotten(
    room: Newsroom, runner: Runner
) -> None:
    with room.db.read() as tx:
        newsletter = newsletters.get(tx, "weekly")
    add_reader(room.db, newsletter, "bob@example.com")
    with room.db.write() as tx:
        reader = subscribers.find(tx, "bob@example.com")
        assert reader is not None
        address_changes.add(
            tx,
            subscriber_id=reader.id,
            newsletter_id=newsletter.id,
            address="bob@example.net",
            address_hash="0" * 64,
            now=DUE - timedelta(days=2),
        )

    await runner.turn()

    with room.db.read() as tx:
        (kept,) = tx.execute(tables.address_changes.select()).all()
    assert kept.address is None


async def test_a_restart_changes_nothing_more(room: Newsroom) -> None:
    room.set()
    for now in (DUE, DUE + HOUR):
        runner = make(room, now)
        runner.start()
        await runner.turn()
        await runner.close()

    assert room.states() == ["sending"]
    assert room.actions()["edition.released"] == 1


async def test_the_exact_moment_wakes_it(room: Newsroom) -> None:
    # The simulated issue is years ago, so APScheduler finds its moment overdue.
    room.set()
    early = make(room, DUE - 3 * HOUR)
    early.start()
    await early.turn()

    async with asyncio.timeout(5):
        await early.sleep(asyncio.Event())

    await early.close()


async def test_a_stop_ends_its_sleep(runner: Runner) -> None:
    stop = asyncio.Event()
    stop.set()

    async with asyncio.timeout(5):
        await runner.sleep(stop)


async def test_a_lost_database_is_logged_and_tried_again(
    room: Newsroom, tmp_path: Path
) -> None:
    gone = Database(f"sqlite:///{tmp_path}/nowhere/digest.db")
    service = replace(at(room, DUE), db=gone)
    lock = Leadership(gone, tmp_path / "lock")
    runner = Runner(service, lock, heartbeat=LONG, patience=LONG)
    runner.start()

    with capture_logs() as logs:
        await runner.turn()
        await runner.close()

    # Another test's preparation may still be ending in its thread.
    works = {log["work"] for log in logs if log["event"] == "schedule.failed"}
    assert {"tick", "release_due", "tell_desk"} <= works


async def test_a_source_that_does_not_answer_holds_up_no_stop(room: Newsroom) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        room.add_source(f"http://127.0.0.1:{silent.getsockname()[1]}/feed")
        room.set()
        runner = Runner(
            at(room, DUE - HOUR), leadership(room), heartbeat=LONG, patience=SHORT
        )
        runner.start()
        await runner.turn()

        async with asyncio.timeout(5):
            await runner.close()

        assert not runner.is_idle
