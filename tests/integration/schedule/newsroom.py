"""A newsroom under a simulated clock: a weekly, its schedule, stories, a reader."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select

from digest.bootstrap import Service
from digest.domain.actor import Actor, ActorKind
from digest.domain.addresses import parse_address
from digest.domain.articles import Draft
from digest.domain.calendar import Approval, Schedule
from digest.domain.editions import Edition
from digest.domain.rhythms import weekly
from digest.domain.schedules import KeptSchedule
from digest.ingest.decoding import Kind
from digest.schedule.turn import tick
from digest.settings import FetchSettings
from digest.storage import (
    articles,
    editions,
    schedules,
    sources,
    subscribers,
    subscriptions,
    tables,
)
from digest.timetable import plans
from tests.builders import NOW, SECRETS, add_newsletter

DESK = Actor(kind=ActorKind.OPERATOR, name="mona")
# A Sunday; the schedule is set at noon UTC, and 19:00 in Cairo is 16:00 UTC.
SUNDAY = date(2024, 5, 12)
DUE = datetime(2024, 5, 12, 16, tzinfo=UTC)
HOUR = timedelta(hours=1)
PLAN = Schedule(
    rhythm=weekly(6), at=time(19, 0), zone="Africa/Cairo", approval=Approval.AUTO
)


class Newsroom:
    """What the tests do and look at.

    Args:
        service: The installation.
        changes: What is different about its newsletter.
    """

    def __init__(self, service: Service, **changes: Any) -> None:
        self.service = service
        self.db = service.db
        self.newsletter = add_newsletter(service.db, **changes)

    def set(self, now: datetime = NOW, **changes: Any) -> KeptSchedule:
        return plans.set_schedule(
            self.db,
            newsletter=self.newsletter.slug,
            plan=replace(PLAN, **changes),
            actor=DESK,
            now=now,
        )

    def add_story(
        self, day: date = SUNDAY, *, now: datetime = NOW, **changes: Any
    ) -> None:
        values: dict[str, Any] = {
            "title": f"The council met on {day} and agreed on a budget",
            # Nobody listens there, and no name is looked up.
            "url": f"http://127.0.0.1:9/{day}",
            "published_on": day,
            "section": "news",
            "standfirst": "It took the councillors nine hours to agree.",
            "paragraphs": (f"On {day} the council met.",),
            "source": "News Example",
        }
        with self.db.write() as tx:
            story = Draft(**(values | changes))
            articles.store(tx, story, newsletter_id=self.newsletter.id, now=now)

    def add_reader(self, name: str = "alice") -> None:
        address = parse_address(f"{name}@example.com")
        with self.db.write() as tx:
            reader = subscribers.add(
                tx,
                address,
                name="",
                address_hash=SECRETS.hash_address(address.key),
                now=NOW,
            )
            asked = subscriptions.add(
                tx,
                subscriber_id=reader.id,
                newsletter_id=self.newsletter.id,
                now=NOW,
            )
            subscriptions.activate(tx, asked, now=NOW)

    def add_source(self, url: str) -> None:
        """Add a feed on this machine, and permit reading it."""
        fetch = FetchSettings(allow_private=True)
        settings = self.service.settings.model_copy(update={"fetch": fetch})
        self.service = replace(self.service, settings=settings)
        with self.db.write() as tx:
            sources.add(
                tx,
                newsletter_id=self.newsletter.id,
                url=url,
                kind=Kind.FEED,
                title="",
                every=HOUR,
                now=NOW,
            )

    def tick(self, now: datetime) -> None:
        tick(replace(self.service, clock=lambda: now), now)

    def editions(self) -> list[Edition]:
        with self.db.read() as tx:
            return editions.list_page(tx, limit=1000)[::-1]

    def states(self) -> list[str]:
        return [edition.state.value for edition in self.editions()]

    def kept(self) -> KeptSchedule:
        with self.db.read() as tx:
            return schedules.get(tx, self.newsletter)

    def asked_dates(self) -> list[date]:
        """The issues an operator was asked about, in order."""
        c = tables.audit.c
        query = select(c.detail).where(c.action == "schedule.late").order_by(c.id)
        with self.db.read() as tx:
            details = tx.execute(query).scalars().all()
        return [date.fromisoformat(detail["issue_date"]) for detail in details]

    def actions(self) -> Counter[str]:
        """What the schedule did, by audit action."""
        with self.db.read() as tx:
            c = tables.audit.c
            rows = tx.execute(select(c.action).where(c.actor == "schedule"))
            return Counter(row.action for row in rows)


def furnish(service: Service) -> Newsroom:
    """Put the story and the reader in."""
    made = Newsroom(service)
    made.add_story()
    made.add_reader()
    return made
