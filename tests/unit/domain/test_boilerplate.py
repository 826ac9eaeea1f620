"""Lines of a page that are no part of its story."""

import time

import pytest

from digest.domain.boilerplate import ends_story, is_furniture, read_byline


@pytest.mark.parametrize(
    "line",
    [
        "//Skip to content",
        "Generic selectors",
        "Search in title",
        "Home » News » Politics",
        "Facebook Twitter WhatsApp Email",
        "Share on Facebook",
        "Click to share on Telegram (Opens in new window)",
        "ADVERTISEMENT",
        "4 min read",
        "We use cookies to make this site work. Accept all",
        "Hi guest, you have read 3 of your free articles this month.",
        "Subscribe to our weekly newsletter! Get it by clicking here.",
        "Catch up on the news, delivered straight to your inbox.",
        "Follow us on Instagram",
        "Join our WhatsApp channel for updates",
        "Read also: A Walk Along the Lakes",
        "Tags: fishing, lakes",
        "اقرأ أيضا: خبر آخر",
    ],
)
def test_knows_furniture(line: str) -> None:
    assert is_furniture(line)


@pytest.mark.parametrize(
    "line",
    [
        "Comments (0)",
        "3 Comments",
        "Leave a Reply",
        "Related posts",
        "You may also like",
        "More from News",
        "© 2024 The Delta Observer. All rights reserved.",
    ],
)
def test_knows_where_a_story_ends(line: str) -> None:
    assert ends_story(line)


@pytest.mark.parametrize(
    "line",
    [
        "Egypt has joined the case.",
        "Home prices rose by a third in May.",
        "The subscribers of the old exchange were eight.",
        "Comments made by the minister on Tuesday drew protest.",
        "Search teams found the boat on Monday.",
        "Share prices fell in Cairo.",
        "Related companies were fined as well.",
        "Close to the border, trucks were waiting.",
        "Tags were sewn into each net.",
        "Live music returned to the theatre.",
    ],
)
def test_leaves_sentences_alone(line: str) -> None:
    assert not is_furniture(line)
    assert not ends_story(line)


def test_reads_bylines() -> None:
    assert read_byline("By Nadia Farag") == "Nadia Farag"
    assert read_byline("Written by: Omar Sabry and Hoda Selim") == (
        "Omar Sabry and Hoda Selim"
    )


@pytest.mark.parametrize(
    "line",
    ["By Tuesday the road was open.", "By 2030", "Bystanders", "By " + "a " * 20],
)
def test_leaves_other_lines_starting_so(line: str) -> None:
    assert read_byline(line) is None


@pytest.mark.parametrize(
    "unit", ["facebook ", "share ", "home > ", "subscribe to ", "("]
)
def test_hostile_lines_take_no_time(unit: str) -> None:
    line = unit * (100_000 // len(unit))
    start = time.process_time()

    is_furniture(line)
    ends_story(line)
    read_byline(line)

    assert time.process_time() - start < 0.5
