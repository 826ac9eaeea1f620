"""What a worker is built of; bootstrap fills it in."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from digest.dispatch.port import Dispatch, InProcess
from digest.domain.deliveries import UncertainPolicy
from digest.domain.rates import RateRules
from digest.domain.retry import RetryPolicy
from digest.domain.secrets import Secrets
from digest.domain.site import Site
from digest.mail.dkim import Signer
from digest.mail.smtp import Relay
from digest.storage.engine import Database

Clock = Callable[[], datetime]


class Guard(Protocol):
    """Says whether letters may go from here."""

    def allows(self, *, busy: bool = True) -> bool:
        """Tell whether letters may go; `busy`: some wait."""

    def require(self) -> None:
        """Raise a StateError where no letter may go."""


@dataclass(frozen=True, kw_only=True)
class Post:
    """The collaborators and rules of one worker.

    Attributes:
        db: The database.
        relay: Where letters are handed over.
        connections: Letters under way at once; each may be in doubt after a crash.
        signer: Signs letters; None: nobody does, or the relay.
        site: Our mail domain, for notices.
        secrets: Keys of tokens and message ids.
        uncertain: What becomes of an edition's letters whose answer was lost.
        worker: This worker's name, unique, at most 59 characters.
        release: Releases an edition whose time has come, by its id.
        guard: Says whether letters may go from here; None: they may.
        uptime: Seconds since the host was started, which tell that the clock was
            set; None: it is trusted.
        dispatch: Brings wake-ups from a release elsewhere.
        retry: Waits and the deadline.
        rates: How fast letters may go, all workers together.
        pause_share: Which share of policy refusals an edition bears; 1: any.
        lease: How long a claim outlives its worker. With `poll` it bounds recovery:
            4 s and half a second stay under the promised 5 s.
        heartbeat: How often leases are renewed. A claim whose worker seems dead is
            challenged when its lease has so long left, and a little, and taken over
            when nobody answered in that time (`patience`).
        poll: How often an idle worker looks for work.
        turn: How long a lane waits that the relay refused a connection while it
            serves others.
        grace: How long letters under way may take when the worker is stopped.
        roll: Chance for the jitter, 0 to 1.
    """

    db: Database
    relay: Relay
    connections: int
    signer: Signer | None
    site: Site
    secrets: Secrets
    uncertain: UncertainPolicy
    worker: str
    release: Callable[[int], object]
    guard: Guard | None = None
    uptime: Callable[[], float] | None = None
    dispatch: Dispatch = field(default_factory=InProcess)
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    rates: RateRules = field(default_factory=RateRules)
    pause_share: float = 0.05
    lease: timedelta = timedelta(seconds=4)
    heartbeat: timedelta = timedelta(seconds=1)
    poll: timedelta = timedelta(seconds=0.5)
    turn: timedelta = timedelta(seconds=2)
    grace: timedelta = timedelta(seconds=20)
    roll: Callable[[], float] = random.random

    @property
    def patience(self) -> timedelta:
        """How long the holder of an overdue lease has to renew it after all."""
        return self.heartbeat * 1.25
