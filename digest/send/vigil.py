"""The vigil: which leases of others were left behind by workers that died.

A lease is not renewed, either, while nobody can write: the write lock is held, the disk
is full, the database is away, the machine sleeps. Whoever can write first afterwards
must not take what living workers are about to renew. So a lease that is overdue is
challenged first. It counts as left behind once that went on for a while, in
transactions that were written one soon after the other: its holder could have written,
too.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from digest.domain.deliveries import Lease


class Vigil:
    """What one worker knows of the leases it challenged.

    Args:
        patience: How long a holder has to answer; longer than a heartbeat.
        gap: The longest between two looks in which we cannot have been held up, too.
        monotonic: Seconds that no clock change moves.
    """

    def __init__(
        self,
        *,
        patience: timedelta,
        gap: timedelta,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._patience = patience.total_seconds()
        self._gap = gap.total_seconds()
        self._monotonic = monotonic
        self._since: dict[Lease, float] = {}
        self._looked_at = 0.0

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Enclose the transaction of a look: one that fails has shown nothing."""
        try:
            yield
        except BaseException:
            self._since.clear()
            raise

    def left_behind(self, challenged: Iterable[Lease]) -> list[Lease]:
        """Tell those whose holders have had their time.

        Args:
            challenged: Every lease that is overdue, as of this transaction.
        """
        now = self._monotonic()
        if now - self._looked_at > self._gap:
            self._since.clear()
        self._looked_at = now
        self._since = {lease: self._since.get(lease, now) for lease in challenged}
        return [
            lease
            for lease, since in self._since.items()
            if now - since >= self._patience
        ]
