"""Preflight rules about stories beside one another, and beside earlier issues."""

import re
from collections.abc import Callable, Iterator, Sequence

from digest.compose.finding import Finding, refuse, warn
from digest.compose.posting import Known, Posting
from digest.compose.view import clean
from digest.domain.editions import Edition, Story
from digest.domain.newsletters import Newsletter
from digest.domain.plaintext import fold
from digest.domain.webaddresses import url_key

MOST_STANDFIRST_WORDS = 70
"""25 to 40 words are the aim, 45 to 70 for the lead."""

_LEAST_CAPITALS = 12  # "NATO" and "UNESCO: COP27" are no shouting
_DRAFT_WORDS = re.compile(
    r"\b(TODO|TBC|TBD|TKTK|lorem ipsum)\b|\{\{|\}\}|\{%|\[(?:insert|link|name)\b",
    re.IGNORECASE,
)


def check_number(
    stories: Sequence[Story], newsletter: Newsletter, posting: Posting
) -> Iterator[Finding]:
    """Check the newsletter's own rule on how few stories make an issue."""
    least = posting.least_for(newsletter)
    if 0 < len(stories) < least:
        say = refuse if posting.refuses_few else warn
        yield say(
            "few-stories",
            f"The edition has {len(stories)} of at least {least} stories.",
            "edition",
        )


def check_choices(
    stories: Sequence[Story], newsletter: Newsletter, known: Known
) -> Iterator[Finding]:
    """Check that nobody chose only sections that are empty this week."""
    slugs = {section.slug for section in newsletter.sections}
    filled = {story.section for story in stories}
    for choice in known.choices:
        wanted = set(choice.split(",")) & slugs
        if stories and wanted and not wanted & filled:
            yield warn(
                "empty-section",
                f"Readers who chose only {choice} find nothing there this week.",
                f"sections {choice}",
            )


def check_doubles(stories: Sequence[Story], known: Known) -> Iterator[Finding]:
    """Check that no story stands here twice or stood in one of the last issues."""
    same_page = _seconds(stories, lambda s: key_of(s.url))
    for story in same_page:
        yield warn(
            "duplicate-story",
            f"Another story leads to {story.url}, too.",
            _where(story),
        )
    for story in _seconds(stories, _headline):
        if story not in same_page:
            yield warn(
                "duplicate-story",
                f"Another story has the headline {clean(story.title)!r}, too.",
                _where(story),
            )
    issues = {key: n for n, s in reversed(known.earlier) for key in _names(s)}
    for story in stories:
        if number := next((issues[k] for k in _names(story) if k in issues), None):
            yield warn(
                "repeated-story", f"It stood in No. {number} already.", _where(story)
            )


def check_style(stories: Sequence[Story]) -> Iterator[Finding]:
    """Check how headlines and standfirsts are written."""
    for story in stories:
        title = clean(story.title)
        letters = [c for c in title if c.isalpha()]
        if len(letters) >= _LEAST_CAPITALS and title.isupper():
            yield warn(
                "headline-capitals", "The headline is all capitals.", _where(story)
            )
        words = len(clean(story.standfirst).split())
        if words > MOST_STANDFIRST_WORDS:
            yield warn(
                "standfirst-length",
                f"The standfirst has {words} words; 25 to 40 read best, "
                f"{MOST_STANDFIRST_WORDS} at most.",
                _where(story),
            )


def check_drafts(edition: Edition, stories: Sequence[Story]) -> Iterator[Finding]:
    """Check that nobody left a note to themselves in the words."""
    texts = [
        *((name, getattr(edition, name)) for name in ("subject", "preheader")),
        *((name, getattr(edition, name)) for name in ("opening", "why")),
        *((_where(s), f"{s.title}\n{s.standfirst}") for s in stories),
    ]
    for where, text in texts:
        if found := _DRAFT_WORDS.search(text):
            yield warn(
                "draft-words", f"{found[0]!r} looks like an unfinished text.", where
            )


def key_of(url: str | None) -> str:
    """Return under which a web address is known again; empty where there is none."""
    try:
        return url_key(url or "")
    except ValueError:
        return url or ""


def _seconds(stories: Sequence[Story], key: Callable[[Story], str]) -> list[Story]:
    """Find the stories whose key another had before."""
    seen: set[str] = set()
    found = []
    for story in stories:
        name = key(story)
        if name in seen:
            found.append(story)
        elif name:
            seen.add(name)
    return found


def _headline(story: Story) -> str:
    return fold(clean(story.title))


def _names(story: Story) -> Iterator[str]:
    """Under which a story is known again."""
    if story.url:
        yield key_of(story.url)
    yield f"article {story.article_id}"


def _where(story: Story) -> str:
    return f"article {story.article_id}"
