"""What readers get, before any layout: cleaned, arranged, counted."""

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from digest.compose.view import clean, edition_view, web_address
from digest.domain.articles import Image
from digest.domain.slots import Slot, marker
from tests.builders import make_newsletter
from tests.weeks import PICKS, SPONSOR, SUPPORT, make_edition, make_story, our_picture

WEEKLY = make_newsletter()


def test_the_lead_stands_alone_and_empty_sections_are_left_out() -> None:
    stories = [make_story(1), make_story(2, section="arts")]

    view = edition_view(make_edition(), WEEKLY, stories)

    assert view.lead is not None
    assert view.lead.article_id == 1
    assert [s.slug for s in view.sections] == ["arts"]
    assert [s.article_id for s in view.stories] == [1, 2]


def test_the_contents_count_the_lead_in_its_section() -> None:
    stories = [make_story(1), make_story(2), make_story(3, section="arts")]

    view = edition_view(make_edition(), WEEKLY, stories)

    assert view.contents == (("News & Politics", 2), ("Arts & Culture", 1))


def test_an_edition_without_stories_has_no_lead() -> None:
    view = edition_view(make_edition(), WEEKLY, [])

    assert (view.lead, view.sections, view.stories) == (None, (), ())


def test_a_reader_of_one_section_gets_it_and_the_lead() -> None:
    stories = [make_story(1), make_story(2), make_story(3, section="arts")]

    view = edition_view(make_edition(), WEEKLY, stories, sections=["arts"])

    assert [s.article_id for s in view.stories] == [1, 3]


def test_a_reader_whose_sections_are_gone_gets_everything() -> None:
    stories = [make_story(1), make_story(2)]

    view = edition_view(make_edition(), WEEKLY, stories, sections=["gone"])

    assert len(view.stories) == 2


def test_counts_the_words_of_the_letter_not_of_the_stories() -> None:
    story = make_story(1, standfirst="word " * 590, word_count=5000)

    view = edition_view(make_edition(sponsor=SPONSOR), WEEKLY, [story])

    assert view.reading_minutes == 3


@pytest.mark.parametrize(("words", "minutes"), [(119, None), (120, 1), (600, 3)])
def test_claims_no_reading_time_for_an_excerpt(words: int, minutes: int | None) -> None:
    view = edition_view(make_edition(), WEEKLY, [make_story(1, word_count=words)])

    assert view.stories[0].minutes == minutes


def test_parts_the_opening_into_paragraphs() -> None:
    view = edition_view(make_edition(opening="One.\n\n  Two. \n"), WEEKLY, [])

    assert view.opening.html == "<p>One.</p>\n<p>Two.</p>"


@pytest.mark.parametrize(
    "url", [None, "javascript:alert(1)", "https://", "http://[", "https://a b/", "x"]
)
def test_never_links_to_what_is_no_web_address(url: str | None) -> None:
    view = edition_view(make_edition(), WEEKLY, [make_story(1, url=url)])

    assert view.lead is not None
    assert view.lead.url is None


def test_shows_only_pictures_that_are_ours_by_now() -> None:
    elsewhere = make_story(1, image=Image(url="https://pictures.example.test/a.png"))
    ours = replace(elsewhere, article_id=2, position=2, picture=our_picture())

    view = edition_view(make_edition(), WEEKLY, [elsewhere, ours])

    assert [s.image is not None for s in view.stories] == [False, True]


def test_leaves_out_a_block_that_leads_nowhere() -> None:
    edition = make_edition(
        sponsor=replace(SPONSOR, url="ftp://sponsor.example.test"),
        support=replace(SUPPORT, url="javascript:alert(1)"),
        picks=(replace(PICKS[0], url="javascript:alert(1)"),),
    )

    view = edition_view(edition, WEEKLY, [])

    assert (view.sponsor, view.support) == (None, None)
    assert view.picks[0].url is None


def test_tags_what_a_reader_may_follow() -> None:
    edition = make_edition(
        opening="[a](https://a.test/)", sponsor=SPONSOR, support=SUPPORT, picks=PICKS
    )

    view = edition_view(edition, WEEKLY, [make_story(1)], tag=lambda url: f"{url}#t")

    assert view.lead is not None
    assert view.sponsor is not None
    assert view.support is not None
    followed = [view.lead.url, view.sponsor.url, view.support.url, view.picks[0].url]
    assert all(str(url).endswith("#t") for url in followed)
    assert view.opening.links == ((1, "https://a.test/#t"),)


def test_no_text_from_outside_can_forge_a_slot() -> None:
    forged = marker(Slot.UNSUBSCRIBE_TOKEN)
    story = make_story(1, title=forged, standfirst=forged, source=forged)

    view = edition_view(make_edition(why=forged), WEEKLY, [story])

    assert view.lead is not None
    shown = [view.why.plain(), view.lead.title, view.lead.standfirst, view.lead.source]
    assert shown == ["unsubscribe"] * 4


@given(st.text())
def test_cleaned_text_has_no_control_characters(text: str) -> None:
    assert not any(ord(c) < 32 and c not in "\t\n" for c in clean(text))


def test_cleaned_text_can_be_encoded_and_turns_nothing_after_it() -> None:
    assert clean("a\udcffb") == "a b"
    assert clean("photo\u202egnp.exe \u2067x") == "photognp.exe \u2067x\u2069"


@given(st.text())
def test_reads_any_address_without_failing(text: str) -> None:
    assert web_address(text) in {None, text}
