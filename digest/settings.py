"""Typed settings: `config/digest.toml`, overridden by `DIGEST_*` variables.

Nested names are joined by `__` (`DIGEST_SMTP__HOST`); a secret may be given as a file
(`DIGEST_SMTP__PASSWORD_FILE`). Unknown keys and variables are errors: a misspelt one
would otherwise be obeyed by nobody. An empty variable counts as not set.
"""

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pydantic
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from digest.domain.errors import RefusedError, SettingsError
from digest.domain.hosts import is_loopback, parse_base_url, parse_domain

PREFIX, _TEST_PREFIX = "DIGEST_", "DIGEST_TEST_"
CONFIG_VARIABLE = "DIGEST_CONFIG"


def _read_by(parse: Callable[[str], str]) -> AfterValidator:
    def check(value: str) -> str:
        try:
            return parse(value)
        except RefusedError as error:
            raise ValueError(error.message.removesuffix(".")) from None

    return AfterValidator(check)


def _check_path(value: object) -> object:
    if isinstance(value, str) and not (value and value.isprintable()):
        raise ValueError("must be the name of a file or folder")
    return value


def _matching(pattern: str) -> pydantic.StringConstraints:
    return pydantic.StringConstraints(pattern=pattern)


Line = Annotated[str, _matching(r"^[^\x00-\x1f\x7f]+$")]
Word = Annotated[Line, _matching(r"^[!-~]+$")]
Label = Annotated[str, _matching(r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$")]
Domain = Annotated[Line, _read_by(parse_domain)]
BaseUrl = Annotated[Word, _read_by(parse_base_url)]
Place = Annotated[Path, BeforeValidator(_check_path), AfterValidator(Path.expanduser)]
Secret = Annotated[SecretStr, Field(min_length=1)]


class _Part(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class DatabaseSettings(_Part):
    """Where the rows are."""

    url: Secret | None = Field(default=None, description="Default: SQLite in `home`.")


class SmtpSettings(_Part):
    """The relay letters are handed to."""

    host: Word = Field(default="127.0.0.1", description="Name of the relay.")
    port: int = Field(default=25, ge=1, le=65535, description="Its port.")
    security: Literal["none", "starttls", "tls"] = Field(
        default="starttls", description="`tls` is implicit TLS (RFC 8314 §3.3)."
    )
    username: Line | None = Field(default=None, description="Account there; needs TLS.")
    password: Secret | None = Field(default=None, description="Its password.")
    connections: int = Field(default=8, ge=1, le=200, description="Open per process.")
    messages_per_connection: int = Field(
        default=100, ge=1, description="A connection is renewed after so many."
    )
    rate_per_minute: int = Field(
        default=0, ge=0, description="Letters a minute over all workers; 0: no limit."
    )

    @pydantic.model_validator(mode="after")
    def _check_auth(self) -> Self:
        if bool(self.username) != (self.password is not None):
            raise ValueError("username and password go together")
        if self.username and self.security == "none" and not is_loopback(self.host):
            # RFC 4954 §4: a password never travels in the clear.
            raise ValueError("a username needs security starttls or tls")
        return self


class DkimSettings(_Part):
    """Who signs (RFC 6376)."""

    mode: Literal["self", "relay"] = Field(
        default="self", description="`relay`: the relay signs, we do not."
    )
    domain: Domain | None = Field(default=None, description="d=; or `mail.domain`.")
    selector: Label = Field(default="digest", description="s=: names the DNS record.")
    private_key_file: Place | None = Field(
        default=None, description="PEM; default: what `digest dkim generate` wrote."
    )


class WebSettings(_Part):
    """The public pages."""

    base_url: BaseUrl = Field(
        default="http://127.0.0.1:8000",
        description="Start of every link: https://, or http:// on loopback.",
    )
    host: Word = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on.")


class MailSettings(_Part):
    """Our own mail domain."""

    domain: Domain = Field(
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

    allow_private: bool = Field(default=False, description="Permit private networks.")


class Settings(_Part):
    """Everything that can be set, with its defaults."""

    home: Place = Field(default=Path("var"), description="Database and keys.")
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

    @property
    def is_signed(self) -> bool:
        """Whether letters get a signature: ours, or the relay's."""
        return self.dkim.mode == "relay" or self.dkim_key_file.exists()


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
    names: dict[str, Any] = {}
    for name, field in Settings.model_fields.items():
        part = getattr(field.annotation, "model_fields", None)
        found = {f"{name}.{k}": v for k, v in part.items()} if part else {name: field}
        names.update(found)
    return names


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
    *part, last = path
    table = values.setdefault(part[0], {}) if part else values
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
