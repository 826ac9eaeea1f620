"""Render an edition: subject, plain text and HTML, personal values as slots."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from digest.compose.correction import correction_number, is_correction, layout_of
from digest.compose.prose import Reader
from digest.compose.view import (
    Choice,
    EditionView,
    choose_shown,
    clean,
    edition_view,
)
from digest.domain.bidi import direction_of
from digest.domain.editions import Edition, Story, Variant
from digest.domain.issue import write_date, write_number
from digest.domain.letters import Sender
from digest.domain.newsletters import Newsletter
from digest.domain.opinions import Answer
from digest.domain.recipe import propose_preheader
from digest.domain.site import Site
from digest.domain.slots import Slot, marker
from digest.domain.subscribers import LetterFormat
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
    tag = tagger(edition, newsletter, site)
    view = edition_view(edition, newsletter, stories, sections=sections, tag=tag)
    letter = templates.issue(
        layout_of(edition, newsletter),
        language=newsletter.language,
        context=context_of(view, newsletter, site),
    )
    return replace(letter, text=_BLANK_LINES.sub("\n\n", letter.text))


class Renderings:
    """Renders the variants of one edition; choices that show the same share a letter.

    Args:
        edition: The edition.
        newsletter: Its newsletter.
        stories: Its stories in order; the first one leads.
        templates: The installation's templates.
        site: Its public addresses.
    """

    def __init__(
        self,
        edition: Edition,
        newsletter: Newsletter,
        stories: Sequence[Story],
        *,
        templates: Templates,
        site: Site,
    ) -> None:
        self._edition = edition
        self._newsletter = newsletter
        self._stories = stories
        self._render = partial(
            render, edition, newsletter, stories, templates=templates, site=site
        )
        self._made: dict[tuple[bool, tuple[int, ...]], Letter] = {}

    def letter(self, sections: str) -> Letter:
        """Render what readers of some sections get.

        Args:
            sections: Slugs as they are stored: sorted, comma separated; empty: all.

        Raises:
            RefusedError: The newsletter's theme is not valid.
        """
        choice = self._choice(sections)
        key = choice.is_bare, tuple(story.article_id for story in choice.stories)
        if key not in self._made:
            chosen = () if is_correction(self._edition) else _slugs(sections)
            self._made[key] = self._render(sections=chosen)
        return self._made[key]

    def variant(self, sections: str, letter_format: LetterFormat) -> Variant:
        """Render what readers of some sections get in a format.

        Args:
            sections: As for `letter`.
            letter_format: HTML with plain text, or plain text only.

        Raises:
            RefusedError: The newsletter's theme is not valid.
        """
        letter = self.letter(sections)
        return Variant(
            edition_id=self._edition.id,
            sections=sections,
            format=letter_format,
            subject=letter.subject,
            html=letter.html if letter_format == LetterFormat.HTML else None,
            text=letter.text,
            is_bare=self._choice(sections).is_bare,
        )

    def _choice(self, sections: str) -> Choice:
        if is_correction(self._edition):
            # Who got the mistake gets all of its correction.
            return Choice(stories=tuple(self._stories), is_bare=False)
        return choose_shown(self._newsletter, self._stories, _slugs(sections))


def _slugs(sections: str) -> list[str]:
    return sections.split(",") if sections else []


def tagger(
    edition: Edition, newsletter: Newsletter, site: Site
) -> Callable[[str], str]:
    """Return what tags links to the publication's own site, the same for everybody."""
    tag = partial(
        newsletter.own_links.tag,
        newsletter=newsletter.slug,
        issue_date=edition.issue_date.isoformat(),
    )
    return lambda url: url if site.is_personal(url) else tag(url)


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
        "footer": Reader(newsletter.direction).paragraphs(clean(theme.footer)),
        "absolute": site.page,
        "slots": {"address": address, "confirmed_on": marker(Slot.CONFIRMED_ON)},
        # An address is Latin text: inside Arabic it would be torn apart.
        "address_run": Markup('<span dir="ltr">{}</span>').format(address)
        if rtl
        else address,
        "figures": _figures(newsletter),
        "direction_of": partial(direction_of, base=newsletter.direction),
    }


def _links(view: EditionView, newsletter: Newsletter, site: Site) -> Mapping[str, str]:
    issue_date = view.edition.issue_date.isoformat()
    about = quote(f"{newsletter.name} {view.edition.number}")
    return {
        "web": site.archive_url(
            newsletter.slug, issue_date, correction=correction_number(view.edition)
        ),
        "preferences": site.preferences_url(marker(Slot.PREFERENCES_TOKEN)),
        "unsubscribe": site.unsubscribe_url(marker(Slot.UNSUBSCRIBE_TOKEN)),
        "privacy": site.page("/privacy", newsletter.slug),
        "sign_up": site.page("/", newsletter.slug),
        **_feedback_links(issue_date, newsletter, site),
        "reply": f"mailto:{newsletter.sender.reply_to}?subject={about}",
    }


def _feedback_links(
    issue_date: str, newsletter: Newsletter, site: Site
) -> dict[str, str]:
    return {
        answer.name.lower(): site.feedback_url(newsletter.slug, issue_date, answer)
        for answer in Answer
    }


def _figures(newsletter: Newsletter) -> Callable[[int], str]:
    theme = read_theme(newsletter.theme, direction=newsletter.direction)
    # A layout of the operator's own gets it in another process, so no lambda.
    return partial(write_number, digits=theme.digits)


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
