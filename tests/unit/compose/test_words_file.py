"""Words from TOML: every block, all at once, and plain refusals."""

import pytest

from digest.compose import words_file
from digest.domain.editions import Pick, PickKind
from digest.domain.errors import RefusedError
from tests.weeks import SPONSOR, SUPPORT

SUPPORT_FILE = f"""
title = "{SUPPORT.title}"
text = "{SUPPORT.text}"
label = "{SUPPORT.label}"
url = "{SUPPORT.url}"
"""
PICKS = """
[[picks]]
kind = "read"
title = "A novel"
words = "It is *short*."
url = "https://picks.example.test/novel"

[[picks]]
kind = "go"
title = "A walk"
"""


PICK = "[[picks]]\nkind = 'go'\ntitle = 'x'\n"


def test_reads_support() -> None:
    assert words_file.read_support(SUPPORT_FILE) == SUPPORT


def test_reads_picks_with_and_without_an_address() -> None:
    first, second = words_file.read_picks(PICKS)

    assert first == Pick(
        kind=PickKind.READ,
        title="A novel",
        words="It is *short*.",
        url="https://picks.example.test/novel",
    )
    assert second == Pick(kind=PickKind.GO, title="A walk")


def test_reads_all_words_at_once() -> None:
    changes = words_file.read_words(
        f"""
        opening = "Good morning."
        why = "Because."
        [sponsor]
        name = "{SPONSOR.name}"
        title = "{SPONSOR.title}"
        text = "{SPONSOR.text}"
        url = "{SPONSOR.url}"
        [support]
        {SUPPORT_FILE}
        {PICKS}
        """
    )

    assert (changes.opening, changes.why) == ("Good morning.", "Because.")
    assert (changes.subject, changes.sponsor, changes.support) == (
        None,
        SPONSOR,
        SUPPORT,
    )
    assert [p.title for p in changes.picks or ()] == ["A novel", "A walk"]


def test_empty_blocks_take_out_and_absent_ones_stay() -> None:
    emptied = words_file.read_words("picks = []\n[sponsor]\n[support]\n")
    silent = words_file.read_words("")

    assert (emptied.no_sponsor, emptied.no_support, emptied.picks) == (True, True, ())
    assert (silent.no_sponsor, silent.no_support, silent.picks) == (False, False, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("colour = 1", "unknown key: colour"),
        ("why = 1", "why is no text"),
        ("sponsor = 'x'", "sponsor is no table"),
        ("picks = 'x'", "picks is no list"),
        ("picks = ['x']", "picks is no table"),
        ("[[picks]]\nkind = 'eat'\ntitle = 'x'", "no kind of pick 'eat'"),
        ("[[picks]]\nkind = 'go'", "field: title"),
        ("[[picks]]\nkind = 'go'\ntitle = 'x'\nurl = 'http://x.test'", "https address"),
        (PICK + "url = 'https://good.test@evil.test/'", "https address"),
        (PICK + "url = 'https://good.test\\.evil.test/'", "https address"),
        (PICK + "url = 'https://x.test/<b>'", "https address"),
        (PICK + 'url = "https://x.test/\\u202egnp.exe"', "https address"),
        ("[[picks]]\nkind = 'go'\ntitle = 'x'\n" * 13, "There are 13 picks"),
        ("[support]\ntitle = 'x'", "field: text"),
    ],
)
def test_says_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        words_file.read_words(text)


@pytest.mark.parametrize("text", ["", "kind = 'go'", "picks = ["])
def test_a_picks_file_holds_picks(text: str) -> None:
    with pytest.raises(RefusedError, match="picks file"):
        words_file.read_picks(text)
