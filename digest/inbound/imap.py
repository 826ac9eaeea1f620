"""A folder of an IMAP server (RFC 3501); what was taken moves to another one."""

import imaplib
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from digest.inbound.mailbox import MailboxError
from digest.settings.mailboxes import ImapSettings

_SECONDS = 20.0
_MOST = 1000
_Answer = TypeVar("_Answer")


class Imap:
    """One folder, selected over a connection that is kept.

    Args:
        settings: The server and the account; `host` is set.

    Raises:
        MailboxError: It cannot be reached, or does not let us in.
    """

    def __init__(self, settings: ImapSettings) -> None:
        self._settings = settings
        self._connection = _guard(lambda: _connect(settings))
        try:
            self._offers = _guard(self._ask_what_is_offered)
            self._validity = _guard(self._open)
        except MailboxError:
            self.close()
            raise

    def keys(self) -> Sequence[str]:
        """List what lies in the folder by UIDVALIDITY and UID."""
        # Servers tell what is new when they are asked something.
        _guard(self._connection.noop)
        _, found = _guard(lambda: self._connection.uid("SEARCH", "UNDELETED"))
        listed = (found[0] or b"").split()
        uids = sorted(int(uid) for uid in listed if uid.isdigit())
        return [f"{self._validity}/{uid}" for uid in uids[:_MOST]]

    def fetch(self, key: str, most: int) -> bytes | None:
        """Read a message without marking it; one that is too large only in part."""
        asked = f"(BODY.PEEK[]<0.{most}>)"
        status, found = _guard(lambda: self._connection.uid("FETCH", _uid(key), asked))
        if status != "OK":
            raise ValueError(f"FETCH: {status}")
        parts = [part[1] for part in found if isinstance(part, tuple)]
        return bytes(parts[0]) if parts else None

    def move(self, key: str, *, refused: bool) -> None:
        """Move a message to the folder of those that were taken, or were not."""
        settings, uid = self._settings, _uid(key)
        target = _quote(settings.refused if refused else settings.done)
        if b"MOVE" in self._offers:  # RFC 6851
            self._order("MOVE", uid, target)
            return
        self._order("COPY", uid, target)
        self._order("STORE", uid, "+FLAGS.SILENT", r"(\Deleted)")
        if b"UIDPLUS" in self._offers:  # RFC 4315: this one alone
            self._order("EXPUNGE", uid)

    def close(self) -> None:
        """End the connection; a thread that waits for an answer is woken."""
        with suppress(OSError):
            self._connection.sock.shutdown(socket.SHUT_RDWR)
        with suppress(OSError, imaplib.IMAP4.error):
            self._connection.shutdown()

    def _ask_what_is_offered(self) -> frozenset[bytes]:
        # Servers offer more to whom they know; imaplib remembers what came before.
        _, said = self._connection.capability()
        return frozenset(bytes(said[-1] or b"").upper().split())

    def _open(self) -> str:
        """Make the other folders and select ours; returns its UIDVALIDITY."""
        for name in (self._settings.done, self._settings.refused):
            # The answer is NO where it is there already.
            self._connection.create(_quote(name))
        folder = self._settings.folder
        status, said = self._connection.select(_quote(folder))
        if status != "OK":
            raise MailboxError(f"folder {folder}: {_words(said)}")
        _, validity = self._connection.response("UIDVALIDITY")
        return bytes(validity[0] or b"0").decode("ascii", "replace")

    def _order(self, *command: str) -> None:
        status, said = _guard(lambda: self._connection.uid(*command))
        if status != "OK":
            raise MailboxError(f"{command[0]}: {_words(said)}")


def _connect(settings: ImapSettings) -> imaplib.IMAP4:
    assert settings.host is not None
    assert settings.username is not None
    assert settings.password is not None
    host, port = settings.host, settings.port
    tls = ssl.create_default_context()
    found: imaplib.IMAP4
    if settings.security == "tls":
        found = imaplib.IMAP4_SSL(host, port, ssl_context=tls, timeout=_SECONDS)
    else:
        found = imaplib.IMAP4(host, port, timeout=_SECONDS)
    try:
        if settings.security == "starttls":
            found.starttls(tls)
        _log_in(found, settings.username, settings.password.get_secret_value())
    except BaseException:
        found.shutdown()
        raise
    return found


def _log_in(connection: imaplib.IMAP4, username: str, password: str) -> None:
    if "AUTH=PLAIN" not in connection.capabilities:
        connection.login(username, password)
        return
    words = f"\0{username}\0{password}".encode()  # RFC 4616: UTF-8
    connection.authenticate("PLAIN", lambda _: words)


def _guard(ask: Callable[[], _Answer]) -> _Answer:
    """Ask the server something.

    Raises:
        MailboxError: It did not answer, or refused.
    """
    try:
        return ask()
    except (imaplib.IMAP4.error, OSError, EOFError) as error:
        raise MailboxError(_words(error.args) or type(error).__name__) from None


def _words(said: Sequence[Any]) -> str:
    """Return what a server said as one line."""
    last = said[-1] if said else ""
    text = last.decode("utf-8", "replace") if isinstance(last, bytes) else str(last)
    return " ".join("".join(c for c in text if c.isprintable()).split())[:200]


def _uid(key: str) -> str:
    return key.partition("/")[2]


def _quote(name: str) -> str:
    """Write a folder's name as the server takes it (RFC 3501 §4.3, §5.1.3)."""
    escaped = name.replace("&", "&-").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
