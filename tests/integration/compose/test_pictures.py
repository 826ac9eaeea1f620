"""Pictures of an edition: fetched once, ours from then on, and never in the way."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError

from digest.compose.pictures import LIMITS, StoryPicture, gather, take_upload
from digest.compose.preview import preview
from digest.domain.articles import Image
from digest.domain.errors import RefusedError, StateError
from digest.domain.pictures import PictureKind
from digest.fetch.client import make_fetcher
from digest.storage import editions, newsletters, pictures, tables
from digest.storage.engine import Database
from digest.templating import Templates
from tests.builders import NOW, SITE, add_newsletter
from tests.drawings import chart, declared_png, photo, saved
from tests.http_server import Answer, Asked, WebServer
from tests.integration.compose.conftest import Desk
from tests.weeks import EDITOR, add_article


@pytest.fixture
def desk(db: Database) -> Desk:
    """On either database."""
    add_newsletter(db)
    return Desk(db, Templates())


@pytest.fixture
def compose(desk: Desk) -> Callable[..., int]:
    """Compose an edition of stories with pictures at some addresses."""

    def work(*urls: str | None) -> int:
        with desk.db.read() as tx:
            weekly = newsletters.get(tx, "weekly")
        for number, url in enumerate(urls):
            add_article(
                desk.db,
                weekly,
                title=f"Story {number}",
                image=Image(url=url, credit="Mona", alt="Lorries"),
            )
        return desk.compose().edition.id

    return work


def fetch(desk: Desk, edition_id: int, *, private: bool = True, **how: Any) -> Any:
    return gather(
        desk.db,
        edition_id=edition_id,
        fetcher=make_fetcher(allow_private=private, limits=LIMITS),
        templates=desk.templates,
        site=SITE,
        actor=EDITOR,
        now=NOW,
        **how,
    )


def errors(found: list[StoryPicture]) -> list[str]:
    return [each.error for each in found if each.picture is None]


def page(desk: Desk, edition_id: int) -> str:
    found = preview(desk.db, edition_id=edition_id, templates=desk.templates, site=SITE)
    assert found.variant.html is not None
    return found.variant.html


def test_a_letter_shows_our_own_copy_at_its_real_size(
    desk: Desk, compose: Callable[..., int], site: WebServer
) -> None:
    site.routes["/lead.jpg"] = Answer(body=photo(size=(1600, 1000)))
    edition_id = compose(site.url("/lead.jpg"))

    (found,) = fetch(desk, edition_id)

    assert found.picture is not None
    html = page(desk, edition_id)
    assert f'src="{SITE.base_url}{found.picture.large.path}" width="600"' in html
    assert 'height="375"' in html
    assert site.url("") not in html
    with desk.db.read() as tx:
        file = found.picture.large
        body = pictures.load(tx, file.hash, PictureKind.JPEG)
    assert body is not None
    assert b"Exif" not in body


def test_without_its_picture_a_story_shows_none(
    desk: Desk, compose: Callable[..., int], site: WebServer
) -> None:
    edition_id = compose(site.url("/lead.jpg"))

    assert "<img" not in page(desk, edition_id)


def test_a_picture_is_fetched_once_however_many_show_it(
    desk: Desk, compose: Callable[..., int], site: WebServer
) -> None:
    site.routes["/a.png"] = Answer(body=saved(chart(), "PNG"))
    edition_id = compose(site.url("/a.png"), site.url("/a.png"), None)

    fetch(desk, edition_id)
    found = fetch(desk, edition_id)

    assert [each.picture is not None for each in found].count(True) == 2
    assert len(site.asked) == 1


def test_a_later_edition_needs_no_second_fetch(
    desk: Desk, compose: Callable[..., int], site: WebServer
) -> None:
    site.routes["/a.png"] = Answer(body=saved(chart(), "PNG"))
    first = compose(site.url("/a.png"))
    fetch(desk, first)
    article = desk.carried(first)[0]
    desk.edit(first, drop=[article])
    desk.edit(first, add=[article])

    (found,) = fetch(desk, first)

    assert found.picture is not None
    assert len(site.asked) == 1


def test_a_failure_costs_its_own_story_only(
    desk: Desk, compose: Callable[..., int], site: WebServer
) -> None:
    site.routes["/good.jpg"] = Answer(body=photo())
    site.routes["/page"] = Answer(body="<html>", headers={"Content-Type": "image/jpeg"})
    told: list[tuple[int, int]] = []
    edition_id = compose(site.url("/gone"), site.url("/good.jpg"), site.url("/page"))

    found = fetch(desk, edition_id, tell=lambda done, total: told.append((done, total)))

    assert set(errors(found)) == {
        f"{site.url('/gone')} answered 404 Not Found.",
        "The picture is not taken. It is no JPEG, PNG, GIF or WebP picture.",
    }
    assert told == [(1, 3), (2, 3), (3, 3)]
    desk.approve(edition_id)


def test_a_picture_is_what_it_decodes_as(
    desk: Desk, compose: Callable[..., int], site: WebServer
) -> None:
    html = {"Content-Type": "text/html; charset=utf-8"}
    site.routes["/photo"] = Answer(body=photo(), headers=html)

    (found,) = fetch(desk, compose(site.url("/photo")))

    assert found.picture is not None
    assert found.picture.large.kind is PictureKind.JPEG


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "no JPEG"),
        (declared_png(60_000, 60_000), "million pixels"),
        (photo()[:9_000], "damaged"),
        (bytes(20_000_000), "larger than 15 MB"),
    ],
    ids=["svg", "bomb", "broken off", "20 MB"],
)
def test_hostile_pictures_are_refused(
    desk: Desk,
    compose: Callable[..., int],
    site: WebServer,
    body: bytes,
    reason: str,
) -> None:
    site.routes["/x.jpg"] = Answer(body=body, headers={"Content-Type": "image/jpeg"})

    (found,) = fetch(desk, compose(site.url("/x.jpg")))

    assert found.picture is None
    assert reason in found.error


def test_private_addresses_are_not_asked(
    desk: Desk, compose: Callable[..., int], site: WebServer
) -> None:
    edition_id = compose(
        site.url("/lead.jpg"), "http://169.254.169.254/latest", "http://[::1]/x.jpg"
    )

    found = fetch(desk, edition_id, private=False)

    assert all("which is not fetched from" in each.error for each in found)
    assert site.asked == []


def test_a_redirect_to_where_clouds_keep_credentials_is_not_followed(
    desk: Desk, compose: Callable[..., int], site: WebServer
) -> None:
    where = {"Location": "http://169.254.169.254/latest/meta-data/"}
    site.routes["/x.jpg"] = Answer(status=302, headers=where)

    (found,) = fetch(desk, compose(site.url("/x.jpg")))

    assert "169.254.169.254, which is not fetched from" in found.error


def test_redirects_without_end_are_not_followed(
    desk: Desk, compose: Callable[..., int], site: WebServer
) -> None:
    def on(asked: Asked) -> Answer:
        return Answer(status=302, headers={"Location": asked.path})

    site.routes["/x.jpg"] = on

    (found,) = fetch(desk, compose(site.url("/x.jpg")))

    assert "redirects more than 5 times" in found.error


def test_what_failed_is_tried_again_when_asked(
    desk: Desk, compose: Callable[..., int], site: WebServer
) -> None:
    edition_id = compose(site.url("/late.jpg"))
    fetch(desk, edition_id)
    site.routes["/late.jpg"] = Answer(body=photo())

    (kept,) = fetch(desk, edition_id, again=False)
    (found,) = fetch(desk, edition_id)

    assert kept.picture is None
    assert found.picture is not None


def test_a_picture_that_comes_late_withdraws_the_approval(
    desk: Desk, compose: Callable[..., int], site: WebServer
) -> None:
    edition_id = compose(site.url("/late.jpg"))
    desk.approve(edition_id)
    site.routes["/late.jpg"] = Answer(body=photo())

    fetch(desk, edition_id)

    with desk.db.read() as tx:
        assert editions.get(tx, edition_id).approved_hash is None
    assert desk.audited()[-2:] == ["edition.approval_withdrawn", "edition.pictures"]


def test_nothing_new_leaves_the_approval(
    desk: Desk, compose: Callable[..., int], site: WebServer
) -> None:
    site.routes["/a.jpg"] = Answer(body=photo())
    edition_id = compose(site.url("/a.jpg"))
    fetch(desk, edition_id)
    desk.approve(edition_id)

    fetch(desk, edition_id)

    with desk.db.read() as tx:
        assert editions.get(tx, edition_id).approved_hash is not None
    assert desk.freeze(edition_id)


def test_an_edition_without_pictures_asks_nobody(
    desk: Desk, compose: Callable[..., int], site: WebServer
) -> None:
    (found,) = fetch(desk, compose(None))

    assert (found.url, found.picture, found.error) == (None, None, "")


def test_a_released_edition_is_left_alone(
    desk: Desk, compose: Callable[..., int]
) -> None:
    edition_id = compose(None)
    with desk.db.write() as tx:
        tx.execute(tables.editions.update().values(state="sent"))

    with pytest.raises(StateError):
        fetch(desk, edition_id)


def test_an_upload_is_shown_without_any_fetch(
    desk: Desk, compose: Callable[..., int], site: WebServer
) -> None:
    url = take_upload(desk.db, photo(), site=SITE, now=NOW)

    (found,) = fetch(desk, compose(url))

    assert found.picture is not None
    assert url == SITE.page(found.picture.large.path)
    assert site.asked == []


def test_an_upload_that_is_no_picture_is_refused(desk: Desk) -> None:
    with pytest.raises(RefusedError, match="no JPEG"):
        take_upload(desk.db, b"GIF89a/*", site=SITE, now=NOW)


def test_a_machine_out_of_means_costs_pictures_only(
    desk: Desk,
    compose: Callable[..., int],
    site: WebServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site.routes["/a.jpg"] = Answer(body=photo())
    monkeypatch.setattr("digest.pictures.shrink.sys.executable", "/nowhere/python")

    (found,) = fetch(desk, compose(site.url("/a.jpg")))

    assert "could not be decoded" in found.error


def test_stories_are_not_given_files_that_a_sweep_takes(postgres_db: Database) -> None:
    add_article(postgres_db, add_newsletter(postgres_db))
    desk = Desk(postgres_db, Templates())
    edition_id = desk.compose().edition.id
    hasty = make_url(postgres_db.url).update_query_dict(
        {"options": "-c lock_timeout=50"}
    )
    other = Database(hasty.render_as_string(hide_password=False))

    with postgres_db.write() as tx:
        pictures.sweep(tx, before=NOW)
        with pytest.raises(OperationalError, match="lock timeout"):
            fetch(Desk(other, desk.templates), edition_id)

    assert errors(fetch(Desk(other, desk.templates), edition_id)) == [""]
    other.close()
