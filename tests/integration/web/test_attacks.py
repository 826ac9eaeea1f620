"""Attacks on the public pages, by the number they have in the list of attacks."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from digest.bootstrap import Service
from digest.domain.actor import READER
from digest.domain.tokens import Purpose, TokenKeys
from digest.storage import tables
from digest.subscriptions import erase
from digest.web.app import make_app
from tests.builders import NOW
from tests.integration.web.conftest import Web

ALICE, BOB = "alice@example.test", "bob@example.test"
PATHS = {
    "/confirm/": (Purpose.CONFIRM, BOB),
    "/u/": (Purpose.UNSUBSCRIBE, ALICE),
    "/preferences/": (Purpose.PREFERENCES, ALICE),
}
# How link scanners and previews name themselves, in the shapes they are seen in.
SCANNERS = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) SafeLinks/1.0",
    "Mozilla/5.0 (compatible; ProofpointURLDefense/2.0)",
    "Mozilla/5.0 (compatible; BarracudaLinkProtect)",
    "MimecastURLProtect/1.0",
    "Mozilla/5.0 (compatible; Googlebot/2.1)",
    "YahooMailProxy",
    "Slackbot-LinkExpanding 1.0",
    "WhatsApp/2.23 A",
    "curl/8.5.0",
    "",
]
LINES = ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\0"]


def snapshot(web: Web) -> dict[str, list[tuple[object, ...]]]:
    with web.service.db.read() as tx:
        return {
            table.name: [tuple(row) for row in tx.execute(table.select())]
            for table in tables.metadata.sorted_tables
        }


def confirmations(web: Web, address: str) -> int:
    c = tables.notices.c
    query = tables.notices.select().where(
        c.address == address, c.kind == "confirmation"
    )
    with web.service.db.read() as tx:
        return len(tx.execute(query).all())


def stamp(web: Web, at: timedelta = timedelta(0)) -> str:
    issued = NOW + at - timedelta(minutes=1)
    return web.service.secrets.tokens.issue(Purpose.FORM, 1, at=issued)


def later(web: Web, after: timedelta) -> Service:
    return replace(web.service, clock=lambda: NOW + after)


def networks() -> Iterator[str]:
    for a, b in itertools.product(range(1, 250), repeat=2):
        yield f"198.18.{a}.{b}"


def test_a6_one_address_asked_for_from_many_networks_gets_one_letter_a_day(
    web: Web,
) -> None:
    """`python -m bench.sign_ups` does the same ten thousand times."""
    app = make_app(web.service, answer_after=0)
    asked = 0
    for day in range(5):
        for hour, network in zip(range(0, 24, 3), networks(), strict=False):
            at = timedelta(days=day, hours=hour)
            app.state.service = later(web, at)
            client = TestClient(app, client=(network, 40_000))
            fields = {"address": "dina@example.test", "stamp": stamp(web, at)}

            assert client.post("/subscribe", data=fields).status_code == 200
            asked += confirmations(web, "dina@example.test") > day + 1

    assert asked == 0
    assert confirmations(web, "dina@example.test") == 3


@pytest.mark.parametrize("path", PATHS)
def test_a7_a8_a_hundred_looks_by_scanners_change_nothing(web: Web, path: str) -> None:
    url = path + web.token(*PATHS[path])
    before = snapshot(web)

    codes = {
        web.client.request(method, url, headers={"User-Agent": agent}).status_code
        for agent in SCANNERS
        for method in ("GET", "HEAD")
        for _ in range(5)
    }

    assert codes == {200}
    assert snapshot(web) == before


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
        (
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--',
            "multipart/form-data; boundary=x",
        ),
    ],
)
def test_one_click_is_200_each_time_whatever_became_of_reader_and_key(
    web: Web, body: bytes, kind: str
) -> None:
    """Checks U4 to U6, U9 and U10."""
    url = "/u/" + web.token(Purpose.UNSUBSCRIBE, ALICE)
    old = web.service.secrets.tokens.keys
    rotated = replace(
        web.service,
        secrets=replace(
            web.service.secrets, tokens=TokenKeys(current=2, keys={**old, 2: b"2" * 32})
        ),
    )
    reader = web.held(ALICE).subscriber_id

    def post(client: TestClient) -> tuple[int, str]:
        origins = ["https://mail.example", "null", "https://evil.example"]
        answers = [
            client.post(
                url, content=body, headers={"Content-Type": kind, "Origin": origin}
            )
            for origin in origins
        ]
        return len({a.text for a in answers}), ",".join(
            str(a.status_code) for a in answers
        )

    found = [post(web.client)]
    with TestClient(make_app(rotated, answer_after=0)) as client:
        found.append(post(client))
        erase.erase(
            web.service.db,
            subscriber_id=reader,
            secrets=web.service.secrets,
            actor=READER,
            now=NOW,
        )
        found.append(post(client))

    assert found == [(1, "200,200,200")] * 3


def refused_tokens(web: Web, purpose: Purpose, address: str) -> dict[str, str]:
    """Every way of not being a token for this page and this reader."""
    tokens = web.service.secrets.tokens
    real = web.token(purpose, address)
    swapped = "b" if real[5] != "b" else "c"
    foreign = TokenKeys(current=1, keys={1: b"x" * 32})
    unknown = TokenKeys(current=9, keys={9: b"9" * 32})
    others = [p for p in Purpose if p is not purpose]
    row = web.held(address).id
    return {
        "flipped": real[:5] + swapped + real[6:],
        "cut": real[:-1],
        "longer": real + "a",
        "short": "x",
        "foreign key": foreign.issue(purpose, row, at=NOW),
        "unknown key": unknown.issue(purpose, row, at=NOW),
        "another reader": tokens.issue(purpose, 999_999, at=NOW),
        "not ascii": "\u0131" * len(real),
        "nul": "%00" + real,
    } | {f"a {p} token": tokens.issue(p, row, at=NOW) for p in others}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", PATHS)
def test_a10_tokens_that_are_not_ones_are_refused_alike(
    web: Web, path: str, method: str
) -> None:
    tokens = refused_tokens(web, *PATHS[path])
    before = snapshot(web)

    answers = {
        name: web.client.request(method, path + token) for name, token in tokens.items()
    }

    alike = {
        (a.status_code, a.text, str(a.headers.multi_items())) for a in answers.values()
    }
    assert len(alike) == 1
    assert snapshot(web) == before


def test_a10_a_token_acts_on_its_own_reader_alone(web: Web) -> None:
    token = web.token(Purpose.UNSUBSCRIBE, ALICE)

    for name in ("token", "address", "reader", "subscription"):
        web.client.post(f"/u/{token}?{name}={BOB}", data={name: BOB})

    assert (web.held(ALICE).state, web.held(BOB).state) == ("unsubscribed", "pending")


def test_a10_other_host_names_are_refused_but_for_leaving(web: Web) -> None:
    token = web.token(Purpose.UNSUBSCRIBE, ALICE)
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}

    refused = [web.client.get(path, headers=evil) for path in ("/", f"/u/{token}")]
    left = web.client.post(f"/u/{token}", headers=evil)
    alive = web.client.get("/healthz", headers=evil)

    assert [a.status_code for a in refused] == [421, 421]
    assert all("<h1>" in a.text for a in refused)
    assert all("Content-Security-Policy" in a.headers for a in refused)
    assert "evil.example" not in "".join(a.text for a in [*refused, left])
    assert (left.status_code, alive.status_code) == (200, 200)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("news.example.test", 200),
        ("NEWS.example.test.:443", 200),
        ("localhost:8000", 200),
        ("[::1]:8000", 200),
        ("", 421),
        ("news.example.test.evil.example", 421),
        ("evil.example#news.example.test", 421),
        ("news.example.test@evil.example", 421),
        ("news.example.test:80:evil.example", 421),
    ],
)
def test_a10_our_own_names_are_answered(web: Web, host: str, status: int) -> None:
    assert web.client.get("/help", headers={"Host": host}).status_code == status


QUERIES = ["", "?next=https://evil.example", "?url=//evil.example"]
REDIRECTS = [
    "//evil.example",
    "/\\evil.example",
    "/%5Cevil.example/%2e%2e",
    "///evil.example//",
    "/https://evil.example",
    "/%0d%0aLocation:%20https://evil.example",
    "/archive//evil.example",
    "/u/%2f%2fevil.example",
    "/confirm/https:%2f%2fevil.example",
]


@pytest.mark.parametrize("path", REDIRECTS)
@pytest.mark.parametrize(
    "query", ["", "?next=https://evil.example", "?url=//evil.example"]
)
def test_a11_no_page_leads_elsewhere(web: Web, path: str, query: str) -> None:
    for method in ("GET", "HEAD", "POST"):
        answer = web.client.request(method, path + query, follow_redirects=False)

        assert not 300 <= answer.status_code < 400
        assert "Location" not in answer.headers
        assert not re.search(r'(?:href|action|src)="[^"]*evil', answer.text)


@pytest.mark.parametrize("line", LINES, ids=ascii)
@pytest.mark.parametrize("field", ["address", "newsletter", "sections", "stamp"])
def test_a3_a_line_ending_in_a_field_ends_no_line(
    web: Web, field: str, line: str
) -> None:
    fields = {"address": "dina@example.test", "stamp": stamp(web)}
    before = len(snapshot(web)["notices"])
    known = {"address": "dina@example.test", "newsletter": "weekly"}.get(field, "arts")

    answer = web.client.post(
        "/subscribe",
        data=fields | {field: f"{known}{line}Bcc: eve@example.test"},
    )

    notices = snapshot(web)["notices"][before:]
    assert answer.status_code in {200, 404, 422}
    assert "Bcc" not in str(answer.headers.multi_items())
    assert not any("eve@" in str(notice) for notice in notices)


@pytest.mark.parametrize("line", LINES, ids=ascii)
def test_a3_nor_in_any_other_form_or_path(web: Web, line: str) -> None:
    text = f"x{line}Set-Cookie: a=b"
    forms = [
        ("/preferences/" + web.token(Purpose.PREFERENCES, ALICE), "action"),
        ("/preferences/" + web.token(Purpose.PREFERENCES, ALICE), "format"),
        ("/preferences/" + web.token(Purpose.PREFERENCES, ALICE), "newsletter"),
        ("/confirm/" + web.token(Purpose.CONFIRM, BOB), "again"),
        ("/u/" + web.token(Purpose.UNSUBSCRIBE, ALICE), "page"),
    ]
    answers = [web.client.post(path, data={name: text}) for path, name in forms]
    answers += [
        web.client.get("/", params={"newsletter": text}),
        web.client.get("/help", headers={"Accept-Language": "x, Set-Cookie: a=b"}),
    ]

    assert all("Set-Cookie" not in answer.headers for answer in answers)
    assert all(answer.status_code < 500 for answer in answers)


def test_a16_no_cookie_is_set_or_read_and_no_form_asks_for_a_secret(web: Web) -> None:
    """There is no session to ride on: what acts is the token in the path alone."""
    url = "/preferences/" + web.token(Purpose.PREFERENCES, ALICE)
    form = {"action": "pause", "weeks": "4"}

    plain = web.client.post(url, data=form)
    state = web.held(ALICE).state
    web.client.post(url, data={"action": "resume"})
    dressed = web.client.post(
        url,
        data=form,
        headers={"Cookie": "session=1", "Origin": "https://evil.example"},
    )

    assert (plain.status_code, state) == (200, "paused")
    assert plain.text == dressed.text
    assert "Set-Cookie" not in plain.headers


def test_tokens_are_in_no_log_even_of_a_fault(
    web: Web, capsys: pytest.CaptureFixture[str]
) -> None:
    """Attack A10: what a request was for is not written down with its failure."""
    paths = [path + web.token(*PATHS[path]) for path in PATHS]
    app = web.client.app
    assert isinstance(app, Starlette)
    client = TestClient(app, raise_server_exceptions=False)
    with web.service.db.write() as tx:
        tx.exec_driver_sql("DROP TABLE subscriptions")

    codes = [client.request(m, p).status_code for p in paths for m in ("GET", "POST")]

    out, err = capsys.readouterr()
    assert min(codes) >= 500
    assert not any(path.rpartition("/")[2] in out + err for path in paths)
