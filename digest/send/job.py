"""A letter in a worker's hands, and the claim it came with."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from digest.domain.deliveries import Delivery, Lease, LetterKind, Notice, Result
from digest.domain.states import SkipReason
from digest.mail.smtp import Envelope
from digest.storage.chunks import Chunk


@dataclass(kw_only=True)
class Claim:
    """A chunk, or one notice, and what was learned while working on it.

    Attributes:
        lease: The right to it.
        chunk: The chunk; None for a notice.
        outstanding: Letters of it that no lane has finished.
        settled: A result is durable; with it the claim of a notice ended.
        lost: Another worker took it over: write nothing more.
        closed: Hand nothing more over: the edition or the worker was stopped.
        not_before: Let nobody try again earlier.
    """

    lease: Lease
    chunk: Chunk | None = None
    outstanding: int = 0
    settled: bool = False
    lost: bool = False
    closed: bool = False
    not_before: datetime | None = None

    @property
    def is_over(self) -> bool:
        """Whether its remaining letters are left as they are."""
        return self.lost or self.closed


class Writer(Protocol):
    """What writes a letter: an edition's, or a notice."""

    def __call__(self, letter: Any, /, *, dated_at: datetime) -> Envelope: ...


@dataclass(slots=True, kw_only=True)
class Job:
    """One letter to carry.

    Attributes:
        claim: Under which.
        letter: The delivery or notice.
        bar: Why it may not be sent, as of the claim.
        writer: Writes it.
        is_admitted: Nothing that is limited stands in its way any more.
    """

    claim: Claim
    letter: Delivery | Notice
    bar: SkipReason | None
    writer: Writer
    is_admitted: bool = False

    def write(self, dated_at: datetime) -> Envelope:
        """Write the letter with a given Date."""
        return self.writer(self.letter, dated_at=dated_at)

    @property
    def kind(self) -> LetterKind:
        """Which table it is a row of."""
        return self.claim.lease.kind

    @property
    def letter_id(self) -> int:
        """The delivery's or notice's row."""
        return self.letter.id

    @property
    def domain(self) -> str:
        """The recipient's domain; empty where the address was erased."""
        return (self.letter.address or "").rpartition("@")[2].lower()

    @property
    def dated_at(self) -> datetime | None:
        """Its Date, where an earlier try fixed it."""
        return self.letter.dated_at

    @property
    def attempts(self) -> int:
        """Tries so far."""
        return self.letter.attempts

    @property
    def refusals(self) -> int:
        """Temporary refusals so far."""
        return self.letter.refusals

    @property
    def first_attempt_at(self) -> datetime | None:
        """The first try, if there was one."""
        return self.letter.first_attempt_at


@dataclass(kw_only=True)
class Totals:
    """What a worker did.

    Attributes:
        sent: Letters a server took.
        deferred: Letters to be tried again.
        failed: Letters refused for good.
        skipped: Letters not sent on purpose.
        uncertain: Letters whose answer was lost.
        policy: Refusals on account of the sender, deferred or failed.
        waiting: Letters left to be carried when it ended.
        commits: Transactions the ledger made durable.
        trouble: Why the relay could not be used last; None: it could.
    """

    sent: int = 0
    deferred: int = 0
    failed: int = 0
    skipped: int = 0
    uncertain: int = 0
    policy: int = 0
    waiting: int = 0
    commits: int = 0
    trouble: str | None = field(default=None)

    def count(self, result: Result) -> None:
        """Add what became of a letter."""
        name = str(result.state)
        setattr(self, name, getattr(self, name) + 1)
        self.policy += result.policy is not None
