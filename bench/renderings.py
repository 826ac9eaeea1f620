"""Render eight variants of an edition of 25 stories: how long, and how large.

`python -m bench.renderings [--rounds N]` says the median. The budget is 100 ms.
"""

import argparse
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from statistics import median

from digest.care.newsletter_files import read_seed
from digest.cli.bench_edition import PARAGRAPH
from digest.compose.render import Renderings
from digest.domain.editions import (
    Edition,
    Pick,
    PickKind,
    Sponsor,
    Story,
    Support,
    Variant,
)
from digest.domain.newsletters import Newsletter
from digest.domain.site import Site
from digest.domain.subscribers import LetterFormat
from digest.templating import Templates, shipped

STORIES = 25
CHOICES = ("", "news", "arts,features", "arts,good,news")
"""Each of them as HTML and as plain text: eight variants."""
BUDGET_MS = 100.0

_SITE = Site(base_url="https://news.example.com", mail_domain="news.example.com")
_NOW = datetime(2024, 5, 12, 12, 0, tzinfo=UTC)


def make_week(stories: int = STORIES) -> tuple[Edition, Newsletter, list[Story]]:
    """Make an edition that has every block, of stories of the usual length."""
    path = shipped("config") / "newsletters" / "weekly.toml"
    newsletter = read_seed(path, mail_domain=_SITE.mail_domain).newsletter
    slugs = [section.slug for section in newsletter.sections]
    url = "https://stories.example.com"
    edition = Edition(
        newsletter_id=1,
        issue_date=date(2024, 5, 12),
        number=19,
        subject="A subject of the usual length, for a bench",
        preheader=PARAGRAPH[:110],
        opening=f"{PARAGRAPH[:140]}\n\nAnd *more*, [elsewhere]({url}/more).",
        opening_by="The desk",
        why=PARAGRAPH[:120],
        sponsor=Sponsor(name="A", title="A title", text=PARAGRAPH[:140], url=url),
        support=Support(title="A title", text=PARAGRAPH[:140], label="A", url=url),
        picks=tuple(
            Pick(kind=kind, title=PARAGRAPH[:30], words=PARAGRAPH[:80], url=url)
            for kind in PickKind
        ),
        created_at=_NOW,
        updated_at=_NOW,
    )
    carried = [
        Story(
            article_id=number,
            section=slugs[0] if number == 1 else slugs[number % len(slugs)],
            position=number,
            title=f"Story {number}: {PARAGRAPH[:50]}",
            url=f"{url}/2024/05/12/{number}-{'a-long-slug-' * 5}/",
            standfirst=PARAGRAPH[:200],
            source="A publication",
            word_count=600,
        )
        for number in range(1, stories + 1)
    ]
    return edition, newsletter, carried


def render_all(
    edition: Edition, newsletter: Newsletter, stories: Sequence[Story]
) -> list[Variant]:
    """Render every choice in both formats, as an approval does."""
    made = Renderings(edition, newsletter, stories, templates=Templates(), site=_SITE)
    return [
        made.variant(sections, letter_format)
        for sections in CHOICES
        for letter_format in LetterFormat
    ]


def measure(rounds: int) -> tuple[float, int]:
    """Return the median of so many rounds, in milliseconds, and the largest HTML."""
    week = make_week()
    variants = render_all(*week)  # compiles the templates
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        render_all(*week)
        taken.append((time.perf_counter() - started) * 1000)
    sizes = [len(v.html.encode()) for v in variants if v.html is not None]
    return median(taken), max(sizes)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    taken, size = measure(rounds)
    print(f"{len(CHOICES) * 2} variants of {STORIES} stories, {rounds} rounds:")
    print(f"  median {taken:.1f} ms (budget {BUDGET_MS:.0f} ms)")
    print(f"  largest HTML part {size / 1024:.1f} KB")


if __name__ == "__main__":
    main()
