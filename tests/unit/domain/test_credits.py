"""Credit lines, and credits run into the first sentence."""

import pytest
from hypothesis import given, strategies as st

from digest.domain.credits import read_credit_line, split_credit


@pytest.mark.parametrize(
    ("line", "credit"),
    [
        ("Image Credit: Nadia Farag/X", "Nadia Farag/X"),
        ("Photo via Daily News Egypt", "Daily News Egypt"),
        ("Photo: Reuters", "Reuters"),
        ("Credit: AFP.", "AFP"),
        ("Photo by Omar Sabry on Unsplash", "Omar Sabry on Unsplash"),
        ("Photo courtesy of: Delta Lakes Archive", "Delta Lakes Archive"),
        ("Featured image source: Wikimedia Commons", "Wikimedia Commons"),
        ("IMAGE CREDIT:AP", "AP"),
        ("مصدر الصورة: رويترز", "رويترز"),
    ],
)
def test_reads_a_credit_line(line: str, credit: str) -> None:
    assert read_credit_line(line) == credit


@pytest.mark.parametrize(
    "line",
    [
        "Images of the flood reached Cairo on Monday.",
        "Photographers gathered at the gate.",
        "Credit cards were refused at most shops.",
        "Photo by photo, the archive shows how the town grew along the canal.",
        "Image Credit:",
        "",
    ],
)
def test_leaves_sentences_alone(line: str) -> None:
    assert read_credit_line(line) is None


@pytest.mark.parametrize(
    ("text", "credit", "rest"),
    [
        ("Photo via Delta Press The port said so.", "Delta Press", "The port said so."),
        ("Image Credit: Erem Press Located near it,", "Erem Press", "Located near it,"),
        ("Photo: AFP President Salah said yes.", "AFP", "President Salah said yes."),
        ("Image Credit: Amr A Dalla/X Egypt is", "Amr A Dalla/X", "Egypt is"),
        ("Photo via Reuters Egypt’s port is", "Reuters", "Egypt’s port is"),
        ("Photo: Nile Post. Boats were late.", "Nile Post", "Boats were late."),
        ("Photo by Ali Omar via Unsplash A boat", "Ali Omar via Unsplash", "A boat"),
    ],
)
def test_splits_a_credit_off_the_first_sentence(
    text: str, credit: str, rest: str
) -> None:
    assert split_credit(text) == (credit, rest)


@pytest.mark.parametrize(
    "text", ["The port said so.", "Photo: the port by night", "Photo: Reuters", ""]
)
def test_splits_nothing_where_no_name_leads(text: str) -> None:
    assert split_credit(text) == ("", text)


@given(st.text(max_size=80), st.sampled_from(["Photo: ", "Image Credit: ", ""]))
def test_never_fails_and_never_invents_words(text: str, label: str) -> None:
    credit, rest = split_credit(label + text)

    assert set(credit.split()) <= {
        w.rstrip(" .,;|") for w in (label + text).split()
    } | set((label + text).split())
    assert len(rest) <= len(label + text)
