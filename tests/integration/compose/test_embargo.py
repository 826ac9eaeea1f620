"""Embargoes: no story goes into a letter, a test of it or the archive before."""

from datetime import datetime, timedelta

import pytest

from digest.compose.hour import hour_of
from digest.compose.preview import preview
from digest.domain.addresses import parse_address
from digest.domain.articles import Article
from digest.domain.calendar import Schedule
from digest.domain.calendar_text import parse_at
from digest.domain.editions import Edition
from digest.domain.errors import NotFoundError, StateError
from digest.ingest.embargo import Embargoed, set_embargo
from digest.send import proof
from digest.send.release import release
from digest.storage import articles
from digest.timetable.plans import set_schedule
from tests.builders import NOW, SECRETS, SITE, add_newsletter
from tests.integration.compose.conftest import Desk
from tests.posting import add_reader
from tests.weeks import EDITOR, ISSUE_DATE, add_article

HOUR = timedelta(hours=1)


def hold(desk: Desk, article: Article, until: datetime | None) -> Embargoed:
    return set_embargo(
        desk.db, article_id=article.id, until=until, actor=EDITOR, now=NOW
    )


def let_go(desk: Desk, edition: Edition, *, now: datetime = NOW) -> Edition:
    return release(
        desk.db, edition_id=edition.id, site=SITE, key_id=1, actor=EDITOR, now=now
    )


def send_proof(desk: Desk, edition_id: int, address: str) -> int:
    seen = preview(desk.db, edition_id=edition_id, templates=desk.templates, site=SITE)
    return proof.send(
        desk.db,
        edition=seen.edition,
        newsletter=seen.newsletter,
        variant=seen.variant,
        address=parse_address(address),
        site=SITE,
        secrets=SECRETS,
        actor=EDITOR,
        now=NOW,
    )


def test_a_story_under_embargo_is_not_proposed(desk: Desk) -> None:
    weekly = add_newsletter(desk.db)
    free = add_article(desk.db, weekly, title="A tram driver’s songs")
    hold(desk, add_article(desk.db, weekly), NOW + HOUR)

    composed = desk.compose()

    assert desk.carried(composed.edition.id) == [free.id]


def test_a_week_of_nothing_but_embargoes_has_no_story(desk: Desk) -> None:
    weekly = add_newsletter(desk.db)
    hold(desk, add_article(desk.db, weekly), NOW + HOUR)

    with pytest.raises(NotFoundError):
        desk.compose()


def test_an_embargo_that_ends_before_the_issues_hour_is_no_hindrance(
    desk: Desk,
) -> None:
    weekly = add_newsletter(desk.db)
    rhythm, at = parse_at("Sun 19:00")
    plan = Schedule(rhythm=rhythm, at=at, zone="Africa/Cairo")
    set_schedule(desk.db, newsletter="weekly", plan=plan, actor=EDITOR, now=NOW)
    with desk.db.read() as tx:
        hour = hour_of(tx, weekly.id, ISSUE_DATE)
    assert hour is not None
    assert hour > NOW
    in_time = add_article(desk.db, weekly, title="A tram driver’s songs")
    hold(desk, in_time, hour)
    hold(desk, add_article(desk.db, weekly), hour + HOUR)

    composed = desk.compose()

    assert desk.carried(composed.edition.id) == [in_time.id]


def test_what_was_under_embargo_last_week_is_proposed_this_week(desk: Desk) -> None:
    weekly = add_newsletter(desk.db)
    last_week = ISSUE_DATE - timedelta(days=7)
    late = add_article(desk.db, weekly, published_on=last_week)
    hold(desk, late, NOW - timedelta(days=6, hours=20))

    composed = desk.compose()

    assert desk.carried(composed.edition.id) == [late.id]


def test_a_release_waits_for_the_last_embargo(desk: Desk) -> None:
    weekly = add_newsletter(desk.db)
    add_reader(desk.db, weekly, "alice@example.com")
    held = add_article(desk.db, weekly)
    hold(desk, held, NOW + HOUR)
    edition = desk.compose(articles=[held.id]).edition
    desk.approve(edition.id)

    with pytest.raises(StateError, match="under embargo until 2024-05-12 13:00 UTC"):
        let_go(desk, edition)

    assert let_go(desk, edition, now=NOW + HOUR).state == "sending"


def test_an_embargo_set_after_the_approval_holds_the_release(desk: Desk) -> None:
    weekly = add_newsletter(desk.db)
    add_reader(desk.db, weekly, "alice@example.com")
    article = add_article(desk.db, weekly)
    edition = desk.compose().edition
    desk.approve(edition.id)

    done = hold(desk, article, NOW + HOUR)

    assert [c.edition_id for c in done.carriers] == [edition.id]
    with pytest.raises(StateError, match="under embargo"):
        let_go(desk, edition)


def test_a_time_before_the_embargos_end_is_refused_at_once(desk: Desk) -> None:
    weekly = add_newsletter(desk.db)
    held = add_article(desk.db, weekly)
    hold(desk, held, NOW + 2 * HOUR)
    edition = desk.compose(articles=[held.id]).edition
    desk.approve(edition.id)

    with pytest.raises(StateError, match="under embargo"):
        release(
            desk.db,
            edition_id=edition.id,
            site=SITE,
            key_id=1,
            actor=EDITOR,
            now=NOW,
            at=NOW + HOUR,
        )


def test_an_embargo_holds_for_the_same_story_in_another_newsletter(desk: Desk) -> None:
    weekly = add_newsletter(desk.db)
    other = add_newsletter(desk.db, slug="daily", list_id="daily.news.example.test")
    add_reader(desk.db, weekly, "alice@example.com")
    article = add_article(desk.db, weekly)
    edition = desk.compose().edition
    desk.approve(edition.id)
    late_copy = add_article(desk.db, other)

    done = hold(desk, late_copy, NOW + HOUR)

    assert done.copies == [article.id]
    with pytest.raises(StateError, match="under embargo"):
        let_go(desk, edition)


def test_a_copy_that_comes_in_later_is_held_too(desk: Desk) -> None:
    weekly = add_newsletter(desk.db)
    other = add_newsletter(desk.db, slug="daily", list_id="daily.news.example.test")
    hold(desk, add_article(desk.db, other), NOW + HOUR)
    add_article(desk.db, weekly)

    with pytest.raises(NotFoundError):
        desk.compose()


def test_lifting_it_lets_the_story_go(desk: Desk) -> None:
    weekly = add_newsletter(desk.db)
    article = add_article(desk.db, weekly)
    hold(desk, article, NOW + HOUR)

    hold(desk, article, None)

    assert desk.carried(desk.compose().edition.id) == [article.id]
    assert desk.audited()[:2] == ["article.embargoed", "article.embargo_lifted"]


def test_only_the_desk_gets_a_test_letter_of_it(desk: Desk) -> None:
    weekly = add_newsletter(desk.db)
    held = add_article(desk.db, weekly)
    hold(desk, held, NOW + HOUR)
    edition = desk.compose(articles=[held.id]).edition

    with pytest.raises(StateError, match="only the desk"):
        send_proof(desk, edition.id, "friend@example.com")

    assert send_proof(desk, edition.id, weekly.sender.reply_to.upper())


@pytest.mark.parametrize(
    ("stated", "later", "held"),
    [
        (None, None, None),
        (NOW - HOUR, None, None),
        (NOW + HOUR, None, NOW + HOUR),
        (NOW + HOUR, NOW + 2 * HOUR, NOW + 2 * HOUR),
        (NOW + HOUR, NOW - HOUR, NOW - HOUR),
    ],
    ids=["undated", "past", "future", "put off", "brought forward"],
)
def test_a_source_dated_later_means_not_before_then(
    desk: Desk, stated: datetime | None, later: datetime | None, held: datetime | None
) -> None:
    weekly = add_newsletter(desk.db)
    add_article(desk.db, weekly, embargo_until=stated)

    article = add_article(desk.db, weekly, embargo_until=later)

    assert article.embargo_until == held


def test_a_persons_word_rules_over_the_sources(desk: Desk) -> None:
    weekly = add_newsletter(desk.db)
    article = add_article(desk.db, weekly, embargo_until=NOW + HOUR)
    hold(desk, article, None)

    again = add_article(desk.db, weekly, embargo_until=NOW + 2 * HOUR)

    assert again.embargo_until is None
    with desk.db.read() as tx:
        assert articles.get(tx, article.id).embargo_by_hand


def test_an_edition_without_a_schedule_has_no_hour(desk: Desk) -> None:
    weekly = add_newsletter(desk.db)

    with desk.db.read() as tx:
        assert hour_of(tx, weekly.id, ISSUE_DATE) is None
