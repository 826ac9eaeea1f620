"""One issue at one moment: what a turn knows of it, and what it says about it."""

from dataclasses import dataclass
from datetime import date, datetime

import structlog

from digest.bootstrap import Service
from digest.domain.actor import SCHEDULE
from digest.domain.alerts import AlertKind
from digest.domain.calendar import Approval, DueIssue, Schedule
from digest.domain.editions import Edition
from digest.domain.newsletters import Newsletter
from digest.domain.schedules import KeptSchedule, Step
from digest.domain.states import EditionKind, EditionState
from digest.storage import (
    alerts as alert_rows,
    editions,
    issue_steps,
    newsletters,
    schedules,
)
from digest.timetable import alerts, leaving_out
from digest.timetable.alerts import Issue, Letterhead

_log = structlog.get_logger()

WAITING = frozenset({EditionState.DRAFT, EditionState.APPROVED})
"""The states in which an edition is the schedule's business."""


def followed(service: Service) -> list[tuple[KeptSchedule, Newsletter]]:
    """Load the schedules that are followed, each with its newsletter."""
    with service.db.read() as tx:
        return [
            (kept, newsletters.get_by_id(tx, kept.newsletter_id))
            for kept in schedules.list_all(tx, enabled=True)
        ]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One issue at one moment.

    Attributes:
        service: The installation.
        kept: The schedule.
        newsletter: The newsletter.
        issue: The issue.
        now: The present, UTC.
    """

    service: Service
    kept: KeptSchedule
    newsletter: Newsletter
    issue: DueIssue
    now: datetime

    @property
    def day(self) -> date:
        """The local date that names the issue."""
        return self.issue.issue_date

    @property
    def plan(self) -> Schedule:
        """What was asked for."""
        return self.kept.plan

    @property
    def is_automatic(self) -> bool:
        """Whether no person need approve it."""
        return self.plan.approval is Approval.AUTO

    @property
    def is_late(self) -> bool:
        """Whether it may no longer go by itself, however long this turn has taken."""
        latest = max(self.now, self.service.now())
        return latest > self.issue.due + self.plan.grace

    @property
    def near(self) -> datetime:
        """From when on sources and stories are looked at once more."""
        return self.issue.due - self.plan.collect_again

    def edition(self) -> Edition | None:
        """Load its edition, the last one made."""
        with self.service.db.read() as tx:
            made = editions.of_issue(
                tx,
                newsletter_id=self.kept.newsletter_id,
                kind=EditionKind.WEEKLY,
                issue_date=self.day,
            )
        return made[0] if made else None

    def done_at(self, step: Step) -> datetime | None:
        """Say when a step was done; None: it was not."""
        with self.service.db.read() as tx:
            return issue_steps.done_at(
                tx, schedule_id=self.kept.id, issue_date=self.day, step=step
            )

    def mark(self, step: Step) -> None:
        """Keep that a step was done."""
        with self.service.db.write() as tx:
            issue_steps.mark(
                tx,
                schedule_id=self.kept.id,
                issue_date=self.day,
                step=step,
                now=self.now,
            )

    def standing(self) -> list[str]:
        """Say what is wrong with it, as far as the desk was told."""
        with self.service.db.read() as tx:
            found = alert_rows.of_issue(
                tx, schedule_id=self.kept.id, issue_date=self.day
            )
        return [alert.words for alert in found if alert.settled_at is None]

    def alert(
        self,
        kind: AlertKind,
        *words: str,
        edition: Edition | None = None,
        is_quiet: bool = False,
    ) -> None:
        """Tell the desk what is wrong; what it knows it is not told again."""
        if not words:
            return
        news = alerts.alert(
            self.service.db,
            issue=self._issue(edition),
            kind=kind,
            words=words,
            head=self._head,
            actor=SCHEDULE,
            now=self.now,
            is_quiet=is_quiet,
        )
        for one in news:
            _log.warning("schedule.alert", schedule=self.kept.id, kind=kind, words=one)

    def tell(self, trouble: str) -> None:
        """Keep why it does not go, for whoever asks."""
        told = f"{self.day}: {trouble}"
        if told == self.kept.trouble:
            return
        if alerts.tell_trouble(
            self.service.db, kept=self.kept, trouble=told, actor=SCHEDULE, now=self.now
        ):
            _log.warning("schedule.blocked", schedule=self.kept.id, trouble=told)

    def ask_late(self, edition: Edition | None) -> None:
        """Ask about it, since it is past its grace."""
        if self.done_at(Step.ASKED_LATE) is not None:
            return
        number = edition.id if edition is not None else "ID"
        trouble = (
            f"It was due at {self.issue.local:%Y-%m-%d %H:%M %Z} and is past its grace."
            f" Release it by hand (digest editions release {number}), or leave it."
        )
        if alerts.mark_late(
            self.service.db,
            issue=self._issue(edition),
            trouble=trouble,
            head=self._head,
            actor=SCHEDULE,
            now=self.now,
        ):
            slug = self.newsletter.slug
            _log.warning("schedule.late", newsletter=slug, issue_date=str(self.day))

    def leave_out(self, edition: Edition | None, why: str) -> None:
        """Skip it, as a policy says.

        Raises:
            StateError: Its edition changed its state meanwhile.
        """
        leaving_out.leave_out(
            self.service.db,
            issue=self._issue(edition),
            why=why,
            head=self._head,
            actor=SCHEDULE,
            now=self.now,
        )
        _log.warning("schedule.skipped", schedule=self.kept.id, why=why)

    def settle(self) -> None:
        """Keep that nothing is wrong with it any more."""
        is_told = bool(
            self.kept.trouble and self.kept.trouble.startswith(str(self.day))
        )
        if is_told or self.standing():
            alerts.settle(
                self.service.db, kept=self.kept, issue_date=self.day, now=self.now
            )

    @property
    def _head(self) -> Letterhead:
        service = self.service
        return Letterhead(
            site=service.site, secrets=service.secrets, templates=service.templates
        )

    def _issue(self, edition: Edition | None) -> Issue:
        return Issue(
            kept=self.kept,
            newsletter=self.newsletter,
            issue_date=self.day,
            edition=edition,
        )
