"""The editor's words from TOML files: the blocks one by one, or all of them at once."""

import tomllib
from collections.abc import Mapping
from typing import Any

from digest.compose.edit import Changes
from digest.compose.view import web_address
from digest.domain.editions import Pick, PickKind, Sponsor, Support
from digest.domain.errors import RefusedError
from digest.domain.webaddresses import clean_url

MOST_PICKS = 12
"""More is a list of links, which nobody picks from."""

_TEXTS = ("subject", "preheader", "opening", "opening_by", "why")
_SPONSOR = ("name", "title", "text", "url")
_SUPPORT = ("title", "text", "label", "url")
_PICK, _OPTIONAL = ("kind", "title"), ("words", "url")


def read_sponsor(text: str) -> Sponsor:
    """Read a paid block: name, title, text and url.

    Raises:
        RefusedError: It is not TOML, or a field is missing, unknown or no text.
    """
    return Sponsor(**_block("sponsor", _parse("sponsor", text), _SPONSOR))


def read_support(text: str) -> Support:
    """Read the publication's own request: title, text, label and url.

    Raises:
        RefusedError: As `read_sponsor`.
    """
    return Support(**_block("support", _parse("support", text), _SUPPORT))


def read_picks(text: str) -> tuple[Pick, ...]:
    """Read `[[picks]]`: kind, title and, where there are any, words and url.

    Raises:
        RefusedError: It is not TOML, a field is missing, unknown or no text, a kind
            is unknown, or there are too many.
    """
    values = _parse("picks", text)
    if set(values) != {"picks"}:
        raise RefusedError(
            "The picks file has no [[picks]], or something besides.",
            'Begin each with [[picks]], then kind = "read", title = "…".',
        )
    return _picks(values["picks"])


def read_words(text: str) -> Changes:
    """Read all of the editor's words; what is left out stays as it is.

    An empty `[sponsor]` or `[support]`, and `picks = []`, take those blocks out.

    Raises:
        RefusedError: As the others, or a key is unknown.
    """
    values = _parse("words", text)
    odd = sorted(set(values) - {*_TEXTS, "sponsor", "support", "picks"})
    if odd:
        raise RefusedError(
            f"The words file has an unknown key: {odd[0]}.",
            f"It may have: {', '.join(_TEXTS)}, [sponsor], [support], [[picks]].",
        )
    wrong = [name for name in _TEXTS if not isinstance(values.get(name, ""), str)]
    if wrong:
        raise RefusedError(f"The words file's {wrong[0]} is no text.", "Quote it.")
    sponsor, support = values.get("sponsor"), values.get("support")
    return Changes(
        **{name: values[name] for name in _TEXTS if name in values},
        sponsor=Sponsor(**_block("sponsor", sponsor, _SPONSOR)) if sponsor else None,
        no_sponsor=sponsor == {},
        support=Support(**_block("support", support, _SUPPORT)) if support else None,
        no_support=support == {},
        picks=_picks(values["picks"]) if "picks" in values else None,
    )


def _parse(name: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RefusedError(
            f"The {name} file is not valid TOML: {error}.",
            'Its lines look like: title = "…"',
        ) from None


def _picks(values: Any) -> tuple[Pick, ...]:
    if not isinstance(values, list):
        raise RefusedError("picks is no list.", "Begin each with [[picks]].")
    if len(values) > MOST_PICKS:
        raise RefusedError(
            f"There are {len(values)} picks.", f"At most {MOST_PICKS} are shown."
        )
    return tuple(_pick(value) for value in values)


def _pick(values: Any) -> Pick:
    fields = _block("picks", values, _PICK, _OPTIONAL)
    kinds = [kind.value for kind in PickKind]
    if fields["kind"] not in kinds:
        raise RefusedError(
            f"There is no kind of pick {fields['kind']!r}.",
            f"Choose one of: {', '.join(kinds)}.",
        )
    return Pick(**fields | {"kind": PickKind(fields["kind"])})


def _block(
    name: str, values: Any, needed: tuple[str, ...], more: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Check that a table has its fields, each a text, and an https address."""
    if not isinstance(values, Mapping):
        raise RefusedError(f"{name} is no table.", f"Begin it with [{name}].")
    missing = [field for field in needed if field not in values]
    unknown = [field for field in values if field not in {*needed, *more}]
    wrong = [
        field
        for field, value in values.items()
        if not isinstance(value, str) or not value.strip()
    ]
    if odd := [*missing, *unknown, *wrong]:
        raise RefusedError(
            f"The {name} block has a missing, unknown or empty field: {odd[0]}.",
            f"It needs {', '.join(needed)}, each a text.",
        )
    url = values.get("url")
    if url is not None and not _is_https(url.strip()):
        raise RefusedError(
            f"The {name} block's url is not an https address.", "Write it as https://…"
        )
    return {field: value.strip() for field, value in values.items()}


def _is_https(url: str) -> bool:
    """As strict as with a story's: no name, quote or backslash hides the host."""
    return bool(web_address(url)) and (clean_url(url) or "").startswith("https:")
