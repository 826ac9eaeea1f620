"""Weeks to compose: builders of stories and editions, and a reference week."""

import hashlib
from collections.abc import Sequence
from datetime import date
from typing import Any

from digest.domain.actor import Actor, ActorKind
from digest.domain.articles import Article, Draft, Image
from digest.domain.editions import Edition, Pick, PickKind, Sponsor, Story, Support
from digest.domain.newsletters import Newsletter, Section
from digest.domain.own_links import OwnLinks
from digest.domain.pictures import Picture, PictureFile, PictureKind
from digest.storage import articles
from digest.storage.engine import Database
from tests.builders import NOW, make_newsletter

EDITOR = Actor(kind=ActorKind.OPERATOR, name="mona")
ISSUE_DATE = date(2024, 5, 12)
RAFAH = (
    "Egypt Refuses Rafah Crossing Coordination with Israel After Escalation: Reports"
)
SPONSOR = Sponsor(
    name="Nile Reads",
    title="Audio books in Arabic and English",
    text="Two months free for readers of this letter.",
    url="https://sponsor.example.test/reads",
)
SUPPORT = Support(
    title="Keep this letter going",
    text="It is free, and *made by people*. [How we spend it](https://egyptianstreets.com/support/costs).",
    label="Become a member",
    url="https://egyptianstreets.com/support",
)
PICKS = (
    Pick(
        kind=PickKind.READ,
        title="A novel of three afternoons",
        words="Short, dry, and **funny** where it hurts.",
        url="https://picks.example.test/novel",
    ),
    Pick(kind=PickKind.LISTEN, title="An hour of simsimiyya"),
    Pick(
        kind=PickKind.GO,
        title="The kite makers of the corniche",
        words="Fridays; ask for the [green ones](https://picks.example.test/kites).",
    ),
)
RAFAH_URL = (
    "https://egyptianstreets.com/2024/05/12/"
    "egypt-refuses-rafah-crossing-coordination-with-israel-after-escalation-reports/"
)


def make_story(article_id: int = 1, **changes: Any) -> Story:
    """A news story at the position of its article's id, not stored."""
    values: dict[str, Any] = {
        "article_id": article_id,
        "section": "news",
        "position": article_id,
        "title": f"The town council meets, part {article_id}",
        "url": f"https://stories.example.test/{article_id}",
        "standfirst": "Nothing was decided, and everybody went home satisfied.",
        "source": "Demo item",
        "word_count": 600,
    }
    return Story(**(values | changes))


def our_picture(number: int = 0) -> Picture:
    """Both files of a picture, by name only; `drawings.put_files` makes them."""
    small, large = (
        PictureFile(
            hash=hashlib.sha256(f"{number} {width}".encode()).hexdigest(),
            kind=PictureKind.JPEG,
            width=width,
            height=height,
        )
        for width, height in ((600, 338), (1200, 675))
    )
    return Picture(small=small, large=large)


def make_edition(**changes: Any) -> Edition:
    """A draft of the reference date, not stored."""
    values: dict[str, Any] = {
        "newsletter_id": 1,
        "issue_date": ISSUE_DATE,
        "number": 19,
        "subject": "The town council meets at last",
        "preheader": "Plus: " + "one more thing about the council, " * 3,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Edition(**(values | changes))


def add_article(db: Database, newsletter: Newsletter, **changes: Any) -> Article:
    """A stored article of the reference week."""
    title = changes.get("title", "The town council meets")
    values: dict[str, Any] = {
        "title": title,
        "url": f"https://stories.example.test/{title.replace(' ', '-')}",
        "published_on": ISSUE_DATE,
        "section": "news",
        "standfirst": "Nothing was decided, and everybody went home satisfied.",
        "paragraphs": (f"{title}: all went home.",),
        "source": "Demo item",
    }
    with db.write() as tx:
        draft = Draft(**(values | changes))
        stored = articles.store(tx, draft, newsletter_id=newsletter.id, now=NOW)
        return stored.article


def english_week() -> tuple[Edition, Newsletter, Sequence[Story]]:
    """Twelve stories in own words, everything an edition can carry."""
    newsletter = make_newsletter(
        theme={"wordmark": "Egyptian Streets", "notice": "Sent from Cairo."},
        own_links=OwnLinks(hosts=("egyptianstreets.com",)),
        sections=make_sections({}),
    )
    edition = make_edition(
        subject="Egypt refuses Rafah coordination: reports",
        preheader="Plus: Cairo backs the ICJ case; inflation eases again; an Upper "
        "Egypt film goes to Cannes. 3-minute read.",
        opening="One crossing decided what reached Gaza, and what did not.\n\n"
        "We start *there*, and end on a [bicycle](https://stories.example.test/12).",
        opening_by="Mona, weekly desk",
        why="Rafah was the way for aid into southern Gaza that Israel did not hold.",
        sponsor=SPONSOR,
        support=SUPPORT,
        picks=PICKS,
    )
    return edition, newsletter, _ENGLISH


def make_sections(titles: dict[str, str]) -> tuple[Section, ...]:
    """Four sections; titles replace the English ones."""
    names = {
        "news": "News & Politics",
        "features": "Features",
        "arts": "Arts & Culture",
        "good": "One good thing",
    }
    return tuple(
        Section(
            id=0,
            slug=slug,
            title=titles.get(slug, title),
            position=i,
            cap=5,
            thumbnails=slug in {"features", "arts"},
        )
        for i, (slug, title) in enumerate(names.items())
    )


def tell(
    number: int, section: str, title: str, standfirst: str, source: str = "Demo item"
) -> Story:
    """A story of a reference week; features and arts have a picture."""
    picture = Image(
        url=f"https://pictures.example.test/{number}.png", credit="Demo drawing"
    )
    return make_story(
        number,
        section=section,
        title=title,
        standfirst=standfirst,
        source=source,
        word_count=150 * number,
        image=picture if section in {"features", "arts"} else Image(),
        picture=our_picture(number) if section in {"features", "arts"} else None,
    )


_ENGLISH = (
    make_story(
        1,
        title=RAFAH,
        url=RAFAH_URL,
        standfirst="Egypt declines to work with Israel on the running of the Rafah "
        "crossing because of the escalation there, an unnamed source told AlQahera "
        "News on 11 May. Israeli forces took its Gaza side on 7 May; no lorry with "
        "aid has passed since.",
        source="Egyptian Streets",
        word_count=420,
        image=Image(
            url="https://pictures.example.test/lead.png",
            credit="Demo drawing",
            alt="Lorries wait in a row beside a desert road",
        ),
        picture=our_picture(1),
        caption="The road to the crossing, on the morning of 11 May.",
    ),
    tell(
        2,
        "news",
        "Cairo says it will join South Africa’s case at the world court",
        "The foreign ministry announced it on 12 May, naming attacks on civilians.",
        "TRT World",
    ),
    tell(
        3,
        "news",
        "Urban inflation eases to 32.5 percent in April",
        "Prices in the cities rose more slowly. Food still costs far more than last "
        "year.",
        "Zawya",
    ),
    tell(
        4,
        "news",
        "What a closed border does to a bakery in Arish",
        "Drivers with flour now wait for weeks, and the town runs out of patience.",
    ),
    tell(
        5,
        "news",
        "A ferry timetable nobody can read",
        "It was printed in a size that only its designer can see.",
    ),
    tell(
        6,
        "features",
        "The women who keep Fayoum’s potteries alive",
        "Three workshops, two kilns and one argument about glaze.",
    ),
    tell(
        7,
        "features",
        "Counting birds over the Red Sea mountains",
        "Volunteers with clickers try to count every stork that crosses Egypt.",
    ),
    tell(
        8,
        "features",
        "A tram driver’s Alexandria",
        "Four in the morning, one thermos of tea, and the city through a windscreen.",
    ),
    tell(
        9,
        "arts",
        "‘The Brink of Dreams’ takes an Upper Egypt troupe to Cannes",
        "The documentary opens in Critics’ Week on 17 May.",
        "The National",
    ),
    tell(
        10,
        "arts",
        "A new hall for old instruments",
        "A museum now plays the lyres it shows.",
    ),
    tell(
        11,
        "arts",
        "Five novels for a long train ride",
        "From Cairo to Aswan is thirteen hours. Our readers’ picks.",
    ),
    tell(
        12,
        "good",
        "A library on a bicycle reaches its hundredth village",
        "It carries sixty books, a bell and an umbrella.",
    ),
)
