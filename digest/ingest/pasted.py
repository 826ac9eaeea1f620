"""The reader of pasted page text: what an editor copies out of a browser."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from digest.domain.articles import NO_DATE, Draft, Image
from digest.domain.boilerplate import ends_story, is_furniture, read_byline
from digest.domain.credits import read_credit_line
from digest.domain.datelines import read_date_line, split_byline
from digest.domain.errors import RefusedError
from digest.domain.plaintext import clean_lines
from digest.ingest.found import first_read

_HEAD_LINES = 60  # the date line of a page stands within so many of its own lines
_HEADLINE_WORDS = 4
_LONGEST_HEADLINE_WORDS = 28
_NO_HEADLINE = (".", "…", ";")
_WRAPPED_FROM = 50  # a line this long that ends mid-sentence goes on in the next
_WRAPPED_TO = 100  # in a text that is wrapped no line is longer
_FEWEST_WORDS = 12
_NAME_WORDS = (2, 3, 4)
_FOOTER_WORDS = 8
_SENTENCE_ENDS = (".", "!", "?", "؟", ":", ";", "…", '"', "”", "’", "'", ")", "»", "*")


@dataclass(frozen=True, kw_only=True)
class _Head:
    """Where the parts above the body are.

    Attributes:
        title: The headline.
        standfirst: A deck under the headline; may be empty.
        published_on: From the date line; None where there is none.
        body_from: Place of the first line that may be body.
    """

    title: str
    standfirst: str
    published_on: date | None
    body_from: int


def read_pasted(text: str) -> Draft:
    """Read the text of one page: headline, date, credit and body out of its rubbish.

    Args:
        text: As pasted; lines in the order of the page.

    Raises:
        RefusedError: There is no headline with a text under it.
    """
    lines = _join_wrapped([part for line in clean_lines(text) for part in _parts(line)])
    if not lines:
        raise _no_story()
    head = _find_head(lines)
    above, below = lines[: head.body_from], lines[head.body_from :]
    paragraphs = _body(below, head)
    author = first_read(read_byline, lines)
    if not author and paragraphs and _is_name(paragraphs[0]):
        author = paragraphs.pop(0)
    if sum(len(p.split()) for p in paragraphs) < _FEWEST_WORDS:
        raise _no_story()
    return Draft(
        title=head.title,
        published_on=head.published_on,
        author=author,
        standfirst=head.standfirst,
        image=Image(credit=first_read(read_credit_line, above + below)),
        paragraphs=tuple(paragraphs),
        flags=() if head.published_on else (NO_DATE,),
    )


def _no_story() -> RefusedError:
    return RefusedError(
        "No story was found in the text.",
        "Paste the headline, the date line and the paragraphs under it.",
    )


def _parts(line: str) -> tuple[str, ...]:
    """Return a line as the lines it stands for: none of the page's furniture."""
    if is_furniture(line):
        return ("",)
    pair = split_byline(line)
    return (f"By {pair[0]}", pair[1]) if pair else (line,)


def _join_wrapped(lines: Sequence[str]) -> list[str]:
    """Join hard-wrapped lines into paragraphs and drop the blank ones."""
    is_wrapped = all(len(line) <= _WRAPPED_TO for line in lines)
    joined: list[str] = []
    before = ""
    for line in lines:
        if line and _goes_on(before, line, is_wrapped=is_wrapped):
            joined[-1] = f"{joined[-1]} {line}"
        elif line:
            joined.append(line)
        before = line
    return joined


def _goes_on(before: str, line: str, *, is_wrapped: bool) -> bool:
    """Whether a line continues the one right above it."""
    if len(before) < _WRAPPED_FROM or before.endswith(_SENTENCE_ENDS):
        return False
    if _is_head_line(before) or _is_head_line(line) or ends_story(line):
        return False
    return is_wrapped or line[0].islower()


def _is_head_line(line: str) -> bool:
    return bool(read_date_line(line) or read_byline(line) or read_credit_line(line))


def _find_head(lines: Sequence[str]) -> _Head:
    places = range(min(len(lines), _HEAD_LINES))
    dated = next((i for i in places if read_date_line(lines[i])), None)
    if dated is None:
        return _head_at(lines, _first_headline(lines, 0))
    published_on = read_date_line(lines[dated])
    before = [i for i in range(dated) if not _is_head_line(lines[i])]
    headlines = [i for i in before if _looks_like_headline(lines[i])]
    if not headlines and not _is_short_title(lines, before):
        after = _first_headline(lines, dated + 1)
        return replace(_head_at(lines, after), published_on=published_on)
    title = (headlines or before)[-1]
    if title - 1 in headlines:
        title -= 1  # the nearer one is a deck without a full stop
    return _Head(
        title=lines[title],
        standfirst=" ".join(lines[i] for i in before if i > title),
        published_on=published_on,
        body_from=dated + 1,
    )


def _head_at(lines: Sequence[str], title: int) -> _Head:
    if title >= len(lines):
        raise _no_story()
    return _Head(
        title=lines[title], standfirst="", published_on=None, body_from=title + 1
    )


def _is_short_title(lines: Sequence[str], before: Sequence[int]) -> bool:
    """Whether a short line above the date must be the title: no headline follows."""
    follow = lines[before[-1] + 1 :][:3] if before else []
    return bool(before) and not any(_looks_like_headline(line) for line in follow)


def _looks_like_headline(line: str) -> bool:
    if _is_head_line(line):
        return False
    words = len(line.split())
    is_long = words > _LONGEST_HEADLINE_WORDS
    return words >= _HEADLINE_WORDS and not is_long and not line.endswith(_NO_HEADLINE)


def _first_headline(lines: Sequence[str], start: int) -> int:
    places = range(start, min(len(lines), start + _HEAD_LINES))
    found = (i for i in places if _looks_like_headline(lines[i]))
    return next(found, start)


def _body(lines: Sequence[str], head: _Head) -> list[str]:
    paragraphs: list[str] = []
    for line in lines:
        if paragraphs and ends_story(line):
            break
        if line != head.title and not _is_head_line(line) and not ends_story(line):
            paragraphs.append(line)
    while paragraphs and _is_footer(paragraphs[-1]):
        paragraphs.pop()
    return paragraphs


def _is_footer(line: str) -> bool:
    return len(line.split()) <= _FOOTER_WORDS and not line.endswith(_SENTENCE_ENDS)


def _is_name(line: str) -> bool:
    words = line.split()
    return (
        len(words) in _NAME_WORDS
        and all(w[0].isupper() for w in words)
        and (not line.endswith(_SENTENCE_ENDS))
    )
