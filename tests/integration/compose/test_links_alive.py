"""`editions check --links`: what a reader could not open is named."""

from collections.abc import Callable
from pathlib import Path

import pytest

from digest.storage import newsletters
from digest.storage.engine import Database
from tests.conftest import Ran
from tests.http_server import Answer, WebServer
from tests.weeks import add_article

Cli = Callable[..., Ran]


@pytest.fixture
def composed(
    installed: Cli, site: WebServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Cli:
    """An edition of three stories; the second one's page is gone, the third moved."""
    monkeypatch.setenv("DIGEST_FETCH__ALLOW_PRIVATE", "true")
    db = Database(f"sqlite:///{tmp_path / 'home' / 'digest.db'}")
    with db.read() as tx:
        weekly = newsletters.get(tx, "weekly")
    site.routes["/1"] = site.routes["/new"] = Answer(body="A story.")
    site.routes["/3"] = Answer(status=301, headers={"Location": "/new"})
    for number in (1, 2, 3):
        title = f"The council meets, part {number}"
        add_article(db, weekly, title=title, url=site.url(f"/{number}"))
    db.close()
    assert installed("editions", "compose", "--issue-date", "2024-05-12").status == 0
    return installed


def test_a_dead_link_is_a_warning_of_its_story(composed: Cli) -> None:
    ran = composed("editions", "check", "1", "--links", "--json")

    dead = [w for w in ran.document["warnings"] if w["rule"] == "link-dead"]
    assert ran.status == 0
    assert [w["where"] for w in dead] == ["article 2"]
    assert dead[0]["message"].endswith("/2 answers 404.")


def test_a_server_that_is_not_there_is_a_warning(
    composed: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGEST_FETCH__ALLOW_PRIVATE", "false")

    ran = composed("editions", "check", "1", "--links", "--json")

    dead = [w for w in ran.document["warnings"] if w["rule"] == "link-dead"]
    assert {w["where"] for w in dead} == {"article 1", "article 2", "article 3"}
    assert "cannot be read" in dead[0]["message"]


def test_the_network_is_not_asked_unless_told_to(
    composed: Cli, site: WebServer
) -> None:
    ran = composed("editions", "check", "1", "--json")

    assert site.asked == []
    assert "link-dead" not in {w["rule"] for w in ran.document["warnings"]}


def test_a_letter_that_cannot_be_rendered_has_no_links_to_follow(
    composed: Cli, site: WebServer, tmp_path: Path
) -> None:
    own = tmp_path / "home" / "templates" / "email" / "classic"
    own.mkdir(parents=True)
    (own / "body.txt").write_text("{{ nothing }}", encoding="utf-8")

    ran = composed("editions", "check", "1", "--links", "--json")

    assert ran.status == 1
    assert [e["rule"] for e in ran.document["errors"]] == ["template"]
    assert site.asked == []
