"""`schedules`: when newsletters appear."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

import typer

from digest.cli.face import CLI, face_of
from digest.cli.schedule_words import (
    document_of,
    issue_document,
    say_issue,
    say_schedule,
    say_summary,
    say_times,
)
from digest.domain.calendar import (
    Approval,
    Schedule,
    issue_of,
    next_issues,
)
from digest.domain.calendar_text import (
    parse_at,
    parse_date,
    parse_duration,
    parse_instant,
    parse_local,
    parse_zone,
)
from digest.domain.outlook import describe_outlook
from digest.domain.policies import Policies, TooFew, Unapproved
from digest.domain.schedules import KeptSchedule
from digest.storage import alerts, near_editions, newsletters, schedules
from digest.storage.engine import Tx
from digest.timetable import issues, plans

_MOST = 520
_LONGEST_SHOWN = timedelta(days=10)

Name = Annotated[str, typer.Argument(metavar="NEWSLETTER", help="Its name: weekly")]
IssueDate = Annotated[str, typer.Argument(metavar="D", help="Issue date: 2026-11-29")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(help="When newsletters appear.", no_args_is_help=True)
    group.command("set")(set_schedule)
    group.command("list")(list_schedules)
    group.command("next")(show_next)
    group.command("move")(move_issue)
    group.command("skip")(skip_issue)
    group.command("disable")(disable_schedule)
    app.add_typer(group, name="schedules")


def set_schedule(
    ctx: typer.Context,
    newsletter: Name,
    *,
    at: Annotated[
        str,
        typer.Option(
            help='Days and local time: "Sun 19:00", "Mon,Thu 07:30", "last Fri 18:00"'
        ),
    ],
    zone: Annotated[str, typer.Option(help="IANA time zone: Africa/Cairo")],
    approval: Annotated[
        Approval, typer.Option(help="auto: goes when preflight finds no error")
    ] = Approval.REQUIRED,
    collect_before: Annotated[
        str, typer.Option(help="Collect and compose so long before: 2h")
    ] = "2h",
    grace: Annotated[str, typer.Option(help="May go so late without asking: 6h")] = (
        "6h"
    ),
    start: Annotated[str | None, typer.Option(help="First issue date")] = None,
    end: Annotated[str | None, typer.Option(help="Last issue date")] = None,
    unapproved: Annotated[
        Unapproved, typer.Option(help="Nobody approved it by its hour")
    ] = Unapproved.HOLD,
    too_few: Annotated[
        TooFew, typer.Option(help="It has fewer stories than --least")
    ] = TooFew.HOLD,
    least: Annotated[
        int, typer.Option(help="Fewest stories it goes with by itself")
    ] = 1,
    collect_again: Annotated[
        str, typer.Option(help="Collect once more, and look stories up, so long before")
    ] = "15m",
) -> None:
    """Replace a newsletter's schedule and say what happens this week."""
    face = face_of(ctx)
    service = face.service()
    rhythm, local_time = parse_at(at)
    plan = Schedule(
        rhythm=rhythm,
        at=local_time,
        zone=parse_zone(zone),
        approval=approval,
        collect_before=parse_duration(collect_before),
        grace=parse_duration(grace),
        start_on=parse_date(start) if start else None,
        end_on=parse_date(end) if end else None,
        policies=Policies(
            unapproved=unapproved,
            too_few=too_few,
            least=least,
            collect_again=parse_duration(collect_again),
        ),
    )
    now = service.now()
    kept = plans.set_schedule(
        service.db, newsletter=newsletter, plan=plan, actor=CLI, now=now
    )
    with service.db.read() as tx:
        first = rhythm.before((now - timedelta(days=rhythm.longest_gap)).date())
        made = near_editions.since(tx, newsletter_id=kept.newsletter_id, first=first)
    due, said = next_issues(kept.plan, now), describe_outlook(kept, made, now=now)
    document = {
        "schedule": document_of(newsletter, kept),
        "next": [issue_document(newsletter, issue) for issue in due],
        "this_week": said,
    }
    lines = [say_schedule(newsletter, kept.plan), *say_times(kept.plan, due)]
    face.show(document, [*lines, *(f"  {sentence}" for sentence in said)])


def list_schedules(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
    after: Annotated[int, typer.Option(help="The id of the last one seen.")] = 0,
) -> None:
    """List every schedule, what keeps an issue from going, what the desk was told."""
    face = face_of(ctx)
    service = face.service()
    now = service.now()
    with service.db.read() as tx:
        kept = [one for one in schedules.list_all(tx) if one.id > after]
        slugs = {title.id: title.slug for title in newsletters.list_all(tx)}
        told = {
            one.id: alerts.standing(
                tx, schedule_id=one.id, now=now, since=_LONGEST_SHOWN
            )
            for one in kept
        }
    items = [document_of(slugs[k.newsletter_id], k, told[k.id]) for k in kept]
    lines = [say_summary(slugs[k.newsletter_id], k, told[k.id], now=now) for k in kept]
    if service.guard is not None and not (why := service.guard.look()).may_send:
        face.say(f"warning: {why.words} Nothing goes until: digest adopt")
    face.show_page(items, lines, limit=limit, none="No newsletter has a schedule.")


def show_next(
    ctx: typer.Context,
    newsletter: Annotated[
        str | None, typer.Argument(metavar="[NEWSLETTER]", help="Default: all")
    ] = None,
    count: Annotated[
        int, typer.Option(min=1, max=_MOST, help="So many of each newsletter.")
    ] = 5,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="From then on; default: now"),
    ] = None,
) -> None:
    """Print the next issues, local and UTC."""
    face = face_of(ctx)
    service = face.service()
    now = service.now()
    with service.db.read() as tx:
        asked = _asked(tx, newsletter)
    found = [
        (slug, issue)
        for slug, kept in asked
        if kept.plan.enabled
        for issue in next_issues(kept.plan, _from(start, kept.plan, now), count)
    ]
    found.sort(key=lambda pair: pair[1].due)
    lines = [f"{slug}  {say_issue(issue)}" for slug, issue in found]
    lines += [
        say_schedule(slug, kept.plan) for slug, kept in asked if not kept.plan.enabled
    ]
    face.show([issue_document(*pair) for pair in found], lines or "No issue is due.")


def move_issue(
    ctx: typer.Context,
    newsletter: Name,
    issue_date: IssueDate,
    to: Annotated[
        str, typer.Option(metavar="TIME", help='Local: 20:00 or "2026-11-30 08:30"')
    ],
) -> None:
    """Let one issue go at another time; its usual time undoes a move or skip."""
    face = face_of(ctx)
    service = face.service()
    now = service.now()
    day = parse_date(issue_date)
    with service.db.read() as tx:
        zone = schedules.get(tx, newsletters.get(tx, newsletter)).plan.zone
    moved = issues.move_issue(
        service.db,
        newsletter=newsletter,
        issue_date=day,
        to=parse_local(to, day=day, zone=zone),
        actor=CLI,
        now=now,
    )
    if moved.due <= now:
        face.say("warning: That time has passed.")
    face.show(issue_document(newsletter, moved), f"{newsletter}  {say_issue(moved)}")


def skip_issue(ctx: typer.Context, newsletter: Name, issue_date: IssueDate) -> None:
    """Leave one issue out."""
    face = face_of(ctx)
    service = face.service()
    day = parse_date(issue_date)
    kept = issues.skip_issue(
        service.db,
        newsletter=newsletter,
        issue_date=day,
        actor=CLI,
        now=service.now(),
    )
    skipped = issue_of(kept.plan, day)
    following = [
        issue_document(newsletter, i) for i in next_issues(kept.plan, skipped.due)
    ]
    document = {"newsletter": newsletter, "skipped": day, "next": following}
    after = f"; the next is of {following[0]['issue_date']}" if following else ""
    face.show(document, f"{newsletter}  {day} is skipped{after}.")


def disable_schedule(ctx: typer.Context, newsletter: Name) -> None:
    """Stop following a schedule; `schedules set` starts it again."""
    face = face_of(ctx)
    service = face.service()
    kept = plans.disable_schedule(
        service.db, newsletter=newsletter, actor=CLI, now=service.now()
    )
    face.show(document_of(newsletter, kept), say_schedule(newsletter, kept.plan))


def _asked(tx: Tx, slug: str | None) -> Sequence[tuple[str, KeptSchedule]]:
    if slug is not None:
        return [(slug, schedules.get(tx, newsletters.get(tx, slug)))]
    slugs = {title.id: title.slug for title in newsletters.list_all(tx)}
    return [(slugs[kept.newsletter_id], kept) for kept in schedules.list_all(tx)]


def _from(text: str | None, plan: Schedule, now: datetime) -> datetime:
    return parse_instant(text, zone=plan.zone) if text else now
