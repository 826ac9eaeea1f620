"""What was set arrives where it is obeyed."""

from dataclasses import replace
from pathlib import Path

import pytest

from digest.bootstrap import Service, make_post
from digest.bootstrap.mailing import make_relay
from digest.settings import Settings, load_settings


def settings_of(**variables: str) -> Settings:
    return load_settings(
        environ={f"DIGEST_{name}": value for name, value in variables.items()}
    )


@pytest.fixture(autouse=True)
def without_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_relay_is_the_one_that_was_set(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("geheim\n", encoding="utf-8")

    relay = make_relay(
        settings_of(
            SMTP__HOST="relay.example.net",
            SMTP__PORT="465",
            SMTP__SECURITY="tls",
            SMTP__USERNAME="news",
            SMTP__PASSWORD_FILE=str(tmp_path / "password"),
            SMTP__MESSAGES_PER_CONNECTION="7",
        )
    )

    assert (relay.host, relay.port, relay.security) == ("relay.example.net", 465, "tls")
    assert (relay.username, relay.password) == ("news", "geheim")
    assert relay.messages_per_connection == 7


def test_a_relay_is_spoken_to_with_starttls_unless_it_is_set_otherwise() -> None:
    relay = make_relay(settings_of(SMTP__HOST="relay.example.net"))

    assert (relay.security, relay.username, relay.password) == ("starttls", None, None)


def test_a_worker_keeps_to_the_limits_that_were_set(service: Service) -> None:
    settings = settings_of(
        SMTP__CONNECTIONS="3",
        SMTP__RATE_PER_MINUTE="600",
        SEND__DOMAIN_RATES="example.com=60, *=120",
        SEND__WARM_UP="500, 1000",
    )

    post = make_post(replace(service, settings=settings))

    assert post.connections == 3
    assert post.rates.relay == 600
    assert post.rates.domains == {"example.com": 60, "*": 120}
    assert list(post.rates.warm_up) == [500, 1000]
