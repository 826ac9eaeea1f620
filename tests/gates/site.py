"""Every public page of an installation with two newsletters, as its readers get it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as AppRoute
from starlette.testclient import TestClient

from digest.bootstrap import Service
from digest.domain.actor import READER
from digest.domain.addresses import parse_address
from digest.domain.subscribers import Origin
from digest.domain.tokens import Purpose
from digest.settings import Settings
from digest.storage import schema, subscribers, subscriptions, tables
from digest.storage.engine import Database
from digest.subscriptions import leave, opt_in, sign_up
from digest.templating import Templates
from digest.web.app import make_app
from tests.builders import NOW, SECRETS, SITE
from tests.gates import desk
from tests.released import release_correction, release_week
from tests.weeks import english_week
from tests.weeks_arabic import arabic_week

ORIGIN = Origin(source="test", wording="Yes.")


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One page.

    Attributes:
        path: Where it stands.
        status: What it was answered with.
        html: What it is.
    """

    path: str
    status: int
    html: str


@dataclass(frozen=True, kw_only=True)
class PublicSite:
    """An installation, and each of its pages by name.

    Attributes:
        pages: `sign-up-en` and the like.
        client: For what pages ask for: the style sheet, pictures.
    """

    pages: Mapping[str, Shown]
    client: TestClient
    _files: dict[str, tuple[bytes, str]] = field(default_factory=dict)

    def put(self, url: str, html: str) -> None:
        """Answer an address with a page that was asked for before."""
        path = url.removeprefix(SITE.base_url)
        self._files[path] = (html.encode(), "text/html; charset=utf-8")

    def fetch(self, url: str) -> tuple[bytes, str]:
        """Return a file of the site and its type."""
        path = url.removeprefix(SITE.base_url)
        if path not in self._files:
            answer = self.client.get(path)
            assert answer.status_code == 200, url
            self._files[path] = (answer.content, answer.headers["Content-Type"])
        return self._files[path]


@contextmanager
def public_site(home: Path) -> Iterator[PublicSite]:
    """Build the installation, and ask for every page once."""
    db = Database(f"sqlite:///{home / 'digest.db'}")
    schema.upgrade(db)
    service = Service(
        settings=Settings.model_validate(
            {"home": home, "inbound": {"protocol": "lmtp"}}
        ),
        db=db,
        site=SITE,
        secrets=SECRETS,
        templates=Templates(),
        clock=lambda: NOW,
    )
    slugs = {
        "en": release_week(db, english_week()),
        "ar": release_week(db, arabic_week()),
    }
    for slug in slugs.values():
        release_correction(db, slug)
        _sign_up_readers(service, slug)
        # Mona gets both.
        for each in (slug, *(set(slugs.values()) - {slug})):
            _record(service, each, f"mona.{slug}")
    app = make_app(service, answer_after=0)
    app.router.routes[:0] = [
        AppRoute("/refused/{newsletter}/{status:int}", _refuse, methods=["GET"])
    ]
    with TestClient(
        app, base_url=SITE.base_url, raise_server_exceptions=False
    ) as client:
        pages: dict[str, Shown] = {}
        for language, slug in slugs.items():
            asked = _Asking(
                client=client, service=service, slug=slug, language=language
            )
            pages |= {f"{name}-{language}": page for name, page in asked.every()}
        yield PublicSite(pages=pages, client=client)
    db.close()


def _refuse(request: Request) -> Response:
    """Fail as a route would; 500 is a fault of ours."""
    status = request.path_params["status"]
    if status == 500:
        raise RuntimeError
    if status == 503:
        raise OperationalError("SELECT", {}, Exception("database is locked"))
    raise HTTPException(status)


def _sign_up_readers(service: Service, slug: str) -> None:
    """Layla is active, huda has left, nour is pending, in each newsletter."""
    for name in ("layla", "huda"):
        _record(service, slug, f"{name}.{slug}")
    leave.by_token(
        service.db,
        token=_token(service, Purpose.UNSUBSCRIBE, f"huda.{slug}", NOW),
        origin=ORIGIN,
        secrets=service.secrets,
        actor=READER,
        now=NOW - timedelta(days=1),
    )
    sign_up.request(
        service.db,
        newsletter=slug,
        address=parse_address(f"nour.{slug}@example.test"),
        origin=ORIGIN,
        site=service.site,
        secrets=service.secrets,
        templates=service.templates,
        actor=READER,
        now=NOW,
    )


def _record(service: Service, slug: str, reader: str) -> None:
    opt_in.record(
        service.db,
        newsletter=slug,
        address=parse_address(f"{reader}@example.test"),
        origin=ORIGIN,
        secrets=service.secrets,
        actor=READER,
        now=NOW,
    )


def _token(service: Service, purpose: Purpose, reader: str, at: datetime) -> str:
    with service.db.read() as tx:
        found = subscribers.find(tx, f"{reader}@example.test")
        assert found is not None
        held = subscriptions.for_subscriber(tx, found.id)[0]
    return service.secrets.tokens.issue(purpose, held.id, at=at)


@dataclass(frozen=True, kw_only=True)
class _Asking:
    """Asks for each page that a newsletter's reader can come to."""

    client: TestClient
    service: Service
    slug: str
    language: str

    def every(self) -> Iterator[tuple[str, Shown]]:
        yield from self._open()
        yield from self._errors()
        yield from self._personal()
        yield from self._acted()
        yield from self._rights()
        yield from self._desk()

    def _open(self) -> Iterator[tuple[str, Shown]]:
        query = f"?newsletter={self.slug}"
        yield "sign-up", self._get(f"/{query}")
        for name in ("archive", "privacy", "help", "accessibility"):
            yield name, self._get(f"/{name}{query}")
        for name, day in (("edition", "2024-05-12"), ("edition-old", "2024-05-05")):
            yield name, self._get(f"/archive/{self.slug}/{day}")
        page = f"/archive/{self.slug}/2024-05-12/correction"
        yield "correction", self._get(page)
        yield "feedback", self._get(f"/feedback/{self.slug}/2024-05-12?answer=fine")
        yield "check-inbox", self._sign_up("new")
        yield "sign-up-mistaken", self._sign_up("half@")
        pasted = {"address": "away@example.test", "newsletter": self.slug}
        yield "press-once-more", self._post("/subscribe", pasted)

    def _errors(self) -> Iterator[tuple[str, Shown]]:
        for status in (400, 405, 408, 410, 413, 429, 500, 503):
            yield str(status), self._get(f"/refused/{self.slug}/{status}")
        yield "404", self._get(f"/archive/{self.slug}/1999-01-01")
        yield "link-mistyped", self._get("/confirm/x")
        yield "leave-mistyped", self._get("/u/x")

    def _personal(self) -> Iterator[tuple[str, Shown]]:
        old = NOW - timedelta(days=8)
        yield "confirm", self._get(self._link("confirm", "nour"))
        yield "confirm-expired", self._get(self._link("confirm", "nour", at=old))
        yield "confirm-already", self._get(self._link("confirm", "layla"))
        yield "leave", self._get(self._link("u", "layla"))
        yield "leave-left", self._get(self._link("u", "huda"))
        yield "preferences", self._get(self._link("preferences", "layla"))
        yield "preferences-two", self._get(self._link("preferences", "mona"))
        yield "preferences-left", self._get(self._link("preferences", "huda"))

    def _acted(self) -> Iterator[tuple[str, Shown]]:
        """What comes after a button, in an order in which each one works."""
        feedback = f"/feedback/{self.slug}/2024-05-12"
        confirm, leaving = self._link("confirm", "nour"), self._link("u", "layla")
        preferences = self._link("preferences", "layla")
        other = "weekly" if self.slug != "weekly" else "weekly-ar"
        for name, path, form in (
            ("feedback-thanks", feedback, {"answer": "useful"}),
            ("confirm-declined", confirm, {"never": "1"}),
            ("confirm-taken-back", confirm, {"undo": "1"}),
            ("welcome", confirm, {}),
            ("preferences-saved", preferences, {"action": "save", "sections": "arts"}),
            ("preferences-paused", preferences, {"action": "pause", "weeks": "4"}),
            ("preferences-resumed", preferences, {"action": "resume"}),
            (
                "preferences-joined",
                preferences,
                {"action": "join", "newsletter": other},
            ),
            ("preferences-mailed", preferences, {"action": "link"}),
            ("preferences-left-all", preferences, {"action": "leave-all"}),
            ("preferences-back", preferences, {"action": "undo-all"}),
            ("left", leaving, {"page": "1"}),
            ("left-reason", leaving, {"page": "1", "reason": "other"}),
            ("undone", leaving, {"undo": "1"}),
        ):
            yield name, self._post(path, form)

    def _rights(self) -> Iterator[tuple[str, Shown]]:
        """What the holder of an address alone may do; layla has moved afterwards."""
        data = self._link("my-data", "layla")
        old = NOW - timedelta(hours=2)
        yield "my-data", self._get(data)
        yield "my-data-expired", self._get(self._link("my-data", "layla", at=old))
        new = f"layla.{self.slug}@new.example.test"
        for name, form in (
            ("delete", {"action": "delete"}),
            ("my-data-mistaken", {"action": "move", "address": "half@"}),
            ("move-asked", {"action": "move", "address": new}),
        ):
            yield name, self._post(data, form)
        asked = self._asked_of(new)
        yield "new-address", self._get(asked)
        yield "new-address-done", self._post(asked, {})
        huda = self._link("my-data", "huda")
        yield "deleted", self._post(huda, {"action": "delete", "sure": "1"})

    def _desk(self) -> Iterator[tuple[str, Shown]]:
        """What somebody at the desk sees of the next issue."""
        for name, path, form in desk.steps(self.service, self.slug):
            yield name, self._get(path) if form is None else self._post(path, form)

    def _asked_of(self, address: str) -> str:
        """Return the path of the link in the letter to a new address."""
        query = tables.notices.select().where(tables.notices.c.address == address)
        with self.service.db.read() as tx:
            text: str = tx.execute(query).one().text
        return "/new-address/" + text.partition("/new-address/")[2].split()[0]

    def _sign_up(self, typed: str) -> Shown:
        address = f"{typed}.{self.slug}@example.test" if "@" not in typed else typed
        stamp = self.service.secrets.tokens.issue(
            Purpose.FORM, 1, at=NOW - timedelta(minutes=1)
        )
        return self._post(
            "/subscribe",
            {"address": address, "newsletter": self.slug, "stamp": stamp},
        )

    def _link(self, path: str, name: str, at: datetime = NOW) -> str:
        reader = f"{name}.{self.slug}"
        return f"/{path}/{_token(self.service, _PURPOSES[path], reader, at)}"

    def _get(self, path: str) -> Shown:
        return self._ask("GET", path)

    def _post(self, path: str, form: Mapping[str, str]) -> Shown:
        return self._ask("POST", path, form)

    def _ask(
        self, method: str, path: str, form: Mapping[str, str] | None = None
    ) -> Shown:
        answer = self.client.request(
            method, path, data=form, headers={"Accept-Language": self.language}
        )
        return Shown(path=path, status=answer.status_code, html=answer.text)


_PURPOSES = {
    "confirm": Purpose.CONFIRM,
    "u": Purpose.UNSUBSCRIBE,
    "preferences": Purpose.PREFERENCES,
    "my-data": Purpose.RIGHTS,
}


@contextmanager
def opened(browser: Browser, site: PublicSite) -> Iterator[Page]:
    """Open a page of a browser that gets all it asks for from the site, or nothing."""

    def answer(route: Route) -> None:
        url = route.request.url
        if not url.startswith(SITE.base_url):
            pytest.fail(f"a page asked for {url}")
        body, kind = site.fetch(url)
        route.fulfill(body=body, content_type=kind)

    with browser.new_context(viewport={"width": 375, "height": 800}) as context:
        page = context.new_page()
        page.route("**/*", answer)
        yield page


def show(page: Page, site: PublicSite, name: str) -> None:
    """Show one of the site's pages, by name."""
    shown = site.pages[name]
    site.put(SITE.base_url + shown.path, shown.html)
    page.goto(SITE.base_url + shown.path, wait_until="load")
