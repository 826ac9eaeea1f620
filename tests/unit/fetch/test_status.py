"""Asking whether an address can be read: HEAD, then GET, behind the same guards."""

import pytest

from digest.fetch.client import Fetcher, Limits, make_fetcher
from digest.fetch.transport import FetchError
from tests.http_server import Answer, Asked, WebServer


def test_asks_for_the_header_alone(site: WebServer, fetcher: Fetcher) -> None:
    site.routes["/a"] = Answer(body="x" * 1000)

    status = fetcher.status(site.url("/a"))

    assert (status, [a.method for a in site.asked]) == (200, ["HEAD"])


@pytest.mark.parametrize("refusal", [403, 404, 405, 501])
def test_asks_again_where_a_server_knows_no_head(
    site: WebServer, fetcher: Fetcher, refusal: int
) -> None:
    def route(asked: Asked) -> Answer:
        return Answer(status=refusal if asked.method == "HEAD" else 200)

    site.routes["/a"] = route

    assert fetcher.status(site.url("/a")) == 200


def test_says_what_a_server_answers(site: WebServer, fetcher: Fetcher) -> None:
    site.routes["/gone"] = Answer(status=410)

    assert fetcher.status(site.url("/gone")) == 410


def test_follows_redirects(site: WebServer, fetcher: Fetcher) -> None:
    site.routes["/a"] = Answer(status=301, headers={"Location": "/b"})
    site.routes["/b"] = Answer()

    assert fetcher.status(site.url("/a")) == 200


def test_goes_to_no_private_address(site: WebServer) -> None:
    guarded = make_fetcher(allow_private=False)

    with pytest.raises(FetchError, match="ALLOW_PRIVATE"):
        guarded.status(site.url("/a"))

    assert site.asked == []


def test_reads_no_body_however_large(site: WebServer) -> None:
    def route(asked: Asked) -> Answer:
        status = 405 if asked.method == "HEAD" else 200
        return Answer(status=status, body="x" * 2_000_000)

    site.routes["/large"] = route
    small = make_fetcher(allow_private=True, limits=Limits(octets=10))

    assert small.status(site.url("/large")) == 200
