"""The beginning of a story, cut to the room a letter has."""

import pytest
from hypothesis import given, strategies as st

from digest.domain.standfirsts import LONGEST, cut_standfirst, strip_feed_tail, was_cut

SENTENCE = "The harbour has its lights again after eleven weeks of repairs in the mole."


def test_keeps_a_short_text() -> None:
    assert cut_standfirst(SENTENCE) == SENTENCE


def test_cuts_after_the_last_sentence_that_fits() -> None:
    text = " ".join([SENTENCE] * 8)

    cut = cut_standfirst(text)

    assert cut == " ".join([SENTENCE] * 3)


def test_does_not_cut_after_an_abbreviation() -> None:
    text = f"{SENTENCE} {SENTENCE} It was opened by Dr. Hoda Selim of the U.S. office"

    assert cut_standfirst(text + " and others" * 20) == f"{SENTENCE} {SENTENCE}"


def test_keeps_a_first_sentence_that_is_a_little_longer() -> None:
    long = "word " * 58 + "end."

    assert cut_standfirst(f"{long} More follows here.") == long


def test_cuts_between_words_where_no_sentence_ends() -> None:
    cut = cut_standfirst("word " * 200)

    assert cut.endswith("word…")
    assert len(cut) <= LONGEST


@given(st.text(max_size=900))
def test_is_the_beginning_and_never_much_too_long(text: str) -> None:
    cut = cut_standfirst(text)

    assert text.startswith(cut.removesuffix("…").rstrip()[:-1])
    assert len(cut) <= 330


@pytest.mark.parametrize(
    "tail",
    [
        " The post Lights appeared first on The Delta Observer.",
        " The post Lights “On” first appeared on The Delta Observer.",
        " […] The post Lights first appeared on The Delta Observer",
        " ظهرت المقالة أضواء أولاً على مرصد الدلتا.",
        " […]",
        " [...]",
        "... Continue reading Lights",
        " Read more",
    ],
)
def test_strips_the_tail_of_a_feed(tail: str) -> None:
    assert strip_feed_tail(SENTENCE + tail) == SENTENCE


def test_strips_nothing_from_a_sentence() -> None:
    assert strip_feed_tail(SENTENCE) == SENTENCE


def test_knows_an_excerpt_that_breaks_off() -> None:
    assert was_cut("It broke […]")
    assert was_cut("It broke...")
    assert not was_cut("It ended.")
