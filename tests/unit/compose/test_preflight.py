"""Preflight: what is an error, what a warning, and where it says it is."""

from dataclasses import replace
from typing import Any

import pytest

from digest.compose.posting import Known, Signature
from digest.domain.articles import Image
from digest.domain.editions import Edition
from digest.domain.newsletters import Newsletter
from tests.preflight import Case, clean_case, names
from tests.weeks import RAFAH
from tests.weeks_arabic import arabic_week


def small(case: Case, count: int = 1) -> Case:
    """Return a case with few stories, which is what its newsletter wants."""
    posting = replace(case.posting, least_stories={})
    return case.having(stories=case.stories[:count], posting=posting)


@pytest.mark.parametrize("subject", ["", "Reports", "reports: " + "x" * 71])
def test_refuses_a_subject_that_cannot_go_out(subject: str) -> None:
    assert names(clean_case().edited(subject=subject).check().errors) == [
        "subject-length",
        *([] if "eports" in subject else ["attribution"]),
    ]


@pytest.mark.parametrize(
    ("subject", "rule"),
    [
        ("x" * 53 + " reports", "subject-length"),
        ("Re: reports from Rafah", "subject-manners"),
        ("EGYPT REFUSES, REPORTS SAY", "subject-manners"),
        ("Egypt refuses: reports ⚡", "subject-manners"),
        ("Reports from Rafah, No. 19", "subject-manners"),
    ],
)
def test_warns_of_a_subject_an_editor_should_look_at(subject: str, rule: str) -> None:
    found = clean_case().edited(subject=subject).check()

    assert (names(found.errors), names(found.warnings)) == ([], [rule])


def test_the_raw_reference_headline_is_too_long_but_may_go_out() -> None:
    found = clean_case().edited(subject=RAFAH).check()

    assert (names(found.errors), names(found.warnings)) == ([], ["subject-length"])
    assert "79 characters" in found.warnings[0].message


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "javascript:alert(1)"},
        {"image": Image(url="https://a.paper.eg/p.png")},
        {"standfirst": " "},
        {"url": "http://stories.paper.eg/2"},
        {"url": "https://192.0.2.7/2"},
        {"url": "https://2130706433/2"},
        {"url": "https://0x7f.1/2"},
    ],
)
def test_names_the_story_a_warning_is_about(changes: dict[str, Any]) -> None:
    found = clean_case().told(**changes).check()

    assert found.errors == ()
    assert {f.where for f in found.warnings} == {"article 2"}


def test_finds_nothing_in_a_good_arabic_edition() -> None:
    week = clean_case(arabic_week)
    words = f"{week.edition.preheader} مع قائمة كتب للصيف ورسالة من الواحة"

    found = week.edited(preheader=words).check()

    assert (found.errors, found.warnings) == ((), ())


def test_few_stories_are_refused_where_the_newsletter_wants_it() -> None:
    case = clean_case()
    strict = replace(
        case.posting, least_stories={"weekly": 5, "*": 1}, refuses_few=True
    )

    few = case.having(stories=case.stories[:4], posting=strict).check()
    enough = case.having(stories=case.stories[:5], posting=strict).check()

    assert (names(few.errors), enough.errors) == (["few-stories"], ())


def test_a_relay_that_signs_is_believed() -> None:
    case = clean_case()
    posting = replace(
        case.posting, signature=Signature.RELAY, signing_domain="other.eg"
    )

    assert case.having(posting=posting).check().warnings == ()


def test_a_key_that_signs_nothing_is_an_error() -> None:
    found = clean_case().built("DKIM-Signature:", "X-Signature:").check()

    assert names(found.errors) == ["dkim"]


@pytest.mark.parametrize("domain", ["news.paper.eg", "paper.eg", "a.news.paper.eg"])
def test_signatures_of_the_same_house_are_aligned(domain: str) -> None:
    case = clean_case()

    posting = replace(case.posting, signing_domain=domain)

    assert case.having(posting=posting).check().warnings == ()


def test_a_theme_nobody_can_read_leaves_nothing_to_measure() -> None:
    found = clean_case().published(theme={"ink": "#EEEEEE"}).check()

    assert (names(found.errors), found.size_bytes) == (["theme"], 0)


def test_warns_of_a_large_letter_and_refuses_one_that_is_cut_off() -> None:
    def grown(words: int) -> Case:
        return clean_case().rendered("</body>", f"<p>{'word ' * words}</p></body>")

    larger, largest = grown(7_500).check(), grown(12_000).check()

    assert (names(larger.errors), names(larger.warnings)) == ([], ["size"])
    assert names(largest.errors) == ["size"]


def test_an_unsubscribe_link_behind_the_cut_is_none() -> None:
    case = clean_case().rendered("<body", f"<!--{'x' * 105_000}--><body")

    lost = [f for f in case.check().errors if f.rule == "unsubscribe"]

    assert [f.where for f in lost] == ["body.html"]
    assert "after the first 102 KB" in lost[0].message


def test_a_hidden_unsubscribe_link_is_none() -> None:
    start = f'<a href="{clean_case().site.base_url}/u/'
    hidden = start.replace("<a ", '<a style="display:none" ')

    found = clean_case().rendered(start, hidden).check()

    assert names(found.errors) == ["unsubscribe"]


@pytest.mark.parametrize(
    "markup",
    [
        '<a href="javascript:alert(1)">A link that runs</a>',
        '<a href=" JavaScript:alert(1)">A link that runs</a>',
        '<a href="vbscript:x">A link that runs</a>',
        '<a href="data:text/html,x">A page in itself</a>',
        '<a href="/archive">All issues</a>',
        '<a href="">Nowhere at all</a>',
        '<td background="data:image/png;base64,x"></td>',
        '<p style="background:url(data:image/png;base64,x)">A tinted line</p>',
        '<style>@import "https://fonts.paper.eg/a.css";</style>',
    ],
)
def test_refuses_addresses_that_no_letter_may_carry(markup: str) -> None:
    found = clean_case().rendered("<h1", f"{markup}<h1").check()

    assert names(found.errors) == ["unsafe-address"]


@pytest.mark.parametrize(
    "markup",
    [
        "<script>1</script>",
        '<iframe src="https://a.paper.eg/"></iframe>',
        "<form></form>",
        '<p onclick="x()">A line that acts</p>',
        '<meta http-equiv="refresh" content="1">',
        '<link rel="stylesheet" href="https://a.paper.eg/a.css">',
        "<svg></svg>",
    ],
)
def test_refuses_what_acts_by_itself(markup: str) -> None:
    found = clean_case().rendered("<h1", f"{markup}<h1").check()

    assert names(found.errors) == ["active-content"]


def test_a_level_of_headings_may_not_be_left_out() -> None:
    found = clean_case().rendered("<h2", "<h4").check()

    assert "headings" in names(found.warnings)


@pytest.mark.parametrize(
    "piece", ["None", "{% if", "%(name)s", "&amp;amp;", "[object Object]"]
)
def test_finds_what_a_layout_left_among_the_words(piece: str) -> None:
    found = clean_case().rendered("<h1", f"<p>{piece}</p><h1").check()

    assert {f.rule for f in found.errors} == {"leftover"}


@pytest.mark.parametrize("piece", ["None of the above", "{{7*7}}", "Q&amp;A"])
def test_what_a_story_says_is_no_leftover(piece: str) -> None:
    found = clean_case().told(title=piece).check()

    assert "leftover" not in names(found.errors)


def test_what_an_editor_or_a_cleaned_headline_says_is_no_leftover() -> None:
    odd = clean_case().told(title="A {\ue000{ story }\u202e} told")
    odd = odd.edited(opening=r"Write \{\{ and &lt\; as they are.")

    assert "leftover" not in names(odd.check().errors)


def test_says_once_what_all_choices_have_in_common() -> None:
    known = Known(choices=["", "arts", "news"])

    found = clean_case().rendered("<h1", "<p>{{ x</p><h1").having(known=known).check()

    assert names(found.errors) == ["leftover"]


def test_finds_what_is_wrong_with_one_choice_alone() -> None:
    def spoil(letter: Any) -> Any:
        is_small = "Counting birds" not in letter.html
        return replace(letter, text="Nothing") if is_small else letter

    known = Known(choices=["arts"])

    found = clean_case().having(letter=spoil, known=known).check()

    assert "story-lost" in names(found.errors)


def test_choices_that_show_the_same_are_written_once() -> None:
    case = clean_case().having(known=Known(choices=["news", "gone,news", "gone"]))
    written: list[str] = []

    def write(edition: Edition, newsletter: Newsletter, variants: Any) -> Any:
        written.extend(variant.sections for variant in variants)
        return case.posting.write(edition, newsletter, variants)

    case.having(posting=replace(case.posting, write=write)).check()

    assert written == ["", "", "news", "news"]


def test_an_attachment_is_refused() -> None:
    attached = 'text/plain; charset="utf-8"\r\nContent-Disposition: attachment'

    found = clean_case().built('text/plain; charset="utf-8"', attached).check()

    assert set(names(found.errors)) == {"parts", "dkim"}


def test_an_image_names_the_link_it_stands_in() -> None:
    linked = '<a href="https://stories.paper.eg/2"><img src="https://a.eg/p" alt="more"'
    sized = f'{linked} width="1" height="1"></a>'

    found = clean_case().rendered("<h1", f"{sized}<h1").check()

    assert names(found.warnings) == ["link-text"]


@pytest.mark.parametrize("alike", [("url", "title"), ("url",), ("title",)])
def test_a_story_that_stands_there_twice_is_said_once(alike: tuple[str, ...]) -> None:
    third = clean_case().stories[2]

    found = clean_case().told(**{name: getattr(third, name) for name in alike}).check()

    assert [(f.rule, f.where) for f in found.warnings] == [
        ("duplicate-story", "article 3")
    ]


@pytest.mark.parametrize("changes", [{"name": " "}, {"title": ""}])
def test_a_paid_block_says_who_paid_and_for_what(changes: dict[str, str]) -> None:
    case = clean_case()
    assert case.edition.sponsor is not None
    sponsor = replace(case.edition.sponsor, **changes)

    found = case.edited(sponsor=sponsor).check()

    assert "sponsor" in names(found.errors)


@pytest.mark.parametrize(
    ("source", "rule"),
    [("http://a.paper.eg/p", "insecure-link"), ("", "unsafe-address")],
)
def test_a_picture_is_fetched_by_https(source: str, rule: str) -> None:
    image = f'<img src="{source}" alt="" width="1" height="1">'

    found = clean_case().rendered("<h1", f"{image}<h1").check()

    assert names([*found.errors, *found.warnings]) == [rule]
