"""The editor's words on the web: the same as in the letter, and never tagged."""

import json

import pytest
from sqlalchemy import update

from digest.domain.states import EditionState
from digest.storage import tables
from tests.builders import NOW
from tests.integration.web.conftest import Web
from tests.posting import add_edition
from tests.weeks import PICKS, SUPPORT

OWN = {"hosts": ["egyptianstreets.com"]}


@pytest.fixture
def published(web: Web) -> Web:
    with web.service.db.write() as tx:
        tx.execute(update(tables.newsletters).values(own_links=OWN))
    add_edition(
        web.service.db,
        web.newsletter,
        state=EditionState.SENT,
        released_at=NOW,
        opening="Good *evening*, [again](https://egyptianstreets.com/).",
        support=SUPPORT,
        picks=PICKS,
    )
    return web


def test_a_page_shows_the_words_without_tags(published: Web) -> None:
    html = published.client.get("/archive/weekly/2024-05-12").text

    assert 'Good <em>evening</em>, <a href="https://egyptianstreets.com/">' in html
    assert '<h2 class="part" id="picks">Read, watch, go</h2>' in html
    assert "Become a member" in html
    assert "utm_" not in html


def test_so_do_feeds(published: Web) -> None:
    item = json.loads(published.client.get("/feed.json").text)["items"][0]

    assert "The kite makers of the corniche" in item["content_html"]
    assert "utm_" not in item["content_html"]
