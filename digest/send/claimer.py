"""The claimer: finds what is due, and takes it under a lease of its own."""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import ModuleType
from typing import TypedDict

from digest.domain.deliveries import Lease, LetterKind, Notice
from digest.send.post import Clock, Post
from digest.send.vigil import Vigil
from digest.storage import chunks, editions, notice_ledger
from digest.storage.chunks import Chunk
from digest.storage.engine import Tx

_NOTICES_AT_ONCE = 50
_LEFT_AT_ONCE = 50  # a statement names each; SQLite takes no thousand
_ROWS: Mapping[LetterKind, ModuleType] = {
    LetterKind.DELIVERY: chunks,
    LetterKind.NOTICE: notice_ledger,
}


class _Question(TypedDict):
    """Who asks for what is overdue, and when."""

    owner: str
    held: list[int]
    now: datetime
    patience: timedelta


@dataclass(frozen=True, kw_only=True)
class View:
    """What there is to do.

    Attributes:
        notices: Some may be claimed.
        chunks: Some may be claimed.
        silent: Kinds of which a holder has not been heard of in time.
        leased: Somebody holds a lease.
        scheduled: An edition is due to be released.
        finished: An edition has nothing left to be carried.
    """

    notices: bool
    chunks: bool
    silent: frozenset[LetterKind]
    leased: bool
    scheduled: bool
    finished: bool

    @property
    def is_any(self) -> bool:
        """Whether there is anything, for us, for others or for the releaser."""
        return self.notices or self.chunks or self.leased or self.scheduled


class Claimer:
    """Claims for one worker; each call is a transaction.

    Args:
        post: The worker's rules.
        held: Says which rows of a kind the worker holds.
        clock: The time.
    """

    def __init__(
        self, post: Post, *, held: Callable[[LetterKind], list[int]], clock: Clock
    ) -> None:
        self._post = post
        self._held = held
        self._clock = clock
        # New at each start: after a failure its former leases are another's.
        self._owner = f"{post.worker}:{secrets.token_hex(2)}"
        self._vigils = {
            kind: Vigil(patience=post.patience, gap=post.heartbeat)
            for kind in LetterKind
        }

    def look(self) -> View:
        """Say what there is to do."""
        # Reading first spares an idle worker the write lock.
        now = self._clock()
        with self._post.db.read() as tx:
            # First: a release that comes between makes chunks of what was scheduled.
            scheduled = bool(editions.due(tx, now=now))
            return View(
                notices=notice_ledger.is_any_claimable(
                    tx, **self._ask(LetterKind.NOTICE, now)
                ),
                chunks=chunks.is_any_claimable(
                    tx, **self._ask(LetterKind.DELIVERY, now)
                ),
                silent=frozenset(
                    kind
                    for kind, rows in _ROWS.items()
                    if rows.is_any_overdue(tx, **self._ask(kind, now))
                ),
                leased=chunks.is_any_leased(tx, now=now)
                or notice_ledger.is_any_leased(tx, now=now),
                scheduled=scheduled,
                finished=bool(chunks.finished_editions(tx)),
            )

    def is_waiting(self, edition_id: int, number: int) -> bool:
        """Tell whether a chunk is due and nobody carries it."""
        with self._post.db.read() as tx:
            asked = self._ask(LetterKind.DELIVERY, self._clock())
            return chunks.is_waiting(tx, edition_id, number, **asked)

    def claim_notices(self, *, free: bool = True) -> list[Notice]:
        """Claim the next notices that are due, not many.

        Args:
            free: Not only those that a dead worker left behind.
        """
        with self._claiming(LetterKind.NOTICE) as (tx, now, left):
            return notice_ledger.claim(
                tx,
                owner=self._owner,
                now=now,
                lease=self._post.lease,
                limit=_NOTICES_AT_ONCE,
                left_behind=left,
                free=free,
            )

    def claim_chunk(self, *, free: bool = True) -> Chunk | None:
        """Claim the next chunk; None: none is due.

        Args:
            free: Not only one that a dead worker left behind.
        """
        with self._claiming(LetterKind.DELIVERY) as (tx, now, left):
            return chunks.claim(
                tx,
                owner=self._owner,
                now=now,
                lease=self._post.lease,
                uncertain=self._post.uncertain,
                left_behind=left,
                free=free,
            )

    @contextmanager
    def _claiming(
        self, kind: LetterKind
    ) -> Iterator[tuple[Tx, datetime, Sequence[Lease]]]:
        """Open a transaction, and challenge in it the leases that are overdue.

        Yields:
            The transaction, its time, and leases that were left behind, not many.
        """
        vigil = self._vigils[kind]
        with vigil.looking(), self._post.db.write() as tx:
            now = self._clock()
            silent = _ROWS[kind].challenge(tx, **self._ask(kind, now))
            yield tx, now, vigil.left_behind(silent)[:_LEFT_AT_ONCE]

    def _ask(self, kind: LetterKind, now: datetime) -> _Question:
        return {
            "owner": self._owner,
            "held": self._held(kind),
            "now": now,
            "patience": self._post.patience,
        }
