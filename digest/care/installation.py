"""Which home sends for which database, so that a restored copy does not.

Two files in the home: `installation`, its name, written once and never again, so that
a copy is another file; and `installation.mark`, a number that counts up with one in
the database. A home that the database does not know, that lies elsewhere, or that
remembers more than the database does, waits for an operator.
"""

import fcntl
import hashlib
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from digest.care.keys import write_private
from digest.domain.actor import Actor
from digest.domain.editions import Edition
from digest.domain.errors import StateError
from digest.domain.homes import Place, Standing, judge
from digest.domain.states import EditionState
from digest.storage import approvals, audit, desk, editions, homes, restored
from digest.storage.engine import Database, Tx

_log = structlog.get_logger()
_FILE = "installation"
_MARK = "installation.mark"
_LOCK = "installation.lock"
_MACHINE = Path("/etc/machine-id")
_MEND = "If it shall send, say so: digest adopt"
_WHY = "The database was restored, or is a copy."
_HELD: Mapping[EditionState, tuple[EditionState, Mapping[str, Any]]] = {
    EditionState.SENDING: (EditionState.PAUSED, {"pause_reason": _WHY}),
    EditionState.SCHEDULED: (EditionState.APPROVED, {"scheduled_at": None}),
}
_WORKING, _IDLE = timedelta(seconds=5), timedelta(minutes=1)


def read_place(home: Path, *, machine_file: Path = _MACHINE) -> Place:
    """Look at a home as it lies there; one without a name has an empty id."""
    path = home / _FILE
    try:
        name = path.read_text(encoding="ascii").strip()
        file = str(path.stat().st_ino)
    except OSError:
        name, file = "", ""
    return Place(
        id=name,
        machine=_read_machine(machine_file),
        file=file,
        mark=_read_mark(home / _MARK),
    )


def examine(db: Database, home: Path) -> Standing:
    """Tell whether a home may send for a database; changes nothing."""
    with db.read() as tx:
        return _judge(tx, read_place(home))


def advance(
    db: Database,
    home: Path,
    *,
    actor: Actor,
    now: datetime,
) -> Standing:
    """Count one step on in the database and in the home, if it may send.

    A home that finds a new database makes itself known to it.

    Args:
        db: The database.
        home: The folder of the state.
        actor: Who works there.
        now: When.
    """
    with _locked(home), db.write() as tx:
        place = read_place(home)
        found = _judge(tx, place)
        if found is Standing.FRESH:
            place = _settle(tx, home, actor, now)
        if not found.may_send:
            return found
        mark = homes.advance(tx, place.id, now=now)
    # After the commit: were it lost, the home must not know of it.
    _write_mark(home, mark)
    return Standing.KNOWN


@dataclass(frozen=True, kw_only=True)
class Adopted:
    """What adopting did.

    Attributes:
        was: What home and database were to each other.
        paused: Editions at the post, which wait now.
        unscheduled: Editions with a time, which have none now.
        held: Editions that a schedule would let go, which wait for a person now.
    """

    was: Standing
    paused: Sequence[int] = ()
    unscheduled: Sequence[int] = ()
    held: Sequence[int] = ()


def adopt(
    db: Database, home: Path, *, join: bool, actor: Actor, now: datetime
) -> Adopted:
    """Let a home send for a database, whatever they were to each other.

    Nobody knows what was sent since a copy was made: editions at the post are
    paused, those with a time lose it, those that wait for their hour are held (they
    may have gone before it), and issues that were due are left alone.

    Args:
        db: The database.
        home: The folder of the state.
        join: It is no copy but one more machine: everything goes on.
        actor: Who decides.
        now: When.
    """
    with _locked(home), db.write() as tx:
        found = _judge(tx, read_place(home))
        if found is Standing.KNOWN:
            return Adopted(was=found)
        if found is Standing.COPIED:
            # Another name: what it was copied from may still send.
            (home / _FILE).unlink()
        _settle(tx, home, actor, now)
        done = Adopted(was=found) if join else _hold(tx, found, actor, now)
        audit.record(
            tx,
            actor=actor,
            action="installation.adopted",
            subject=("installation", None),
            now=now,
            detail=asdict(done),
        )
        return done


def _hold(tx: Tx, found: Standing, actor: Actor, now: datetime) -> Adopted:
    restored.forget_due(tx, now=now)
    at_post = restored.under_way(tx)
    for edition in at_post:
        after, changed = _HELD[edition.state]
        editions.move(tx, edition, after, now=now, **changed)
        action = "paused" if after is EditionState.PAUSED else "release_failed"
        audit.record_edition(tx, edition.id, action, actor=actor, now=now, reason=_WHY)
    waiting = restored.waiting(tx)
    for edition in waiting:
        _keep_back(tx, edition, actor, now)
    return Adopted(
        was=found,
        paused=[e.id for e in at_post if e.state is EditionState.SENDING],
        unscheduled=[e.id for e in at_post if e.state is EditionState.SCHEDULED],
        held=[e.id for e in waiting],
    )


def _keep_back(tx: Tx, edition: Edition, actor: Actor, now: datetime) -> None:
    """Take an approval back and hold the draft, until a person approves it."""
    if edition.state is EditionState.APPROVED:
        edition = approvals.take_back(tx, edition, now=now)
    desk.put_hold(tx, edition, by=str(actor), because=_WHY, now=now)
    audit.record_edition(tx, edition.id, "held", actor=actor, now=now, because=_WHY)


class Guard:
    """Says whether letters may go from here, and counts that they do.

    Args:
        db: The database.
        home: The folder of the state.
        actor: Who works there.
        clock: The time.
        monotonic: Tells how long ago it looked.
    """

    def __init__(
        self,
        db: Database,
        home: Path,
        *,
        actor: Actor,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = db
        self._home = home
        self._actor = actor
        self._clock = clock
        self._monotonic = monotonic
        self._threads = threading.Lock()
        self._looked_at: float | None = None
        self._found = Standing.KNOWN

    def allows(self, *, busy: bool = True) -> bool:
        """Tell whether letters may go; looks anew every few seconds.

        Args:
            busy: Letters wait; else it looks less often.
        """
        patience = (_WORKING if busy else _IDLE).total_seconds()
        with self._threads:
            if self._age() >= patience:
                self._look()
            return self._found.may_send

    def look(self) -> Standing:
        """Tell how home and database stand to each other; counts nothing."""
        return examine(self._db, self._home)

    def require(self) -> None:
        """Refuse to go on where no letter may go.

        Raises:
            StateError: The home or the database is a copy, or was restored.
        """
        with self._threads:
            self._look()
            if not self._found.may_send:
                raise StateError(self._found.words, _MEND)

    def _age(self) -> float:
        if self._looked_at is None:
            return float("inf")
        return self._monotonic() - self._looked_at

    def _look(self) -> None:
        before = self._found
        self._found = advance(
            self._db,
            self._home,
            actor=self._actor,
            now=self._clock(),
        )
        self._looked_at = self._monotonic()
        if self._found is not before and not self._found.may_send:
            _log.error("installation.refused", why=self._found.words, mend=_MEND)


def _judge(tx: Tx, place: Place) -> Standing:
    return judge(place, homes.list_all(tx), is_used=homes.is_used(tx))


def _settle(tx: Tx, home: Path, actor: Actor, now: datetime) -> Place:
    """Give the home a name, if it has none, and make it known."""
    if not (home / _FILE).exists():
        write_private(home / _FILE, f"{secrets.token_hex(16)}\n".encode())
    settled = read_place(home)
    homes.put(tx, settled, by=str(actor), now=now)
    return settled


def _read_machine(path: Path) -> str:
    try:
        name = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
    return hashlib.sha256(name.encode()).hexdigest()[:32] if name else ""


def _read_mark(path: Path) -> int:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0


def _write_mark(home: Path, mark: int) -> None:
    with _locked(home):
        # Another process of this home may have gone further meanwhile.
        if mark > _read_mark(home / _MARK):
            write_private(home / _MARK, f"{mark}\n".encode(), replace=True)


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    handle = os.open(home / _LOCK, flags, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
