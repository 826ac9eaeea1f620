"""`dkim`, `doctor` and `mail test`, as an operator types them."""

import base64
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives import serialization

from digest.cli.doctor import examine
from digest.cli.face import Face
from digest.mail.sink import Received, Sink
from tests.conftest import Ran
from tests.dns_server import serve_zone
from tests.sinks import running

Cli = Callable[..., Ran]


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Received]]:
    """A relay on loopback that the settings name; what it takes."""
    letters: list[Received] = []
    with running(lambda: Sink(letters.append)) as port:
        monkeypatch.setenv("DIGEST_SMTP__PORT", str(port))
        monkeypatch.setenv("DIGEST_SMTP__SECURITY", "none")
        yield letters


def test_generates_a_private_key_and_its_record(cli: Cli, tmp_path: Path) -> None:
    ran = cli("dkim", "generate", "--json")

    path = tmp_path / "home" / "keys" / "dkim-digest.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert ran.document["private_key_file"] == str(path)
    record = ran.document["record"]
    assert record["name"] == "digest._domainkey.news.example.test"
    published = serialization.load_der_public_key(
        base64.b64decode(record["value"].partition("p=")[2])
    )
    private = serialization.load_pem_private_key(path.read_bytes(), None)
    assert published == private.public_key()


def test_never_replaces_a_key_unasked(cli: Cli, tmp_path: Path) -> None:
    cli("dkim", "generate")
    path = tmp_path / "home" / "keys" / "dkim-digest.pem"
    before = path.read_bytes()

    ran = cli("dkim", "generate")

    assert ran.status == 1
    assert "--force" in ran.err
    assert path.read_bytes() == before


def test_replaces_a_key_when_forced(cli: Cli) -> None:
    first = cli("dkim", "generate", "--json").document["record"]

    second = cli("dkim", "generate", "--force", "--json").document["record"]

    assert first != second


def test_shows_the_record_again(cli: Cli) -> None:
    made = cli("dkim", "generate", "--json").document

    assert cli("dkim", "show", "--json").document == made
    assert "IN TXT" in cli("dkim", "show").out


def test_a_key_the_relay_s_mode_leaves_idle_is_said(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGEST_DKIM__MODE", "relay")

    assert "not used" in cli("dkim", "generate").err


def test_no_key_says_how_to_make_one(cli: Cli) -> None:
    assert "digest dkim generate" in cli("dkim", "show").err


def test_the_doctor_is_content_offline_after_init(cli: Cli) -> None:
    cli("init")
    cli("dkim", "generate")

    ran = cli("doctor", "--offline", "--json")

    assert ran.status == 0
    found = {check["check"]: check for check in ran.document["items"]}
    assert set(found["keys"]) == {"check", "ok", "detail", "mend"}
    assert found["spf"]["ok"] is None
    assert "--offline" in found["spf"]["detail"]
    types = [record["type"] for record in ran.document["records"]]
    assert types == ["TXT", "TXT", "TXT", "MX", "PTR"]


def test_the_doctor_s_records_can_be_pasted(cli: Cli) -> None:
    cli("init")
    cli("dkim", "generate")

    out = cli("doctor", "--offline").out

    assert 'news.example.test. IN TXT "v=spf1 mx -all"' in out
    assert '_dmarc.news.example.test. IN TXT "v=DMARC1; p=none;' in out
    assert all(tag not in out for tag in ("pct=", "rf=", "ri="))


def test_the_doctor_says_init_where_nothing_is(cli: Cli, tmp_path: Path) -> None:
    ran = cli("doctor", "--offline")

    assert ran.status == 1
    assert "digest init" in ran.out
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("path", [".", "keys", "keys/address.key"])
def test_the_doctor_sees_what_is_open_to_others(
    path: str, cli: Cli, tmp_path: Path
) -> None:
    cli("init")
    (tmp_path / "home" / path).chmod(0o755)

    ran = cli("doctor", "--offline")

    assert ran.status == 1
    assert "chmod" in ran.out


def test_the_doctor_sees_lost_keys_and_an_unfinished_database(
    cli: Cli, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "digest.db").touch()

    ran = cli("doctor", "--offline")

    assert f"There is no {home / 'keys'} yet." in ran.out
    assert "no tables yet" in ran.out


def test_the_doctor_survives_a_broken_dkim_key(cli: Cli, tmp_path: Path) -> None:
    cli("init")
    (tmp_path / "home" / "keys" / "dkim-digest.pem").write_text("no key")

    ran = cli("doctor", "--offline", "--json")

    assert [record["type"] for record in ran.document["records"]] == [
        "TXT",
        "TXT",
        "MX",
        "PTR",
    ]


def test_the_doctor_asks_the_relay_and_dns(
    cli: Cli, received: list[Received], capsys: pytest.CaptureFixture[str]
) -> None:
    cli("init")
    with serve_zone({("news.example.test", "TXT"): ['"v=spf1 mx -all"']}) as resolver:
        well = examine(Face(), resolver)

    out = capsys.readouterr().out
    assert not well
    assert "ok   smtp" in out
    assert "ok   spf" in out
    assert "FAIL mx" in out
    assert "FAIL web" in out


def test_a_test_letter_is_signed_and_its_answer_shown(
    cli: Cli, received: list[Received]
) -> None:
    cli("init")
    value = cli("dkim", "generate", "--json").document["record"]["value"]

    ran = cli("mail", "test", "me@example.org", "--json")

    assert ran.document["state"] == "sent"
    assert (ran.document["smtp_code"], ran.document["signed"]) == (250, True)
    letter = received[0]
    assert letter.recipients == ("me@example.org",)
    assert dkim.verify(letter.message, dnsfunc=lambda *_, **__: value.encode())


def test_an_unsigned_test_letter_is_said_to_be_so(
    cli: Cli, received: list[Received]
) -> None:
    cli("init")

    ran = cli("mail", "test", "me@example.org", "--newsletter", "weekly")

    assert "unsigned" in ran.err
    assert "took the letter to me@example.org: 250" in ran.out


def test_a_refusing_relay_is_quoted(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli("init")
    with running(lambda: Sink(lambda _: None, max_size=10)) as port:
        monkeypatch.setenv("DIGEST_SMTP__PORT", str(port))
        monkeypatch.setenv("DIGEST_SMTP__SECURITY", "none")

        ran = cli("mail", "test", "me@example.org")

    assert ran.status == 1
    assert "552" in ran.err


def test_an_unreachable_relay_is_one_line(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("init")
    monkeypatch.setenv("DIGEST_SMTP__PORT", "1")

    ran = cli("mail", "test", "me@example.org")

    assert ran.status == 1
    assert len([line for line in ran.err.splitlines() if "error" in line]) == 1
    assert "digest doctor" in ran.err


def test_needs_a_newsletter_to_send_from(cli: Cli, tmp_path: Path) -> None:
    cli("init")
    with closing(sqlite3.connect(tmp_path / "home" / "digest.db")) as connection:
        connection.execute("DELETE FROM sections")
        connection.execute("DELETE FROM newsletters")
        connection.commit()

    assert "digest init" in cli("mail", "test", "me@example.org").err


def test_a_wrong_address_is_refused(cli: Cli) -> None:
    cli("init")

    assert "Check its spelling" in cli("mail", "test", "not-an-address").err
