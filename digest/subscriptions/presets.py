"""What other services call their columns and states, and how a file is recognised.

Column names are compared folded: lower case, letters and digits only. Sources: the CSV
exports of each service (listmonk `cmd/subscribers.go`, Ghost's members export,
Substack's `email_list.csv` and dashboard export, Mailchimp's three audience files).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from digest.domain.addresses import AddressError, parse_address
from digest.domain.errors import RefusedError, UsageError


class Field(StrEnum):
    """What a column can mean; `--map FIELD=COLUMN` takes these names."""

    ADDRESS = "address"  # the e-mail address
    NAME = "name"  # the whole name
    FIRST_NAME = "first_name"  # joined with the last name where there is no name
    LAST_NAME = "last_name"  # see first_name
    STATUS = "status"  # a word for the state
    CONFIRMED_AT = "confirmed_at"  # when the reader confirmed: proof
    CONSENTED_AT = "consented_at"  # when the reader signed up: proof
    SUBSCRIBED = "subscribed"  # true or false
    LEFT = "left"  # true or a time: unsubscribed
    BOUNCED = "bounced"  # true or a time: bounced
    CANCELLED = "cancelled"  # a time that may mean leaving, or only a paid plan's end
    REASON = "reason"  # why the reader left
    NETWORK = "network"  # the network address at opt-in
    SOURCE = "source"  # where the reader signed up
    ATTRIBUTES = "attributes"  # a JSON object that may hold an opt-in time
    SECTIONS = "sections"  # chosen section slugs
    FORMAT = "format"  # html or text
    NEWSLETTER = "newsletter"  # of our own export
    SUPPRESSED = "suppressed"  # of our own export: bounce, complaint, request, manual


@dataclass(frozen=True, kw_only=True)
class Preset:
    """How one service writes its list.

    Attributes:
        name: As `--preset` takes it.
        marks: Column names that only this service uses together.
        columns: Field → column names, best first.
        is_opt_in: Whether being subscribed there is proof by itself.
        is_guarded: Whether cells carry our own formula guard.
    """

    name: str
    marks: Sequence[frozenset[str]] = ()
    columns: Mapping[Field, tuple[str, ...]] = field(default_factory=dict)
    is_opt_in: bool = False
    is_guarded: bool = False


_COMMON: Mapping[Field, tuple[str, ...]] = {
    Field.ADDRESS: (  # `address` last: elsewhere it is a street's
        "emailaddress",
        "email",
        "mail",
        "subscriberemail",
        "البريدالإلكتروني",
        "البريدالالكتروني",
        "address",
    ),
    Field.NAME: ("name", "fullname", "displayname", "الاسم"),
    Field.FIRST_NAME: ("firstname", "fname", "givenname"),
    Field.LAST_NAME: ("lastname", "lname", "surname", "familyname"),
    Field.STATUS: ("status", "state", "subscriptionstatus", "emailstatus"),
    Field.CONFIRMED_AT: ("confirmedat", "confirmtime", "confirmationtime"),
    Field.CONSENTED_AT: (
        "consentedat",
        "consentat",
        "consenttime",
        "consentdate",
        "optintime",
        "optinat",
        "optindate",
        "optedinat",
        "subscribedat",
        "subscribedon",
    ),
    Field.LEFT: ("unsubscribedat", "unsubtime", "optouttime", "optedoutat"),
    Field.BOUNCED: ("bouncedat", "cleantime"),
    Field.NETWORK: ("confirmip", "optinip", "consentip", "ip", "ipaddress"),
    Field.SOURCE: ("consentsource", "source", "optinsource", "signupsource"),
    Field.SECTIONS: ("sections",),
    Field.FORMAT: ("format", "emailtype"),
}

PRESETS: Mapping[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            name="digest",
            marks=(frozenset({"consentsource", "suppressed", "newsletter"}),),
            columns={
                Field.NEWSLETTER: ("newsletter",),
                Field.SUPPRESSED: ("suppressed",),
            },
            is_guarded=True,
        ),
        Preset(
            name="mailchimp",
            marks=(
                frozenset({"emailaddress", "leid"}),
                frozenset({"emailaddress", "memberrating"}),
                frozenset({"emailaddress", "optintime"}),
            ),
            columns={
                Field.CONFIRMED_AT: ("confirmtime",),
                Field.CONSENTED_AT: ("optintime",),
                Field.REASON: ("unsubreason", "cleanreason"),
            },
        ),
        Preset(
            name="beehiiv",
            marks=(
                frozenset({"status", "subscriptionpremiumtiernames"}),
                frozenset({"status", "subscriptiontier"}),
                frozenset({"status", "acquisitionsource"}),
                frozenset({"status", "referralcode", "utmsource"}),
                frozenset({"status", "createdat", "utmsource"}),
            ),
            columns={
                Field.CONSENTED_AT: ("subscribedat", "createdat", "created"),
                Field.SOURCE: ("acquisitionsource", "utmsource", "referringsite"),
            },
            is_opt_in=True,
        ),
        Preset(
            name="substack",
            marks=(
                frozenset({"email", "activesubscription", "emaildisabled"}),
                frozenset({"email", "activesubscription", "expiry"}),
                frozenset({"email", "startdate", "subscriptionsourcefree"}),
            ),
            columns={
                Field.CONSENTED_AT: ("createdat", "startdate"),
                Field.LEFT: ("emaildisabled", "unsubscribedat"),
                Field.CANCELLED: ("canceldate",),
                Field.SOURCE: ("subscriptionsourcefree",),
            },
            is_opt_in=True,
        ),
        Preset(
            name="listmonk",
            marks=(frozenset({"uuid", "email", "attributes", "status"}),),
            columns={
                Field.STATUS: ("subscriptionstatus", "status"),
                Field.ATTRIBUTES: ("attributes", "attribs"),
            },
        ),
        Preset(
            name="ghost",
            marks=(
                frozenset({"email", "subscribedtoemails"}),
                frozenset({"email", "complimentaryplan", "stripecustomerid"}),
            ),
            columns={
                Field.CONSENTED_AT: ("createdat",),
                Field.SUBSCRIBED: ("subscribedtoemails", "subscribed"),
                Field.LEFT: ("deletedat",),
            },
            is_opt_in=True,
        ),
        Preset(name="plain"),
    )
}


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where a file's cells are.

    Attributes:
        preset: Whose export it is.
        places: Field → cell number, from 0.
        has_header: Whether the first row names columns.
    """

    preset: Preset
    places: Mapping[Field, int]
    has_header: bool


def recognise(
    first: Sequence[str],
    *,
    preset: str = "auto",
    mapping: Mapping[str, str] | None = None,
) -> Layout:
    """Find out what a file's columns mean.

    Args:
        first: Its first row.
        preset: A service's name, `plain`, or `auto`: by the column names.
        mapping: Field → column name, before anything found.

    Raises:
        UsageError: The preset or a mapped field or column is unknown.
        RefusedError: No column holds addresses.
    """
    names = {fold(name): place for place, name in reversed(list(enumerate(first)))}
    chosen = _choose(preset, names)
    places = _find_places(chosen, names) | _map(mapping or {}, names)
    if Field.ADDRESS in places:
        return Layout(preset=chosen, places=places, has_header=True)
    place = next((i for i, cell in enumerate(first) if _is_address(cell)), None)
    if place is not None:  # a bare list without a header
        return Layout(preset=chosen, places={Field.ADDRESS: place}, has_header=False)
    shown = ", ".join(cell.strip()[:30] for cell in first[:8])
    raise RefusedError(
        f"No column of addresses was found among: {shown}.",
        "Name it: --map address=COLUMN",
    )


def fold(name: str) -> str:
    """Bring a column's or a state's name into the form in which it is compared."""
    return re.sub(r"[\W_]+", "", name.lower())


def _choose(preset: str, names: Mapping[str, int]) -> Preset:
    if preset != "auto":
        if preset not in PRESETS:
            known = ", ".join(["auto", *PRESETS])
            raise UsageError(f"There is no preset {preset!r}.", f"Known: {known}.")
        return PRESETS[preset]
    found = (p for p in PRESETS.values() if any(m <= names.keys() for m in p.marks))
    return next(found, PRESETS["plain"])


def _find_places(preset: Preset, names: Mapping[str, int]) -> dict[Field, int]:
    columns = {**_COMMON, **preset.columns}
    found = {
        meaning: next((names[name] for name in candidates if name in names), None)
        for meaning, candidates in columns.items()
    }
    return {meaning: place for meaning, place in found.items() if place is not None}


def _map(mapping: Mapping[str, str], names: Mapping[str, int]) -> dict[Field, int]:
    places: dict[Field, int] = {}
    for meaning, column in mapping.items():
        if meaning not in list(Field):
            known = ", ".join(Field)
            raise UsageError(f"There is no field {meaning!r}.", f"Known: {known}.")
        if fold(column) not in names:
            known = ", ".join(names)
            raise UsageError(f"The file has no column {column!r}.", f"It has: {known}.")
        places[Field(meaning)] = names[fold(column)]
    return places


def _is_address(cell: str) -> bool:
    try:
        parse_address(cell.strip())
    except AddressError:
        return False
    return True
