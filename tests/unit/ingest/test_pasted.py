"""Pasted page text: the story out of its rubbish."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from digest.domain.articles import NO_DATE
from digest.domain.errors import RefusedError
from digest.ingest.pasted import read_pasted

BODY = (
    "The harbour has its lights again after eleven weeks of repairs in the mole.",
    "Pilots had steered by hand lamps since a storm in February tore the cable.",
)


def page(*lines: str) -> str:
    return "\n".join(lines)


def test_reads_a_page_of_the_usual_shape(material: Path) -> None:
    draft = read_pasted((material / "pasted-page.txt").read_text(encoding="utf-8"))

    assert draft.title == (
        "Fishermen of Lake Burullus Ask for a Longer Closed Season: Survey"
    )
    assert draft.published_on == date(2024, 5, 9)
    assert draft.author == "Nadia Farag"
    assert draft.image.credit == "Delta Lakes Archive"
    assert [p.split()[0] for p in draft.paragraphs] == [
        "Seven",
        "The",
        "The",
        "Economists",
        "The",
    ]
    assert draft.flags == ()


def test_reads_the_reference_page(shared: Path) -> None:
    path = shared / "seed" / "000_0b920b972f9a7630.txt"

    draft = read_pasted(path.read_text(encoding="utf-8"))

    assert draft.title.startswith("Egypt Refuses Rafah Crossing")
    assert draft.published_on == date(2024, 5, 12)
    assert draft.image.credit == "Motasem A Dalloul/X"
    assert len(draft.paragraphs) == 11
    assert draft.paragraphs[0].startswith("Egypt is refusing")
    assert draft.paragraphs[-1].endswith("Gaza since Tuesday.")


def test_takes_the_headline_below_the_date_where_none_is_above() -> None:
    draft = read_pasted(
        page("News", "12 May 2024", "Harbour Lights Back On After Repairs", "", *BODY)
    )

    assert draft.title == "Harbour Lights Back On After Repairs"
    assert draft.paragraphs == BODY


def test_takes_a_deck_between_headline_and_date_as_standfirst() -> None:
    deck = "Pilots had steered by hand lamps for eleven weeks."

    draft = read_pasted(
        page("Harbour Lights Back On After Repairs", "", deck, "", "12 May 2024", *BODY)
    )

    assert draft.standfirst == deck
    assert draft.title == "Harbour Lights Back On After Repairs"


def test_takes_the_line_after_the_headline_for_a_deck() -> None:
    draft = read_pasted(
        page(
            "Harbour Lights Back On After Repairs",
            "Pilots had steered by hand lamps",
            "12 May 2024",
            *BODY,
        )
    )

    assert draft.title == "Harbour Lights Back On After Repairs"
    assert draft.standfirst == "Pilots had steered by hand lamps"


@pytest.mark.parametrize(
    "line",
    [
        "Nadia Farag | May 12, 2024",
        "By Nadia Farag - May 12, 2024",
        "May 12, 2024 by Nadia Farag",
        "Sunday, 12 May 2024 · Nadia Farag",
        "By Nadia Farag\n12 May 2024",
        "12 May 2024\nNadia Farag",
    ],
)
def test_reads_author_and_date_however_they_stand(line: str) -> None:
    draft = read_pasted(page("Harbour Lights", line, *BODY))

    assert (draft.author, draft.published_on) == ("Nadia Farag", date(2024, 5, 12))
    assert draft.paragraphs == BODY


def test_takes_a_headline_of_two_words() -> None:
    draft = read_pasted(page("Lights On", "May 12, 2024", *BODY))

    assert draft.title == "Lights On"


def test_flags_a_page_without_a_date() -> None:
    draft = read_pasted(page("Harbour Lights Back On After Repairs", "", *BODY))

    assert draft.flags == (NO_DATE,)
    assert draft.paragraphs == BODY


def test_joins_hard_wrapped_lines() -> None:
    wrapped = (
        "The harbour of Rosetta has its lights again after eleven weeks of",
        "Repairs in the mole, the port office said.",
    )

    draft = read_pasted(page("Harbour Lights", "May 12, 2024", "", *wrapped))

    assert draft.paragraphs == (" ".join(wrapped),)


def test_keeps_one_paragraph_a_line_where_lines_are_long() -> None:
    long = "word " * 30
    draft = read_pasted(page("Harbour Lights", "May 12, 2024", long, BODY[0]))

    assert len(draft.paragraphs) == 2


def test_ends_before_the_comments_and_the_footer() -> None:
    draft = read_pasted(
        page(
            "Harbour Lights",
            "May 12, 2024",
            *BODY,
            "About the paper",
            "2 Comments",
            "Ali: What a relief that is for all of us at the quay.",
        )
    )

    assert draft.paragraphs == BODY


@pytest.mark.parametrize(
    "text",
    ["", "\n\n", "Menu\nSearch\n", "Just a headline of some words", "12 May 2024\n"],
)
def test_refuses_what_holds_no_story(text: str) -> None:
    with pytest.raises(RefusedError, match="No story was found"):
        read_pasted(text)


@given(
    st.lists(st.sampled_from([*BODY, "12 May 2024", "By A B", "", "Menu"]) | st.text())
)
def test_reads_or_refuses_anything(lines: list[str]) -> None:
    try:
        draft = read_pasted("\n".join(lines))
    except RefusedError:
        return

    assert draft.title
    assert draft.paragraphs
