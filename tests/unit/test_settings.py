"""Settings: a file, overridden by variables; nothing unknown is obeyed by nobody."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import getitem
from pathlib import Path

import pytest
from hypothesis import assume, given, strategies as st

from digest.domain.errors import SettingsError
from digest.domain.retry import RetryPolicy
from digest.settings import (
    CONFIG_VARIABLE,
    Settings,
    load_settings,
    setting_names,
    variable_of,
)

SETTING = re.compile(r"# [a-z_]+ = ")
EXAMPLE = Path(__file__).parents[2] / "config" / "digest.example.toml"
SECRETS = ("DATABASE__URL_FILE", "SMTP__PASSWORD_FILE")
KNOWN = {variable_of(name) for name in setting_names()}
KNOWN |= {CONFIG_VARIABLE, *(f"DIGEST_{name}" for name in SECRETS)}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def load(environ: Mapping[str, str] | None = None, toml: str = "") -> Settings:
    path = Path("settings.toml")
    path.write_text(toml, encoding="utf-8")
    return load_settings(config=path, environ=environ or {})


def refusal(environ: Mapping[str, str] | None = None, toml: str = "") -> str:
    with pytest.raises(SettingsError) as caught:
        load(environ, toml)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_needs_no_file() -> None:
    assert load_settings(environ={}) == Settings()


def test_the_example_holds_the_defaults() -> None:
    assert load_settings(config=EXAMPLE, environ={}) == Settings()


@pytest.mark.parametrize("name", setting_names())
def test_the_example_documents(name: str) -> None:
    part, _, key = name.rpartition(".")
    text = EXAMPLE.read_text(encoding="utf-8")
    table = text.partition(f"[{part}]\n")[2] if part else text.partition("\n\n")[2]
    lines = table.partition("\n[")[0].splitlines()

    places = [
        i for i, line in enumerate(lines) if line.startswith((f"{key} =", f"# {key} ="))
    ]

    assert len(places) == 1
    assert lines[places[0] - 1] == f"# {setting_names()[name].description}"


@pytest.mark.parametrize("name", setting_names())
def test_every_optional_line_of_the_example_works_once_uncommented(name: str) -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    whole = "\n".join(
        line.removeprefix("# ") if SETTING.match(line) else line for line in lines
    )

    values = tomllib.loads(whole)
    part, _, key = name.rpartition(".")

    table = reduce(getitem, part.split("."), values) if part else values
    assert key in table
    assert Settings.model_validate(values).smtp.username == "digest"


def test_a_variable_overrides_the_file() -> None:
    settings = load({"DIGEST_SMTP__PORT": "26"}, '[smtp]\nport = 25\nhost = "a"')

    assert (settings.smtp.host, settings.smtp.port) == ("a", 26)


def test_the_file_may_be_named_by_a_variable(tmp_path: Path) -> None:
    path = tmp_path / "other.toml"
    path.write_text('home = "elsewhere"')

    settings = load_settings(environ={"DIGEST_CONFIG": str(path)})

    assert settings.home == Path("elsewhere")


def test_the_working_folders_file_is_read_by_itself(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "digest.toml").write_text('home = "mine"')

    assert load_settings(environ={}).home == Path("mine")


def test_an_empty_variable_is_not_set() -> None:
    assert load({"DIGEST_SMTP__HOST": "", "DIGEST_SMTP__PORT": ""}) == Settings()


def test_variables_of_tests_and_of_others_are_left_alone() -> None:
    environ = {"DIGEST_TEST_X": "1", "DIGESTIVE": "1", "PATH": "/bin"}

    assert load(environ) == Settings()


@given(st.from_regex(r"DIGEST_[A-Z_]{0,24}", fullmatch=True), st.text(max_size=3))
def test_any_other_variable_is_an_error(name: str, value: str) -> None:
    assume(name not in KNOWN and not name.startswith("DIGEST_TEST_"))

    with pytest.raises(SettingsError, match=f"{name} is not a setting"):
        load_settings(environ={name: value})


@given(st.sampled_from(sorted(KNOWN)), st.data())
def test_a_misspelt_variable_is_refused_with_a_suggestion(
    name: str, data: st.DataObject
) -> None:
    place = data.draw(st.integers(len("DIGEST_") + 1, len(name) - 1))
    misspelt = name[:place] + "Q" + name[place:]

    with pytest.raises(SettingsError) as caught:
        load_settings(environ={misspelt: "x"})

    assert f"Did you mean {name}?" in str(caught.value)


def test_a_group_is_not_a_setting() -> None:
    assert "DIGEST_SMTP is not a setting" in refusal({"DIGEST_SMTP": "x"})


@pytest.mark.parametrize(
    ("toml", "reason"),
    [
        ("[smtp]\nhots = 'a'", "smtp.hots is not a setting. Did you mean smtp.host?"),
        ("colour = 1", "The key colour is not a setting. config/"),
        ("smtp = 3", "The setting smtp is wrong"),
        ("home = ''", "must be the name of a file or folder"),
        ('home = "a\\u0000b"', "home"),
        ("[smtp]\nhost = ''", "smtp.host"),
        ("[smtp]\nhost = 'a b'", "smtp.host"),
        ('[smtp]\nhost = "a\\r\\nb"', "smtp.host"),
        ("[smtp]\nport = 0", "DIGEST_SMTP__PORT"),
        ("[smtp]\nport = 65536", "less than or equal to 65535"),
        ("[smtp]\nport = 'x'", "valid integer"),
        ("[smtp]\nconnections = 0", "smtp.connections"),
        ("[smtp]\nmessages_per_connection = 0", "smtp.messages_per_connection"),
        ("[smtp]\nrate_per_minute = -1", "smtp.rate_per_minute"),
        ("[smtp]\nsecurity = 'ssl'", "'none', 'starttls' or 'tls'"),
        ("[smtp]\nusername = 'a'", "username and password go together"),
        ("[smtp]\npassword = 'a'", "username and password go together"),
        (
            "[smtp]\nhost='a.example'\nsecurity='none'\nusername='a'\npassword='b'",
            "a username needs security starttls or tls",
        ),
        ("[dkim]\nselector = 'a/../b'", "dkim.selector"),
        ("[dkim]\ndomain = 'x'", "not a domain name"),
        ("[mail]\ndomain = ''", "mail.domain"),
        ("[mail]\ndomain = 'news'", "not a domain name"),
        ("[web]\nbase_url = 'http://news.example.com'", "https://"),
        ("[send]\nuncertain = 'maybe'", "'hold' or 'resend'"),
        ("[send]\nprocesses = 65", "send.processes"),
        ("[web]\ntrusted_proxies = ['proxy']", "web.trusted_proxies"),
        ("[web]\ntrusted_proxies = ['10.0.0.1/8']", "web.trusted_proxies"),
        ("[database]\nurl = ''", "database.url"),
        ("[send]\npause_policy_share = 0", "send.pause_policy_share"),
        ("[send]\nwarm_up = [0]", "send.warm_up"),
        ("[send]\nwarm_up_from = 'soon'", "send.warm_up_from"),
        ("[send.domain_rates]\n'example.com' = 0", "send.domain_rates"),
        ("[send.domain_rates]\n'example' = 5", "not a domain name"),
        ("[send.domain_rates]\n'a.example'=1\n'A.example'=2", "named twice"),
        ("[send.retry]\nrefused = []", "DIGEST_SEND__RETRY__REFUSED"),
        ("[send.retry]\nrefused = [0]", "send.retry.refused"),
        ("[send.retry]\njitter = 1", "send.retry.jitter"),
        ("[send.retry]\nbroken = 20", "broken_at_most is shorter than broken"),
        ("[send.retry]\ndeadline = 0", "send.retry.deadline"),
        ("not toml", "not valid TOML"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(toml: str, reason: str) -> None:
    assert reason in refusal(toml=toml)


def test_a_value_where_a_table_belongs_is_refused_beside_variables_too() -> None:
    assert "smtp is wrong" in refusal({"DIGEST_SMTP__HOST": "a"}, "smtp = 3")


def test_a_missing_file_is_named() -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml cannot be read"):
        load_settings(config=Path("nowhere.toml"), environ={})


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "latin.toml"
    path.write_bytes(b'home = "caf\xe9"')

    with pytest.raises(SettingsError, match="not valid TOML"):
        load_settings(config=path, environ={})


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("hunter2\r\n")

    settings = load(
        {"DIGEST_SMTP__USERNAME": "me", "DIGEST_SMTP__PASSWORD_FILE": str(secret)}
    )

    assert settings.smtp.password is not None
    assert settings.smtp.password.get_secret_value() == "hunter2"


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    environ = {"DIGEST_SMTP__PASSWORD_FILE": "f", "DIGEST_SMTP__PASSWORD": "p"}

    assert "both set. Keep one." in refusal(environ)


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_an_unreadable_secret_file_is_refused(
    content: bytes | None, tmp_path: Path
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)

    assert "cannot be read" in refusal({"DIGEST_SMTP__PASSWORD_FILE": str(path)})


def test_only_secrets_may_stand_in_files() -> None:
    assert "not a setting" in refusal({"DIGEST_SMTP__HOST_FILE": "/x"})


def test_secrets_do_not_show_in_refusals_or_text() -> None:
    environ = {"DIGEST_SMTP__PASSWORD": "hunter2", "DIGEST_SMTP__USERNAME": "me"}

    assert "hunter2" not in refusal(environ | {"DIGEST_SMTP__PORT": "x"})
    assert "hunter2" not in repr(load(environ))


def test_paths_follow_home() -> None:
    settings = load({"DIGEST_HOME": "/srv/digest"})

    assert settings.database_url == "sqlite:////srv/digest/digest.db"
    assert settings.dkim_key_file == Path("/srv/digest/keys/dkim-digest.pem")


def test_a_tilde_is_the_users_home() -> None:
    assert load({"DIGEST_HOME": "~/digest"}).home == Path.home() / "digest"


def test_the_signing_domain_is_ours_unless_set() -> None:
    assert load({"DIGEST_MAIL__DOMAIN": "a.example"}).dkim_domain == "a.example"
    assert load({"DIGEST_DKIM__DOMAIN": "b.example"}).dkim_domain == "b.example"


def test_a_database_elsewhere_is_used_as_given() -> None:
    url = "postgresql://me:pw@db/x"

    assert load({"DIGEST_DATABASE__URL": url}).database_url == url


def test_the_defaults_are_the_promised_retry_rules() -> None:
    policy, usual = Settings().send.retry.policy, RetryPolicy()

    assert list(policy.refused) == list(usual.refused)
    assert policy == replace(usual, refused=policy.refused)


def test_variables_hold_lists_and_tables_as_text() -> None:
    settings = load(
        {
            "DIGEST_SEND__RETRY__REFUSED": "1, 2.5",
            "DIGEST_SEND__WARM_UP": "500,1000",
            "DIGEST_SEND__DOMAIN_RATES": "Example.com=60, *=600",
        }
    )

    assert settings.send.retry.refused == [1, 2.5]
    assert settings.send.warm_up == [500, 1000]
    assert settings.send.domain_rates == {"example.com": 60, "*": 600}


def test_retry_waits_become_the_rules() -> None:
    toml = "[send.retry]\nrefused = [1]\nbroken = 1\nbroken_at_most = 2\ndeadline = 1"

    policy = load(toml=toml).send.retry.policy

    assert policy == RetryPolicy(
        refused=[timedelta(minutes=1)],
        broken=timedelta(minutes=1),
        broken_at_most=timedelta(minutes=2),
        deadline=timedelta(hours=1),
    )


def test_the_ramp_begins_at_midnight_of_its_first_day() -> None:
    rates = load(toml="[send]\nwarm_up = [9]\nwarm_up_from = 2026-11-29").rates

    assert rates.warm_up_from == datetime(2026, 11, 29, tzinfo=UTC)


def test_nothing_is_limited_by_default() -> None:
    assert not Settings().rates.is_any
