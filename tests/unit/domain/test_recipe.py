"""The recipe: short subjects that keep their attribution, preheaders that fit."""

import pytest
from hypothesis import given, strategies as st

from digest.domain.recipe import (
    lacks_attribution,
    propose_preheader,
    propose_subject,
    shorten,
)
from tests.weeks import RAFAH


def test_cuts_a_long_headline_at_a_break_and_keeps_who_said_it() -> None:
    assert (
        propose_subject(RAFAH) == "Egypt Refuses Rafah Crossing Coordination: Reports"
    )


def test_leaves_a_short_headline_alone() -> None:
    assert propose_subject("A tram driver’s Alexandria") == "A tram driver’s Alexandria"


def test_puts_the_name_before_a_headline_that_is_too_short() -> None:
    assert propose_subject("Sinai", name="The Week") == "The Week: Sinai"


def test_leaves_a_headline_without_a_good_break_to_the_editor() -> None:
    headline = "Parliamentarians unanimously condemned irresponsible speculation"

    assert propose_subject(headline) == headline


def test_marks_the_cut_of_a_headline_no_subject_may_be() -> None:
    headline = "Parliamentarians unanimously condemned irresponsible " * 3

    subject = propose_subject(headline)

    assert subject.endswith("irresponsible…")
    assert len(subject) <= 60


def test_does_not_cut_down_to_two_words() -> None:
    headline = "Prices rise after " + "an unusually disappointing harvest season " * 2

    assert shorten(headline, 60) == headline.strip()


@given(st.text(max_size=200))
def test_proposes_one_line_within_the_limits(headline: str) -> None:
    subject = propose_subject(headline)

    assert "\n" not in subject
    assert len(subject) <= 79


@pytest.mark.parametrize(
    ("headline", "subject", "lacks"),
    [
        (RAFAH, "Egypt refuses Rafah coordination", True),
        (RAFAH, "Egypt refuses Rafah coordination: reports", False),
        (RAFAH, "Egypt refuses Rafah coordination, source says", False),
        ("Town council meets", "Town council meets", False),
        ("مصر ترفض التنسيق: تقارير", "مصر ترفض التنسيق", True),
        ("مصر ترفض التنسيق: تقارير", "مصر ترفض التنسيق، بحسب مصدر", False),
        ("مصر ترفض التنسيق: تقارير", "مصر ترفض التنسيق وفقًا لمصادر", False),
        ("مصادرة أرض في الضفة", "أرض في الضفة", False),
    ],
)
def test_notices_when_a_claim_became_a_fact(
    headline: str, subject: str, *, lacks: bool
) -> None:
    assert lacks_attribution(headline, subject) is lacks


def test_cuts_an_arabic_headline_before_a_preposition() -> None:
    headline = (
        "مصر ترفض التنسيق مع إسرائيل بشأن تشغيل معبر رفح البري"
        " بعد التصعيد الأخير: تقارير"
    )

    assert propose_subject(headline) == "مصر ترفض التنسيق مع إسرائيل: تقارير"


def _frame(pieces: list[str]) -> str:
    return f"Plus: {'; '.join(pieces)}. 5-minute read."


def test_fills_the_line_with_early_stories_that_fit() -> None:
    titles = [RAFAH, "Inflation eases again in the cities", "A film goes to Cannes"]

    line = propose_preheader([*titles, "A ferry nobody can read"], _frame)

    assert line == (
        "Plus: Inflation eases again in the cities; A film goes to Cannes; "
        "A ferry nobody can read. 5-minute read."
    )


def test_names_three_stories_at_most() -> None:
    line = propose_preheader(["One", "Two", "Three", "Four"], _frame)

    assert line == "Plus: One; Two; Three. 5-minute read."


def test_skips_a_headline_that_has_no_room() -> None:
    line = propose_preheader(["word " * 30, "A short one."], _frame)

    assert line == "Plus: A short one. 5-minute read."


@given(st.lists(st.text(max_size=150), max_size=6))
def test_stays_within_120_characters(titles: list[str]) -> None:
    assert len(propose_preheader(titles, _frame)) <= 120
