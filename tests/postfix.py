"""Postfix on loopback with its own folders, set up by the lines that the docs give."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.processes import listens, wait_until

DOCS = Path(__file__).parents[1] / "docs" / "inbound.md"
_DAEMONS = "/usr/lib/postfix/sbin"
_SBIN = f"{os.environ.get('PATH', '')}:/usr/sbin"
_READY_SECONDS = 20.0
# What any Postfix has, without the ports and folders of the machine's own.
_MAIN = """
compatibility_level = 3.6
queue_directory = {root}/queue
data_directory = {root}/data
maillog_file = {root}/log
maillog_file_prefixes = {root}
command_directory = /usr/sbin
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.reader.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtp_tls_security_level = none
alias_maps =
"""
_MASTER = """
{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
virtual unix - n n - - virtual
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True, kw_only=True)
class Postfix:
    """A running server.

    Attributes:
        port: Of SMTP, for anybody on this machine.
        root: Its folder.
    """

    port: int
    root: Path

    @property
    def log(self) -> str:
        """What it said so far."""
        path = self.root / "log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def flush(self) -> None:
        """Have it try what waits again at once."""
        _postfix(self.root / "conf", "flush")


def lack_of_postfix() -> str:
    """Say why it cannot be run here; empty: it can."""
    if shutil.which("postfix", path=_SBIN) is None:
        return "Postfix is not installed (Debian: postfix)"
    return "" if os.geteuid() == 0 else "Postfix is started by root only"


def documented(name: str) -> str:
    """Return what docs/inbound.md adds to one of Postfix's files."""
    text = DOCS.read_text(encoding="utf-8")
    found = re.findall(
        rf"^```{re.escape(name)}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL
    )
    assert len(found) == 1, f"{len(found)} blocks {name}"
    return str(found[0])


@contextmanager
def postfix(
    *,
    port: int,
    domain: str,
    inbound: int = 0,
    transports: Mapping[str, str] | None = None,
    maildir: Path | None = None,
) -> Iterator[Postfix]:
    """Run it while the block lasts.

    Args:
        port: Where it takes mail.
        domain: Ours, in place of `news.example.com`.
        inbound: The port where this service takes mail, in place of 8024.
        transports: Where the mail of other domains goes: lines of transport(5).
        maildir: Where our mail is left instead, in place of /var/mail/digest-mail.
    """
    with tempfile.TemporaryDirectory(prefix="postfix-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        conf = _configure(root, port, domain)
        if maildir is None:
            _hand_over(conf, domain, inbound, transports or {})
        else:
            _leave(conf, domain, maildir)
        found = Postfix(port=port, root=root)
        try:
            _postfix(conf, "start")
            wait_until(lambda: listens(port), within=_READY_SECONDS, what=found.log)
            yield found
        finally:
            _postfix(conf, "stop")


def _configure(root: Path, port: int, domain: str) -> Path:
    """Write what any Postfix has."""
    conf = root / "conf"
    conf.mkdir()
    (root / "queue").mkdir()
    (root / "data").mkdir()
    shutil.chown(root / "data", "postfix")
    _add(conf, "main.cf", _MAIN.format(root=root, daemons=_DAEMONS), domain)
    _add(conf, "master.cf", _MASTER.format(port=f"127.0.0.1:{port}"), domain)
    return conf


def _hand_over(
    conf: Path, domain: str, inbound: int, transports: Mapping[str, str]
) -> None:
    """Add what the docs say of LMTP."""
    for name in ("main.cf", "master.cf", "digest-recipients", "digest-transport"):
        _add(conf, name, documented(name).replace(":8024", f":{inbound}"), domain)
    others = "".join(f"{key} {value}\n" for key, value in transports.items())
    _add(conf, "digest-transport", others, domain)


def _leave(conf: Path, domain: str, maildir: Path) -> None:
    """Add what the docs say of a Maildir."""
    text = documented("main.cf-maildir").replace("/var/mail/digest-mail", str(maildir))
    _add(conf, "main.cf", text, domain)


def _add(conf: Path, name: str, text: str, domain: str) -> None:
    text = text.replace("news.example.com", domain).replace("/etc/postfix", str(conf))
    with (conf / name).open("a", encoding="utf-8") as file:
        file.write(text)


def _postfix(conf: Path, command: str) -> None:
    program = shutil.which("postfix", path=_SBIN)
    assert program is not None
    done = subprocess.run(  # noqa: S603 - found above
        [program, "-c", str(conf), command],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"MAIL_LOGTAG": "postfix"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
