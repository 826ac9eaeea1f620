"""Readers who leave at the same moment, over a real socket."""

import http.client
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from digest.bootstrap import Service
from digest.domain.actor import READER
from digest.domain.addresses import parse_address
from digest.domain.subscribers import Origin
from digest.domain.tokens import Purpose
from digest.storage import tables
from digest.subscriptions import opt_in
from tests.builders import NOW, add_newsletter
from tests.e2e.serving import serving

READERS = 40
AT_ONCE = 20


@pytest.fixture
def site(service: Service) -> Iterator[str]:
    add_newsletter(service.db)
    for number in range(READERS):
        opt_in.record(
            service.db,
            newsletter="weekly",
            address=parse_address(f"reader-{number}@example.test"),
            origin=Origin(source="test", wording="Yes."),
            secrets=service.secrets,
            actor=READER,
            now=NOW,
        )
    with serving(service) as address:
        yield urlsplit(address).netloc


def paths(service: Service) -> list[str]:
    with service.db.read() as tx:
        ids = [row.id for row in tx.execute(tables.subscriptions.select())]
    tokens = service.secrets.tokens
    return [f"/u/{tokens.issue(Purpose.UNSUBSCRIBE, row_id)}" for row_id in ids]


def post(site: str, path: str) -> int:
    connection = http.client.HTTPConnection(site, timeout=10)
    try:
        connection.request("POST", path, "List-Unsubscribe=One-Click")
        return connection.getresponse().status
    finally:
        connection.close()


def states(service: Service) -> Counter[str]:
    with service.db.read() as tx:
        return Counter(row.state for row in tx.execute(tables.subscriptions.select()))


def test_all_are_out_when_they_are_answered(site: str, service: Service) -> None:
    links = paths(service)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        codes = Counter(pool.map(lambda path: post(site, path), links))

    assert codes == {200: READERS}
    assert states(service) == {"unsubscribed": READERS}


def test_a_database_that_fails_is_told_to_each_and_held_against_nobody(
    site: str, service: Service
) -> None:
    links = paths(service)
    with service.db.write() as tx:
        tx.exec_driver_sql("ALTER TABLE audit RENAME TO elsewhere")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        refused = Counter(pool.map(lambda path: post(site, path), links))
    untouched = states(service)
    with service.db.write() as tx:
        tx.exec_driver_sql("ALTER TABLE elsewhere RENAME TO audit")
    answered = post(site, links[0])

    assert refused == {503: READERS}
    assert untouched == {"active": READERS}
    assert answered == 200
    assert states(service)["unsubscribed"] == 1
