"""Hostile strings, and the editions that carry them."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from digest.bootstrap import Service
from digest.compose.draft import compose
from digest.compose.edit import Changes, StoryWords, edit
from digest.compose.view import clean
from digest.domain.articles import Image
from digest.domain.editions import Pick, PickKind, Sponsor, Support
from digest.domain.slots import Slot, marker
from digest.domain.states import EditionState
from digest.storage import editions, newsletters, tables
from tests.builders import make_newsletter
from tests.conftest import Ran
from tests.gates.letters import Written, write
from tests.material import find_shared
from tests.weeks import (
    EDITOR,
    ISSUE_DATE,
    make_edition,
    make_story,
    our_picture,
)

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
_ON_A_PAGE = 260  # stories of one edition


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


def wordings(text: str) -> Written:
    """A letter with one string wherever words of one line may stand."""
    url = "https://sponsor.example.test/"
    story = make_story(
        1,
        title=text,
        standfirst=text,
        source=text,
        image=Image(url=url, credit=text, alt=text),
        picture=our_picture(),
        caption=text,
    )
    other = replace(story, article_id=2, position=2, section="features")
    edition = make_edition(
        subject=text,
        preheader=text,
        opening=text,
        opening_by=text,
        why=text,
        sponsor=Sponsor(name=text, title=text, text=text, url=url),
        support=Support(title=text, text=text, label=text, url=url),
        picks=(Pick(kind=PickKind.READ, title=text, words=text, url=url),),
    )
    return write(edition, make_newsletter(), [story, other])
