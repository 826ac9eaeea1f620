"""How was this edition: the page counts answers, and only the button does."""

from datetime import date

import pytest

from digest.domain.opinions import MOST_CHARACTERS, Answer
from digest.domain.states import EditionState
from digest.storage import opinions
from tests.builders import NOW
from tests.integration.web.conftest import Web
from tests.posting import add_edition, audit_of

PATH = "/feedback/weekly/2024-05-12"


@pytest.fixture
def edition_id(web: Web) -> int:
    edition = add_edition(
        web.service.db, web.newsletter, state=EditionState.SENT, released_at=NOW
    )
    assert edition.issue_date == date(2024, 5, 12)
    return edition.id


def counted(web: Web, edition_id: int) -> dict[Answer, int]:
    with web.service.db.read() as tx:
        return dict(opinions.counts(tx, edition_id))


def test_the_link_presets_an_answer_and_counts_nothing(
    web: Web, edition_id: int
) -> None:
    page = web.client.get(f"{PATH}?answer=fine")

    assert page.status_code == 200
    assert 'value="fine" required checked' in page.text
    assert page.text.count(" checked") == 1
    assert set(counted(web, edition_id).values()) == {0}


def test_the_button_counts_the_answer(web: Web, edition_id: int) -> None:
    page = web.client.post(PATH, data={"answer": "not-for-me"})

    assert "Thank you" in page.text
    assert counted(web, edition_id)[Answer.NOT_FOR_ME] == 1
    assert audit_of(web.service.db)[-1] == ("edition.answered", "reader")


def test_words_are_kept_with_the_answer_on_one_line_and_cut(
    web: Web, edition_id: int
) -> None:
    words = "More of this,\r\nplease \x1b[31m" + "x" * 2000

    web.client.post(PATH, data={"answer": "useful", "words": words})

    with web.service.db.read() as tx:
        found = opinions.list_page(tx, limit=9)
    assert [one.words[:25] for one in found] == ["More of this, please [31m"]
    assert len(found[0].words) <= MOST_CHARACTERS


@pytest.mark.parametrize("data", [{}, {"answer": "<b>"}])
def test_no_answer_asks_again(web: Web, edition_id: int, data: dict[str, str]) -> None:
    page = web.client.post(PATH, data=data)

    assert "How was this edition?" in page.text
    assert set(counted(web, edition_id).values()) == {0}


def test_one_network_cannot_answer_for_all(web: Web, edition_id: int) -> None:
    answers = [
        web.client.post(PATH, data={"answer": "useful"}).status_code for _ in range(31)
    ]

    assert answers == [200] * 30 + [429]
    assert counted(web, edition_id)[Answer.USEFUL] == 30


@pytest.mark.parametrize(
    "path", ["/feedback/weekly/2024-05-19", "/feedback/gone/2024-05-12"]
)
def test_there_is_no_page_without_a_released_edition(
    web: Web, edition_id: int, path: str
) -> None:
    assert web.client.get(path).status_code == 404
    assert web.client.post(path, data={"answer": "fine"}).status_code == 404
