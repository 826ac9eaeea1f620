"""Hostile strings as stories and as words: they are shown, and nothing of them runs.

Chromium is asked, with scripts allowed: no dialog, no request, no script parsed, in the
letter, the archive's page and the preview.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from html import escape
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from digest import bootstrap
from digest.bootstrap import Service
from digest.compose.draft import compose
from digest.compose.edit import Changes, StoryWords, edit
from digest.compose.view import clean
from digest.domain.articles import Image
from digest.domain.editions import Sponsor, Story
from digest.domain.slots import Slot, marker
from digest.domain.states import EditionState
from digest.send.specimen import READER
from digest.settings import Settings
from digest.storage import editions, newsletters, tables
from tests.builders import make_newsletter
from tests.conftest import Ran
from tests.e2e.browser import Watched, watching
from tests.e2e.serving import serving
from tests.gates.figures import tell
from tests.gates.letters import Written, write
from tests.material import find_shared
from tests.weeks import EDITOR, ISSUE_DATE, make_edition, make_story

_OWN = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "</title></style></textarea><script>alert(1)</script>",
    "<!--[if mso]><script>alert(1)</script><![endif]-->",
    "[follow](javascript:alert(1)) and <javascript:alert(1)>",
    "![picture](https://elsewhere.example.test/pixel.gif)",
    "<b onclick=alert(1)>bold</b> **bold** `code` | # no heading",
    "{{ 7*7 }} {% raw %} %(shown)s {0}",
    "Subject\r\nBcc: everybody@example.test\r\n\r\nbody",
    "a\u2028b\u2029c\x00d\x1be",
    *(marker(slot) for slot in Slot),
)
_PICTURE = "https://pictures.example.test/one.png"
_TOGETHER = 20  # letters on one page, each in a frame
_ON_A_PAGE = 260  # stories of one edition
_READ = """
() => [...document.querySelectorAll('h1, h2, h3, p')].map(e => e.textContent)
"""
_ALIVE = """
() => [...document.querySelectorAll('*')].flatMap(e => [...e.attributes]
  .filter(a => /^on/i.test(a.name) || (/href|src|action|data/i.test(a.name)
    && /^[\\s\\x00-\\x1f]*(javascript|data|vbscript|file):/i.test(a.value)))
  .map(a => a.name + '=' + a.value))
"""


def strings_of(collection: str) -> list[str]:
    """The strings of a collection, each once."""
    if collection == "own":
        return list(_OWN)
    if collection == "blns":
        path = find_shared("corpora/blns/blns.json")
        return list(dict.fromkeys(json.loads(path.read_text("utf-8"))))
    path = find_shared("corpora/dompurify/vectors.json")
    vectors = json.loads(path.read_text("utf-8"))
    return list(dict.fromkeys(vector["payload"] for vector in vectors))


@pytest.fixture(params=["own", "blns", "dompurify"])
def strings(request: pytest.FixtureRequest) -> list[str]:
    """Each collection: ours, and those beside the checkout."""
    return strings_of(request.param)


@pytest.fixture
def house(cli: Callable[..., Ran], tmp_path: Path) -> Iterator[Service]:
    """A new installation, with the newsletters it ships."""
    assert cli("init").status == 0
    service = bootstrap.open_service(Settings(home=tmp_path / "home"))
    yield service
    service.db.close()


def batches(strings: list[str], size: int) -> Iterator[list[str]]:
    """Part a list."""
    for start in range(0, len(strings), size):
        yield strings[start : start + size]


def words_of(text: str) -> str:
    """A text with its spaces folded."""
    return " ".join(text.split())


def import_stories(cli: Callable[..., Ran], path: Path, texts: list[str]) -> list[int]:
    """Bring strings in as a feed's stories; those that make no headline are refused."""
    items = [
        {
            "id": f"{path.stem}-{number}",
            "url": f"https://stories.example.test/{path.stem}/{number}",
            "title": text,
            "summary": text,
            "content_html": text,
            "date_published": "2024-05-12T08:00:00Z",
            "authors": [{"name": text}],
            "tags": [text],
        }
        for number, text in enumerate(texts)
    ]
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": "F", "items": items}
    path.write_text(json.dumps(feed), encoding="utf-8")
    found = cli("articles", "import", str(path), "--json").document
    assert sum(map(len, found.values())) == len(texts)
    taken = [*found["imported"], *found["updated"], *found["unchanged"]]
    return list(dict.fromkeys(article["id"] for article in taken))


def compose_of(house: Service, ids: Sequence[int], day: date) -> int:
    """Compose an edition of picked articles."""
    made = compose(
        house.db,
        newsletter="weekly",
        issue_date=day,
        articles=ids,
        templates=house.templates,
        site=house.site,
        actor=EDITOR,
        now=house.now(),
    )
    return made.edition.id


def word(house: Service, edition_id: int, ids: Sequence[int], texts: list[str]) -> None:
    """Let an editor write the strings themselves, unread by any importer."""
    edit(
        house.db,
        edition_id=edition_id,
        changes=Changes(
            opening="\n\n".join(texts),
            stories={
                article_id: StoryWords(title=text, standfirst=text)
                for article_id, text in zip(ids, texts, strict=True)
            },
        ),
        templates=house.templates,
        site=house.site,
        actor=EDITOR,
        now=house.now(),
    )


def publish(house: Service, edition_id: int) -> None:
    """Put an edition into the archive without asking preflight."""
    with house.db.write() as tx:
        tx.execute(
            tables.editions.update()
            .where(tables.editions.c.id == edition_id)
            .values(state=EditionState.SENT, released_at=house.now())
        )


def stories_of(house: Service, edition_id: int) -> tuple[Written, list[str], str]:
    """The edition's letter, its stories' words, and the path of its page."""
    with house.db.read() as tx:
        edition = editions.get(tx, edition_id)
        newsletter = newsletters.get_by_id(tx, edition.newsletter_id)
        stories = editions.stories(tx, edition_id)
    words = [words_of(clean(w)) for s in stories for w in (s.title, s.standfirst) if w]
    path = f"/archive/{newsletter.slug}/{edition.issue_date}"
    return write(edition, newsletter, stories), words, path


def alive(watched: Watched) -> list[str]:
    """What ran, or would on a click; read before anything of ours runs."""
    found: list[str] = watched.signs or watched.page.evaluate(_ALIVE)
    return found


def missing(watched: Watched, words: list[str]) -> list[str]:
    """Headlines and standfirsts that the page does not show as they are."""
    shown = {words_of(text) for text in watched.page.evaluate(_READ)}
    return [f"not shown: {text}" for text in words if text not in shown]


def test_what_is_alive_is_noticed(browser: Browser) -> None:
    """The gate would see it: a script, an event, a frame's, a request, a link."""
    with watching(browser) as watched:
        watched.show("<!doctype html><p>words")

        assert alive(watched) == []

    for html in (
        "<script>1</script>",
        "<img src=x onerror='1'>",
        "<body onload='1'>",
        f'<iframe srcdoc="{escape("<svg onload=1>")}"></iframe>',
        "<p style='background:url(https://elsewhere.example.test/)'>words",
        "<a href=' javascript:1'>words</a>",
        "<iframe src='javascript:1'></iframe>",
        "<meta http-equiv=refresh content='0;url=https://elsewhere.example.test/'>",
    ):
        with watching(browser) as watched:
            watched.show(f"<!doctype html>{html}")

            assert alive(watched), html


def editions_of(
    house: Service, cli: Callable[..., Ran], folder: Path, strings: list[str]
) -> list[int]:
    """Publish editions that carry the strings, as imported and as an editor's own."""
    made = []
    for number, texts in enumerate(batches(strings, _ON_A_PAGE)):
        imported = import_stories(cli, folder / f"feed-{number}.json", texts)
        plain = [f"Story {n} of {number}" for n in range(len(texts))]
        carriers = import_stories(cli, folder / f"plain-{number}.json", plain)
        day = ISSUE_DATE + timedelta(weeks=2 * number)
        made.append(compose_of(house, imported, day))
        made.append(compose_of(house, carriers, day + timedelta(weeks=1)))
        word(house, made[-1], carriers, texts)
    for edition_id in made:
        publish(house, edition_id)
    return made


def test_as_stories_they_are_shown_and_nothing_runs(
    browser: Browser,
    house: Service,
    cli: Callable[..., Ran],
    strings: list[str],
    tmp_path: Path,
) -> None:
    made = editions_of(house, cli, tmp_path, strings)

    found: list[str] = []
    shown = 0
    # Without the pages' policy: the markup alone has to be safe.
    with serving(house) as site, watching(browser, bypass_csp=True) as watched:
        for edition_id in made:
            letter, words, path = stories_of(house, edition_id)
            out = tmp_path / "preview.html"
            assert (
                cli("editions", "preview", str(edition_id), "-o", str(out)).status == 0
            )
            for show, what in (
                (watched.show, letter.html),
                (watched.show, out.read_text("utf-8")),
                (watched.visit, site + path),
            ):
                show(what)
                found += alive(watched) + missing(watched, words)
                shown += len(words)
                watched.forget()

    tell(
        f"hostile strings: {len(strings)} in {shown} places, {len(found)} signs of life"
    )
    assert found == []


def wordings(text: str) -> Written:
    """A letter with one string wherever words of one line may stand."""
    story = make_story(
        1,
        title=text,
        standfirst=text,
        source=text,
        image=Image(url=_PICTURE, credit=text, alt=text),
    )
    other: Story = replace(story, article_id=2, position=2, section="features")
    url = "https://sponsor.example.test/"
    edition = make_edition(
        subject=text,
        preheader=text,
        opening=text,
        opening_by=text,
        why=text,
        sponsor=Sponsor(name=text, title=text, text=text, url=url),
    )
    return write(edition, make_newsletter(), [story, other])


def test_as_an_editors_words_they_run_nothing(
    browser: Browser, strings: list[str]
) -> None:
    found: list[str] = []
    with watching(browser) as watched:
        for some in batches(strings, _TOGETHER):
            frames = "".join(
                f'<iframe srcdoc="{escape(wordings(text).html)}"></iframe>'
                for text in some
            )
            watched.show(f"<!doctype html>{frames}", pictures=[_PICTURE])
            found += alive(watched)
            for frame in watched.page.frames[1:]:
                found += frame.evaluate(_ALIVE)
            watched.forget()

    assert found == []


def test_they_add_no_header_and_fill_no_slot(strings: list[str]) -> None:
    usual = wordings("The town council meets")

    for text in strings:
        letter = wordings(text)

        assert letter.parsed.keys() == usual.parsed.keys(), text
        assert letter.html.count(READER) == usual.html.count(READER), text
        assert letter.text.count(READER) == usual.text.count(READER), text
