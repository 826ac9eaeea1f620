"""What the desk is shown and mailed about the next issue of a newsletter."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, time, timedelta

from digest.bootstrap import Service
from digest.domain.actor import Actor, ActorKind
from digest.domain.calendar import Schedule
from digest.domain.editions import Edition
from digest.domain.reviews import DeskMail
from digest.domain.rhythms import weekly
from digest.domain.states import EditionState
from digest.domain.tokens import Purpose
from digest.storage import desk, editions, newsletters, schedules, tables
from digest.timetable import asking, reporting
from tests.builders import NOW
from tests.drawings import put_files
from tests.weeks import add_article, english_week
from tests.weeks_arabic import arabic_week

NEXT = date(2024, 5, 19)
EDITOR = Actor(kind=ActorKind.OPERATOR, name="mona@news.example.test")
_WEEKS = {"weekly": english_week, "weekly-ar": arabic_week}
Step = tuple[str, str, Mapping[str, str] | None]
"""A page's name, where it is, and the form that leads to it; None: a look."""


def draft_next(service: Service, slug: str) -> Edition:
    """Store the next issue of a newsletter, a draft that somebody has to settle."""
    edition, _, told = _WEEKS[slug]()
    put_files(service.db, told)
    with service.db.write() as tx:
        newsletter = newsletters.get(tx, slug)
        plan = Schedule(rhythm=weekly(6), at=time(19), zone="Africa/Cairo")
        schedules.put(tx, newsletter.id, plan, NOW, anew=True)
    stories = [
        replace(
            story,
            article_id=add_article(
                service.db,
                newsletter,
                title=f"{story.title} {NEXT}",
                published_on=NEXT,
            ).id,
        )
        for story in told
    ]
    add_article(
        service.db, newsletter, title=stories[-1].title + " +", published_on=NEXT
    )
    draft = replace(
        edition,
        newsletter_id=newsletter.id,
        issue_date=NEXT,
        number=edition.number + 1,
        state=EditionState.DRAFT,
    )
    with service.db.write() as tx:
        return editions.insert_edition(tx, draft, stories)


def steps(service: Service, slug: str) -> Iterator[Step]:
    """Say what somebody at the desk does, step by step."""
    edition = draft_next(service, slug)
    service.ask_desk(edition.id, DeskMail.ASK, actor=EDITOR, now=NOW)
    path = _link(service, edition)
    article = _article(service, edition)
    yield "review", path, None
    yield "review-mistaken", path, {"do": "approve", "seen": _seen(service, edition)}
    yield "review-changed", path, {"do": "save", "seen": "0" * 64, "why": "…"}
    yield "review-refused", path, {"do": "drop:0", "seen": _seen(service, edition)}
    drop = {"do": f"drop:{article}", "seen": _seen(service, edition)}
    yield "review-dropped", path, drop
    held = {"do": "hold", "because": "Omar has not read it."}
    yield "review-held", path, held
    approve = {"do": "approve", "because": "Read.", "seen": _seen(service, edition)}
    yield "review-approved", path, approve
    yield "review-sending", path, {"do": "release"}
    yield "review-paused", path, {"do": "pause"}
    expired = _link(service, edition, expired=True)
    yield "review-expired", expired, None
    yield "review-mailed", expired, {"again": "1"}


def letters(service: Service, slug: str) -> dict[str, str]:
    """Mail everything that the desk can be mailed; return the HTML by kind."""
    edition = draft_next(service, slug)
    for what in (DeskMail.ASK, DeskMail.SOON, DeskMail.DUE, DeskMail.LAST):
        service.ask_desk(
            edition.id,
            what,
            actor=EDITOR,
            now=NOW,
            notes=["The source Cairo Wire could not be read: it answers 503."],
        )
    with service.db.write() as tx:
        newsletter = newsletters.get(tx, slug)
        asking.mail_alert(
            tx,
            newsletter=newsletter,
            issue_date=NEXT,
            messages=["A headline changed at its source.", "Preflight found an error."],
            edition=edition,
            key="1",
            site=service.site,
            secrets=service.secrets,
            templates=service.templates,
            now=NOW,
        )
        c = tables.editions.c
        tx.execute(
            tables.editions.update()
            .where(c.issue_date == date(2024, 5, 12), c.newsletter_id == newsletter.id)
            .values(finished_at=NOW - timedelta(days=2))
        )
    _report(service, slug)
    with service.db.read() as tx:
        rows = tx.execute(
            tables.notices.select()
            .where(tables.notices.c.kind.like("desk-%"))
            .order_by(tables.notices.c.id)
        ).all()
    return {
        f"{row.dedupe_key.split(':')[1]}-{row.language}": row.html
        for row in rows
        if row.newsletter_id == newsletter.id
    }


def _report(service: Service, slug: str) -> None:
    with service.db.read() as tx:
        newsletter = newsletters.get(tx, slug)
    reporting.report_due(
        service.db,
        newsletter=newsletter,
        site=service.site,
        secrets=service.secrets,
        templates=service.templates,
        actor=EDITOR,
        now=NOW,
    )


def _seen(service: Service, edition: Edition) -> str:
    return service.look(edition.id).stamp


def _article(service: Service, edition: Edition) -> int:
    with service.db.read() as tx:
        return editions.stories(tx, edition.id)[1].article_id


def _link(service: Service, edition: Edition, *, expired: bool = False) -> str:
    """Return where the newest link of the desk leads, or one that has expired."""
    with service.db.read() as tx:
        rows = tx.execute(
            tables.reviews.select().where(tables.reviews.c.edition_id == edition.id)
        ).all()
        review = desk.find_review(tx, rows[0].id)
    assert review is not None
    at = NOW - timedelta(days=1) if expired else NOW
    return f"/review/{service.secrets.tokens.issue(Purpose.REVIEW, review.id, at=at)}"
