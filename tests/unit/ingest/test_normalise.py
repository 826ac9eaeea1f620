"""One normaliser behind every reader."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from digest.domain.articles import CREDIT_SPLIT, NO_DATE, Draft, Image
from digest.domain.errors import RefusedError
from digest.ingest.normalise import normalise

FIRST = "The harbour has its lights again after eleven weeks of repairs in the mole."


def test_proposes_the_first_paragraph_as_standfirst() -> None:
    draft = normalise(Draft(title="A", paragraphs=(FIRST, "More.")))

    assert draft.standfirst == FIRST


def test_prefers_the_first_paragraph_to_a_description_that_breaks_off() -> None:
    draft = normalise(
        Draft(title="A", standfirst="The harbour has […]", paragraphs=(FIRST,))
    )

    assert draft.standfirst == FIRST


def test_keeps_what_a_person_wrote() -> None:
    long = "word " * 100

    draft = normalise(Draft(title="A", standfirst=long), as_written=True)

    assert draft.standfirst == long.strip()


def test_splits_a_credit_and_says_so() -> None:
    draft = normalise(Draft(title="A", paragraphs=(f"Photo via Delta Press {FIRST}",)))

    assert draft.image.credit == "Delta Press"
    assert draft.paragraphs == (FIRST,)
    assert draft.flags == (CREDIT_SPLIT, NO_DATE)


def test_a_credit_of_its_own_beats_one_that_was_split() -> None:
    image = Image(credit="Photo: Nadia Farag")

    draft = normalise(
        Draft(title="A", image=image, paragraphs=(f"Photo via X Press {FIRST}",))
    )

    assert draft.image.credit == "Nadia Farag"


def test_drops_furniture_the_headline_and_all_after_the_end() -> None:
    draft = normalise(
        Draft(
            title="Harbour Lights",
            paragraphs=(
                "Harbour Lights",
                "Photo: Nadia Farag",
                FIRST,
                "Hi guest, log in to read on.",
                "It is on.",
                "Related posts",
                "Another story",
            ),
        )
    )

    assert draft.paragraphs == (FIRST, "It is on.")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:x", "/relative", ""])
def test_drops_addresses_that_are_none(url: str) -> None:
    draft = normalise(Draft(title="A", url=url, image=Image(url=url)))

    assert (draft.url, draft.image.url) == (None, None)


def test_names_the_host_where_the_source_is_not_known() -> None:
    draft = normalise(Draft(title="A", url="https://www.delta.example/1"))

    assert draft.source == "delta.example"


def test_marks_a_featured_story_by_its_tag() -> None:
    assert normalise(Draft(title="A", categories=("News", "Featured"))).featured
    assert not normalise(Draft(title="A", categories=("News",))).featured


def test_takes_written_out_tags_for_a_mistake() -> None:
    draft = normalise(
        Draft(
            title="A <b>bold</b> <script>alert(1)</script>move",
            paragraphs=("<img src=x onerror=alert(1)> " + FIRST, "1 < 2 & 3 > 2"),
        )
    )

    assert draft.title == "A bold move"
    assert draft.paragraphs == (FIRST, "1 < 2 & 3 > 2")


def test_no_vector_survives_as_markup(shared: Path) -> None:
    vectors = json.loads((shared / "corpora/dompurify/vectors.json").read_text("utf-8"))

    drafts = [
        normalise(Draft(title=f"A {v['payload']}", paragraphs=(v["payload"],)))
        for v in vectors
    ]

    texts = [t for d in drafts for t in (d.title, d.standfirst, *d.paragraphs)]
    assert len(drafts) > 200
    assert not [t for t in texts if re.search(r"<[a-z/!]", t, re.IGNORECASE)]


def test_shortens_what_is_absurdly_long() -> None:
    draft = normalise(Draft(title="x" * 9999, author="y" * 9999))

    assert len(draft.title) == 300
    assert len(draft.author) == 200


def test_refuses_a_story_without_headline() -> None:
    with pytest.raises(RefusedError, match="no headline"):
        normalise(Draft(title=" \0\u202e "))


def test_refuses_a_story_of_a_whole_site() -> None:
    with pytest.raises(RefusedError, match="longer than 300,000"):
        normalise(Draft(title="A", paragraphs=("x" * 300_001,)))


def test_reads_every_naughty_string(shared: Path) -> None:
    strings = json.loads((shared / "corpora/blns/blns.json").read_text("utf-8"))

    drafts = [
        normalise(Draft(title=f"A {s}", author=s, standfirst=s, paragraphs=(s, FIRST)))
        for s in strings
    ]

    texts = [
        t for d in drafts for t in (d.title, d.author, d.standfirst, *d.paragraphs)
    ]
    assert len(drafts) > 500
    assert not any(c in text for text in texts for c in "\0\x1b\u202e\ue000\ufeff\n")


@given(st.builds(Draft, title=st.text(min_size=1), paragraphs=st.tuples(st.text())))
def test_normalises_or_refuses_anything_and_once_is_enough(draft: Draft) -> None:
    try:
        once = normalise(draft)
    except RefusedError:
        return

    assert normalise(once).title == once.title
