"""Typed settings: `config/digest.toml`, overridden by `DIGEST_*` variables.

Nested names are joined by `__` (`DIGEST_SMTP__HOST`); a secret may be given as a file
(`DIGEST_SMTP__PASSWORD_FILE`). Unknown keys and variables are errors: a misspelt one
would otherwise be obeyed by nobody. An empty variable counts as not set.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pydantic
from pydantic import Field

from digest.domain.errors import SettingsError
from digest.domain.rates import RateRules
from digest.settings.mailboxes import ImapSettings, MailboxSettings, MaildirSettings
from digest.settings.parts import (
    DatabaseSettings,
    DkimSettings,
    FetchSettings,
    InboundSettings,
    MailSettings,
    Part,
    Place,
    PreflightSettings,
    SendSettings,
    SmtpSettings,
    WebSettings,
)
from digest.settings.signing_up import SignUpSettings

__all__ = [
    "CONFIG_VARIABLE",
    "DatabaseSettings",
    "FetchSettings",
    "Settings",
    "SmtpSettings",
    "WebSettings",
    "load_settings",
    "setting_names",
    "variable_of",
]

PREFIX, _TEST_PREFIX = "DIGEST_", "DIGEST_TEST_"
CONFIG_VARIABLE = "DIGEST_CONFIG"


class Settings(Part):
    """Everything that can be set, with its defaults."""

    home: Place = Field(default=Path("var"), description="Database and keys.")
    templates: Place | None = Field(
        default=None, description="Your own layouts; default: `templates` in `home`."
    )
    database: DatabaseSettings = DatabaseSettings()
    smtp: SmtpSettings = SmtpSettings()
    dkim: DkimSettings = DkimSettings()
    web: WebSettings = WebSettings()
    mail: MailSettings = MailSettings()
    inbound: InboundSettings = InboundSettings()
    mailbox: MailboxSettings = MailboxSettings()
    maildir: MaildirSettings = MaildirSettings()
    imap: ImapSettings = ImapSettings()
    sign_up: SignUpSettings = SignUpSettings()
    send: SendSettings = SendSettings()
    fetch: FetchSettings = FetchSettings()
    preflight: PreflightSettings = PreflightSettings()

    @property
    def database_url(self) -> str:
        """The effective database URL."""
        if self.database.url is not None:
            return self.database.url.get_secret_value()
        return f"sqlite:///{self.home.absolute() / 'digest.db'}"

    @property
    def keys(self) -> Path:
        """The folder of secret keys."""
        return self.home / "keys"

    @property
    def template_folder(self) -> Path:
        """The folder of the operator's own layouts; it may not exist."""
        return self.templates or self.home / "templates"

    @property
    def dkim_domain(self) -> str:
        """The signing domain."""
        return self.dkim.domain or self.mail.domain

    @property
    def dkim_key_file(self) -> Path:
        """Where the private DKIM key is, or would be written."""
        default = self.keys / f"dkim-{self.dkim.selector}.pem"
        return self.dkim.private_key_file or default

    @property
    def is_signed(self) -> bool:
        """Whether letters get a signature: ours, or the relay's."""
        return self.dkim.mode == "relay" or self.dkim_key_file.exists()

    @property
    def takes_mail(self) -> bool:
        """Whether mail to our own domain comes in, by whatever way."""
        listens = self.inbound.protocol != "none"
        return listens or bool(self.maildir.folder or self.imap.host)

    @property
    def rates(self) -> RateRules:
        """How fast letters may go."""
        first = self.send.warm_up_from
        return RateRules(
            relay=self.smtp.rate_per_minute,
            domains=self.send.domain_rates,
            warm_up=self.send.warm_up,
            warm_up_from=datetime.combine(first, time(), UTC) if first else None,
        )


def load_settings(
    *, config: Path | None = None, environ: Mapping[str, str] | None = None
) -> Settings:
    """Read the settings file and the environment.

    Args:
        config: The TOML file; default `DIGEST_CONFIG`, else `config/digest.toml`
            where it exists.
        environ: The environment; default the process's.

    Raises:
        SettingsError: A file is missing or malformed, a key or variable unknown, a
            value out of bounds.
    """
    variables = os.environ if environ is None else environ
    values = _read_file(config, variables)
    for path, value in _read_environment(variables):
        _place(values, path, value)
    try:
        return Settings.model_validate(values)
    except pydantic.ValidationError as error:
        raise _explain(error) from None


def setting_names() -> dict[str, Any]:
    """Return every setting's dotted name with its field, in order."""
    return dict(_names(Settings, ""))


def _names(part: type[pydantic.BaseModel], path: str) -> Iterator[tuple[str, Any]]:
    for name, field in part.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, Part):
            yield from _names(inner, f"{path}{name}.")
        else:
            yield f"{path}{name}", field


def variable_of(name: str) -> str:
    """Return the variable that sets a dotted name: `smtp.host`, DIGEST_SMTP__HOST."""
    return PREFIX + name.replace(".", "__").upper()


def _read_file(config: Path | None, variables: Mapping[str, str]) -> dict[str, Any]:
    named = config or variables.get(CONFIG_VARIABLE)
    path = Path(named or "config/digest.toml")
    if not named and not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(
            f"The settings file {path} cannot be read: {error.strerror}.",
            "Check --config or DIGEST_CONFIG.",
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"The settings file {path} is not valid TOML: {error}.", "Mend that line."
        ) from None


def _read_environment(variables: Mapping[str, str]) -> Iterator[tuple[list[str], str]]:
    plain = {variable_of(name): name for name in setting_names()}
    secret = {f"{v}_FILE": n for v, n in plain.items() if _hides(setting_names()[n])}
    for variable in sorted(variables):
        ours = variable.startswith(PREFIX) and not variable.startswith(_TEST_PREFIX)
        if not ours or variable == CONFIG_VARIABLE:
            continue
        if variable not in plain | secret:
            raise _unknown("variable", variable, [*plain, *secret, CONFIG_VARIABLE])
        if not variables[variable]:
            continue
        if variable in plain:
            yield plain[variable].split("."), variables[variable]
        else:
            yield secret[variable].split("."), _read_secret(variables, variable)


def _hides(field: Any) -> bool:
    return "SecretStr" in str(field.annotation)


def _unknown(what: str, name: str, known: list[str]) -> SettingsError:
    near = get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]}? " if near else ""
    return SettingsError(
        f"The {what} {name} is not a setting.",
        f"{hint}config/digest.example.toml lists them all.",
    )


def _read_secret(variables: Mapping[str, str], name: str) -> str:
    twin = name.removesuffix("_FILE")
    if variables.get(twin):
        raise SettingsError(f"{name} and {twin} are both set.", "Keep one.")
    try:
        return Path(variables[name]).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{name} names a file that cannot be read: {error}.",
            "Check its path and permissions.",
        ) from None


def _place(values: dict[str, Any], path: list[str], value: str) -> None:
    *parts, last = path
    table: Any = values
    for part in parts:
        if isinstance(table, dict):
            table = table.setdefault(part, {})
    if isinstance(table, dict):  # else validation says that it must be a table
        table[last] = value


def _explain(error: pydantic.ValidationError) -> SettingsError:
    first = error.errors(include_url=False, include_input=False)[0]
    name = ".".join(str(step) for step in first["loc"])
    if first["type"] == "extra_forbidden":
        return _unknown("key", name, list(setting_names()))
    variable = f" ({variable_of(name)})" if name in setting_names() else ""
    reason = first["msg"].removeprefix("Value error, ")
    if first["type"] == "string_pattern_mismatch":
        reason = "it is empty or holds a character that cannot stand there"
    return SettingsError(
        f"The setting {name}{variable} is wrong: {reason}.",
        "config/digest.example.toml shows what it may be.",
    )
