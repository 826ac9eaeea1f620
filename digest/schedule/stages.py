"""What the schedule asks of the stages, each with the schedule as the actor."""

from contextlib import suppress
from datetime import date, datetime

from digest import bootstrap
from digest.bootstrap import Service
from digest.compose import approve as approval, draft, pictures, preflight
from digest.domain.actor import SCHEDULE
from digest.domain.editions import Edition
from digest.domain.errors import StateError
from digest.domain.newsletters import Newsletter
from digest.domain.schedules import KeptSchedule
from digest.ingest import collecting
from digest.timetable import alerts

_BECAUSE = "The schedule approves by itself."


def collect(service: Service, newsletter: Newsletter, now: datetime) -> None:
    """Collect a newsletter's sources; one that fails keeps its error itself."""
    collecting.collect(
        service.db,
        fetcher=bootstrap.make_fetcher(service.settings),
        actor=SCHEDULE,
        now=now,
        newsletter=newsletter.slug,
    )


def collect_due(service: Service, now: datetime) -> None:
    """Collect every source whose own interval has passed."""
    collecting.collect(
        service.db,
        fetcher=bootstrap.make_fetcher(service.settings),
        actor=SCHEDULE,
        now=now,
        due_only=True,
    )


def compose(
    service: Service, newsletter: Newsletter, issue_date: date, now: datetime
) -> Edition:
    """Compose the edition of an issue date, and get its pictures.

    Raises:
        NotFoundError: No story waits.
        StateError: Somebody else composed it meanwhile.
    """
    edition = draft.compose(
        service.db,
        newsletter=newsletter.slug,
        issue_date=issue_date,
        templates=service.templates,
        site=service.site,
        actor=SCHEDULE,
        now=now,
    ).edition
    # Only an editor who was quicker refuses: then there is no trouble.
    with suppress(StateError):
        pictures.gather(
            service.db,
            edition_id=edition.id,
            fetcher=bootstrap.make_fetcher(service.settings, limits=pictures.LIMITS),
            templates=service.templates,
            site=service.site,
            actor=SCHEDULE,
            now=now,
        )
    return edition


def require_no_errors(service: Service, edition_id: int) -> None:
    """Check an edition before anybody waits for it.

    Raises:
        StateError: Preflight found errors.
    """
    found = preflight.check(
        service.db,
        edition_id=edition_id,
        templates=service.templates,
        site=service.site,
        posting=service.posting(),
    )
    if found.errors:
        raise StateError(
            f"Preflight found an error: {found.errors[0].message}",
            f"See: digest editions check {edition_id}",
        )


def approve(service: Service, edition_id: int, now: datetime) -> None:
    """Approve an edition, warnings and all.

    Raises:
        StateError: Preflight found errors, or it is at the post already.
    """
    approval.approve(
        service.db,
        edition_id=edition_id,
        because=_BECAUSE,
        templates=service.templates,
        site=service.site,
        posting=service.posting(),
        actor=SCHEDULE,
        now=now,
    )


def release(service: Service, edition_id: int) -> None:
    """Give an approved edition to the post.

    Raises:
        StateError: Its approval no longer holds, or it has no readers.
    """
    service.release(edition_id, actor=SCHEDULE)


def mark_late(
    service: Service, kept: KeptSchedule, issue_date: date, trouble: str, now: datetime
) -> bool:
    """Ask an operator about a late issue; say whether it was news."""
    return alerts.mark_late(
        service.db,
        kept=kept,
        issue_date=issue_date,
        trouble=trouble,
        actor=SCHEDULE,
        now=now,
    )


def tell_trouble(
    service: Service, kept: KeptSchedule, trouble: str | None, now: datetime
) -> bool:
    """Say why an issue does not go; say whether it was news."""
    return alerts.tell_trouble(
        service.db, kept=kept, trouble=trouble, actor=SCHEDULE, now=now
    )
