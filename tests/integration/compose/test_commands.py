"""`digest editions …`, as people and scripts use it."""

from collections.abc import Callable
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from digest.domain.articles import Image
from digest.storage import newsletters
from digest.storage.engine import Database
from tests.conftest import Ran
from tests.weeks import RAFAH, add_article

Cli = Callable[..., Ran]
ISSUE = ("--issue-date", "2024-05-12")


@pytest.fixture
def composed(installed: Cli, tmp_path: Path) -> Cli:
    """An installation whose edition 1 carries articles 1 and 2; 3 is from elsewhere."""
    db = Database(f"sqlite:///{tmp_path / 'home' / 'digest.db'}")
    with db.read() as tx:
        weekly = newsletters.get(tx, "weekly")
    # A private address, which is not asked: the story has no picture.
    image = Image(url="https://127.0.0.1/a.png", credit="Demo drawing")
    add_article(db, weekly, title=RAFAH, featured=True, image=image)
    add_article(db, weekly, title="A library on a bicycle", section="features")
    add_article(db, weekly, title="A very old story", published_on=None)
    db.close()
    assert installed("editions", "compose", *ISSUE).status == 0
    return installed


def test_composes_what_the_interface_promises(cli: Cli, composed: Cli) -> None:
    edition = cli("editions", "show", "1", "--json").document

    assert {
        *("id", "newsletter", "kind", "number", "issue_date", "state", "subject"),
        *("preheader", "content_hash", "stories", "counts"),
    } <= edition.keys()
    assert (edition["newsletter"], edition["kind"]) == ("weekly", "weekly")
    assert (edition["issue_date"], edition["state"]) == ("2024-05-12", "draft")
    story = edition["stories"][0]
    assert (story["article_id"], story["section"], story["position"]) == (1, "news", 1)
    assert story["title"] == RAFAH
    assert edition["counts"]["queued"] == 0


def test_compose_answers_with_the_edition_and_its_notes(composed: Cli) -> None:
    picked = ("--issue-date", "2024-05-19", "--articles", "3,1")

    made = composed("editions", "compose", *picked, "--json").document

    assert [s["article_id"] for s in made["edition"]["stories"]] == [3, 1]
    assert made["notes"][0] == "Article 1 was in No. 1 already."
    assert made["notes"][1].startswith("No picture for article 1: 127.0.0.1 is at")


def test_composing_twice_fails_with_one_line(composed: Cli) -> None:
    again = composed("editions", "compose", *ISSUE)

    assert again.status == 1
    assert again.err.count("\n") == 1
    assert "cancel it" in again.err


def test_lists_page_by_page(composed: Cli) -> None:
    composed("editions", "compose", "--issue-date", "2024-05-13", "--articles", "3")

    page = composed("editions", "list", "--limit", "1", "--json").document
    rest = composed("editions", "list", "--after", str(page["next"]), "--json").document
    shown = composed("editions", "list", "--limit", "1").out

    assert [e["id"] for e in page["items"] + rest["items"]] == [2, 1]
    assert rest["next"] is None
    assert "More: --after 2" in shown


def test_says_what_to_do_when_there_is_no_edition(installed: Cli) -> None:

    assert "editions compose" in installed("editions", "list").out


def test_edits_words_and_order(composed: Cli, tmp_path: Path) -> None:
    sponsor = tmp_path / "sponsor.toml"
    sponsor.write_text('name="N"\ntitle="T"\ntext="X"\nurl="https://s.example/"\n')

    edited = composed(
        *("editions", "edit", "1", "--json", "--lead", "2", "--add", "3"),
        *("--move", "1:3", "--sponsor-file", str(sponsor), "--why", "Because."),
        *("--title", "3:Old: but good", "--section", "3:features"),
    ).document["edition"]

    assert [s["article_id"] for s in edited["stories"]] == [2, 1, 3]
    assert edited["stories"][2]["title"] == "Old: but good"
    assert (edited["sponsor"]["name"], edited["why"]) == ("N", "Because.")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--move", "1-3"), "no move"),
        (("--drop", "one"), "no article id"),
        (("--title", "Words"), "names no article"),
        (("--lead", "9"), "does not carry article 9"),
    ],
)
def test_says_what_is_wrong_with_an_edit(
    composed: Cli, arguments: tuple[str, ...], said: str
) -> None:
    ran = composed("editions", "edit", "1", *arguments)

    assert ran.status in {1, 2}
    assert said in ran.err


@pytest.mark.parametrize(
    ("content", "said"), [(b"\xff\xfe", "UTF-8"), (b"#" * 70_000, "too large")]
)
def test_refuses_a_sponsor_file_that_is_none(
    composed: Cli, tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "sponsor.toml"
    path.write_bytes(content)

    ran = composed("editions", "edit", "1", "--sponsor-file", str(path))

    assert ran.status == 1
    assert said in ran.err


def test_a_fresh_installation_has_warnings_but_no_errors(composed: Cli) -> None:
    ran = composed("editions", "check", "1", "--json")

    assert (ran.status, ran.document["errors"]) == (0, [])
    rules = {w["rule"] for w in ran.document["warnings"]}
    assert {"placeholder-sender", "placeholder-address", "unsigned"} <= rules
    assert ran.document["size_bytes"] > 10_000
    assert ran.document["reading_minutes"] == 1


def test_errors_make_check_fail(composed: Cli) -> None:
    composed("editions", "edit", "1", "--subject", "Egypt refuses coordination")

    ran = composed("editions", "check", "1")

    assert ran.status == 1
    assert "error: The headline reports a claim" in ran.out


def test_approves_and_an_edit_withdraws_it(composed: Cli) -> None:
    approved = composed("editions", "approve", "1", "--because", "Demo").out
    edited = composed("editions", "edit", "1", "--why", "Because.").out

    assert "Approved   by cli (Demo)" in approved
    assert "accepted: Letters will not be signed" in approved
    assert "Its approval is withdrawn." in edited


def test_says_that_no_reason_was_given(composed: Cli) -> None:
    assert "--because TEXT" in composed("editions", "approve", "1").out


def test_shows_the_words_around_the_stories(composed: Cli) -> None:
    composed("editions", "edit", "1", "--opening", "Hello.", "--opening-by", "Mona")

    shown = composed("editions", "show", "1").out

    assert "Opening    Hello." in shown
    assert "Signed     Mona" in shown


def test_previews_the_page_with_the_readers_address(composed: Cli) -> None:
    shown = composed("editions", "preview", "1", "--to", "o'neil@reader.test").out

    assert "o&#x27;neil@reader.test" in shown
    assert "https://" in shown


def test_previews_the_sections_a_reader_chose(composed: Cli) -> None:
    text = ("editions", "preview", "1", "--format", "text", "--json")

    whole = composed(*text).document["content"]
    part = composed(*text, "--sections", "arts").document["content"]

    assert ("bicycle" in whole, "bicycle" in part) == (True, False)


def test_previews_what_was_frozen(composed: Cli) -> None:
    composed("editions", "approve", "1")

    shown = composed("editions", "preview", "1", "--json").document

    assert shown["frozen"] is True


def test_refuses_a_section_that_does_not_exist(composed: Cli) -> None:
    ran = composed("editions", "preview", "1", "--sections", "sport")

    assert "no section 'sport'" in ran.err


def test_previews_a_whole_message(composed: Cli, tmp_path: Path) -> None:
    path = tmp_path / "letter.eml"

    ran = composed("editions", "preview", "1", "--format", "eml", "-o", str(path))

    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert "Wrote" in ran.out
    assert message["Subject"] == "Egypt Refuses Rafah Crossing Coordination: Reports"
    assert [p.get_content_type() for p in message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


WORDS = """
opening = "Good *morning*, [again](https://words.example.test/)."
why = "Filed."
[support]
title = "Keep us going"
text = "Please."
label = "Become a member"
url = "https://words.example.test/support"
[[picks]]
kind = "listen"
title = "An hour of simsimiyya"
"""


def test_a_file_sets_all_words_and_options_win(composed: Cli, tmp_path: Path) -> None:
    path = tmp_path / "words.toml"
    path.write_text(WORDS)

    ran = composed("editions", "edit", "1", "--file", str(path), "--why", "Typed.")

    assert "Listen     An hour of simsimiyya" in ran.out
    assert "Support    Keep us going" in ran.out
    assert "Why        Typed." in ran.out
    text = composed("editions", "preview", "1", "--format", "text").out
    assert "Good _morning_, again [1].\n\n[1] https://words.example.test/" in text
    assert "Become a member:\nhttps://words.example.test/support" in text


def test_blocks_come_and_go_one_by_one(composed: Cli, tmp_path: Path) -> None:
    support, picks = tmp_path / "support.toml", tmp_path / "picks.toml"
    support.write_text('title="T"\ntext="X"\nlabel="L"\nurl="https://s.example/"\n')
    picks.write_text('[[picks]]\nkind="go"\ntitle="A walk"\n')

    made = composed(
        *("editions", "edit", "1", "--json", "--support-file", str(support)),
        *("--picks-file", str(picks), "--caption", "1:At dawn"),
    ).document["edition"]
    emptied = composed(
        "editions", "edit", "1", "--json", "--no-support", "--no-picks"
    ).document["edition"]

    assert made["support"]["label"] == "L"
    assert made["picks"] == [{"kind": "go", "title": "A walk", "words": "", "url": ""}]
    assert made["stories"][0]["caption"] == "At dawn"
    assert (emptied["support"], emptied["picks"]) == (None, [])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff", "not a text file"),
        (b"#" * 70_000, "too large"),
        (None, "cannot be read"),
    ],
)
def test_refuses_a_words_file_that_is_none(
    composed: Cli, tmp_path: Path, content: bytes | None, said: str
) -> None:
    path = tmp_path / "words.toml"
    if content is not None:
        path.write_bytes(content)

    ran = composed("editions", "edit", "1", "--file", str(path))

    assert ran.status != 0
    assert said in ran.err


def test_answers_of_readers_are_counted_with_the_edition(composed: Cli) -> None:
    document = composed("editions", "show", "1", "--json").document

    assert document["opinions"] == {"useful": 0, "fine": 0, "not-for-me": 0}


def test_an_edition_is_held_and_mailed_to_the_desk(composed: Cli) -> None:
    held = composed("editions", "hold", "1", "--because", "A name is wrong.")
    asked = composed("editions", "ask", "1", "--json").document

    assert "Held       by cli" in held.out
    assert "A name is wrong." in held.out
    assert asked == {"id": 1, "letters": 1}


def test_whoever_asks_the_desk_again_at_once_hears_that_it_was(composed: Cli) -> None:
    said = [composed("editions", "ask", "1").out for _ in range(3)]

    # An hour may end between two of them.
    assert "The desk was mailed this within the hour: those links act.\n" in said
