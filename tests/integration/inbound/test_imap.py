"""Mail read from a real IMAP server."""

import imaplib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bench import certificates
from digest.bootstrap import Service
from digest.inbound.imap import Imap
from digest.inbound.mailbox import MailboxError, Reader
from digest.settings import Settings
from digest.settings.mailboxes import ImapSettings
from tests.builders import add_newsletter
from tests.dovecot import PASSWORD, Dovecot, dovecot, find_dovecot
from tests.integration.inbound.common import MESSAGE, kept, to
from tests.integration.inbound.writing import letters

MakeReader = Callable[[ImapSettings], Reader]

pytestmark = pytest.mark.skipif(
    find_dovecot() is None, reason="dovecot is not installed (Debian: dovecot-imapd)"
)


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with certificates, and with the authority that is to be trusted."""
    folder = tmp_path_factory.mktemp("trust")
    certificates.write_all(folder)
    return folder


@pytest.fixture(scope="module")
def server(trust: Path) -> Iterator[Dovecot]:
    accounts = [f"reader-{number}" for number in range(30)]
    with dovecot(*accounts, certificate=trust / "good.pem") as found:
        yield found


@pytest.fixture(scope="module")
def numbers() -> Iterator[int]:
    return iter(range(30))


@pytest.fixture
def account(
    server: Dovecot,
    numbers: Iterator[int],
    trust: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> ImapSettings:
    """An account of this test alone."""
    monkeypatch.setenv("SSL_CERT_FILE", str(trust / "ca.pem"))
    return settings_for(server, username=f"reader-{next(numbers)}")


def settings_for(server: Dovecot, **changes: Any) -> ImapSettings:
    values = {
        "host": "127.0.0.1",
        "port": server.tls_port,
        "password": PASSWORD,
        "folder": "INBOX",
        "done": 'Done & "over"',
    }
    return ImapSettings.model_validate(values | changes)


@pytest.fixture
def limited(service: Service, tmp_path: Path) -> Service:
    add_newsletter(service.db)
    values = {"home": tmp_path, "inbound": {"message_octets": 64 * 1024}}
    return replace(service, settings=Settings.model_validate(values))


@contextmanager
def client(server: Dovecot, account: ImapSettings) -> Iterator[imaplib.IMAP4]:
    """Somebody else who looks at the same mailbox."""
    with imaplib.IMAP4("127.0.0.1", server.port, timeout=10) as found:
        words = f"\0{account.username}\0{PASSWORD}".encode()
        found.authenticate("PLAIN", lambda _: words)
        yield found


def put(server: Dovecot, account: ImapSettings, *messages: bytes) -> None:
    with client(server, account) as found:
        for message in messages:
            status, said = found.append("INBOX", "", "", message)
            assert status == "OK", said


def count(server: Dovecot, account: ImapSettings, folder: str) -> int:
    with client(server, account) as found:
        status, said = found.select(f'"{folder}"', readonly=True)
        assert status == "OK", said
        return int(said[0] or 0)


@pytest.fixture
def make_reader(limited: Service) -> Iterator[MakeReader]:
    """Make readers that are closed after the test."""
    made: list[Reader] = []

    def make(account: ImapSettings) -> Reader:
        made.append(Reader(limited, lambda: Imap(account), name="imap"))
        return made[-1]

    yield make
    for reader in made:
        reader.close()


def test_a_message_is_taken_and_then_moved(
    server: Dovecot, account: ImapSettings, limited: Service, make_reader: MakeReader
) -> None:
    put(server, account, MESSAGE)

    good = make_reader(account).look()

    assert good
    assert kept(limited) == [
        ("dina@example.test", "subscribe@news.example.test", MESSAGE)
    ]
    assert letters(limited) == ["confirmation dina@example.test"]
    assert count(server, account, "INBOX") == 0
    assert count(server, account, 'Done &- \\"over\\"') == 1


def test_new_mail_is_found_over_the_same_connection(
    server: Dovecot, account: ImapSettings, limited: Service, make_reader: MakeReader
) -> None:
    reader = make_reader(account)

    for _ in range(3):
        put(server, account, MESSAGE)
        reader.look()

    reader.close()
    assert len(kept(limited)) == 3


def test_what_is_not_for_us_is_put_aside(
    server: Dovecot, account: ImapSettings, limited: Service, make_reader: MakeReader
) -> None:
    strange = [to("nobody@news.example.test"), b"", b"\r\n", MESSAGE + b"x" * 70_000]
    put(server, account, *filter(None, strange), MESSAGE)

    make_reader(account).look()

    assert len(kept(limited)) == 1
    assert count(server, account, "INBOX") == 0
    assert count(server, account, "Refused") == 3


@pytest.mark.parametrize("security", ["none", "starttls"])
def test_it_also_speaks_without_implicit_tls(
    server: Dovecot,
    account: ImapSettings,
    limited: Service,
    make_reader: MakeReader,
    security: str,
) -> None:
    put(server, account, MESSAGE)
    changed = settings_for(
        server, username=account.username, port=server.port, security=security
    )

    assert make_reader(changed).look()
    assert len(kept(limited)) == 1


def test_a_certificate_nobody_vouches_for_gets_no_password(
    server: Dovecot,
    account: ImapSettings,
    limited: Service,
    make_reader: MakeReader,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    before = (server.root / "log").read_text(encoding="utf-8").count("Login: user")

    with capture_logs() as said:
        good = make_reader(account).look()

    after = (server.root / "log").read_text(encoding="utf-8").count("Login: user")
    assert not good
    assert "certificate verify failed" in said[0]["reason"]
    assert before == after


def test_a_wrong_password_is_told_without_it(
    server: Dovecot, account: ImapSettings, limited: Service, make_reader: MakeReader
) -> None:
    wrong = settings_for(server, username=account.username, password="hunter2")

    with capture_logs() as said:
        good = make_reader(wrong).look()

    assert not good
    assert "Authentication failed" in said[0]["reason"]
    assert "hunter2" not in str(said)


def test_a_connection_that_breaks_is_opened_again(
    server: Dovecot, account: ImapSettings, limited: Service
) -> None:
    opened: list[Imap] = []

    def open_mailbox() -> Imap:
        opened.append(Imap(account))
        return opened[-1]

    reader = Reader(limited, open_mailbox, name="imap")
    reader.look()
    put(server, account, MESSAGE)
    opened[0].close()

    looks = [reader.look(), reader.look()]

    reader.close()
    assert looks == [False, True]
    assert len(kept(limited)) == 1


@pytest.mark.parametrize(
    ("offered", "left"),
    [("IMAP4rev1 UIDPLUS AUTH=PLAIN", 0), ("IMAP4rev1", 2)],
    ids=["no-move", "no-uidplus"],
)
def test_servers_without_extensions_will_do(
    limited: Service, make_reader: MakeReader, offered: str, left: int
) -> None:
    more = f"imap_capability = {offered}\nprotocol imap {{\n}}"
    with dovecot("dina", more=more) as server:
        account = settings_for(
            server, username="dina", port=server.port, security="none", done="Done"
        )
        put(server, account, MESSAGE, MESSAGE)

        reader = make_reader(account)
        good = [reader.look(), reader.look()]
        reader.close()

        assert count(server, account, "Done") == 2
        assert count(server, account, "INBOX") == left
    assert good == [True, True]
    assert len(kept(limited)) == 2


def test_a_folder_that_is_not_there_is_said(
    server: Dovecot, account: ImapSettings
) -> None:
    other = settings_for(server, username=account.username, folder="None")

    with pytest.raises(MailboxError, match=r"folder None: .*exist"):
        Imap(other)


def test_nobody_listens(server: Dovecot, account: ImapSettings) -> None:
    other = settings_for(server, username=account.username, port=1)

    with pytest.raises(MailboxError, match="refused"):
        Imap(other)
