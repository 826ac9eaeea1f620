"""The real runner under a simulated clock that is stepped, on a host that dies.

Real time passes; the host's clock shows it with an error that comes and goes, and the
process is down now and then. Only the clock is simulated: runner, stages and database
are the service's own.
"""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from sqlalchemy import select

from digest.bootstrap import Service
from digest.domain.calendar import DueIssue, Schedule, issues_between
from digest.schedule.runner import Runner
from digest.schedule.turn import next_moment
from digest.storage import tables
from digest.storage.leader import Leadership
from tests.integration.schedule.newsroom import HOUR, Newsroom

NONE = timedelta(0)
DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """What is wrong with a host for a while.

    Attributes:
        at: When it begins, in real time.
        lasts: How long.
        error: By how much its clock is wrong; None: the process is down.
    """

    at: datetime
    lasts: timedelta
    error: timedelta | None

    def is_on(self, real: datetime) -> bool:
        return self.at <= real < self.at + self.lasts


@dataclass(kw_only=True)
class World:
    """A newsroom's host, from `start` to `end`."""

    room: Newsroom
    plan: Schedule
    start: datetime
    end: datetime
    troubles: Sequence[Trouble]
    real: datetime = field(init=False)
    looks: list[tuple[datetime, datetime]] = field(default_factory=list)
    """When the runner worked, and what the clock showed then."""

    def __post_init__(self) -> None:
        self.real = self.start
        plan = {name: getattr(self.plan, name) for name in ("rhythm", "at", "zone")}
        self.room.set(now=self.start, grace=self.plan.grace, **plan)
        self._told: set[date] = set()

    @property
    def service(self) -> Service:
        return replace(self.room.service, clock=self.shown)

    def shown(self) -> datetime:
        """What the host's clock shows; of two wrong ones the later."""
        errors = [t.error for t in self._now() if t.error is not None]
        return self.real + (errors[-1] if errors else NONE)

    async def live(self) -> None:
        """Let the time pass: the runner works at its moments and at its heartbeat."""
        while self.real < self.end:
            if self._is_down():
                self.real = self._next_change()
                continue
            async with self._process() as runner:
                while self.real < self.end and not self._is_down():
                    await self._look(runner)
                    self.real = min(self._next_change(), self._next_moment())
        async with self._process() as runner:
            await self._look(runner)

    def issues(self) -> Sequence[DueIssue]:
        """The issues that become due in the simulated time, but for its last day."""
        return issues_between(self.plan, self.start, self.end - DAY)

    def first_look(self, issue: DueIssue) -> datetime | None:
        """What the clock showed when an issue could go first, within its grace.

        A clock that is a year ahead finds no story of that week.
        """
        late, told = issue.due + self.plan.grace, issue.due - 2 * DAY
        looks = (at for real, at in self.looks if real >= told)
        return next((at for at in looks if issue.due <= at <= late), None)

    def judge(self) -> tuple[Counter[str], list[str]]:
        """Say what became of the issues, and where a promise was broken.

        An issue goes once, when the clock first shows its hour, or the first moment
        after at which the host was up; or an operator is asked about it.
        """
        found: Counter[str] = Counter()
        broken: list[str] = []
        made, asked = self.room.editions(), self.asked_about()
        gone = [(e.issue_date, e.released_at) for e in made if e.released_at]
        for issue in self.issues():
            day, first = issue.issue_date, self.first_look(issue)
            released = [at for made_for, at in gone if made_for == day]
            if released != ([first] if first else []):
                broken.append(f"{day}: went at {released}, not {first}")
            elif first is None and day not in asked:
                broken.append(f"{day}: nobody was asked")
            found["asked" if first is None else _name(first - issue.due)] += 1
        if len({e.issue_date for e in made}) < len(made):
            broken.append("a date has two editions")
        if self.room.actions()["edition.released"] != len(gone):
            broken.append("an edition was released twice")
        return found, broken

    def asked_about(self) -> set[date]:
        """The issues an operator was asked about."""
        c = tables.audit.c
        query = select(c.detail).where(c.action == "schedule.late")
        with self.room.db.read() as tx:
            details = tx.execute(query).scalars().all()
        return {date.fromisoformat(detail["issue_date"]) for detail in details}

    @asynccontextmanager
    async def _process(self) -> AsyncIterator[Runner]:
        service = self.service
        lock = Leadership(service.db, service.settings.home / "schedule.lock")
        runner = Runner(service, lock, heartbeat=HOUR, patience=HOUR)
        runner.start()
        try:
            yield runner
        finally:
            await runner.close()

    async def _look(self, runner: Runner) -> None:
        """Work twice, as a heartbeat does: what one prepares the other releases."""
        self._publish()
        self.looks.append((self.real, self.shown()))
        for _ in range(2):
            await runner.turn()
            await runner.prepared()

    def _publish(self) -> None:
        """Stories appear the day before their issue, whatever the clock shows."""
        near = issues_between(self.plan, self.real - 2 * DAY, self.real + 2 * DAY)
        for issue in near:
            if issue.issue_date not in self._told:
                self._told.add(issue.issue_date)
                self.room.add_story(issue.issue_date - DAY)

    def _now(self) -> list[Trouble]:
        return [trouble for trouble in self.troubles if trouble.is_on(self.real)]

    def _is_down(self) -> bool:
        return any(trouble.error is None for trouble in self._now())

    def _next_change(self) -> datetime:
        ends = [t.at for t in self.troubles] + [t.at + t.lasts for t in self.troubles]
        return min([at for at in ends if at > self.real], default=self.end)

    def _next_moment(self) -> datetime:
        shown = self.shown()
        moment = next_moment(self.service, shown)
        return self.real + (moment - shown) if moment else self.end


def _name(late: timedelta) -> str:
    return "late" if late else "prompt"
