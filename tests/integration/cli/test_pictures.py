"""`editions pictures` and `articles add --image`, as a person types them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Ran
from tests.drawings import photo
from tests.http_server import Answer, WebServer

Cli = Callable[..., Ran]
STORY = (
    *("--title", "Lorries wait", "--url", "https://s.example.test/1"),
    *("--standfirst", "They do.", "--section", "news"),
)


@pytest.fixture
def desk(installed: Cli, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """An installation that may fetch from this machine."""
    monkeypatch.setenv("DIGEST_FETCH__ALLOW_PRIVATE", "true")
    return installed


def add(desk: Cli, image: str) -> Ran:
    return desk("articles", "add", *STORY, "--image", image)


def test_composing_fetches_the_pictures(desk: Cli, site: WebServer) -> None:
    site.routes["/a.jpg"] = Answer(body=photo())
    add(desk, site.url("/a.jpg"))

    made = desk("editions", "compose", "--json").document

    (story,) = made["edition"]["stories"]
    assert (story["picture"]["large"]["width"], made["notes"]) == (1200, [])


def test_what_cannot_be_had_is_a_note_and_no_failure(
    desk: Cli, site: WebServer
) -> None:
    add(desk, site.url("/gone.jpg"))

    made = desk("editions", "compose")

    assert made.status == 0
    assert "No picture for article 1" in made.out
    assert "answered 404" in made.out
    assert "[picture, article 1]" in desk("editions", "check", "1").out


def test_a_second_try_says_what_became_of_each(desk: Cli, site: WebServer) -> None:
    add(desk, site.url("/late.jpg"))
    desk("editions", "compose")
    site.routes["/late.jpg"] = Answer(body=photo())

    tried = desk("editions", "pictures", "1")

    assert tried.status == 0
    assert "1200 × 675 jpg" in tried.out
    assert "1 picture; 0 cannot be had." in tried.out
    item = desk("editions", "pictures", "1", "--json").document["items"][0]
    assert (item["article_id"], item["error"]) == (1, "")


def test_a_file_is_taken_in_at_once(desk: Cli, tmp_path: Path) -> None:
    (tmp_path / "lorry.jpg").write_bytes(photo())

    added = add(desk, "lorry.jpg")
    made = desk("editions", "compose", "--json").document

    assert added.status == 0
    assert made["edition"]["stories"][0]["picture"]["small"]["width"] == 600
    assert made["notes"] == []


def test_a_file_that_is_no_picture_is_refused(desk: Cli, tmp_path: Path) -> None:
    (tmp_path / "lorry.jpg").write_text("<svg onload=alert(1)>")

    added = add(desk, "lorry.jpg")

    assert added.status == 1
    assert "no JPEG, PNG, GIF or WebP" in added.err
    assert desk("articles", "list", "--json").document["items"] == []


def test_a_file_that_is_not_there_is_one_line(desk: Cli) -> None:
    added = add(desk, "nowhere.jpg")

    assert added.status == 1
    assert added.err.count("\n") <= 2
    assert "Traceback" not in added.err


@pytest.mark.parametrize("url", ["https://name@a.test/x.jpg", "https://a.test/\udcff"])
def test_an_address_that_none_may_fetch_is_refused(desk: Cli, url: str) -> None:
    add(desk, "https://a.test/x.jpg")
    desk("editions", "compose")

    edited = desk("editions", "edit", "1", "--image", f"1:{url}")

    assert edited.status == 1
    assert "is not a web address" in edited.err
    assert "Traceback" not in edited.err


def test_an_added_story_gets_its_picture(desk: Cli, site: WebServer) -> None:
    site.routes["/a.jpg"] = Answer(body=photo())
    desk("articles", "add", *STORY)
    desk("editions", "compose")
    other = ("--title", "Buses, too", "--url", "https://s.example.test/2")
    image = ("--image", site.url("/a.jpg"))
    desk("articles", "add", *other, "--standfirst", "So do they.", *image)

    edited = desk("editions", "edit", "1", "--add", "2", "--json").document

    found = {s["article_id"]: s["picture"] for s in edited["edition"]["stories"]}
    assert found[1] is None
    assert found[2]["large"]["width"] == 1200


def test_an_editor_gives_a_story_another_picture(
    desk: Cli, site: WebServer, tmp_path: Path
) -> None:
    add(desk, site.url("/gone.jpg"))
    desk("editions", "compose")
    (tmp_path / "mine.jpg").write_bytes(photo(3, (800, 600)))

    edited = desk("editions", "edit", "1", "--image", "1:mine.jpg", "--json").document

    (story,) = edited["edition"]["stories"]
    assert story["picture"]["large"]["width"] == 800
    assert edited["notes"] == []


def test_an_editor_takes_a_picture_out(desk: Cli, site: WebServer) -> None:
    site.routes["/a.jpg"] = Answer(body=photo())
    add(desk, site.url("/a.jpg"))
    desk("editions", "compose")

    edited = desk("editions", "edit", "1", "--image", "1:", "--json").document

    (story,) = edited["edition"]["stories"]
    assert (story["picture"], story["image"]["url"]) == (None, None)
