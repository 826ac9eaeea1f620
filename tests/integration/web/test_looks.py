"""Pages wear their newsletter's theme."""

import re
from collections.abc import Mapping

from starlette.testclient import TestClient

from digest.bootstrap import Service
from digest.web.app import make_app
from digest.web.looks import write_sheet
from tests.builders import add_newsletter, make_newsletter


def sheets(client: TestClient) -> list[str]:
    html = client.get("/").text
    return re.findall(r'rel="stylesheet" href="([^"]+)"', html)


def open_pages(service: Service, theme: Mapping[str, object]) -> TestClient:
    add_newsletter(service.db, theme=theme)
    return TestClient(make_app(service))


def test_a_theme_comes_as_a_sheet_after_the_shared_one(service: Service) -> None:
    theme = {"accent": "#005A9C", "wordmark": "The Nile Gazette", "radius": 0}
    with open_pages(service, theme) as client:
        shared, own = sheets(client)
        answer = client.get(own)
        again = client.get(own, headers={"If-None-Match": answer.headers["ETag"]})
        html = client.get("/").text

    assert shared == "/static/site.css"
    assert answer.headers["Content-Type"].startswith("text/css")
    assert answer.headers["Cache-Control"] == "max-age=86400"
    assert "--accent: light-dark(#005A9C, #FF8A80);" in answer.text
    assert "--radius: 0px;" in answer.text
    assert "--ink" not in answer.text
    assert again.status_code == 304
    assert ">The Nile Gazette</a></p>" in html


def test_without_a_theme_there_is_one_sheet(service: Service) -> None:
    with open_pages(service, {}) as client:
        assert sheets(client) == ["/static/site.css"]


def test_the_address_of_the_sheet_changes_with_the_theme(service: Service) -> None:
    add_newsletter(service.db, theme={"radius": 1})
    add_newsletter(service.db, slug="other", theme={"radius": 2})
    with TestClient(make_app(service)) as client:
        pages = [
            client.get(f"/?newsletter={slug}").text for slug in ("weekly", "other")
        ]
        missing = client.get("/looks/nobody.css")

    versions = [re.findall(r"\.css\?v=(\w+)", html) for html in pages]
    assert versions[0] != versions[1]
    assert missing.status_code == 404


def test_every_colour_and_the_headings_can_be_changed() -> None:
    names = ("ink", "muted", "rule", "paper", "canvas", "tint", "link", "on_accent")
    theme = {f"{name}_dark": "#FFFFFF" for name in ("ink", "muted", "rule", "link")}
    dark = {"paper_dark": "#000000", "canvas_dark": "#010101", "tint_dark": "#020202"}
    other = {"on_accent_dark": "#000000", "heading_font": "verdana"}

    sheet = write_sheet(make_newsletter(theme=theme | dark | other))

    for name in names:
        assert f"--{name.replace('_', '-')}: light-dark(#" in sheet
    assert "--serif: Verdana,Geneva,sans-serif;" in sheet
