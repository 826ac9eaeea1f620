"""What a schedule that is set now does first, in words for the operator."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from digest.domain.calendar import (
    Approval,
    DueIssue,
    Schedule,
    is_issue_date,
    issue_of,
    issues_between,
    next_issues,
)
from digest.domain.editions import Edition
from digest.domain.schedules import KeptSchedule
from digest.domain.states import EditionState

_WAITING = frozenset({EditionState.DRAFT, EditionState.APPROVED})
_MINUTE = timedelta(minutes=1)
# Whoever sets a schedule so soon after its hour may have meant today.
_RECENT = timedelta(days=1)


def describe_outlook(
    kept: KeptSchedule, editions: Sequence[Edition], *, now: datetime
) -> list[str]:
    """Say what happens to the issues around the present, one sentence each.

    Args:
        kept: The schedule.
        editions: The newsletter's editions of about the last two issues and later,
            the last revision of each date first.
        now: When it is set.
    """
    plan = kept.plan
    made = {edition.issue_date: edition for edition in reversed(editions)}
    said = list(_passed(kept, list(made.values()), now=now))
    issue = next(iter(next_issues(plan, now)), None)
    if issue is None:
        return said
    standing = made.get(issue.issue_date)
    if standing is None or standing.state in _WAITING:
        said += _coming(plan, issue, standing, now=now)
    else:
        said.append(
            f"The issue of {issue.issue_date} has edition {standing.id} already, which"
            f" is {standing.state}: nothing more goes at that hour."
        )
    return said


def write_span(length: timedelta) -> str:
    """Write how long something is away: "2 d 3 h", "45 min"."""
    minutes = max(0, round(length / _MINUTE))
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (minutes, "min"))
    return " ".join([f"{n} {unit}" for n, unit in parts if n][:2]) or "0 min"


def _passed(
    kept: KeptSchedule, editions: Sequence[Edition], *, now: datetime
) -> Iterator[str]:
    """Tell of hours that passed, and of drafts that fit no issue."""
    plan = kept.plan
    done = {e.issue_date for e in editions if e.state not in _WAITING}
    since = max(kept.since, now - plan.grace)
    for issue in issues_between(plan, now - max(_RECENT, plan.grace), now)[-1:]:
        if issue.issue_date in done:
            continue
        until = (issue.due + plan.grace).astimezone(issue.local.tzinfo)
        yield f"The hour of {issue.issue_date}, {_clock(issue.local)}, has passed: " + (
            f"it still goes until {_clock(until)}."
            if issue.due >= since
            else "the schedule does not make up for it."
        )
    for edition in editions:
        if edition.state in _WAITING and not _is_due(plan, edition, since):
            yield (
                f"Edition {edition.id} ({edition.state}, of {edition.issue_date}) is of"
                " no issue to come: release or cancel it by hand."
            )


def _is_due(plan: Schedule, edition: Edition, since: datetime) -> bool:
    """Whether the schedule will still release an edition."""
    exception = plan.exception(edition.issue_date)
    is_skipped = exception is not None and exception.moved_to is None
    if is_skipped or not is_issue_date(plan, edition.issue_date):
        return False
    return issue_of(plan, edition.issue_date).due >= since


def _coming(
    plan: Schedule, issue: DueIssue, standing: Edition | None, *, now: datetime
) -> Iterator[str]:
    day, until = issue.issue_date, issue.due - now
    yield f"The issue of {day} is due in {write_span(until)}."
    collect = issue.due - plan.collect_before
    if standing is not None:
        yield f"Edition {standing.id} is its {_name(standing)}; no other is made."
    elif collect <= now:
        shown = _clock(collect.astimezone(issue.local.tzinfo))
        yield f"Its stories are collected at once: the usual time, {shown}, has passed."
    else:
        yield f"Its stories are collected in {write_span(collect - now)}."
    yield from _approval(plan, issue, standing)


def _approval(
    plan: Schedule, issue: DueIssue, standing: Edition | None
) -> Iterator[str]:
    if standing is not None and standing.state is EditionState.APPROVED:
        yield "It is approved."
    elif plan.approval is Approval.AUTO:
        yield "It goes by itself if preflight finds no error."
    else:
        late = issue.due + plan.grace
        yield (
            f"It needs a person's approval; one that comes after"
            f" {_clock(late.astimezone(issue.local.tzinfo))} no longer releases it."
        )


def _name(edition: Edition) -> str:
    is_draft = edition.state is EditionState.DRAFT
    return "draft" if is_draft else "approved edition"


def _clock(local: datetime) -> str:
    return f"{local:%a %Y-%m-%d %H:%M}"
