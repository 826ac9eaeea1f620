"""Typed settings: `config/digest.toml`, overridden by `DIGEST_*` variables.

Nested names are joined by `__` (`DIGEST_SMTP__HOST`); a secret may be given as a file
(`DIGEST_SMTP__PASSWORD_FILE`). Unknown keys and variables are errors: a misspelt one
would otherwise be obeyed by nobody.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)

from digest.domain.errors import SettingsError

PREFIX = "DIGEST_"
_NOT_SETTINGS = ("DIGEST_CONFIG", "DIGEST_TEST_")
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DatabaseSettings(_Part):
    """Where the rows are."""

    url: SecretStr | None = Field(
        default=None,
        description="sqlite:///PATH or postgresql://…; default: SQLite in `home`.",
    )


class SmtpSettings(_Part):
    """The relay letters are handed to."""

    host: str = Field(default="127.0.0.1", description="Name of the relay.")
    port: int = Field(default=25, ge=1, le=65535, description="Its port.")
    security: Literal["none", "starttls", "tls"] = Field(
        default="starttls", description="`tls` is implicit TLS (RFC 8314 §3.3)."
    )
    username: str | None = Field(default=None, description="For AUTH; needs TLS.")
    password: SecretStr | None = Field(default=None, description="For AUTH.")
    connections: int = Field(
        default=8, ge=1, le=200, description="Open at once, per process."
    )
    messages_per_connection: int = Field(
        default=100, ge=1, description="A connection is renewed after so many."
    )
    rate_per_minute: int = Field(
        default=0, ge=0, description="Letters a minute over all workers; 0: no limit."
    )


class DkimSettings(_Part):
    """Who signs (RFC 6376)."""

    mode: Literal["self", "relay"] = Field(
        default="self", description="`relay`: the relay signs, we do not."
    )
    domain: str | None = Field(default=None, description="d=; default `mail.domain`.")
    selector: str = Field(default="digest", description="s=: names the DNS record.")
    private_key_file: Path | None = Field(
        default=None, description="PEM; default: what `digest dkim generate` wrote."
    )


class WebSettings(_Part):
    """The public pages."""

    base_url: str = Field(
        default="http://127.0.0.1:8000",
        description="Start of every link: https://, or http:// on loopback.",
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on.")

    @field_validator("base_url")
    @classmethod
    def _check_base_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if not parts.hostname or parts.query or parts.fragment:
            raise ValueError("must be a plain address such as https://news.example.com")
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise ValueError("must start with https:// (http:// only for loopback)")
        if parts.scheme not in {"http", "https"}:
            raise ValueError("must start with https://")
        return value.rstrip("/")


class MailSettings(_Part):
    """Our own mail domain."""

    domain: str = Field(
        default="news.example.test",
        description="Domain of subscribe@, unsubscribe@ and bounces.",
    )


class SendSettings(_Part):
    """How the post behaves."""

    uncertain: Literal["hold", "resend"] = Field(
        default="hold", description="What to do with letters whose answer was lost."
    )
    processes: int = Field(default=1, ge=1, le=64, description="Sender processes.")


class FetchSettings(_Part):
    """Fetching feeds and pages."""

    allow_private: bool = Field(
        default=False, description="Permit addresses of private networks."
    )


class Settings(_Part):
    """Everything that can be set, with its defaults."""

    home: Path = Field(
        default=Path("var"), description="State: database, keys, outbox."
    )
    database: DatabaseSettings = DatabaseSettings()
    smtp: SmtpSettings = SmtpSettings()
    dkim: DkimSettings = DkimSettings()
    web: WebSettings = WebSettings()
    mail: MailSettings = MailSettings()
    send: SendSettings = SendSettings()
    fetch: FetchSettings = FetchSettings()

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
    def dkim_domain(self) -> str:
        """The signing domain."""
        return self.dkim.domain or self.mail.domain

    @property
    def dkim_key_file(self) -> Path:
        """Where the private DKIM key is, or would be written."""
        default = self.keys / f"dkim-{self.dkim.selector}.pem"
        return self.dkim.private_key_file or default


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
    for name, path, value in _read_environment(variables):
        _place(values, name, path, value)
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise _explain(error) from None


def masked(settings: Settings) -> dict[str, Any]:
    """Return the settings as plain values, secrets replaced by `***`."""
    shown = settings.model_dump(mode="json")
    for part in shown.values():
        if isinstance(part, dict):
            part.update({k: "***" for k in ("password", "url") if part.get(k)})
    if settings.database.url is None:
        shown["database"]["url"] = settings.database_url
    return shown


def _read_file(config: Path | None, variables: Mapping[str, str]) -> dict[str, Any]:
    named = config or (
        Path(found) if (found := variables.get("DIGEST_CONFIG")) else None
    )
    path = named or Path("config/digest.toml")
    if named is None and not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"The settings file {path} cannot be read: {error.strerror}.",
            "Check --config or DIGEST_CONFIG.",
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"The settings file {path} is not valid TOML: {error}.", "Mend that line."
        ) from None


def _read_environment(
    variables: Mapping[str, str],
) -> Iterator[tuple[str, list[str], str]]:
    for name in sorted(variables):
        if not name.startswith(PREFIX) or name.startswith(_NOT_SETTINGS):
            continue
        path = name.removeprefix(PREFIX).lower().split("__")
        value = variables[name]
        if path[-1].endswith("_file") and not _is_known(path):
            path[-1] = path[-1].removesuffix("_file")
            value = _read_secret(name, value)
        yield name, path, value


def _is_known(path: list[str]) -> bool:
    model: Any = Settings
    for step in path:
        fields = getattr(model, "model_fields", {})
        if step not in fields:
            return False
        model = fields[step].annotation
    return not hasattr(model, "model_fields")


def _read_secret(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise SettingsError(
            f"{name} names a file that cannot be read: {error.strerror}.",
            "Check its path and permissions.",
        ) from None


def _place(values: dict[str, Any], name: str, path: list[str], value: str) -> None:
    if not _is_known(path):
        raise SettingsError(
            f"The variable {name} is not a setting.",
            "See `digest config check` for the names.",
        )
    for step in path[:-1]:
        values = values.setdefault(step, {})
    values[path[-1]] = value


def _explain(error: ValidationError) -> SettingsError:
    first = error.errors(include_url=False, include_input=False)[0]
    name = ".".join(str(step) for step in first["loc"])
    if first["type"] == "extra_forbidden":
        return SettingsError(
            f"The setting {name} is unknown.", "See config/digest.example.toml."
        )
    reason = first["msg"].removeprefix("Value error, ")
    return SettingsError(
        f"The setting {name} is wrong: {reason}.", "See config/digest.example.toml."
    )
