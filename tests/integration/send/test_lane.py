"""A lane: what stands between a letter's permit and its text, and what it writes."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

from digest.domain.deliveries import Notice
from digest.mail.smtp import Envelope, Line
from digest.send.job import Claim, Job, Totals
from digest.send.lane import Lane
from digest.send.ledger import Ledger
from digest.send.storm import StormWatch
from digest.send.watch import RelayWatch
from digest.storage import notice_ledger, notices
from digest.storage.engine import Database
from tests.builders import NOW
from tests.posting import (
    Clock,
    Inbox,
    MoodyRelay,
    make_notice,
    make_post,
    notices_of,
)

LEASE = timedelta(hours=1)


class Tray:
    """A source of letters; it notes how many had arrived as each was done with."""

    def __init__(self, inbox: Inbox) -> None:
        self.jobs: deque[Job] = deque()
        self.arrived: list[int] = []
        self.written: list[int] = []
        self.back: list[Job] = []
        self._inbox = inbox

    def add(self, notice: Notice) -> None:
        """Lay a letter in."""
        claim = Claim(lease=notice.lease, outstanding=1)
        self.jobs.append(Job(claim=claim, letter=notice, bar=None, writer=self.write))

    def write(self, letter: Notice, *, dated_at: datetime) -> Envelope:
        """Make the shortest letter."""
        self.written.append(letter.id)
        headers = f"Date: {dated_at:%c}\r\n\r\n".encode()
        return Envelope("weekly@news.example.test", letter.address, headers)

    def take(self) -> Job | None:
        return self.jobs.popleft() if self.jobs else None

    async def next_job(self) -> Job | None:
        return self.take()

    def put_back(self, job: Job) -> None:
        self.back.append(job)

    async def finish(self, _job: Job) -> None:
        self.arrived.append(len(self._inbox.received))


def fill(db: Database, tray: Tray, *addresses: str) -> None:
    """Claim a notice to each address, and lay it in the tray."""
    with db.write() as tx:
        for address in addresses:
            notices.add(tx, make_notice(address=address), now=NOW)
        for notice in notice_ledger.claim(
            tx, owner="a", now=NOW, lease=LEASE, limit=len(addresses)
        ):
            tray.add(notice)


@asynccontextmanager
async def make_lane(
    db: Database, port: int, tray: Tray, watch: RelayWatch | None = None
) -> AsyncIterator[Lane]:
    """One lane, and the ledger that writes for it."""
    post, clock = make_post(db, port, turn=timedelta(0)), Clock()
    ledger = Ledger(db, worker="a", lease=LEASE, clock=clock)
    writer = asyncio.create_task(ledger.write_groups())
    yield Lane(
        post,
        line=Line(post.relay),
        source=tray,
        ledger=ledger,
        watch=watch or RelayWatch(post),
        storms=StormWatch(db, share=1, persist=ledger.persist, clock=clock),
        totals=Totals(),
        clock=clock,
    )
    writer.cancel()
    with suppress(asyncio.CancelledError):
        await writer


async def test_nothing_is_awaited_between_a_permit_and_the_text(
    db: Database,
) -> None:
    inbox = Inbox()
    tray = Tray(inbox)
    fill(db, tray, "alice@example.com", "bob@example.com", "dan@example.com")

    async with (
        MoodyRelay(inbox, lambda _verb, _who: None) as relay,
        make_lane(db, relay.port, tray) as lane,
    ):
        await lane.run()

    # The claim of one ends only when the text of the next has gone.
    assert tray.arrived == [2, 3, 3]
    assert [row.state for row in notices_of(db)] == ["sent"] * 3


async def test_while_the_relay_is_left_alone_nothing_is_written(
    sqlite_db: Database, unused_port: int
) -> None:
    tray = Tray(Inbox())
    fill(sqlite_db, tray, "alice@example.com", "bob@example.com")
    claims = [job.claim for job in tray.jobs]
    watch = RelayWatch(make_post(sqlite_db, unused_port))
    watch.failed("away", NOW)

    async with make_lane(sqlite_db, unused_port, tray, watch) as lane:
        await lane.run()

    assert tray.written == []
    assert {claim.not_before for claim in claims} == {watch.closed_until}
    assert len(tray.arrived) == 2


async def test_a_lane_that_gets_no_connection_leaves_its_letter_to_others(
    sqlite_db: Database,
) -> None:
    tray = Tray(Inbox())
    fill(sqlite_db, tray, "alice@example.com")
    (job,) = tray.jobs

    async with MoodyRelay(Inbox(), lambda _verb, _who: None, most=0) as relay:
        watch = RelayWatch(make_post(sqlite_db, relay.port))
        # Another lane has just got through.
        watch.answered(NOW)
        async with make_lane(sqlite_db, relay.port, tray, watch) as lane:
            async with asyncio.timeout(10):
                await lane.run()

    assert tray.back == [job]
    assert (tray.arrived, job.claim.not_before) == ([], None)
