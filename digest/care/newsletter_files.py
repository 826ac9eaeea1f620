"""Newsletter files: TOML that says what a newsletter is."""

import tomllib
import zoneinfo
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

import pydantic
from pydantic import AfterValidator, Field, StringConstraints

from digest.care.schedule_table import ScheduleTable
from digest.domain.addresses import parse_address
from digest.domain.calendar import Schedule
from digest.domain.errors import RefusedError, SettingsError, UsageError
from digest.domain.hosts import parse_domain
from digest.domain.letters import Sender
from digest.domain.newsletters import Newsletter, Section, WhenEmpty
from digest.domain.own_links import OwnLinks
from digest.domain.theme import read_theme

_RIGHT_TO_LEFT = {"ar", "fa", "he", "ur"}
_MAX_LIST_ID = 255


def _check_zone(value: str) -> str:
    if value not in zoneinfo.available_timezones():
        raise ValueError("is not a time zone such as Africa/Cairo")
    return value


def _check_address(value: str) -> str:
    try:
        return parse_address(value).address
    except RefusedError as error:
        raise ValueError(error.message.removesuffix(".")) from None


def _check_host(value: str) -> str:
    try:
        return parse_domain(value)
    except RefusedError as error:
        raise ValueError(error.message.removesuffix(".")) from None


Line = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        min_length=1,
        max_length=200,
        pattern=r"^[^\x00-\x1f\x7f\x85\u2028\u2029]+$",
    ),
]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_SLUG = r"^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$"
_LANGUAGE = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"
Slug = Annotated[str, StringConstraints(pattern=_SLUG)]
Language = Annotated[str, StringConstraints(pattern=_LANGUAGE)]
Zone = Annotated[str, AfterValidator(_check_zone)]
Host = Annotated[str, AfterValidator(_check_host)]
# Longer ones are no campaign's name.
Tag = Annotated[str, StringConstraints(max_length=100, pattern=r"^[!-~]*$")]
Address = Annotated[Line, AfterValidator(_check_address)]


class _Part(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class _Sender(_Part):
    name: Line | None = None
    address: Address | None = None
    reply_to: Address | None = None


class _Section(_Part):
    slug: Slug
    title: Line
    cap: int = Field(default=3, ge=1, le=50)
    thumbnails: bool = False


class _OwnLinks(_Part):
    hosts: Annotated[tuple[Host, ...], Field(max_length=50)] = ()
    source: Tag = ""
    medium: Tag = "email"
    campaign: Tag = ""


class _File(_Part):
    name: Line
    purpose: Text
    postal_address: Text
    time_zone: Zone
    language: Language = "en"
    direction: Annotated[str, StringConstraints(pattern="^(ltr|rtl)$")] | None = None
    template: Slug = "classic"
    when_empty: WhenEmpty = WhenEmpty.LEAD
    list_id: Annotated[Line, StringConstraints(pattern=r"^[!-;=?-~]+$")] | None = None
    sender: _Sender = _Sender()
    sections: Annotated[list[_Section], Field(min_length=1, max_length=50)]
    own_links: _OwnLinks = _OwnLinks()
    desk: Annotated[tuple[Address, ...], Field(max_length=20)] = ()
    at_init: bool = True
    theme: dict[str, Any] = {}
    schedule: ScheduleTable | None = None

    @pydantic.model_validator(mode="after")
    def _check_sections(self) -> Self:
        slugs = [section.slug for section in self.sections]
        twice = next((slug for slug in slugs if slugs.count(slug) > 1), None)
        if twice is not None:
            raise ValueError(f"two sections are called {twice!r}")
        return self


@dataclass(frozen=True, kw_only=True)
class Seed:
    """What one file says.

    Attributes:
        newsletter: Not stored; its slug is the file's name.
        schedule: When it appears; None: only by hand.
        at_init: Whether `init` makes it unasked.
    """

    newsletter: Newsletter
    schedule: Schedule | None
    at_init: bool


def read_seed(path: Path, *, mail_domain: str) -> Seed:
    """Read one newsletter file.

    Args:
        path: `config/newsletters/<slug>.toml`.
        mail_domain: Where a sender is placed that the file does not name.

    Raises:
        SettingsError: The file is unreadable, or a key in it unknown or wrong.
    """
    values = _read_toml(path)
    try:
        file = _File.model_validate(values)
        slug = pydantic.TypeAdapter(Slug).validate_python(path.stem)
        newsletter = _make(file, slug, mail_domain)
        read_theme(newsletter.theme, direction=newsletter.direction)
        table = file.schedule
        schedule = table.plan(file.time_zone) if table is not None else None
    except pydantic.ValidationError as error:
        raise _explain(path, error) from None
    except (RefusedError, UsageError) as error:
        raise SettingsError(f"{path}: {error.message}", error.mend) from None
    return Seed(newsletter=newsletter, schedule=schedule, at_init=file.at_init)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be read: {error.strerror}.", "Check its permissions."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{path} is not valid TOML: {error}.", "Mend that line."
        ) from None


def _make(file: _File, slug: str, mail_domain: str) -> Newsletter:
    written = file.sender.address or f"{slug}@{mail_domain}"
    rtl = file.language.partition("-")[0] in _RIGHT_TO_LEFT
    list_id = file.list_id or f"{slug}.{mail_domain}"
    if len(list_id) > _MAX_LIST_ID:
        raise RefusedError("list_id is longer than 255 octets (RFC 2919 §3).")
    return Newsletter(
        id=0,
        slug=slug,
        name=file.name,
        language=file.language,
        direction=file.direction or ("rtl" if rtl else "ltr"),
        time_zone=file.time_zone,
        sender=Sender(
            name=file.sender.name or file.name,
            address=written,
            reply_to=file.sender.reply_to or written,
        ),
        postal_address=file.postal_address,
        purpose=file.purpose,
        list_id=list_id,
        template=file.template,
        theme=file.theme,
        when_empty=file.when_empty,
        own_links=OwnLinks(**file.own_links.model_dump()),
        desk=tuple(dict.fromkeys(file.desk)),
        sections=tuple(
            Section(id=0, position=position, **section.model_dump())
            for position, section in enumerate(file.sections)
        ),
    )


def _explain(path: Path, error: pydantic.ValidationError) -> SettingsError:
    first = error.errors(include_url=False, include_input=False)[0]
    key = ".".join(str(step) for step in first["loc"])
    if first["type"] == "missing":
        return SettingsError(f"{path}: {key} is missing.", "Add it.")
    if first["type"] == "extra_forbidden":
        return SettingsError(f"{path}: {key} is unknown.", "Check its spelling.")
    reason = first["msg"].removeprefix("Value error, ")
    if first["type"] == "string_pattern_mismatch":
        reason = "it is empty or holds a character that cannot stand there"
    named = f"{key} is wrong" if key else "it is wrong"
    return SettingsError(f"{path}: {named}: {reason}.", "Mend that line.")
