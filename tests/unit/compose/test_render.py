"""The letter: golden files, literal data, limits of size, both directions."""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from digest.compose.render import preheader_for, render
from digest.domain.bidi import direction_of
from digest.domain.editions import Edition, Story
from digest.domain.newsletters import Newsletter
from digest.domain.own_links import OwnLinks
from digest.domain.slots import Slot, split
from digest.templating import Letter, Templates
from tests.builders import SITE, make_newsletter
from tests.weeks import english_week, make_edition, make_story, our_picture
from tests.weeks_arabic import arabic_week

GOLDEN = Path(__file__).parent / "golden"
TEMPLATES = Templates()

Week = tuple[Edition, Newsletter, Sequence[Story]]


def letter_of(week: Week, sections: Sequence[str] = ()) -> Letter:
    edition, newsletter, stories = week
    return render(
        edition, newsletter, stories, sections=sections, templates=TEMPLATES, site=SITE
    )


def as_shown(rendering: str) -> str:
    """Slots as `[name]`: private-use characters cannot be seen in a golden file."""
    return "".join(f"[{p}]" if isinstance(p, Slot) else p for p in split(rendering))


@pytest.mark.parametrize("week", [english_week, arabic_week])
@pytest.mark.parametrize("part", ["html", "txt"])
def test_the_letter_is_the_golden_one(week: Callable[[], Week], part: str) -> None:
    """Set DIGEST_TEST_GOLDEN=write to accept what the templates make now."""
    letter = letter_of(week())
    path = GOLDEN / f"{week.__name__}.{part}"

    made = as_shown(letter.html if part == "html" else letter.text)
    if os.environ.get("DIGEST_TEST_GOLDEN") == "write":
        path.write_text(made, encoding="utf-8")

    assert made == path.read_text(encoding="utf-8")


def test_every_personal_value_is_a_slot_in_both_parts() -> None:
    letter = letter_of(english_week())

    for part in (letter.html, letter.text):
        assert {p for p in split(part) if isinstance(p, Slot)} == set(Slot)


def test_a_weekly_of_twelve_stories_stays_below_40_kb() -> None:
    assert len(letter_of(english_week()).html.encode()) <= 40 * 1024


def test_twenty_five_stories_stay_below_60_kb() -> None:
    edition, newsletter, stories = english_week()
    many = [replace(stories[i % 12], position=i + 1) for i in range(25)]

    letter = letter_of((edition, newsletter, many))

    assert len(letter.html.encode()) < 60 * 1024


def test_plain_text_stays_within_72_columns_except_for_addresses() -> None:
    lines = letter_of(english_week()).text.splitlines()

    address = re.compile(r"(\[\d+\] )?https:\S+")
    assert [x for x in lines if len(x) > 72 and not address.fullmatch(x)] == []


def test_the_arabic_letter_mirrors_every_side() -> None:
    mirrored = letter_of(arabic_week()).html

    assert "padding-right:20px;padding-left:0" in mirrored
    assert "border-right:4px" in mirrored
    assert 'align="left"' not in mirrored
    for turned in ("<html", '<div role="article"', '<table role="presentation"'):
        assert re.search(f'{turned}[^>]* dir="rtl"', mirrored)


def test_every_word_around_the_arabic_stories_is_arabic() -> None:
    html = as_shown(letter_of(arabic_week()).html)
    shown = re.sub(r"<!--.*?-->|<style>.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL)
    shown = re.sub(r"\S*(@|https?:|\[)\S*|&\S+;", " ", shown)

    latin = set(re.findall(r"[A-Za-z]{3,}", shown))

    assert latin == {"Egyptian", "Streets", "TRT", "World", "The", "National"} | {
        "Demo",
        "drawing",
        "Nile",
        "Reads",
    }


@pytest.mark.parametrize(
    "text", ["{{7*7}}", "{% raw %}", "<b>&amp;", "%(shown)s", "%s"]
)
def test_what_comes_from_outside_stays_literal(text: str) -> None:
    story = make_story(1, title=text, standfirst=text, source=text)
    edition = make_edition(subject=text, preheader=text, opening=text, why=text)
    newsletter = make_newsletter(name=text)

    letter = letter_of((edition, newsletter, [story]))

    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert letter.subject == text
    assert letter.text.count(text) >= 6
    assert letter.html.count(escaped) >= 10


def test_a_sections_variant_leaves_the_others_out() -> None:
    letter = letter_of(english_week(), sections=["arts"])

    assert "old instruments" in letter.text
    assert "potteries" not in letter.html + letter.text
    assert "4 stories" in letter.text


def test_a_letter_of_one_bare_story_has_no_empty_parts() -> None:
    story = make_story(1, url=None, standfirst="", source="", word_count=0)

    letter = letter_of((make_edition(), make_newsletter(), [story]))

    for missing in (
        "In this edition",
        "Why it matters",
        "Paid for",
        "Read:",
        "min read",
    ):
        assert missing not in letter.html + letter.text


def test_a_sponsor_shows_even_without_sections() -> None:
    edition, newsletter, stories = english_week()

    letter = letter_of((edition, newsletter, stories[:1]))

    assert 'rel="sponsored"' in letter.html
    assert "Paid for by Nile Reads" in letter.text


def test_small_pictures_are_not_linked_and_have_no_text() -> None:
    pictures = re.findall(
        r'<td class="thumb".*?</td>', letter_of(english_week()).html, re.DOTALL
    )

    assert len(pictures) == 6
    assert all('alt=""' in p and "<a" not in p for p in pictures)


def test_the_leads_picture_without_words_is_named_by_its_headline() -> None:
    story = make_story(1, url=None, picture=our_picture())

    letter = letter_of((make_edition(), make_newsletter(), [story]))

    assert 'alt="The town council meets, part 1"' in letter.html


@pytest.mark.parametrize(
    ("text", "direction"), [("(رفح)", "rtl"), ("Rafah رفح", "ltr"), ("12", "ltr")]
)
def test_tells_the_direction_of_a_name(text: str, direction: str) -> None:
    assert direction_of(text) == direction


def test_proposes_a_preheader_in_the_newsletters_language() -> None:
    _, newsletter, _ = arabic_week()

    line = preheader_for(newsletter, ["خبر أول", "خبر ثان"], 3, templates=TEMPLATES)

    assert line == "وأيضًا: خبر أول؛ خبر ثان. تُقرأ في ٣ دقائق."


def test_a_lonely_lead_has_a_preheader_of_its_reading_time() -> None:
    line = preheader_for(make_newsletter(), [], 1, templates=TEMPLATES)

    assert line == "1-minute read."


def test_only_links_to_the_own_site_are_tagged() -> None:
    letter = letter_of(english_week())

    tagged = set(re.findall(r"https?://([^/]+)/[^ \n]*utm_source=weekly", letter.text))
    untagged = set(re.findall(r"https?://([^/]+)/(?![^ \n]*utm_)[^ \n]*", letter.text))
    assert tagged == {"egyptianstreets.com"}
    assert "egyptianstreets.com" not in untagged
    assert letter.html.count("utm_source=weekly&amp;utm_medium=email") >= 4


def test_links_with_a_readers_token_are_never_tagged() -> None:
    edition, newsletter, stories = english_week()
    ours = replace(newsletter, own_links=OwnLinks(hosts=("news.example.test",)))
    edition = replace(edition, opening=f"[No]({SITE.unsubscribe_url('x' * 26)})")

    letter = letter_of((edition, ours, stories))

    assert "utm_" not in letter.text


def test_the_editors_words_are_dressed_by_the_theme() -> None:
    html = letter_of(english_week()).html

    bare = re.findall(r"<(?:p|a|li|ul|h[1-3])(?! [^>]*style=)[^>]*>", html)
    assert bare == []


def test_blocks_without_words_leave_nothing_behind() -> None:
    edition, newsletter, stories = english_week()
    silent = replace(edition, support=None, picks=(), sponsor=None, opening="", why="")

    letter = letter_of((silent, newsletter, stories))

    for missing in ("Read, watch, go", "Become a member", "Paid for", "Why it matters"):
        assert missing not in letter.html + letter.text


def test_links_in_words_are_numbered_in_the_order_of_plain_text() -> None:
    text = letter_of(english_week()).text

    assert re.findall(r"^\[(\d)\] ", text, re.MULTILINE) == ["1", "2", "3"]


def test_asks_what_readers_thought_with_the_same_links_for_all() -> None:
    letter = letter_of(english_week())

    asked = f"{SITE.base_url}/feedback/weekly/2024-05-12?answer="
    for answer in ("useful", "fine", "not-for-me"):
        assert f"{asked}{answer}" in letter.text
        assert f'href="{asked}{answer}"' in letter.html


def test_the_leads_caption_stands_before_its_credit() -> None:
    html = letter_of(english_week()).html

    assert "on the morning of 11 May. Image: Demo drawing" in html
