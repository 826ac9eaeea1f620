"""`articles …` as a person and a script use it."""

import io
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.conftest import Ran
from tests.material import MATERIAL

Cli = Callable[..., Ran]
pytestmark = pytest.mark.usefixtures("installed")
PAGE, FEED = MATERIAL / "pasted-page.txt", MATERIAL / "feed.xml"
FIELDS = {
    "id",
    "title",
    "url",
    "published_on",
    "author",
    "section",
    "standfirst",
    "image",
    "paragraphs",
    "source",
    "word_count",
}


def test_import_answers_with_the_promised_fields(cli: Cli) -> None:
    ran = cli("articles", "import", str(PAGE), "--json")

    document = ran.document
    assert set(document) == {"imported", "updated", "unchanged", "rejected"}
    assert set(document["imported"][0]) >= FIELDS
    assert document["imported"][0]["image"] == {
        "url": None,
        "credit": "Delta Lakes Archive",
        "alt": "",
    }
    assert document["imported"][0]["published_on"] == "2024-05-09"


def test_import_tells_a_person_what_happened(cli: Cli) -> None:
    ran = cli("articles", "import", str(FEED))

    assert ran.status == 0
    assert "2 imported, 0 updated, 0 unchanged, 1 rejected." in ran.out
    assert ran.err.startswith("error: https://delta-observer.example/2024/05/07/empty/")


def test_import_of_nothing_but_bad_input_fails_in_one_line(
    cli: Cli, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.pdf"
    bad.write_bytes(b"%PDF-1.7\n\0\0")

    ran = cli("articles", "import", str(bad))

    assert ran.status == 1
    assert ran.err == (
        f"error: {bad}: The input is binary, not text."
        " Give a web page, a feed or a text file.\n"
    )


def test_import_reads_standard_input(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = SimpleNamespace(buffer=io.BytesIO(PAGE.read_bytes()))
    monkeypatch.setattr("sys.stdin", stdin)

    ran = cli("articles", "import", "-", "--url", "https://d.example/1", "--json")

    assert ran.document["imported"][0]["url"] == "https://d.example/1"


def test_import_refuses_loopback_by_default(cli: Cli) -> None:
    ran = cli("articles", "import", "http://127.0.0.1:9/")

    assert ran.status == 1
    assert "DIGEST_FETCH__ALLOW_PRIVATE" in ran.err


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["import"], 2, "SOURCE…"),
        (["import", "x", "--kind", "pdf"], 2, "pdf"),
        (["import", "x", "--section", "sport"], 1, "Known:"),
        (["import", "x", "--newsletter", "daily"], 1, "no newsletter"),
        (["import", "x", "y", "--url", "https://d.example/"], 2, "one story"),
        (["show", "99"], 1, "no article 99"),
        (["add", "--title", "A"], 2, "--url"),
    ],
)
def test_wrong_usage_is_named(
    cli: Cli, arguments: list[str], status: int, words: str
) -> None:
    ran = cli("articles", *arguments)

    assert ran.status == status
    assert words in ran.err
    assert ran.err.count("\n") == 1


def test_add_stores_a_story_typed_by_hand(cli: Cli) -> None:
    arguments = ["--title", "By Hand", "--url", "https://d.example/1"]
    picture = ["--image", "https://d.example/i.jpg", "--credit", "Me", "--alt", "It"]

    ran = cli("articles", "add", *arguments, *picture, "--standfirst", "One.", "--json")

    assert ran.document["outcome"] == "imported"
    assert ran.document["image"]["alt"] == "It"


def test_add_tells_a_person(cli: Cli) -> None:
    ran = cli(
        *("articles", "add", "--title", "By Hand", "--standfirst", "One."),
        *("--url", "https://d.example/1"),
    )

    assert ran.out.startswith("imported:")


def test_list_goes_page_by_page(cli: Cli) -> None:
    cli("articles", "import", str(FEED), str(PAGE))

    first = cli("articles", "list", "--limit", "2", "--json").document
    after = str(first["next"])
    second = cli("articles", "list", "--after", after, "--json").document

    assert (len(first["items"]), len(second["items"]), second["next"]) == (2, 1, None)


def test_list_tells_a_person_how_to_go_on(cli: Cli) -> None:
    empty = cli("articles", "list")
    cli("articles", "import", str(FEED))
    full = cli("articles", "list", "--limit", "1", "--newsletter", "weekly")

    assert empty.out == "No stories yet.\n"
    assert "More: --after 2" in full.out


def test_show_gives_the_whole_story(cli: Cli) -> None:
    cli("articles", "import", str(PAGE))

    shown = cli("articles", "show", "1")
    document = cli("articles", "show", "1", "--json").document

    assert shown.out.startswith("Fishermen of Lake Burullus")
    assert "Picture:   Delta Lakes Archive" in shown.out
    assert len(document["paragraphs"]) == 5


def add_story(cli: Cli, *options: str) -> Ran:
    return cli(
        *("articles", "add", "--title", "A plan", "--url", "https://a.example/plan"),
        *("--standfirst", "It is one.", *options),
    )


def test_an_embargo_is_set_in_the_newsletters_time_and_lifted(cli: Cli) -> None:
    added = add_story(cli, "--embargo", "2124-05-12 18:00", "--json").document
    number = str(added["id"])
    listed = cli("articles", "list").out

    lifted = cli("articles", "edit", number, "--embargo", "none", "--json").document

    assert added["embargo_until"] == "2124-05-12T15:00:00+00:00"
    assert "[embargo until 2124-05-12 15:00 UTC]" in listed.replace("no-section, ", "")
    assert (lifted["embargo_until"], lifted["editions"]) == (None, [])
    assert "Embargo:   until" not in cli("articles", "show", number).out


def test_an_embargo_names_the_editions_that_carry_the_story(cli: Cli) -> None:
    number = str(add_story(cli, "--json").document["id"])
    edition = cli("editions", "compose", "--json").document["edition"]["id"]

    ran = cli("articles", "edit", number, "--embargo", "2124-05-12 18:00")

    assert (
        f"Edition {edition} (draft) carries it and is not released before." in ran.out
    )
    assert (
        "Embargo:   until 2124-05-12 15:00 UTC" in cli("articles", "show", number).out
    )
