"""An installation that lives through weeks: real feeds, relay, pages, a moved clock.

Only the clock is simulated. Feeds and story pages come from a web server of this
machine, letters go by SMTP to a sink, the desk reads its mail and presses the buttons.
"""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

import httpx2

from digest import bootstrap
from digest.bootstrap import Service, installing, make_post
from digest.compose.approve import approve
from digest.compose.correct import correct
from digest.domain.actor import Actor, ActorKind
from digest.domain.addresses import parse_address
from digest.domain.calendar import Approval, Schedule
from digest.domain.rhythms import weekly
from digest.domain.subscribers import LetterFormat, Origin
from digest.ingest.decoding import Kind
from digest.schedule.runner import Runner
from digest.schedule.turn import next_moment
from digest.send.worker import drain
from digest.settings import load_settings
from digest.storage import editions, newsletters, sources
from digest.storage.leader import Leadership
from digest.subscriptions import opt_in
from digest.timetable import plans
from tests.e2e.serving import serving
from tests.http_server import Answer, Asked, WebServer
from tests.posting import Inbox

OPERATOR = Actor(kind=ActorKind.OPERATOR, name="mona")
DESK = "desk@news.example.org"
START = datetime(2024, 4, 8, 8, tzinfo=UTC)
# 19:00 in Cairo; its clocks went forward on Friday 26 April.
DUE = [
    datetime(2024, 4, 14, 17, tzinfo=UTC),
    datetime(2024, 4, 21, 17, tzinfo=UTC),
    datetime(2024, 4, 28, 16, tzinfo=UTC),
    datetime(2024, 5, 5, 16, tzinfo=UTC),
]
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PLAN = Schedule(
    rhythm=weekly(6), at=time(19), zone="Africa/Cairo", approval=Approval.REQUIRED
)
_WORDS = "The council sat for nine hours and agreed on the budget in the end. " * 8


@dataclass(kw_only=True)
class Press:
    """A web server with two feeds; a feed shows what has appeared by now."""

    server: WebServer
    now: datetime = START
    broken: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for name in ("main", "metro"):
            self.server.routes[f"/{name}.xml"] = self._feed
            for due in DUE:
                story = f"/{name}/{due:%Y-%m-%d}"
                page = f"<title>{self.title(name, due)}</title><p>{_WORDS}</p>"
                self.server.routes[story] = Answer(
                    body=page, headers={"content-type": "text/html; charset=utf-8"}
                )

    @staticmethod
    def title(name: str, due: datetime) -> str:
        return f"What the {name} council decided before {due:%d %B}"

    def _feed(self, asked: Asked) -> Answer:
        name = asked.path.strip("/").removesuffix(".xml")
        if name in self.broken:
            return Answer(status=500)
        items = "".join(
            f"<item><title>{self.title(name, due)}</title>"
            f"<link>{self.server.url(f'/{name}/{due:%Y-%m-%d}')}</link>"
            f"<category>News</category><pubDate>{format_datetime(due - DAY)}</pubDate>"
            f"<description>It took them nine hours to agree.</description></item>"
            for due in DUE
            if due - DAY <= self.now
        )
        feed = (
            f'<rss version="2.0"><channel><title>{name}</title>{items}</channel></rss>'
        )
        return Answer(body=feed, headers={"content-type": "application/rss+xml"})


@dataclass(kw_only=True)
class Paper:
    """The newspaper's own host."""

    service: Service
    press: Press
    inbox: Inbox

    def now(self) -> datetime:
        return self.press.now

    @asynccontextmanager
    async def up(self) -> AsyncIterator[Runner]:
        """Run the service's loop while the block lasts."""
        lock = Leadership(self.service.db, self.service.settings.home / "lock")
        runner = Runner(self.service, lock, heartbeat=HOUR, patience=HOUR)
        runner.start()
        try:
            yield runner
        finally:
            await runner.close()

    async def live(self, until: datetime) -> None:
        """Let time pass: whatever is due is done, every letter is carried."""
        async with self.up() as runner:
            while True:
                for _ in range(2):
                    await runner.turn()
                    await runner.prepared()
                await drain(make_post(self.service), clock=self.now)
                if self.press.now >= until:
                    return
                moment = next_moment(self.service, self.press.now) or until
                self.press.now = min(moment, until)

    def sleep(self, until: datetime) -> None:
        """Let time pass while the process is down."""
        self.press.now = until

    def mail(self, reader: str) -> list[str]:
        """The subjects of what somebody got, in order."""
        return [str(m["Subject"]) for m in self._letters(reader)]

    def words(self, reader: str) -> str:
        """The plain text of the last letter to somebody."""
        return _text(self._letters(reader)[-1])

    def desk_letters(self) -> list[str]:
        """The plain texts of what the desk got, in order."""
        return [_text(message) for message in self._letters(DESK)]

    def press_button(self, site: str, button: str) -> int:
        """Follow the link of the last letter to the desk, and press a button."""
        asked = [text for text in self.desk_letters() if "/review/" in text][-1]
        found = re.search(r"/review/[^\s#/]+", asked)
        assert found is not None
        with httpx2.Client(base_url=site) as client:
            page = client.get(found[0]).text
            seen = re.search(r'name="seen" value="([^"]+)"', page)
            assert seen is not None, page
            form = {"do": button, "seen": seen[1], "because": "Read on the phone."}
            return client.post(found[0], data=form).status_code

    def subscribe(self, address: str) -> None:
        opt_in.record(
            self.service.db,
            newsletter="weekly",
            address=parse_address(address),
            sections=(),
            letter_format=LetterFormat.HTML,
            name="",
            origin=Origin(source="test", wording="yes"),
            secrets=self.service.secrets,
            actor=OPERATOR,
            now=self.press.now,
        )

    def states(self) -> Mapping[date, list[str]]:
        """The states of the editions of each issue date, corrections last."""
        with self.service.db.read() as tx:
            made = editions.list_page(tx, limit=100)[::-1]
        found: dict[date, list[str]] = {}
        for edition in made:
            found.setdefault(edition.issue_date, []).append(edition.state.value)
        return found

    def approve(self, edition_id: int) -> None:
        """Approve an edition at the desk's own machine."""
        approve(
            self.service.db,
            edition_id=edition_id,
            because="Read it twice.",
            templates=self.service.templates,
            site=self.service.site,
            posting=self.service.posting(),
            actor=OPERATOR,
            now=self.now(),
        )

    def correct(self, issue_date: date, words: str) -> None:
        """Send a correction of an issue."""
        with self.service.db.read() as tx:
            made = editions.list_page(tx, limit=100)
        (wrong,) = (e.id for e in made if e.issue_date == issue_date)
        composed = correct(
            self.service.db,
            edition_id=wrong,
            words=words,
            templates=self.service.templates,
            site=self.service.site,
            actor=OPERATOR,
            now=self.now(),
        )
        self.approve(composed.edition.id)
        self.service.release(composed.edition.id, actor=OPERATOR)

    def _letters(self, reader: str) -> list[EmailMessage]:
        found = zip(self.inbox.received, self.inbox.messages(), strict=True)
        return [message for letter, message in found if reader in letter.recipients]


@contextmanager
def paper(
    home: Path, press: WebServer, smtp_port: int, inbox: Inbox
) -> Iterator[tuple[Paper, str]]:
    """Found a newspaper: its installation, its schedule, its desk; serve its pages."""
    environ = {
        "DIGEST_HOME": str(home),
        "DIGEST_SMTP__HOST": "127.0.0.1",
        "DIGEST_SMTP__PORT": str(smtp_port),
        "DIGEST_SMTP__SECURITY": "none",
        "DIGEST_FETCH__ALLOW_PRIVATE": "true",
    }
    settings, world = load_settings(environ=environ), Press(server=press)
    installing.initialise(settings, actor=OPERATOR, clock=lambda: START)
    service = bootstrap.open_service(settings, clock=lambda: world.now)
    made = Paper(service=service, press=world, inbox=inbox)
    with service.db.write() as tx:
        weekly_paper = newsletters.get(tx, "weekly")
        newsletters.replace(tx, replace(weekly_paper, desk=(DESK,)))
        for name in ("main", "metro"):
            sources.add(
                tx,
                newsletter_id=weekly_paper.id,
                url=press.url(f"/{name}.xml"),
                kind=Kind.FEED,
                title=name,
                every=DAY,
                now=START,
            )
    plans.set_schedule(
        service.db, newsletter="weekly", plan=PLAN, actor=OPERATOR, now=START
    )
    with serving(service) as site:
        yield made, site
    service.db.close()


def _text(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())
