"""When two drafts are one story, and what a later reading changes."""

from dataclasses import replace
from datetime import date

from digest.domain.articles import EXCERPT, NO_SECTION, Draft, Image, hash_text, merge

LONG = ("word " * 60,)
STORY = Draft(title="Harbour Lights", paragraphs=LONG)


def test_case_punctuation_and_space_do_not_make_another_story() -> None:
    other = Draft(title="harbour  LIGHTS!", paragraphs=("Word, " * 60,))

    assert hash_text(other) == hash_text(STORY)


def test_long_texts_match_across_addresses() -> None:
    copy = replace(STORY, url="https://copy.example/1")

    assert hash_text(copy) == hash_text(STORY)


def test_short_texts_match_only_at_one_address() -> None:
    first = Draft(title="Weather", paragraphs=("Sunny.",), url="https://a.example/1")
    second = replace(first, url="https://a.example/2")

    assert hash_text(first) != hash_text(second)


def test_a_later_reading_replaces_what_it_knows_and_keeps_the_rest() -> None:
    known = replace(
        STORY, author="Omar", published_on=date(2024, 5, 12), section="news"
    )
    found = replace(STORY, title="Harbour Lights On", flags=(NO_SECTION,))

    merged = merge(known, found)

    assert merged == replace(known, title="Harbour Lights On")


def test_an_excerpt_only_fills_what_was_blank() -> None:
    found = Draft(
        title="Harbour",
        paragraphs=("Short.",),
        image=Image(url="https://a.example/i.jpg"),
        flags=(EXCERPT,),
    )

    merged = merge(STORY, found)

    assert (merged.title, merged.paragraphs) == (STORY.title, STORY.paragraphs)
    assert merged.image.url == "https://a.example/i.jpg"
