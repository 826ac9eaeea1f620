"""When refusals on account of the sender are a storm."""

from hypothesis import given, strategies as st

from digest.domain.answers import ALL, Refused, count, describe, is_storm, look_back

histories = st.lists(
    st.builds(Refused, code=st.just("550 5.7.1"), others=st.integers(0, 400)),
    max_size=300,
)


def refusals(number: int, *, others: int = 0, code: str = "550 5.7.1") -> list[Refused]:
    """So many refusals, each after so many other answers."""
    return [Refused(code=code, others=others)] * number


@given(histories)
def test_looks_back_on_200_answers_at_most(history: list[Refused]) -> None:
    kept = look_back(history)

    assert count(kept) == min(count(history), 200)


def test_keeps_the_newest() -> None:
    history = [*refusals(5, code="old"), *refusals(150), *refusals(50, code="new")]

    kept = look_back(history)

    assert [r.code for r in kept] == ["550 5.7.1"] * 150 + ["new"] * 50


@given(histories)
def test_looking_back_twice_changes_nothing(history: list[Refused]) -> None:
    assert look_back(look_back(history)) == look_back(history)


def test_nine_refusals_in_a_row_are_no_storm() -> None:
    assert not is_storm(refusals(9), share=0.05)


def test_ten_refusals_in_a_row_are_one() -> None:
    assert is_storm(refusals(10), share=0.05)


def test_one_answer_in_twenty_is_still_borne() -> None:
    assert not is_storm(look_back(refusals(50, others=19)), share=0.05)


def test_more_than_one_answer_in_twenty_is_a_storm() -> None:
    assert is_storm(look_back(refusals(50, others=17)), share=0.05)


def test_a_share_of_one_bears_everything() -> None:
    assert not is_storm(refusals(200), share=1)


def test_says_who_how_many_and_which_codes() -> None:
    history = [*refusals(8, others=2), *refusals(2, code="421 4.7.28")]

    words = describe("example.com", history)

    assert words == (
        "example.com refused 10 of the last 26 letters because of their sender: "
        "550 5.7.1 (8 times), 421 4.7.28 (2 times)"
    )


def test_the_relay_is_called_by_its_name() -> None:
    assert describe(ALL, refusals(10)).startswith("The relay refused 10 of the last 10")
