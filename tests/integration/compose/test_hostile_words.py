"""Thousands of hostile strings as stories: the letter stays a letter."""

import json
from html.parser import HTMLParser
from pathlib import Path

from digest.compose.render import render
from digest.domain.articles import Image
from digest.domain.editions import Story
from digest.templating import Letter, Templates
from tests.builders import SITE, make_newsletter
from tests.preflight import clean_case
from tests.weeks import make_edition, make_story, our_picture

_OURS = frozenset(
    [
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "div",
        "table",
        "tr",
        "td",
        "p",
        "a",
        "ul",
        "li",
        "h1",
        "h2",
        "h3",
        "img",
        "span",
        "strong",
        "em",
        "ol",
        "br",
    ]
)


class _Seen(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.dangers: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            is_link = name in {"href", "src", "action", "background"}
            safe = (value or "").startswith(("https://", "http://", "mailto:"))
            if name.startswith("on") or (is_link and not safe):
                self.dangers.append(f"{name}={value}")


def _story(number: int, text: str) -> Story:
    return make_story(
        number,
        section="features",
        title=text,
        standfirst=text,
        source=text,
        url=text if number % 2 else f"https://stories.example.test/?q={text}",
        image=Image(url=f"https://pictures.example.test/{text}", credit=text, alt=text),
        picture=our_picture(number),
    )


def _letter(strings: list[str]) -> Letter:
    stories = [_story(number, text) for number, text in enumerate(strings, start=1)]
    return render(
        make_edition(opening="\n".join(strings)),
        make_newsletter(),
        stories,
        templates=Templates(),
        site=SITE,
    )


def test_no_vector_reaches_the_markup(shared: Path) -> None:
    vectors = json.loads((shared / "corpora/dompurify/vectors.json").read_text())
    strings = [v["payload"] if isinstance(v, dict) else str(v) for v in vectors]

    seen = _Seen(_letter(strings).html)

    assert (seen.tags - _OURS, seen.dangers) == (set(), [])


def test_naughty_strings_are_words_like_any_other(shared: Path) -> None:
    strings = json.loads((shared / "corpora/blns/blns.json").read_text())

    seen = _Seen(_letter(strings).html)

    assert (seen.tags - _OURS, seen.dangers) == (set(), [])


def test_preflight_gets_through_every_string(shared: Path) -> None:
    vectors = json.loads((shared / "corpora/dompurify/vectors.json").read_text())
    strings = [v["payload"] if isinstance(v, dict) else str(v) for v in vectors]
    strings += json.loads((shared / "corpora/blns/blns.json").read_text())
    case = clean_case()
    words = set()

    # So few that no letter is cut off before its way out.
    for start in range(0, len(strings), 30):
        some = strings[start : start + 30]
        told = [_story(number, text) for number, text in enumerate(some, start=1)]
        odd = case.having(stories=told).edited(subject=some[0], opening=some[-1])
        words |= {f.rule for f in odd.check().errors}

    # What strangers wrote is never taken for a fault of the layout or the message.
    assert words <= {"subject-length", "title", "size", "attribution", "link-host"}
