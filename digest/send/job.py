"""A letter in a worker's hands, and the claim it came with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from digest.domain.deliveries import Lease, LetterKind
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
        lost: Another worker took it over: write nothing more.
        closed: Hand nothing more over: the edition or the worker was stopped.
        not_before: Let nobody try again earlier.
    """

    lease: Lease
    chunk: Chunk | None = None
    outstanding: int = 0
    lost: bool = False
    closed: bool = False
    not_before: datetime | None = None

    @property
    def is_over(self) -> bool:
        """Whether its remaining letters are left as they are."""
        return self.lost or self.closed


@dataclass(frozen=True, kw_only=True)
class Job:
    """One letter to carry.

    Attributes:
        claim: Under which.
        letter_id: The delivery's or notice's row.
        bar: Why it may not be sent, as of the claim.
        write: Writes the letter with a given Date.
        dated_at: Its Date, where an earlier try fixed it.
        attempts: Tries so far.
        refusals: Temporary refusals so far.
        first_attempt_at: The first try, if there was one.
    """

    claim: Claim
    letter_id: int
    bar: SkipReason | None
    write: Callable[[datetime], Envelope]
    dated_at: datetime | None
    attempts: int
    refusals: int
    first_attempt_at: datetime | None

    @property
    def kind(self) -> LetterKind:
        """Which table it is a row of."""
        return self.claim.lease.kind


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
