"""Schedules and their issues, as commands show them."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from digest.domain.alerts import Alert
from digest.domain.calendar import Approval, DueIssue, Schedule
from digest.domain.calendar_text import describe_at, write_at, write_duration
from digest.domain.policies import TooFew, Unapproved
from digest.domain.schedules import KeptSchedule

_UNAPPROVED = {
    Unapproved.HOLD: "it waits until it is late, and the desk is reminded",
    Unapproved.SKIP: "it is left out",
}
_TOO_FEW = {
    TooFew.HOLD: "it waits for more, or for an approval",
    TooFew.SKIP: "it is left out",
    TooFew.SHORT: "it goes with what there is",
}


def document_of(
    slug: str, kept: KeptSchedule, alerts: Sequence[Alert] = ()
) -> dict[str, Any]:
    """Return a schedule as `--json` shows it."""
    plan = kept.plan
    return {
        "id": kept.id,
        "newsletter": slug,
        "at": write_at(plan),
        "words": describe_at(plan),
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
        "unapproved": plan.policies.unapproved,
        "too_few": plan.policies.too_few,
        "least": plan.policies.least,
        "collect_again": write_duration(plan.collect_again),
        "alerts": [
            {"issue_date": a.issue_date, "kind": a.kind, "words": a.words, "at": a.at}
            for a in alerts
        ],
    }


def issue_document(slug: str, issue: DueIssue) -> dict[str, Any]:
    """Return an issue as `--json` shows it."""
    return {
        "newsletter": slug,
        "issue_date": issue.issue_date,
        "local": issue.local,
        "utc": issue.due,
        "note": issue.note,
    }


def say_schedule(slug: str, plan: Schedule) -> str:
    """Say a schedule on one line."""
    if not plan.enabled:
        return f"{slug}  disabled (was {write_at(plan)} {plan.zone})"
    who = "approved by a person" if plan.approval is Approval.REQUIRED else "by itself"
    bounds = "".join(
        f", {word} {day}"
        for word, day in (("from", plan.start_on), ("until", plan.end_on))
        if day
    )
    return f"{slug}  {write_at(plan)} {plan.zone}, {who}{bounds}"


def say_summary(
    slug: str, kept: KeptSchedule, alerts: Sequence[Alert] = (), *, now: datetime
) -> str:
    """Say a schedule, its changed issues, what keeps one back, what the desk knows."""
    told = [f"{alert.issue_date}: {alert.words}" for alert in alerts]
    lines = [
        *say_policies(kept.plan),
        *_say_changes(kept.plan, now),
        *([kept.trouble] if kept.trouble else []),
        *told,
    ]
    return "\n  ".join([say_schedule(slug, kept.plan), *dict.fromkeys(lines)])


def _say_changes(plan: Schedule, now: datetime) -> Iterator[str]:
    """Say which issues to come are skipped or moved."""
    local = now.astimezone(ZoneInfo(plan.zone)).replace(tzinfo=None)
    for change in plan.exceptions:
        if change.moved_to is None:
            if change.issue_date >= local.date():
                yield f"{change.issue_date}: skipped"
        elif change.moved_to >= local:
            yield f"{change.issue_date}: moved to {change.moved_to:%a %Y-%m-%d %H:%M}"


def say_policies(plan: Schedule) -> list[str]:
    """Say what happens when an issue is not as it should be."""
    policies = plan.policies
    found = []
    if plan.approval is Approval.REQUIRED:
        found.append(f"nobody approved it: {_UNAPPROVED[policies.unapproved]}")
    else:
        few = f"under {policies.least} stories" if policies.least > 1 else "no story"
        found.append(f"{few}: {_TOO_FEW[policies.too_few]}")
    return [f"if       {'; '.join(found)}"]


def say_times(plan: Schedule, due: Sequence[DueIssue]) -> list[str]:
    """Say when the next issue is collected, goes and is late."""
    if not due:
        return ["No issue is due any more."]
    issue = due[0]
    zone = issue.local.tzinfo
    collect, late = issue.due - plan.collect_before, issue.due + plan.grace
    again = issue.due - plan.collect_again
    return [
        f"  means    {describe_at(plan)}",
        f"  collect  {say_moment(collect.astimezone(zone))}",
        *(
            [f"  again    {say_moment(again.astimezone(zone))}"]
            if plan.collect_again
            else []
        ),
        f"  issue    {say_issue(issue)}",
        f"  late     {say_moment(late.astimezone(zone))}, from then on it asks",
        *(f"  {line}" for line in say_policies(plan)),
    ]


def say_issue(issue: DueIssue) -> str:
    """Say an issue on one line: date, local time, UTC, what is unusual."""
    note = f"  ({issue.note})" if issue.note else ""
    return f"{issue.issue_date}  {say_moment(issue.local)}{note}"


def say_moment(local: datetime) -> str:
    """Say an instant, local and UTC."""
    utc = local.astimezone(UTC)
    return f"{local:%a %Y-%m-%d %H:%M %Z} = {utc:%Y-%m-%d %H:%M} UTC"
