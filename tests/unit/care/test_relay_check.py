"""The relay: there or not, with a good certificate or not."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from digest.care.relay_check import check_relay
from digest.mail.relay import Relay
from digest.mail.sink import Sink
from tests.fakes import make_certificate
from tests.sinks import running

NOW = datetime.now(tz=UTC).replace(microsecond=0)  # noqa: TID251 - TLS reads the clock


def test_says_what_a_relay_offers() -> None:
    with running(lambda: Sink(lambda _: None)) as port:
        found = check_relay(Relay(host="127.0.0.1", port=port), now=NOW)

    assert [check.ok for check in found] == [True]
    assert "PIPELINING" in found[0].detail


@pytest.mark.parametrize(("days", "ok"), [(45, True), (5, False)])
def test_counts_the_days_of_the_certificate(
    days: int, *, ok: bool, tmp_path: Path
) -> None:
    shown = make_certificate(tmp_path, days=days)
    with running(lambda: Sink(lambda _: None, tls=shown.server)) as port:
        relay = Relay(
            host="127.0.0.1", port=port, security="starttls", ca_file=shown.ca_file
        )

        found = check_relay(relay, now=NOW)

    assert [check.check for check in found] == ["smtp", "tls"]
    assert found[1].ok is ok
    assert f"{days} more days" in found[1].detail


def test_an_untrusted_certificate_fails(tmp_path: Path) -> None:
    shown = make_certificate(tmp_path)
    with running(lambda: Sink(lambda _: None, tls=shown.server)) as port:
        relay = Relay(host="127.0.0.1", port=port, security="starttls")

        found = check_relay(relay, now=NOW)

    assert found[0].ok is False
    assert "certificate" in found[0].mend


def test_a_relay_without_starttls_fails() -> None:
    with running(lambda: Sink(lambda _: None)) as port:
        relay = Relay(host="127.0.0.1", port=port, security="starttls")

        found = check_relay(relay, now=NOW)

    assert found[0].ok is False
    assert "DIGEST_SMTP__SECURITY" in found[0].mend


def test_a_relay_without_auth_fails() -> None:
    with running(lambda: Sink(lambda _: None)) as port:
        relay = Relay(host="127.0.0.1", port=port, username="me", password="pw")

        found = check_relay(relay, now=NOW)

    assert found[0].ok is False


def test_nobody_there_fails_in_one_line() -> None:
    found = check_relay(Relay(host="127.0.0.1", port=1), now=NOW)

    assert found[0].ok is False
    assert "\n" not in found[0].detail
    assert "DIGEST_SMTP__HOST" in found[0].mend
