"""The Arabic letter: one flag turns it round, and nothing foreign tears its lines."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import pytest

from digest.compose.render import render
from digest.domain.bidi import direction_of
from digest.domain.editions import Story
from digest.domain.slots import Slot, marker
from digest.domain.theme import FONTS, read_theme
from digest.subscriptions.sample import Sample, SampleStory
from digest.templating import Letter, Templates
from tests.builders import SITE
from tests.weeks import english_week, make_story
from tests.weeks_arabic import arabic_week

LRI, PDI, RLM = "\u2066", "\u2069", "\u200f"
TEMPLATES = Templates()
# What may name a side: a pair, or the side that start or end has in Arabic.
SIDES = re.compile(r"[a-z-]*\b(?:left|right)\b[a-z-]*(?::[^;\"}]*|=?)")


def arabic_letter(*stories: Story) -> Letter:
    edition, newsletter, week = arabic_week()
    return render(edition, newsletter, stories or week, templates=TEMPLATES, site=SITE)


SAMPLE = Sample(
    subject="معبر رفح والهدنة",
    date="الأحد، ١٢ مايو ٢٠٢٤",
    url="https://news.example.test/archive/weekly-ar/2024-05-12",
    stories=[
        SampleStory(title="مصر ترفض التنسيق", url="https://example.com/1"),
        SampleStory(title="The National", url=None),
    ],
)


def notice(name: str) -> Letter:
    _, newsletter, _ = arabic_week()
    return TEMPLATES.letter(
        name,
        language="ar",
        context={
            "newsletter": newsletter,
            "theme": read_theme(newsletter.theme, direction="rtl"),
            "confirm_url": "https://news.example.test/confirm/x",
            "unsubscribe_url": "https://news.example.test/u/x",
            "preferences_url": "https://news.example.test/preferences/x",
            "archive_url": "https://news.example.test/archive",
            "privacy_url": "https://news.example.test/privacy",
            "latest": SAMPLE,
            "rights_url": "https://news.example.test/my-data/x",
            "agree_url": "https://news.example.test/new-address/x",
            "names": ["الأسبوع"],
            "masked": "l•••@example.test",
            "takes_mail": True,
            "direction_of": partial(direction_of, base="rtl"),
            "mail_domain": "news.example.test",
            "dkim_domain": "news.example.test",
            "relay": "relay.example.test",
            "signed": True,
        },
    )


NOTICES = ("confirmation", "welcome", "rights", "new-address", "moved", "probe")
LETTERS: Mapping[str, Callable[[], Letter]] = {
    "edition": arabic_letter,
    **{n: partial(notice, n) for n in NOTICES},
}


@pytest.mark.parametrize("name", LETTERS)
def test_html_and_wrapper_run_from_right_to_left(name: str) -> None:
    html = LETTERS[name]().html

    assert re.search(
        r'<html [^>]*lang="ar"[^>]*dir="rtl"|<html lang="ar" dir="rtl"', html
    )
    assert re.search(r'<div role="article"[^>]*lang="ar" dir="rtl"', html)


@pytest.mark.parametrize("name", LETTERS)
def test_no_side_is_named_but_in_mirrored_pairs(name: str) -> None:
    html = LETTERS[name]().html

    alone = {
        found
        for found in SIDES.findall(html)
        if not re.match(r"padding-(left|right):", found)
    }

    assert alone <= {"text-align:right", "right", "border-right:4px solid #B3261E"}
    for style in re.findall(r'style="([^"]*)"', html):
        assert ("padding-left" in style) == ("padding-right" in style), style


def test_the_english_letter_is_its_mirror_image() -> None:
    edition, newsletter, stories = english_week()
    html = render(edition, newsletter, stories, templates=TEMPLATES, site=SITE).html

    assert "padding-left:20px;padding-right:0" in html
    assert "border-left:4px" in html
    assert 'align="right"' not in html


@pytest.mark.parametrize("name", LETTERS)
def test_arabic_is_neither_slanted_nor_spaced_out(name: str) -> None:
    html = LETTERS[name]().html

    assert "italic" not in html
    assert "letter-spacing" not in html
    assert "text-transform" not in html


@pytest.mark.parametrize("name", LETTERS)
def test_every_font_has_arabic_letters(name: str) -> None:
    html = LETTERS[name]().html

    assert set(re.findall(r"font-family:([^;\"]+)", html)) == {FONTS["tahoma"]}


@pytest.mark.parametrize("name", LETTERS)
def test_lines_of_text_have_room_for_arabic(name: str) -> None:
    """Letters reach higher and lower than Latin ones, with their dots and vowels."""
    html = LETTERS[name]().html

    pairs = re.findall(r"font-size:(\d+)px;line-height:(\d+)px", html)

    assert [p for p in pairs if int(p[1]) < 1.3 * int(p[0]) and int(p[0]) > 1] == []


@pytest.mark.parametrize("name", LETTERS)
def test_every_word_around_the_stories_is_arabic(name: str) -> None:
    letter = LETTERS[name]()
    tags = re.sub(r"<!--.*?-->|<style>.*?</style>", "", letter.html, flags=re.DOTALL)
    spoken = re.findall(r'\b(?:alt|title|aria-label)="([^"]*)"', tags)
    shown = " ".join([letter.subject, letter.text, re.sub(r"<[^>]+>", " ", tags)])

    text = re.sub(r"\S*(@|https?:|\ue000)\S*|&\S+;|\S+\.example\.test", " ", shown)
    latin = set(re.findall(r"[A-Za-z][A-Za-z=-]{2,}", text + " ".join(spoken)))

    assert latin <= {
        *("Egyptian", "Streets", "TRT", "World", "The", "National"),
        *("Demo", "drawing", "Nile", "Reads"),
        *("Authentication-Results", "dkim=pass", "spf=pass", "dmarc=pass"),
    }


def test_latin_names_stand_alone_in_plain_text() -> None:
    text = arabic_letter().text

    assert f"{LRI}Egyptian Streets{PDI} · " in text
    assert f"إعلان مدفوع من {LRI}Nile Reads{PDI}" in text
    assert f"{LRI}{marker(Slot.ADDRESS)}{PDI}." in text


def test_latin_names_stand_alone_in_html() -> None:
    html = arabic_letter().html

    assert '<span dir="ltr">Egyptian Streets</span>' in html
    assert f'<span dir="ltr">{marker(Slot.ADDRESS)}</span>' in html


def test_an_english_headline_keeps_its_direction() -> None:
    html = arabic_letter(make_story(1, title="“What next?”")).html

    assert re.search(r"<h1[^>]*><span dir=\"ltr\">“What next\?”</span></h1>", html)


def test_an_arabic_line_that_starts_in_latin_stays_arabic() -> None:
    letter = arabic_letter(make_story(1, title="BBC: ماذا بعد؟"))

    assert f"\n{RLM}BBC: ماذا بعد؟\n" in letter.text
    assert '<span dir="ltr">BBC' not in letter.html


def test_addresses_of_pages_name_the_newsletter() -> None:
    """A page without it would speak the first newsletter's language."""
    html = arabic_letter().html

    assert "https://news.example.test/privacy?newsletter=weekly-ar" in html
    assert "https://news.example.test/?newsletter=weekly-ar" in html


def test_a_latin_name_stands_alone_in_a_subject() -> None:
    _, newsletter, _ = arabic_week()
    named = replace(newsletter, name="Cairo Week")

    subject = TEMPLATES.line(
        "email/confirmation/subject.txt", language="ar", context={"newsletter": named}
    )

    assert subject == f"أكّد اشتراكك في نشرة «{LRI}Cairo Week{PDI}»"


def test_figures_follow_the_setting() -> None:
    text = arabic_letter().text
    own = [line for line in text.splitlines() if "http" not in line]

    assert "\u0665 موضوعات · تُقرأ في دقيقة" in own
    assert not re.search(r"[0-9]", "".join(own))
