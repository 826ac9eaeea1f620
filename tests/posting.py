"""An approved edition, its readers, a relay that remembers: what sending needs."""

import asyncio
import email
import email.policy
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from typing import Any, ClassVar, Self

from sqlalchemy import insert, select, update

from digest.domain.actor import Actor, ActorKind
from digest.domain.deliveries import Intent, Lease, UncertainPolicy
from digest.domain.editions import Edition, Variant
from digest.domain.letters import NewNotice, NoticeKind, Sender
from digest.domain.newsletters import Newsletter
from digest.domain.slots import Slot, marker
from digest.domain.states import EditionState, SubscriptionState
from digest.mail.sink import Received, Sink
from digest.mail.smtp import Relay
from digest.send.post import Post
from digest.send.release import release
from digest.storage import chunks, editions, ledger, tables
from digest.storage.chunks import Chunk
from digest.storage.engine import Database
from tests.builders import NOW, SECRETS, SITE

DESK = Actor(kind=ActorKind.OPERATOR, name="editor")
TEXT = (
    f"The Week, for {marker(Slot.ADDRESS)} since {marker(Slot.CONFIRMED_ON)}.\n"
    f"Leave: {SITE.unsubscribe_url(marker(Slot.UNSUBSCRIBE_TOKEN))}\n"
    f"Change: {SITE.preferences_url(marker(Slot.PREFERENCES_TOKEN))}\n"
)


def add_reader(
    db: Database,
    newsletter: Newsletter,
    address: str,
    *,
    state: SubscriptionState = SubscriptionState.ACTIVE,
    sections: str = "",
    letter_format: str = "html",
    confirmed_at: datetime | None = NOW,
    paused_until: datetime | None = None,
) -> int:
    """A stored reader with one subscription; returns the subscription's id."""
    with db.write() as tx:
        subscriber = tx.execute(
            insert(tables.subscribers)
            .values(
                address=address,
                address_key=address.lower(),
                domain=address.partition("@")[2],
                address_hash=SECRETS.hash_address(address.lower()),
                name="",
                created_at=NOW,
            )
            .returning(tables.subscribers.c.id)
        ).scalar_one()
        subscription = tx.execute(
            insert(tables.subscriptions)
            .values(
                subscriber_id=subscriber,
                newsletter_id=newsletter.id,
                state=state,
                sections=sections,
                format=letter_format,
                since=NOW,
                confirmed_at=confirmed_at,
                paused_until=paused_until,
            )
            .returning(tables.subscriptions.c.id)
        ).scalar_one()
        return int(subscription)


def add_readers(db: Database, newsletter: Newsletter, count: int) -> None:
    """Many active readers: r0@example.com, r1@example.com, …"""
    for number in range(count):
        add_reader(db, newsletter, f"r{number}@example.com")


def add_edition(db: Database, newsletter: Newsletter, **changes: Any) -> Edition:
    """A stored edition, approved, with its two whole renderings."""
    values: dict[str, Any] = {
        "newsletter_id": newsletter.id,
        "issue_date": date(2024, 5, 12),
        "number": 19,
        "state": EditionState.APPROVED,
        "subject": "Egypt refuses Rafah coordination: reports",
        "content_hash": "c" * 64,
        "approved_hash": "c" * 64,
        "created_at": NOW,
        "updated_at": NOW,
    }
    with db.write() as tx:
        edition = editions.insert_edition(tx, Edition(**(values | changes)), [])
        for letter_format in ("html", "text"):
            add_variant(tx, edition, "", letter_format)
        return edition


def approve_as(db: Database, edition: Edition, stamp: str) -> None:
    """Approve exactly the content that a hash names."""
    with db.write() as tx:
        tx.execute(
            update(tables.editions)
            .where(tables.editions.c.id == edition.id)
            .values(content_hash=stamp, approved_hash=stamp)
        )


def add_variant(tx: Any, edition: Edition, sections: str, letter_format: str) -> None:
    """One rendering."""
    html = f"<p>{TEXT}</p>" if letter_format == "html" else None
    editions.put_variant(
        tx,
        Variant(
            edition_id=edition.id,
            sections=sections,
            format=letter_format,
            subject=edition.subject,
            html=html,
            text=TEXT,
        ),
    )


def release_edition(db: Database, edition: Edition, **changes: Any) -> Edition:
    """Give an edition to the post at `NOW`."""
    values: dict[str, Any] = {
        "edition_id": edition.id,
        "site": SITE,
        "key_id": 1,
        "actor": DESK,
        "now": NOW,
    }
    return release(db, **(values | changes))


def make_post(db: Database, port: int, **changes: Any) -> Post:
    """A worker's parts, posting to a port of this machine."""
    values: dict[str, Any] = {
        "db": db,
        "relay": Relay(host="127.0.0.1", port=port, security="none"),
        "connections": 3,
        "signer": None,
        "site": SITE,
        "secrets": SECRETS,
        "uncertain": UncertainPolicy.HOLD,
        "worker": "worker-a",
        "release": lambda edition_id: release(
            db, edition_id=edition_id, site=SITE, key_id=1, actor=DESK, now=NOW
        ),
        "roll": lambda: 0.5,
        # Patience with silent workers is real time, whatever the test's clock says.
        "heartbeat": timedelta(milliseconds=100),
        "poll": timedelta(milliseconds=50),
    }
    return Post(**(values | changes))


def claim_chunk(
    db: Database,
    owner: str | None = None,
    *,
    seconds: float = 0,
    uncertain: UncertainPolicy = UncertainPolicy.HOLD,
) -> Chunk | None:
    """Claim the next chunk so long after `NOW`; without an owner, as a new worker."""
    owner = owner or f"worker-at-{seconds}"
    now = NOW + timedelta(seconds=seconds)
    with db.write() as tx:
        silent = chunks.challenge(tx, owner=owner, now=now, patience=timedelta(0))
        return chunks.claim(
            tx,
            owner=owner,
            now=now,
            lease=timedelta(seconds=4),
            uncertain=uncertain,
            left_behind=silent,
        )


def intend(db: Database, lease: Lease, letter_id: int) -> None:
    """Record that a letter is about to be handed over."""
    intent = Intent(lease=lease, letter_id=letter_id, at=NOW, dated_at=NOW)
    with db.write() as tx:
        assert ledger.intend(tx, lease.kind, [intent]) == {letter_id}


class Clock:
    """Stands at `NOW` until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def move(self, **length: float) -> None:
        """Let time pass."""
        self.now += timedelta(**length)


class Inbox:
    """What a server took, by reader."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self._calls: dict[int, Callable[[], None]] = {}

    def take(self, letter: Received) -> None:
        """Keep a letter."""
        self.received.append(letter)
        if call := self._calls.get(len(self.received)):
            call()

    def when(self, count: int, call: Callable[[], None]) -> None:
        """Call something once so many letters have come."""
        self._calls[count] = call

    def sink(self) -> Sink:
        """A server that puts every letter here."""
        return Sink(self.take)

    def recipients(self) -> list[str]:
        """Who got a letter, sorted, once for each letter."""
        return sorted(r for letter in self.received for r in letter.recipients)

    def messages(self) -> Iterator[EmailMessage]:
        """The letters, parsed."""
        for letter in self.received:
            found = email.message_from_bytes(
                letter.message, policy=email.policy.default
            )
            assert isinstance(found, EmailMessage)
            yield found


HANG_UP = "hang up"
Mood = Callable[[str, str], str | None]


class MoodyRelay:
    """A relay whose answers a test decides; use as `async with`.

    Args:
        inbox: Where accepted letters go, and those whose answer is `HANG_UP`.
        mood: From the verb (`.` for the final dot) and the recipient to the answer;
            None: what is usual.
        most: Connections at one time; further ones are refused.
    """

    _USUAL: ClassVar = {"DATA": "354 Go on", "QUIT": "221 Bye", ".": "250 Taken"}

    def __init__(self, inbox: Inbox, mood: Mood, *, most: int = 100) -> None:
        self._inbox = inbox
        self._mood = mood
        self._free = most
        self.port = 0
        self.heard: list[str] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_exc: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._free -= 1
        with suppress(OSError, asyncio.IncompleteReadError):
            if self._free < 0:
                writer.write(_answer("421 4.7.0 Too many connections"))
            else:
                await self._converse(reader, writer)
        self._free += 1
        writer.close()

    async def _converse(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        sender = recipient = ""
        writer.write(_answer(self._mood("CONNECT", "") or "220 moody"))
        while line := (await reader.readline()).decode().strip():
            self.heard.append(line)
            verb, _, rest = line.partition(" ")
            if verb == "MAIL":
                sender = rest.partition("<")[2].partition(">")[0]
            if verb == "RCPT":
                recipient = rest.partition("<")[2].partition(">")[0]
            answer = self._reply(verb, recipient)
            if verb == "DATA" and answer.startswith("354"):
                writer.write(_answer(answer))
                message = (await reader.readuntil(b"\r\n.\r\n"))[:-3]
                answer = self._reply(".", recipient)
                if answer.startswith(("2", HANG_UP)):
                    self._inbox.take(Received(sender, (recipient,), message))
            if answer == HANG_UP:
                return
            writer.write(_answer(answer))
            if verb == "QUIT" or answer.startswith("421"):
                return

    def _reply(self, verb: str, recipient: str) -> str:
        return self._mood(verb, recipient) or self._USUAL.get(verb, "250 Ok")


def _answer(text: str) -> bytes:
    return f"{text}\r\n".encode()


def lose_answers(count: int) -> Mood:
    """A mood in which the first answers to the final dot are lost."""
    left = [count]

    def mood(verb: str, _recipient: str) -> str | None:
        if verb == "." and left[0]:
            left[0] -= 1
            return HANG_UP
        return None

    return mood


def notices_of(db: Database) -> list[Any]:
    """Every notice, in order of their ids."""
    with db.read() as tx:
        return list(tx.execute(select(tables.notices).order_by(tables.notices.c.id)))


def make_notice(**changes: Any) -> NewNotice:
    """A confirmation letter to bob."""
    values: dict[str, Any] = {
        "kind": NoticeKind.CONFIRMATION,
        "address": "bob@example.com",
        "sender": Sender(
            name="The Week",
            address="weekly@news.example.test",
            reply_to="editor@news.example.test",
        ),
        "subject": "Please confirm",
        "text": "Press the button.\n",
        "headers": {"Auto-Submitted": "auto-generated"},
    }
    return NewNotice(**(values | changes))


def rows_of(db: Database, edition: Edition) -> list[Any]:
    """An edition's deliveries, in order of their ids."""
    c = tables.deliveries.c
    with db.read() as tx:
        query = select(tables.deliveries).where(c.edition_id == edition.id)
        return list(tx.execute(query.order_by(c.id)))


def states_of(db: Database, edition: Edition) -> dict[str, str]:
    """The state of each delivery by address, with the reason of skipped ones."""
    return {
        row.address: f"{row.state}:{row.reason}" if row.reason else row.state
        for row in rows_of(db, edition)
    }


def mark_sent(db: Database, edition_id: int, count: int, *, at: datetime) -> None:
    """Take the first deliveries of an edition as sent."""
    c = tables.deliveries.c
    first = select(c.id).where(c.edition_id == edition_id).order_by(c.id).limit(count)
    with db.write() as tx:
        tx.execute(
            update(tables.deliveries)
            .where(c.id.in_(first))
            .values(state="sent", settled_at=at)
        )


def audit_of(db: Database) -> list[tuple[str, str]]:
    """Every audited change: what, and by whom."""
    c = tables.audit.c
    with db.read() as tx:
        return [
            tuple(row) for row in tx.execute(select(c.action, c.actor).order_by(c.id))
        ]


def put_in_doubt(db: Database, edition: Edition) -> None:
    """Lose the answer to an edition's first letter."""
    first = rows_of(db, edition)[0].id
    with db.write() as tx:
        tx.execute(
            update(tables.deliveries)
            .where(tables.deliveries.c.id == first)
            .values(state="uncertain")
        )
