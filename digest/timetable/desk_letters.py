"""Letters to the desk: the question about a draft, alerts, and how an issue went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

from digest.domain.bidi import direction_of
from digest.domain.editions import Edition, Story
from digest.domain.issue import write_date, write_figures, write_moment
from digest.domain.letters import NewNotice, NoticeKind
from digest.domain.newsletters import Newsletter
from digest.domain.reviews import DeskMail
from digest.domain.theme import read_theme
from digest.templating import Templates
from digest.timetable.timing import Timing

_AUTOMATIC = {"Auto-Submitted": "auto-generated"}  # RFC 3834 §5


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What the desk is shown of a draft.

    Attributes:
        edition: The edition.
        newsletter: Its newsletter.
        stories: In order, the lead first.
        errors: What must be mended, a line each.
        warnings: What somebody should look at, a line each.
        notes: What else to say: a source that could not be read.
    """

    edition: Edition
    newsletter: Newsletter
    stories: Sequence[Story]
    errors: Sequence[str] = ()
    warnings: Sequence[str] = ()
    notes: Sequence[str] = ()


def write_question(
    draft: Draft,
    what: DeskMail,
    timing: Timing,
    *,
    address: str,
    review_url: str,
    links_end: datetime,
    key: str,
    templates: Templates,
    now: datetime,
) -> NewNotice:
    """Write the letter that asks about a draft, or asks once more.

    Args:
        draft: What it shows.
        what: `ask`, or which reminder.
        timing: When the edition goes.
        address: Whose letter it is.
        review_url: Their own page.
        links_end: Until when that page acts.
        key: Two letters with one key are one.
        templates: The installation's templates.
        now: The present.
    """
    clock = partial(_moment, draft.newsletter, timing.zone)
    edition = draft.edition
    is_asked = what is DeskMail.ASK
    return _write(
        "desk_ask",
        NoticeKind.DESK_ASK if is_asked else NoticeKind.DESK_REMINDER,
        draft.newsletter,
        templates=templates,
        address=address,
        key=key,
        context={
            "what": what.value,
            "edition": edition,
            "stories": draft.stories,
            "errors": draft.errors,
            "warnings": draft.warnings,
            "notes": draft.notes,
            "when": clock(timing.due) if timing.due else "",
            "utc": _utc(draft.newsletter, timing.due),
            "end": clock(timing.end) if timing.end else "",
            "is_late": timing.is_late(now),
            "is_automatic": timing.is_automatic,
            "needs_approval": not timing.is_automatic or edition.held_at is not None,
            "review_url": review_url,
            "links_end": clock(links_end),
        },
    )


def write_alert(
    newsletter: Newsletter,
    *,
    issue_date: date,
    messages: Sequence[str],
    zone: str,
    address: str,
    review_url: str,
    links_end: datetime,
    key: str,
    templates: Templates,
) -> NewNotice:
    """Write the letter that says what keeps an issue from going.

    Args:
        newsletter: Whose issue.
        issue_date: Which.
        messages: What is wrong, a line each.
        zone: Whose clock people go by.
        address: Whose letter it is.
        review_url: Their own page; empty: there is no edition to settle.
        links_end: Until when that page acts.
        key: Two letters with one key are one.
        templates: The installation's templates.
    """
    digits = _digits(newsletter)
    return _write(
        "desk_alert",
        NoticeKind.DESK_ALERT,
        newsletter,
        templates=templates,
        address=address,
        key=key,
        context={
            "issue_day": write_date(
                issue_date, language=newsletter.language, digits=digits
            ),
            "messages": messages,
            "review_url": review_url,
            "links_end": _moment(newsletter, zone, links_end),
        },
    )


def write_report(
    edition: Edition,
    newsletter: Newsletter,
    what: DeskMail,
    *,
    counts: Mapping[str, int],
    refusals: Sequence[str],
    address: str,
    archive_url: str,
    key: str,
    templates: Templates,
) -> NewNotice:
    """Write the letter that says how an issue went.

    Args:
        edition: The edition, sent.
        newsletter: Its newsletter.
        what: `sent`, or `day` for what came back since.
        counts: By the names that the template knows.
        refusals: Why letters failed, the most frequent first.
        address: Whose letter it is.
        archive_url: The edition on the web.
        key: Two letters with one key are one.
        templates: The installation's templates.
    """
    assert edition.released_at is not None, "only what was sent is reported"
    assert edition.finished_at is not None, "only what was sent is reported"
    clock = partial(_moment, newsletter, newsletter.time_zone)
    return _write(
        "desk_report",
        NoticeKind.DESK_REPORT,
        newsletter,
        templates=templates,
        address=address,
        key=key,
        context={
            "what": what.value,
            "edition": edition,
            "began": clock(edition.released_at),
            "ended": clock(edition.finished_at),
            "counts": counts,
            "refusals": refusals,
            "archive_url": archive_url,
        },
    )


def _write(
    name: str,
    kind: NoticeKind,
    newsletter: Newsletter,
    *,
    templates: Templates,
    address: str,
    key: str,
    context: Mapping[str, Any],
) -> NewNotice:
    digits = _digits(newsletter)
    shared = {
        "newsletter": newsletter,
        "theme": read_theme(newsletter.theme, direction=newsletter.direction),
        "direction_of": partial(direction_of, base=newsletter.direction),
        "figures": lambda number: write_figures(f"{number}", digits=digits),
    }
    letter = templates.letter(
        name, language=newsletter.language, context=shared | dict(context)
    )
    return NewNotice(
        kind=kind,
        address=address,
        sender=newsletter.sender,
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        language=newsletter.language,
        headers=_AUTOMATIC,
        newsletter_id=newsletter.id,
        dedupe_key=key,
    )


def _digits(newsletter: Newsletter) -> str:
    return read_theme(newsletter.theme, direction=newsletter.direction).digits


def _moment(newsletter: Newsletter, zone: str, at: datetime) -> str:
    return write_moment(
        at, zone=zone, language=newsletter.language, digits=_digits(newsletter)
    )


def _utc(newsletter: Newsletter, at: datetime | None) -> str:
    return write_figures(f"{at:%H:%M}", digits=_digits(newsletter)) if at else ""
