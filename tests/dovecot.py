"""Dovecot on loopback, with its own folders, for accounts that need not exist."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PASSWORD = 'it\'s a "secret" ü'
_READY_SECONDS = 10.0
_CONFIGURATION = """
base_dir = {root}/run
state_dir = {root}/state
log_path = {root}/log
protocols = imap
listen = 127.0.0.1
first_valid_uid = 1
disable_plaintext_auth = no
mail_location = maildir:{root}/mail/%u
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {root}/accounts
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={root}/mail/%u
}}
default_internal_user = {internal}
default_login_user = {login}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
auth_failure_delay = 0
ssl = {ssl}
{more}
"""


@dataclass(frozen=True, kw_only=True)
class Dovecot:
    """A running server.

    Attributes:
        port: Of IMAP, with STARTTLS where there is a certificate.
        tls_port: Of IMAP over TLS.
        root: Its folder; an account's Maildir is in `mail`.
    """

    port: int
    tls_port: int
    root: Path

    def maildir(self, account: str) -> Path:
        """Return where an account's messages are."""
        return self.root / "mail" / account


def find_dovecot() -> str | None:
    """Return the program, or None."""
    return shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@contextmanager
def dovecot(
    *accounts: str, certificate: Path | None = None, more: str = ""
) -> Iterator[Dovecot]:
    """Run it while the block lasts.

    Args:
        accounts: Names; every password is PASSWORD.
        certificate: Key and certificate in one PEM file.
        more: Lines added to its configuration.
    """
    program = find_dovecot()
    assert program is not None
    # Another user goes through it, so not below a test's own folder.
    with tempfile.TemporaryDirectory(prefix="dovecot-") as folder:
        root = Path(folder)
        found = Dovecot(port=_free_port(), tls_port=_free_port(), root=root)
        path = _configure(found, accounts, certificate, more)
        process = subprocess.Popen([program, "-F", "-c", str(path)])  # noqa: S603 - ours
        try:
            _wait(found, process)
            yield found
        finally:
            process.terminate()
            process.wait()


def _configure(
    found: Dovecot, accounts: tuple[str, ...], certificate: Path | None, more: str
) -> Path:
    root = found.root
    me = pwd.getpwuid(os.geteuid())
    # It does not read mail as root.
    mine = me if me.pw_uid else pwd.getpwnam("nobody")
    root.chmod(0o755)
    (root / "mail").mkdir()
    os.chown(root / "mail", mine.pw_uid, mine.pw_gid)
    lines = [f"{name}:{PASSWORD}\n" for name in accounts]
    (root / "accounts").write_text("".join(lines), encoding="utf-8")
    if certificate is not None:
        (root / "own.pem").write_bytes(certificate.read_bytes())
        more += f"\nssl_cert = <{root}/own.pem\nssl_key = <{root}/own.pem"
    path = root / "dovecot.conf"
    path.write_text(
        _CONFIGURATION.format(
            root=root,
            uid=mine.pw_uid,
            gid=mine.pw_gid,
            internal=me.pw_name if me.pw_uid else "dovecot",
            login=me.pw_name if me.pw_uid else "dovenull",
            port=found.port,
            tls_port=found.tls_port if certificate else 0,
            ssl="yes" if certificate else "no",
            more=more,
        ),
        encoding="utf-8",
    )
    return path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(found: Dovecot, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _READY_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", found.port), 1):
            return
        time.sleep(0.02)
    log = found.root / "log"
    said = log.read_text(encoding="utf-8") if log.exists() else "nothing"
    raise AssertionError(f"Dovecot does not listen; it said: {said}")
