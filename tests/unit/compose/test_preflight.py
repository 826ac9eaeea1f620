"""Preflight: each rule finds what it is for, and nothing in a good edition."""

from dataclasses import replace
from typing import Any

import pytest

from digest.compose.finding import Finding
from digest.compose.letter_rules import check_letter
from digest.compose.preflight import Preflight, inspect
from digest.domain.articles import Image
from digest.domain.editions import Edition, Story
from digest.domain.letters import Sender
from digest.domain.newsletters import Newsletter
from digest.templating import Letter, Templates
from tests.builders import SITE, make_newsletter
from tests.weeks import RAFAH, SPONSOR, english_week, make_edition, make_story

TEMPLATES = Templates()
REAL = Sender(name="The Week", address="weekly@news.paper.eg", reply_to="desk@paper.eg")


def inspected(
    edition: Edition | None = None,
    stories: list[Story] | None = None,
    newsletter: Newsletter | None = None,
    *,
    signed: bool = True,
) -> Preflight:
    return inspect(
        edition or make_edition(),
        newsletter or make_newsletter(sender=REAL),
        [make_story(1)] if stories is None else stories,
        templates=TEMPLATES,
        site=SITE,
        signed=signed,
    )


def names(findings: tuple[Finding, ...]) -> list[str]:
    return [f.rule for f in findings]


def test_finds_nothing_in_a_good_edition() -> None:
    edition, newsletter, stories = english_week()

    found = inspected(edition, list(stories), replace(newsletter, sender=REAL))

    assert (found.errors, found.warnings) == ((), ())
    assert 10_000 < found.size_bytes < 40_960
    assert found.reading_minutes == 2


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"subject": ""}, "subject-length"),
        ({"subject": "Too short"}, "subject-length"),
        ({"subject": "x" * 80}, "subject-length"),
        ({"sponsor": replace(SPONSOR, name=" ")}, "sponsor-label"),
        ({"sponsor": replace(SPONSOR, url="mailto:a@b.example")}, "sponsor-link"),
        ({"sponsor": replace(SPONSOR, title="")}, "sponsor-link"),
    ],
)
def test_refuses_words_that_cannot_go_out(changes: dict[str, Any], rule: str) -> None:
    assert names(inspected(make_edition(**changes)).errors) == [rule]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"subject": "x" * 61}, "subject-length"),
        ({"subject": "Re: the town council"}, "subject-manners"),
        ({"subject": "THE TOWN COUNCIL MEETS"}, "subject-manners"),
        ({"subject": "The town council meets ⚡"}, "subject-manners"),
        ({"subject": "The Week, No. 19"}, "subject-manners"),
        ({"preheader": ""}, "preheader-missing"),
        ({"preheader": "Plus: a little."}, "preheader-length"),
        ({"preheader": "Plus: " + "x" * 115}, "preheader-length"),
        (
            {"preheader": "The town council meets at last. " + "x" * 70},
            "preheader-repeats",
        ),
        ({"sponsor": replace(SPONSOR, title="Click here")}, "link-text"),
    ],
)
def test_warns_of_words_an_editor_should_look_at(
    changes: dict[str, Any], rule: str
) -> None:
    found = inspected(make_edition(**changes))

    assert (found.errors, names(found.warnings)) == ((), [rule])


def test_the_raw_reference_headline_is_too_long_but_may_go_out() -> None:
    found = inspected(make_edition(subject=RAFAH), [make_story(1, title=RAFAH)])

    assert (names(found.errors), names(found.warnings)) == ([], ["subject-length"])
    assert "79 characters" in found.warnings[0].message


def test_refuses_a_subject_that_makes_a_fact_of_a_claim() -> None:
    edition = make_edition(subject="Egypt refuses Rafah coordination")

    found = inspected(edition, [make_story(1, title=RAFAH)])

    assert names(found.errors) == ["attribution"]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"url": None}, "story-link"),
        ({"url": "javascript:alert(1)"}, "story-link"),
        ({"url": "http://stories.example.test/1"}, "insecure-link"),
        ({"standfirst": " "}, "standfirst"),
        (
            {"image": Image(url="http://a.example/p.png", alt="A", credit="B")},
            "image-link",
        ),
        ({"image": Image(url="https://a.example/p.png", credit="B")}, "alt"),
        ({"image": Image(url="https://a.example/p.png", alt="A")}, "credit"),
    ],
)
def test_warns_of_gaps_in_a_story(changes: dict[str, Any], rule: str) -> None:
    found = inspected(stories=[make_story(1, **changes)])

    assert (found.errors, names(found.warnings)) == ((), [rule])
    assert found.warnings[0].where == "article 1"


@pytest.mark.parametrize(
    ("changes", "rule"), [({"section": "gone"}, "section"), ({"title": " "}, "title")]
)
def test_refuses_a_story_that_cannot_be_shown(
    changes: dict[str, Any], rule: str
) -> None:
    found = inspected(stories=[make_story(1), make_story(2, **changes)])

    assert names(found.errors) == [rule]


def test_refuses_an_empty_edition() -> None:
    assert names(inspected(stories=[]).errors) == ["empty"]


def test_warns_when_two_stories_lead_to_one_page() -> None:
    same = [make_story(n, url="https://stories.example.test/") for n in (1, 2)]

    assert names(inspected(stories=same).warnings) == ["duplicate-link"]


def test_warns_of_placeholders_that_came_with_the_installation() -> None:
    newsletter = make_newsletter(postal_address="Placeholder: street, city")

    found = inspected(newsletter=newsletter)

    assert found.errors == ()
    assert names(found.warnings) == ["placeholder-sender", "placeholder-address"]


def test_refuses_a_footer_without_an_address() -> None:
    newsletter = make_newsletter(sender=REAL, postal_address=" ")

    assert names(inspected(newsletter=newsletter).errors) == ["postal-address"]


def test_warns_when_nobody_signs() -> None:
    assert names(inspected(signed=False).warnings) == ["unsigned"]


def test_refuses_a_theme_nobody_can_read() -> None:
    newsletter = make_newsletter(sender=REAL, theme={"ink": "#EEEEEE"})

    found = inspected(newsletter=newsletter)

    assert names(found.errors) == ["theme"]
    assert found.size_bytes == 0


def test_warns_of_a_large_letter_and_refuses_one_that_is_cut_off() -> None:
    long = [make_story(n, standfirst="word " * 900) for n in range(1, 20)]

    larger = inspected(stories=long[:12])
    largest = inspected(stories=long[:16])

    assert (names(larger.errors), names(larger.warnings)) == ([], ["size"])
    assert names(largest.errors) == ["size"]


def test_refuses_a_template_without_the_way_out() -> None:
    letter = Letter(subject="", text="", html="<p>Hello</p>")

    assert names(tuple(check_letter(letter, SITE))) == ["unsubscribe", "unsubscribe"]


def test_refuses_a_plain_text_that_lacks_links() -> None:
    whole = Letter(
        subject="", text="", html='<a href="https://a.example/">The page</a>'
    )

    assert "text-links" in names(tuple(check_letter(whole, SITE)))


def test_an_image_names_the_link_it_stands_in() -> None:
    html = '<a href="https://a.example/"><img src="x" alt="more"></a><img alt="y">'

    found = list(check_letter(Letter(subject="", text="", html=html), SITE))

    assert [f.where for f in found if f.rule == "link-text"] == ["https://a.example/"]
