"""Render an edition: subject, plain text and HTML, personal values as slots."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from digest.compose.view import EditionView, clean, edition_view
from digest.domain.editions import Edition, Story
from digest.domain.issue import write_date, write_figures
from digest.domain.letters import Sender
from digest.domain.newsletters import Newsletter
from digest.domain.recipe import propose_preheader
from digest.domain.site import Site
from digest.domain.slots import Slot, marker
from digest.domain.theme import read_theme
from digest.templating import Letter, Templates

_BLANK_LINES = re.compile(r"[ \t]*\n(?:[ \t]*\n)+")


def render(
    edition: Edition,
    newsletter: Newsletter,
    stories: Sequence[Story],
    *,
    sections: Iterable[str] = (),
    templates: Templates,
    site: Site,
) -> Letter:
    """Render one variant of an edition.

    Args:
        edition: The edition.
        newsletter: Its newsletter.
        stories: Its stories in order; the first one leads.
        sections: Slugs a reader chose; none: all.
        templates: The installation's templates.
        site: Its public addresses.

    Returns:
        The letter; `domain.slots.split` finds the places of personal values.

    Raises:
        RefusedError: The newsletter's theme is not valid.
    """
    view = edition_view(edition, newsletter, stories, sections=sections)
    letter = templates.letter(
        newsletter.template,
        language=newsletter.language,
        context=context_of(view, newsletter, site),
    )
    return replace(letter, text=_BLANK_LINES.sub("\n\n", letter.text))


def preheader_for(
    newsletter: Newsletter, titles: Sequence[str], minutes: int, *, templates: Templates
) -> str:
    """Propose a preheader in the newsletter's language.

    Args:
        newsletter: Whose words and figures to use.
        titles: Headlines after the lead's.
        minutes: Reading time of the letter.
        templates: The installation's templates.
    """
    language, figures = newsletter.language, _figures(newsletter)

    def frame(pieces: list[str]) -> str:
        context = {
            "stories": pieces,
            "minutes": minutes,
            "figures": figures,
        }
        path = f"email/{newsletter.template}/preheader.txt"
        return templates.line(path, language=language, context=context)

    return propose_preheader([clean(t) for t in titles], frame)


def context_of(view: EditionView, newsletter: Newsletter, site: Site) -> dict[str, Any]:
    """Collect what a layout is given; `docs/letter.md` explains each name.

    Raises:
        RefusedError: The newsletter's theme is not valid.
    """
    newsletter = _clean(newsletter)
    theme = read_theme(newsletter.theme, direction=newsletter.direction)
    theme = replace(theme, notice=clean(theme.notice), credits=clean(theme.credits))
    rtl = newsletter.direction == "rtl"
    date = write_date(
        view.edition.issue_date, language=newsletter.language, digits=theme.digits
    )
    address = marker(Slot.ADDRESS)
    return {
        "view": view,
        "newsletter": newsletter,
        "theme": theme,
        "wordmark": clean(theme.wordmark) or newsletter.name,
        "direction": newsletter.direction,
        "start": "right" if rtl else "left",
        "end": "left" if rtl else "right",
        "date": date,
        "links": _links(view, newsletter, site),
        "postal_lines": newsletter.postal_address.splitlines(),
        "slots": {"address": address, "confirmed_on": marker(Slot.CONFIRMED_ON)},
        # An address is Latin text: inside Arabic it would be torn apart.
        "address_run": Markup('<span dir="ltr">{}</span>').format(address)
        if rtl
        else address,
        "figures": _figures(newsletter),
        "direction_of": direction_of,
    }


def direction_of(text: str) -> str:
    """Return the direction of a text by its first strong character."""
    for character in text:
        kind = unicodedata.bidirectional(character)
        if kind in {"R", "AL"}:
            return "rtl"
        if kind == "L":
            return "ltr"
    return "ltr"


def _links(view: EditionView, newsletter: Newsletter, site: Site) -> Mapping[str, str]:
    issue_date = view.edition.issue_date.isoformat()
    about = quote(f"{newsletter.name} {view.edition.number}")
    return {
        "web": site.archive_url(newsletter.slug, issue_date),
        "preferences": site.preferences_url(marker(Slot.PREFERENCES_TOKEN)),
        "unsubscribe": site.unsubscribe_url(marker(Slot.UNSUBSCRIBE_TOKEN)),
        "privacy": site.page("/privacy"),
        "sign_up": site.page("/"),
        "reply": f"mailto:{newsletter.sender.reply_to}?subject={about}",
    }


def _figures(newsletter: Newsletter) -> Callable[[int], str]:
    theme = read_theme(newsletter.theme, direction=newsletter.direction)
    return lambda number: write_figures(str(number), digits=theme.digits)


def _clean(newsletter: Newsletter) -> Newsletter:
    sender = newsletter.sender
    return replace(
        newsletter,
        name=clean(newsletter.name),
        postal_address=clean(newsletter.postal_address),
        purpose=clean(newsletter.purpose),
        sender=Sender(
            name=clean(sender.name),
            address=clean(sender.address),
            reply_to=clean(sender.reply_to),
        ),
    )
