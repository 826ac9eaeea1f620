"""`schedules`: when newsletters appear."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from digest.cli.face import CLI, face_of
from digest.domain.calendar import (
    Approval,
    DueIssue,
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
    write_at,
    write_duration,
)
from digest.domain.schedules import KeptSchedule
from digest.storage import newsletters, schedules
from digest.storage.engine import Tx
from digest.timetable import issues, plans

_MOST = 520

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
    )
    now = service.now()
    kept = plans.set_schedule(
        service.db, newsletter=newsletter, plan=plan, actor=CLI, now=now
    )
    due = next_issues(kept.plan, now)
    document = {
        "schedule": _document(newsletter, kept),
        "next": [_issue(newsletter, issue) for issue in due],
    }
    lines = [_sentence(newsletter, kept.plan), *_this_week(kept.plan, due)]
    face.show(document, lines)


def list_schedules(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
    after: Annotated[int, typer.Option(help="The id of the last one seen.")] = 0,
) -> None:
    """List every schedule, and what keeps an issue from going."""
    face = face_of(ctx)
    service = face.service()
    with service.db.read() as tx:
        kept = [one for one in schedules.list_all(tx) if one.id > after]
        slugs = {title.id: title.slug for title in newsletters.list_all(tx)}
    items = [_document(slugs[one.newsletter_id], one) for one in kept]
    lines = [_summary(slugs[one.newsletter_id], one) for one in kept]
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
    lines = [f"{slug}  {_line(issue)}" for slug, issue in found]
    face.show([_issue(*pair) for pair in found], lines or "No issue is due.")


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
    day = parse_date(issue_date)
    with service.db.read() as tx:
        zone = schedules.get(tx, newsletters.get(tx, newsletter)).plan.zone
    moved = issues.move_issue(
        service.db,
        newsletter=newsletter,
        issue_date=day,
        to=parse_local(to, day=day, zone=zone),
        actor=CLI,
        now=service.now(),
    )
    face.show(_issue(newsletter, moved), f"{newsletter}  {_line(moved)}")


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
    following = [_issue(newsletter, i) for i in next_issues(kept.plan, skipped.due)]
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
    face.show(_document(newsletter, kept), _sentence(newsletter, kept.plan))


def _asked(tx: Tx, slug: str | None) -> Sequence[tuple[str, KeptSchedule]]:
    if slug is not None:
        return [(slug, schedules.get(tx, newsletters.get(tx, slug)))]
    slugs = {title.id: title.slug for title in newsletters.list_all(tx)}
    return [(slugs[kept.newsletter_id], kept) for kept in schedules.list_all(tx)]


def _from(text: str | None, plan: Schedule, now: datetime) -> datetime:
    return parse_instant(text, zone=plan.zone) if text else now


def _document(slug: str, kept: KeptSchedule) -> dict[str, Any]:
    plan = kept.plan
    return {
        "id": kept.id,
        "newsletter": slug,
        "at": write_at(plan),
        "zone": plan.zone,
        "approval": plan.approval,
        "collect_before": write_duration(plan.collect_before),
        "grace": write_duration(plan.grace),
        "start": plan.start_on,
        "end": plan.end_on,
        "enabled": plan.enabled,
        "exceptions": [
            {"issue_date": e.issue_date, "kind": e.kind, "moved_to": e.moved_to}
            for e in plan.exceptions
        ],
        "trouble": kept.trouble,
    }


def _issue(slug: str, issue: DueIssue) -> dict[str, Any]:
    return {
        "newsletter": slug,
        "issue_date": issue.issue_date,
        "local": issue.local,
        "utc": issue.due,
        "note": issue.note,
    }


def _sentence(slug: str, plan: Schedule) -> str:
    if not plan.enabled:
        return f"{slug}  disabled (was {write_at(plan)} {plan.zone})"
    who = "approved by a person" if plan.approval is Approval.REQUIRED else "by itself"
    bounds = "".join(
        f", {word} {day}"
        for word, day in (("from", plan.start_on), ("until", plan.end_on))
        if day
    )
    return f"{slug}  {write_at(plan)} {plan.zone}, {who}{bounds}"


def _summary(slug: str, kept: KeptSchedule) -> str:
    trouble = f"\n  {kept.trouble}" if kept.trouble else ""
    return _sentence(slug, kept.plan) + trouble


def _this_week(plan: Schedule, due: Sequence[DueIssue]) -> list[str]:
    if not due:
        return ["No issue is due any more."]
    issue = due[0]
    zone = issue.local.tzinfo
    collect, late = issue.due - plan.collect_before, issue.due + plan.grace
    return [
        f"  collect  {_moment(collect.astimezone(zone))}",
        f"  issue    {_line(issue)}",
        f"  late     {_moment(late.astimezone(zone))}, from then on it asks",
    ]


def _line(issue: DueIssue) -> str:
    note = f"  ({issue.note})" if issue.note else ""
    return f"{issue.issue_date}  {_moment(issue.local)}{note}"


def _moment(local: datetime) -> str:
    utc = local.astimezone(UTC)
    return f"{local:%a %Y-%m-%d %H:%M %Z} = {utc:%Y-%m-%d %H:%M} UTC"
