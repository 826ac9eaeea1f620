"""What the first words of a message ask for."""

import pytest
from hypothesis import given, strategies as st

from digest.domain.own_mail import Post
from digest.feedback.wishes import Wish, find_wish

WORDS = [
    ("subscribe", Wish.SUBSCRIBE),
    ("Please subscribe me", Wish.SUBSCRIBE),
    ("اشتراك", Wish.SUBSCRIBE),
    ("أُريدُ الاشتراك", Wish.SUBSCRIBE),
    ("UNSUBSCRIBE!", Wish.LEAVE),
    ("Stop.", Wish.LEAVE),
    ("remove me from this list", Wish.LEAVE),
    ("إلغاء الاشتراك", Wish.LEAVE),
    ("الغاء", Wish.LEAVE),
    ("أوقفوا الرسائل", Wish.LEAVE),
    ("help", Wish.HELP),
    ("مساعدة", Wish.HELP),
    ("Yes, please", Wish.YES),
    ("نعم", Wish.YES),
    ("نـعـم", Wish.YES),
    ("no", Wish.NO),
    ("Not me", Wish.NO),
    ("It wasn't me", Wish.NO),
    ("It wasn’t me", Wish.NO),
    ("لا", Wish.NO),
    ("لستُ أنا", Wish.NO),
    ("\u200fنعم", Wish.YES),
    ("notable", None),
    ("subscriber", None),
    ("I will not unsubscribe", None),
    ("", None),
]


@pytest.mark.parametrize(("words", "wish"), WORDS)
def test_the_first_words_count(words: str, wish: Wish | None) -> None:
    assert find_wish("", words, Post.CONFIRM) is wish


@pytest.mark.parametrize(("words", "wish"), WORDS)
def test_a_subject_counts_as_well_where_nothing_is_written(
    words: str, wish: Wish | None
) -> None:
    assert find_wish(words, "\n\n", Post.SUBSCRIBE) is wish


@pytest.mark.parametrize("subject", ["Re: stop", "RE : stop", "رد: stop", "Aw: stop"])
def test_the_subject_of_an_answer_is_somebody_elses(subject: str) -> None:
    assert find_wish(subject, "", Post.UNSUBSCRIBE) is None


def test_a_confirmations_subject_is_ours() -> None:
    assert find_wish("no", "", Post.CONFIRM) is None


@pytest.mark.parametrize(
    "text",
    ["> unsubscribe\n> stop\nyes", "\n\n   \n> no\nYES", "| no\nyes", "---\nyes"],
)
def test_quoted_and_empty_lines_are_passed_over(text: str) -> None:
    assert find_wish("", text, Post.CONFIRM) is Wish.YES


def test_later_lines_ask_for_nothing() -> None:
    text = "Thank you so much.\n\n-- \nTo unsubscribe\nunsubscribe"

    assert find_wish("", text, Post.SUBSCRIBE) is None


@given(st.text(), st.text(), st.sampled_from(Post))
def test_any_text_has_an_answer(subject: str, text: str, post: Post) -> None:
    assert find_wish(subject, text, post) in {None, *Wish}
