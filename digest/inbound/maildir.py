"""A Maildir: one file a message; `new` holds what nobody has looked at."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from digest.inbound.mailbox import MailboxError

_REFUSED = ".Refused"  # a folder as Maildir++ has them
_MOST = 1000
_SEEN = ":2,S"


class Maildir:
    """One of this machine.

    Args:
        folder: It holds `new`, `cur` and `tmp`.

    Raises:
        MailboxError: It does not.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._new, self._cur = folder / "new", folder / "cur"
        if not (self._new.is_dir() and self._cur.is_dir()):
            raise MailboxError(f"{folder} is no Maildir")

    def keys(self) -> Sequence[str]:
        """List the files of `new`; names begin with the time of delivery."""
        try:
            with os.scandir(self._new) as entries:
                names = sorted(e.name for e in entries if not e.name.startswith("."))
        except OSError as error:
            raise MailboxError(f"{self._new}: {error.strerror}") from None
        return names[:_MOST]

    def fetch(self, key: str, most: int) -> bytes | None:
        """Read a file.

        Raises:
            OSError: It cannot be read, or is something else than a file.
        """
        # Neither what a link points to nor a pipe that nobody writes to.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            number = os.open(self._new / key, flags)
        except FileNotFoundError:
            return None
        with open(number, "rb") as file:  # noqa: PTH123 - it is open already
            if not stat.S_ISREG(os.fstat(number).st_mode):
                raise OSError(f"{key} is no file")
            return file.read(most)

    def move(self, key: str, *, refused: bool) -> None:
        """Move a file to `cur`, marked as seen, or to `cur` of `.Refused`."""
        try:
            target = self._open_refused() if refused else self._cur
            (self._new / key).rename(target / f"{key}{'' if ':' in key else _SEEN}")
        except FileNotFoundError:
            return
        except OSError as error:
            raise MailboxError(f"{self._folder}: {error.strerror}") from None

    def close(self) -> None:
        """Nothing is held open."""

    def _open_refused(self) -> Path:
        folder = self._folder / _REFUSED
        for name in ("cur", "new", "tmp"):
            (folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / "maildirfolder").touch(mode=0o600)
        return folder / "cur"
