"""Tell the desk what is wrong with an issue, each thing once: a row and a letter."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from digest.domain.actor import Actor
from digest.domain.alerts import QUIET, AlertKind
from digest.domain.editions import Edition
from digest.domain.newsletters import Newsletter
from digest.domain.schedules import KeptSchedule, Step
from digest.domain.secrets import Secrets
from digest.domain.site import Site
from digest.storage import alerts, audit, issue_steps, schedules
from digest.storage.engine import Database, Tx
from digest.templating import Templates
from digest.timetable.asking import mail_alert


@dataclass(frozen=True, kw_only=True)
class Letterhead:
    """What letters to the desk are made with.

    Attributes:
        site: The public addresses.
        secrets: Keys of tokens.
        templates: The installation's templates.
    """

    site: Site
    secrets: Secrets
    templates: Templates


@dataclass(frozen=True, kw_only=True)
class Issue:
    """One issue, for what is told about it.

    Attributes:
        kept: Its schedule.
        newsletter: Its newsletter.
        issue_date: The local date that names it.
        edition: Its edition; None: there is none.
    """

    kept: KeptSchedule
    newsletter: Newsletter
    issue_date: date
    edition: Edition | None = None


def alert(
    db: Database,
    *,
    issue: Issue,
    kind: AlertKind,
    words: Sequence[str],
    head: Letterhead,
    actor: Actor,
    now: datetime,
    is_quiet: bool = False,
) -> Sequence[str]:
    """Tell the desk what is wrong; what it knows it is not told again.

    Args:
        db: The database.
        issue: Which issue.
        kind: What sort of thing.
        words: What is wrong, a sentence each.
        head: What letters are made with.
        actor: Who found it.
        now: When.
        is_quiet: Only list it; another letter says it.

    Returns:
        What is news.
    """
    with db.write() as tx:
        return put(
            tx,
            issue=issue,
            kind=kind,
            words=words,
            head=head,
            actor=actor,
            now=now,
            is_quiet=is_quiet,
        )


def put(
    tx: Tx,
    *,
    issue: Issue,
    kind: AlertKind,
    words: Sequence[str],
    head: Letterhead,
    actor: Actor,
    now: datetime,
    is_quiet: bool = False,
) -> Sequence[str]:
    """Do what `alert` does in the transaction of what was found."""
    news = [one for one in words if _is_news(tx, issue, kind, one, now)]
    if not news:
        return news
    audit.record(
        tx,
        actor=actor,
        action="schedule.alerted",
        subject=("schedule", issue.kept.id),
        now=now,
        detail={"issue_date": str(issue.issue_date), "kind": kind, "words": news},
    )
    if not is_quiet and kind not in QUIET:
        mail_alert(
            tx,
            newsletter=issue.newsletter,
            issue_date=issue.issue_date,
            messages=news,
            edition=issue.edition,
            key=f"{issue.kept.id}:{issue.issue_date}:{kind}:{int(now.timestamp())}",
            site=head.site,
            secrets=head.secrets,
            templates=head.templates,
            now=now,
        )
    return news


def mark_late(
    db: Database,
    *,
    issue: Issue,
    trouble: str,
    head: Letterhead,
    actor: Actor,
    now: datetime,
) -> bool:
    """Ask an operator about an issue that is past its grace, once.

    Args:
        db: The database.
        issue: The issue.
        trouble: What the operator is asked.
        head: What letters are made with.
        actor: Who found it.
        now: When.

    Returns:
        Whether it was news.
    """
    told = f"{issue.issue_date}: {trouble}"
    with db.write() as tx:
        is_news = issue_steps.mark_once(
            tx,
            schedule_id=issue.kept.id,
            issue_date=issue.issue_date,
            step=Step.ASKED_LATE,
            now=now,
        )
        if is_news:
            schedules.mark_late(tx, issue.kept, issue.issue_date, told)
            audit.record(
                tx,
                actor=actor,
                action="schedule.late",
                subject=("schedule", issue.kept.id),
                now=now,
                detail={"issue_date": str(issue.issue_date), "trouble": trouble},
            )
            words, kind = [trouble], AlertKind.LATE
            put(
                tx, issue=issue, kind=kind, words=words, head=head, actor=actor, now=now
            )
    return is_news


def tell_trouble(
    db: Database,
    *,
    kept: KeptSchedule,
    trouble: str | None,
    actor: Actor,
    now: datetime,
) -> bool:
    """Keep why the present issue does not go, once for each reason; None: it does.

    Returns:
        Whether it was news.
    """
    with db.write() as tx:
        is_news = schedules.set_trouble(tx, kept, trouble)
        if is_news and trouble is not None:
            audit.record(
                tx,
                actor=actor,
                action="schedule.blocked",
                subject=("schedule", kept.id),
                now=now,
                detail={"trouble": trouble},
            )
    return is_news


def settle(
    db: Database, *, kept: KeptSchedule, issue_date: date, now: datetime
) -> None:
    """Keep that nothing is wrong with an issue any more."""
    with db.write() as tx:
        if kept.trouble and kept.trouble.startswith(str(issue_date)):
            schedules.set_trouble(tx, kept, None)
        alerts.settle(tx, schedule_id=kept.id, issue_date=issue_date, now=now)


def _is_news(tx: Tx, issue: Issue, kind: AlertKind, words: str, now: datetime) -> bool:
    return alerts.put(
        tx,
        schedule_id=issue.kept.id,
        issue_date=issue.issue_date,
        kind=kind,
        words=words,
        now=now,
    )
