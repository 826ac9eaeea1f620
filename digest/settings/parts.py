"""The parts of the settings, and what their values may be."""

from collections.abc import Callable
from datetime import date, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self

import pydantic
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from digest.domain.addresses import parse_address
from digest.domain.errors import RefusedError
from digest.domain.hosts import is_loopback, parse_base_url, parse_domain
from digest.domain.rates import ANY_DOMAIN
from digest.domain.retry import RetryPolicy


def _reader(parse: Callable[[str], str]) -> Callable[[str], str]:
    def read(value: str) -> str:
        try:
            return parse(value)
        except RefusedError as error:
            raise ValueError(error.message.removesuffix(".")) from None

    return read


def _parse_address(text: str) -> str:
    return parse_address(text).address


def _check_path(value: object) -> object:
    if isinstance(value, str) and not (value and value.isprintable()):
        raise ValueError("must be the name of a file or folder")
    return value


def read_list(value: object) -> object:
    """A variable holds a list as `5, 10, 20`."""
    if isinstance(value, str):
        return [item.strip() for item in value.split(",")]
    return value


def _check_network(text: str) -> str:
    try:
        ip_network(text)
    except ValueError as error:
        raise ValueError(f"not an address or a network: {error}") from None
    return text


def _read_table(value: object) -> object:
    """A variable holds a table as `example.com=60, *=10`."""
    if isinstance(value, str):
        rows = [item.partition("=") for item in value.split(",")]
        return {key.strip(): number.strip() for key, _, number in rows}
    return value


def _check_domains(rates: dict[str, int]) -> dict[str, int]:
    read = _reader(parse_domain)
    names = {d if d == ANY_DOMAIN else read(d): n for d, n in rates.items()}
    if len(names) < len(rates):
        raise ValueError("a domain is named twice")
    return names


def matching(pattern: str) -> pydantic.StringConstraints:
    """Permit only text that matches."""
    return pydantic.StringConstraints(pattern=pattern)


Line = Annotated[str, matching(r"^[^\x00-\x1f\x7f]+$")]
Word = Annotated[Line, matching(r"^[!-~]+$")]
Label = Annotated[str, matching(r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$")]
Domain = Annotated[Line, AfterValidator(_reader(parse_domain))]
BaseUrl = Annotated[Word, AfterValidator(_reader(parse_base_url))]
Address = Annotated[Line, AfterValidator(_reader(_parse_address))]
Place = Annotated[Path, BeforeValidator(_check_path), AfterValidator(Path.expanduser)]
Secret = Annotated[SecretStr, Field(min_length=1)]
Minutes = Annotated[float, Field(gt=0, le=1440)]
Waits = Annotated[list[Minutes], BeforeValidator(read_list), Field(min_length=1)]
Networks = Annotated[
    list[Annotated[str, AfterValidator(_check_network)]], BeforeValidator(read_list)
]
Letters = Annotated[int, Field(ge=1)]
Counts = Annotated[dict[str, Letters], BeforeValidator(_read_table)]
Days = Annotated[list[Letters], BeforeValidator(read_list)]
Rates = Annotated[
    dict[str, Letters], BeforeValidator(_read_table), AfterValidator(_check_domains)
]


class Part(pydantic.BaseModel):
    """A table of the settings file."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class DatabaseSettings(Part):
    """Where the rows are."""

    url: Secret | None = Field(default=None, description="Default: SQLite in `home`.")


class SmtpSettings(Part):
    """The relay letters are handed to."""

    host: Word = Field(default="127.0.0.1", description="Name of the relay.")
    port: int = Field(default=25, ge=1, le=65535, description="Its port.")
    security: Literal["none", "starttls", "tls"] = Field(
        default="starttls", description="`tls` is implicit TLS (RFC 8314 §3.3)."
    )
    username: Line | None = Field(
        default=None, description="Account there; TLS, or this machine."
    )
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


class DkimSettings(Part):
    """Who signs (RFC 6376)."""

    mode: Literal["self", "relay"] = Field(
        default="self", description="`relay`: the relay signs, we do not."
    )
    domain: Domain | None = Field(default=None, description="d=; or `mail.domain`.")
    selector: Label = Field(default="digest", description="s=: names the DNS record.")
    private_key_file: Place | None = Field(
        default=None, description="PEM; default: what `digest dkim generate` wrote."
    )


class WebSettings(Part):
    """The public pages."""

    base_url: BaseUrl = Field(
        default="http://127.0.0.1:8000",
        description="Start of every link: https://, or http:// on loopback.",
    )
    host: Word = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on.")
    trusted_proxies: Networks = Field(
        default=["127.0.0.1", "::1"],
        description="Whose X-Forwarded-For is believed: addresses or networks.",
    )
    trusted_hosts: Annotated[list[Word], BeforeValidator(read_list)] = Field(
        default=[],
        description="Host names answered besides that of `base_url` and loopback.",
    )


class MailSettings(Part):
    """Our own mail domain."""

    domain: Domain = Field(
        default="news.example.test",
        description="Domain of subscribe@, unsubscribe@ and bounces.",
    )
    operator: Address | None = Field(
        default=None,
        description="Who reads postmaster@ and abuse@; default: a newsletter's editor.",
    )


class InboundSettings(Part):
    """How mail to our own domain comes in."""

    protocol: Literal["none", "lmtp", "smtp"] = Field(
        default="none", description="What a mail server hands it over by."
    )
    host: Word = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8024, ge=0, le=65535, description="Port to listen on.")
    message_octets: int = Field(
        default=10 * 1024 * 1024,
        ge=64 * 1024,
        le=100 * 1024 * 1024,
        description="Largest message that is taken.",
    )
    connections: int = Field(default=50, ge=1, le=1000, description="Most at once.")
    spare_octets: int = Field(
        default=256 * 1024 * 1024,
        ge=0,
        description="Free disk below which mail waits at the sender, with SQLite.",
    )
    keep_days: int = Field(
        default=30, ge=1, description="Days until what was acted upon is forgotten."
    )


class RetrySettings(Part):
    """When a letter is tried again (RFC 5321 §4.5.4.1)."""

    refused: Waits = Field(
        default=[5, 10, 20, 40, 60],
        description="Minutes after each temporary refusal; the last one repeats.",
    )
    broken: Minutes = Field(
        default=0.5, description="Minutes after trouble on the way, doubled each time."
    )
    broken_at_most: Minutes = Field(
        default=10, description="Minutes where that doubling ends."
    )
    jitter: float = Field(
        default=0.2, ge=0, lt=1, description="Share by which waits vary at random."
    )
    deadline: float = Field(
        default=72, gt=0, le=240, description="Hours after which a letter is given up."
    )

    @pydantic.model_validator(mode="after")
    def _check_bound(self) -> Self:
        if self.broken_at_most < self.broken:
            raise ValueError("broken_at_most is shorter than broken")
        return self

    @property
    def policy(self) -> RetryPolicy:
        """The rules these values make."""
        return RetryPolicy(
            refused=[timedelta(minutes=wait) for wait in self.refused],
            broken=timedelta(minutes=self.broken),
            broken_at_most=timedelta(minutes=self.broken_at_most),
            jitter=self.jitter,
            deadline=timedelta(hours=self.deadline),
        )


class SendSettings(Part):
    """How the post behaves."""

    uncertain: Literal["hold", "resend"] = Field(
        default="hold", description="What to do with letters whose answer was lost."
    )
    processes: int = Field(default=1, ge=1, le=64, description="Sender processes.")
    pause_policy_share: float = Field(
        default=0.05,
        gt=0,
        le=1,
        description="Pause at more policy refusals among 200 answers; 1: never.",
    )
    domain_rates: Rates = Field(
        default={},
        description='Letters a minute: { "example.com" = 60, "*" = 600 }, * any other.',
    )
    warm_up: Days = Field(
        default=[], description="Letters a day to begin with; afterwards no limit."
    )
    warm_up_from: date | None = Field(
        default=None, description="Its first day, UTC; default: the first release."
    )
    retry: RetrySettings = RetrySettings()


class FetchSettings(Part):
    """Fetching feeds and pages."""

    allow_private: bool = Field(default=False, description="Permit private networks.")


class PreflightSettings(Part):
    """What an edition is asked before it may go."""

    least_stories: Counts = Field(
        default={"*": 3},
        description='Fewest stories: { "weekly" = 5, "*" = 3 }, * any other.',
    )
    few_stories: Literal["warn", "refuse"] = Field(
        default="warn", description="What an edition with fewer gets."
    )
