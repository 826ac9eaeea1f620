"""From a pasted page to letters in Postfix's sink, by commands and pages alone."""

import http.client
from collections.abc import Iterator
from contextlib import closing
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.house import House, housed, pages_of
from tests.material import MATERIAL, SHARED

ADDRESS = "https://paper.example/2024/05/12/the-story/"
NEXT_WEEK = (
    "The Week After\n\nMay 18, 2024\n\n"
    + "A quiet week followed, which is news of a kind as well. " * 3
    + "\n\n"
    + "Nobody complained, and the river went on as it does every year. " * 3
)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with housed(tmp_path / "home") as found:
        yield found


@pytest.fixture
def pages(house: House) -> Iterator[int]:
    """The public pages, served; their port."""
    house.digest("init")
    with pages_of(house) as port:
        yield port


def editions_of(house: House) -> dict[str, list[EmailMessage]]:
    """The editions' letters that came, by reader."""
    found = {
        who: [letter for letter in letters if letter["List-Unsubscribe"]]
        for who, letters in house.received().items()
    }
    return {who: letters for who, letters in found.items() if letters}


@pytest.fixture
def page() -> Path:
    """The publisher's page where it is at hand, else one of its shape in own words."""
    seed = SHARED / "seed/000_0b920b972f9a7630.txt"
    return seed if seed.exists() else MATERIAL / "pasted-page.txt"


def send(house: House, issue_date: str) -> None:
    """Compose, approve, release and carry one edition."""
    made = house.digest("editions", "compose", "--issue-date", issue_date)
    edition = str(made["edition"]["id"])
    house.digest("editions", "approve", edition, "--because", "a trial")
    house.digest("editions", "release", edition)
    house.digest("worker", "--once")
    status = house.digest("editions", "status", edition)
    assert status["state"] == "sent"


def ask(port: int, method: str, url: str, body: str = "") -> tuple[int, dict[str, str]]:
    """Request a page as a plain client would; returns status and header fields."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as client:
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        client.request(method, urlsplit(url).path, body=body, headers=headers)
        answer = client.getresponse()
        answer.read()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}


def test_each_active_reader_gets_one_letter_until_one_click_ends_it(
    house: House, pages: int, page: Path, tmp_path: Path
) -> None:
    """The path of the first edition, and who the second one skips."""
    told = ("--confirmed", "--consent", "asked at the counter")
    for name in ("alice", "dora", "charlie", "erin"):
        house.digest("subscribers", "add", f"{name}@readers.example", *told)
    house.digest("subscribers", "add", "bob@readers.example")
    house.digest(
        "subscribers", "suppress", "charlie@readers.example", "--reason", "asked"
    )
    house.digest("subscribers", "unsubscribe", "erin@readers.example")
    house.digest("articles", "import", str(page), "--url", ADDRESS)

    send(house, "2024-05-12")

    first = editions_of(house)
    assert {who: len(letters) for who, letters in first.items()} == {
        "alice@readers.example": 1,
        "dora@readers.example": 1,
    }
    (letter,) = first["alice@readers.example"]
    link = letter["List-Unsubscribe"].partition("<")[2].partition(">")[0]

    for method in ("GET", "HEAD"):
        assert ask(pages, method, link)[0] == 200
    shown = house.digest("subscribers", "show", "alice@readers.example")
    assert shown["subscriptions"][0]["state"] == "active"

    status, headers = ask(pages, "POST", link, "List-Unsubscribe=One-Click")
    assert status == 200
    assert not {"set-cookie", "location"} & headers.keys()

    later = tmp_path / "later.txt"
    later.write_text(NEXT_WEEK, encoding="utf-8")
    house.digest("articles", "import", str(later), "--url", f"{ADDRESS}next")
    send(house, "2024-05-19")

    second = editions_of(house)
    assert {who: len(letters) for who, letters in second.items()} == {
        "alice@readers.example": 1,
        "dora@readers.example": 2,
    }
