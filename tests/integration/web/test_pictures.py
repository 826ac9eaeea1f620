"""Pictures on the web: by their content, for ever, and as nothing else."""

import hashlib

import pytest

from digest.compose.pictures import take_upload
from digest.domain.articles import Image
from digest.domain.pictures import PictureFile, PictureKind
from digest.domain.states import EditionState
from digest.storage import editions, pictures
from tests.builders import NOW, SITE
from tests.drawings import chart, photo, put_files, saved
from tests.integration.web.conftest import Web
from tests.weeks import add_article, make_edition, make_story, our_picture


def put(web: Web, body: bytes, kind: PictureKind = PictureKind.JPEG) -> str:
    """Store octets as they are; return their path."""
    name = hashlib.sha256(body).hexdigest()
    file = PictureFile(hash=name, kind=kind, width=600, height=338)
    with web.service.db.write() as tx:
        pictures.put(tx, file, body, now=NOW)
    return file.path


def test_a_picture_is_served_to_be_kept_for_ever(web: Web) -> None:
    answer = web.client.get(put(web, b"\xff\xd8\xff"))

    assert answer.status_code == 200
    assert answer.content == b"\xff\xd8\xff"
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "Set-Cookie" not in answer.headers


def test_its_kind_alone_says_what_it_is(web: Web) -> None:
    path = put(web, b"<script>alert(1)</script>", PictureKind.PNG)

    answer = web.client.get(path, params={"type": "text/html"})

    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_a_client_that_has_it_is_told_so(web: Web) -> None:
    path = put(web, b"\xff\xd8\xff")
    etag = web.client.get(path).headers["ETag"]

    answer = web.client.get(path, headers={"If-None-Match": f'W/"x", {etag}'})

    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["ETag"] == etag
    assert "immutable" in answer.headers["Cache-Control"]


def test_head_tells_the_same_without_the_picture(web: Web) -> None:
    answer = web.client.head(put(web, b"\xff\xd8\xff"))

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Length"] == "3"


@pytest.mark.parametrize(
    "name",
    [
        "0" * 64 + ".jpg",
        "0" * 63 + ".jpg",
        "A" * 64 + ".jpg",
        "0" * 64 + ".svg",
        "0" * 64,
        "0" * 64 + ".jpg%0a",
        "0" * 64 + ".jpg/x",
        "..%2f..%2fdigest.db",
        "%00.png",
        "",
    ],
)
def test_nothing_else_is_there(web: Web, name: str) -> None:
    answer = web.client.get(f"/pictures/{name}")

    assert answer.status_code == 404
    assert "immutable" not in answer.headers["Cache-Control"]


def test_another_ending_is_another_picture(web: Web) -> None:
    path = put(web, b"\xff\xd8\xff")

    assert web.client.get(path.replace(".jpg", ".png")).status_code == 404


def test_what_is_gone_is_not_called_unchanged(web: Web) -> None:
    name = "0" * 64
    known = {"If-None-Match": f'"{name}"'}

    assert web.client.get(f"/pictures/{name}.jpg", headers=known).status_code == 404


def test_an_upload_is_served_without_what_its_camera_wrote(web: Web) -> None:
    url = take_upload(web.service.db, photo(), site=SITE, now=NOW)

    answer = web.client.get(url.removeprefix(SITE.base_url))

    assert answer.headers["Content-Type"] == "image/jpeg"
    assert b"Exif" not in answer.content
    assert len(answer.content) < 300_000


def test_a_drawing_is_served_as_png(web: Web) -> None:
    url = take_upload(web.service.db, saved(chart(), "PNG"), site=SITE, now=NOW)

    answer = web.client.get(url.removeprefix(SITE.base_url))

    assert answer.headers["Content-Type"] == "image/png"


def publish(web: Web) -> None:
    """An edition whose lead and one thumbnail are ours."""
    articles = [add_article(web.service.db, web.newsletter, title=t) for t in "ab"]
    stories = [
        make_story(
            article.id,
            position=place,
            section=section,
            image=Image(url="https://elsewhere.example.test/x.jpg", alt="Lorries"),
            picture=our_picture(place),
        )
        for place, (article, section) in enumerate(
            zip(articles, ("news", "arts"), strict=True), start=1
        )
    ]
    put_files(web.service.db, stories)
    edition = make_edition(
        newsletter_id=web.newsletter.id, state=EditionState.SENT, released_at=NOW
    )
    with web.service.db.write() as tx:
        editions.insert_edition(tx, edition, stories)


def test_the_archive_shows_our_copies_at_their_real_size(web: Web) -> None:
    publish(web)

    html = web.client.get("/archive/weekly/2024-05-12").text

    lead, thumbnail = our_picture(1).large.path, our_picture(2).small.path
    assert f'src="{lead}" width="600" height="338" alt="Lorries"' in html
    assert f'src="{thumbnail}" width="120" height="68" alt="Lorries"' in html
    assert f'og:image" content="{SITE.base_url}{lead}"' in html
    assert "elsewhere.example.test" not in html


@pytest.mark.parametrize("feed", ["/feed.xml", "/feed.json"])
def test_feeds_name_our_copies_by_their_whole_address(web: Web, feed: str) -> None:
    publish(web)

    text = web.client.get(feed).text

    assert SITE.page(our_picture(1).large.path) in text
    assert "elsewhere.example.test" not in text
