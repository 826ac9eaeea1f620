"""Schedules and their exceptions, on both databases."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from digest.domain.actor import SCHEDULE, Actor, ActorKind
from digest.domain.calendar import Approval, Schedule, next_issues
from digest.domain.editions import Edition
from digest.domain.errors import NotFoundError, StateError, UsageError
from digest.domain.newsletters import Newsletter
from digest.domain.rhythms import weekly
from digest.domain.schedules import KeptSchedule
from digest.storage import editions, schedules, tables
from digest.storage.engine import Database
from digest.templating import Templates
from digest.timetable import alerts, issues, plans
from tests.builders import NOW, SECRETS, SITE, add_newsletter

HEAD = alerts.Letterhead(site=SITE, secrets=SECRETS, templates=Templates())
DESK = Actor(kind=ActorKind.OPERATOR, name="mona")
LATER = NOW + timedelta(hours=1)
SUNDAY = date(2024, 5, 19)
PLAN = Schedule(
    rhythm=weekly(6),
    at=time(19, 0),
    zone="Africa/Cairo",
    approval=Approval.AUTO,
    collect_before=timedelta(hours=3),
    grace=timedelta(minutes=90),
    start_on=SUNDAY,
    end_on=SUNDAY + timedelta(days=70),
)


def put(db: Database, newsletter: Newsletter, **changes: Any) -> KeptSchedule:
    return plans.set_schedule(
        db,
        newsletter=newsletter.slug,
        plan=replace(PLAN, **changes),
        actor=DESK,
        now=LATER if changes else NOW,
    )


def move(db: Database, newsletter: Newsletter, to: str) -> None:
    issues.move_issue(
        db,
        newsletter=newsletter.slug,
        issue_date=SUNDAY,
        to=datetime.fromisoformat(to),
        actor=DESK,
        now=NOW,
    )


def skip(db: Database, newsletter: Newsletter, day: date = SUNDAY) -> None:
    issues.skip_issue(
        db, newsletter=newsletter.slug, issue_date=day, actor=DESK, now=NOW
    )


def disable(db: Database, newsletter: Newsletter) -> None:
    plans.disable_schedule(db, newsletter=newsletter.slug, actor=DESK, now=NOW)


def load(db: Database, newsletter: Newsletter) -> KeptSchedule:
    with db.read() as tx:
        return schedules.get(tx, newsletter)


def actions(db: Database) -> list[str]:
    with db.read() as tx:
        c = tables.audit.c
        rows = tx.execute(
            select(c.actor, c.action).where(c.subject_kind == "schedule").order_by(c.id)
        )
        return [f"{row.actor} {row.action}" for row in rows]


def test_gives_back_what_was_put(db: Database) -> None:
    newsletter = add_newsletter(db)

    put(db, newsletter)

    kept = load(db, newsletter)
    assert (kept.plan, kept.since) == (PLAN, NOW)
    assert (kept.collected_for, kept.late_for, kept.trouble) == (None, None, None)
    assert actions(db) == ["operator:mona schedule.set"]


def test_a_changed_grace_keeps_what_was_remembered(db: Database) -> None:
    newsletter = add_newsletter(db)
    kept = put(db, newsletter)
    with db.write() as tx:
        schedules.mark_collected(tx, kept, SUNDAY)

    changed = put(db, newsletter, grace=timedelta(hours=9))

    assert (changed.since, changed.collected_for) == (NOW, SUNDAY)
    assert changed.plan.grace == timedelta(hours=9)


def test_another_rhythm_starts_anew(db: Database) -> None:
    newsletter = add_newsletter(db)
    kept = put(db, newsletter)
    with db.write() as tx:
        schedules.mark_collected(tx, kept, SUNDAY)
    skip(db, newsletter)

    changed = put(db, newsletter, rhythm=weekly(5))

    assert (changed.since, changed.collected_for) == (LATER, None)
    assert changed.plan.exceptions == ()


def test_a_skipped_issue_stays_skipped_when_the_hour_changes(db: Database) -> None:
    newsletter = add_newsletter(db)
    put(db, newsletter)
    skip(db, newsletter)

    changed = put(db, newsletter, at=time(18, 0))

    (exception,) = changed.plan.exceptions
    assert (exception.issue_date, exception.kind) == (SUNDAY, "skipped")


def test_refuses_to_store_what_nobody_can_follow(db: Database) -> None:
    newsletter = add_newsletter(db)

    with pytest.raises(UsageError):
        put(db, newsletter, grace=timedelta(days=8))

    with db.read() as tx:
        assert schedules.find(tx, newsletter.id) is None


def test_the_audit_log_tells_the_whole_plan(db: Database) -> None:
    newsletter = add_newsletter(db)

    put(db, newsletter)

    with db.read() as tx:
        detail = tx.execute(
            select(tables.audit.c.detail).where(tables.audit.c.action == "schedule.set")
        ).scalar_one()
    assert detail == {
        "days": "Sun",
        "local_time": "19:00",
        "zone": "Africa/Cairo",
        "approval": "auto",
        "collect_before": 10_800,
        "grace": 5_400,
        "start_on": "2024-05-19",
        "end_on": "2024-07-28",
        "enabled": True,
        "unapproved": "hold",
        "too_few": "hold",
        "least": 1,
        "collect_again": 900,
    }


def test_names_the_command_where_there_is_no_schedule(db: Database) -> None:
    newsletter = add_newsletter(db)

    with pytest.raises(NotFoundError, match="digest schedules set weekly"):
        load(db, newsletter)


def test_a_moved_issue_is_due_at_its_new_time(db: Database) -> None:
    newsletter = add_newsletter(db)
    put(db, newsletter)

    move(db, newsletter, "2024-05-20 08:30")

    (issue,) = next_issues(load(db, newsletter).plan, NOW)
    assert (issue.issue_date, issue.local.hour) == (SUNDAY, 8)
    assert actions(db)[1:] == ["operator:mona schedule.moved"]


def test_moving_back_to_the_usual_time_undoes_a_skip(db: Database) -> None:
    newsletter = add_newsletter(db)
    put(db, newsletter)
    skip(db, newsletter)

    move(db, newsletter, "2024-05-19 19:00")

    assert load(db, newsletter).plan.exceptions == ()


def test_the_last_change_of_an_issue_counts(db: Database) -> None:
    newsletter = add_newsletter(db)
    put(db, newsletter)
    move(db, newsletter, "2024-05-20 08:30")

    skip(db, newsletter)

    (exception,) = load(db, newsletter).plan.exceptions
    assert exception.kind == "skipped"


def test_an_issue_at_the_post_can_no_longer_be_moved_or_skipped(db: Database) -> None:
    newsletter = add_newsletter(db)
    put(db, newsletter)
    edition = Edition(
        newsletter_id=newsletter.id,
        issue_date=SUNDAY,
        number=1,
        subject="Rafah",
        released_at=NOW,
        created_at=NOW,
        updated_at=NOW,
    )
    with db.write() as tx:
        editions.insert_edition(tx, edition, [])

    for change in (partial(move, to="2024-05-20 08:30"), skip):
        with pytest.raises(StateError, match="at the post already"):
            change(db, newsletter)


def test_disabling_twice_is_one_change(db: Database) -> None:
    newsletter = add_newsletter(db)
    put(db, newsletter)

    for _ in range(2):
        disable(db, newsletter)

    assert actions(db)[1:] == ["operator:mona schedule.disabled"]


def test_enabling_again_starts_anew(db: Database) -> None:
    newsletter = add_newsletter(db)
    put(db, newsletter)
    disable(db, newsletter)

    kept = put(db, newsletter, enabled=True)

    assert (kept.plan.enabled, kept.since) == (True, LATER)


def test_lists_the_enabled_ones(db: Database) -> None:
    on, off = add_newsletter(db), add_newsletter(db, slug="other")
    put(db, on)
    put(db, off, enabled=False)

    with db.read() as tx:
        enabled, every = schedules.list_all(tx, enabled=True), schedules.list_all(tx)

    assert [kept.newsletter_id for kept in enabled] == [on.id]
    assert [kept.newsletter_id for kept in every] == [on.id, off.id]


def test_asks_about_a_late_issue_once(db: Database) -> None:
    newsletter = add_newsletter(db)
    kept = put(db, newsletter)

    news = []
    for day in (SUNDAY, SUNDAY, SUNDAY + timedelta(days=7), SUNDAY):
        told = alerts.mark_late(
            db,
            issue=alerts.Issue(kept=kept, newsletter=newsletter, issue_date=day),
            trouble="Send it?",
            head=HEAD,
            actor=SCHEDULE,
            now=NOW,
        )
        news.append(told)

    assert news == [True, False, True, False]
    late = ["schedule schedule.late", "schedule schedule.alerted"]
    assert actions(db)[1:] == late * 2


def test_tells_each_trouble_once(db: Database) -> None:
    newsletter = add_newsletter(db)
    kept = put(db, newsletter)

    news = []
    for trouble in (None, "no stories", "no stories", None, None, "no stories"):
        told = alerts.tell_trouble(
            db, kept=kept, trouble=trouble, actor=SCHEDULE, now=NOW
        )
        news.append(told)

    assert news == [False, True, False, True, False, True]
    assert actions(db)[1:] == ["schedule schedule.blocked"] * 2
