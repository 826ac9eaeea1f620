"""The claimer: finds what is due, and takes it under a lease of its own."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from digest.domain.deliveries import LetterKind, Notice
from digest.send.post import Clock, Post
from digest.send.vigil import Vigil
from digest.storage import chunks, editions, notice_ledger
from digest.storage.chunks import Chunk

_NOTICES_AT_ONCE = 50


@dataclass(frozen=True, kw_only=True)
class View:
    """What there is to do."""

    notices: bool
    chunks: bool
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
        now, owner, patience = self._clock(), self._owner, self._post.patience
        with self._post.db.read() as tx:
            return View(
                notices=notice_ledger.is_any_claimable(
                    tx,
                    owner=owner,
                    held=self._held(LetterKind.NOTICE),
                    now=now,
                    patience=patience,
                ),
                chunks=chunks.is_any_claimable(
                    tx,
                    owner=owner,
                    held=self._held(LetterKind.DELIVERY),
                    now=now,
                    patience=patience,
                ),
                leased=chunks.is_any_leased(tx, now=now)
                or notice_ledger.is_any_leased(tx, now=now),
                scheduled=bool(editions.due(tx, now=now)),
                finished=bool(chunks.finished_editions(tx)),
            )

    def is_waiting(self, edition_id: int, number: int) -> bool:
        """Tell whether a chunk is due and nobody carries it."""
        with self._post.db.read() as tx:
            return chunks.is_waiting(
                tx,
                edition_id,
                number,
                owner=self._owner,
                held=self._held(LetterKind.DELIVERY),
                now=self._clock(),
                patience=self._post.patience,
            )

    def claim_notices(self) -> list[Notice]:
        """Claim the next notices that are due, not many."""
        vigil = self._vigils[LetterKind.NOTICE]
        with vigil.looking(), self._post.db.write() as tx:
            now, owner, patience = self._clock(), self._owner, self._post.patience
            held = self._held(LetterKind.NOTICE)
            silent = notice_ledger.challenge(
                tx, owner=owner, held=held, now=now, patience=patience
            )
            return notice_ledger.claim(
                tx,
                owner=owner,
                now=now,
                lease=self._post.lease,
                limit=_NOTICES_AT_ONCE,
                left_behind=vigil.left_behind(silent),
            )

    def claim_chunk(self) -> Chunk | None:
        """Claim the next chunk; None: none is due."""
        vigil = self._vigils[LetterKind.DELIVERY]
        with vigil.looking(), self._post.db.write() as tx:
            now, owner, patience = self._clock(), self._owner, self._post.patience
            held = self._held(LetterKind.DELIVERY)
            silent = chunks.challenge(
                tx, owner=owner, held=held, now=now, patience=patience
            )
            return chunks.claim(
                tx,
                owner=owner,
                now=now,
                lease=self._post.lease,
                uncertain=self._post.uncertain,
                left_behind=vigil.left_behind(silent),
            )
