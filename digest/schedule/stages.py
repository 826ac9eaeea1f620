"""What the schedule asks of the stages, each with the schedule as the actor."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime

from digest import bootstrap
from digest.bootstrap import Service
from digest.compose import (
    approve as approval,
    draft,
    hold,
    pictures,
    preflight,
    recheck,
    refresh,
)
from digest.compose.recheck import Rechecked
from digest.compose.refresh import Refreshed
from digest.domain.actor import SCHEDULE
from digest.domain.editions import Edition
from digest.domain.errors import StateError
from digest.domain.newsletters import Newsletter
from digest.ingest import collecting
from digest.ingest.collecting import Collected

_BECAUSE = "The schedule approves by itself."


def collect(
    service: Service, newsletter: Newsletter, now: datetime
) -> Sequence[Collected]:
    """Collect a newsletter's sources; one that fails keeps its error itself."""
    return collecting.collect(
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
    """Compose the edition of an issue date; `gather_pictures` gets its pictures.

    Raises:
        NotFoundError: No story waits.
        StateError: Somebody else composed it meanwhile.
    """
    return draft.compose(
        service.db,
        newsletter=newsletter.slug,
        issue_date=issue_date,
        templates=service.templates,
        site=service.site,
        actor=SCHEDULE,
        now=now,
    ).edition


def take_in_news(service: Service, edition_id: int, now: datetime) -> Refreshed:
    """Bring a draft that nobody touched up to date, pictures and all.

    Raises:
        StateError: Somebody changed it just now.
    """
    done = refresh.refresh(
        service.db,
        edition_id=edition_id,
        templates=service.templates,
        site=service.site,
        actor=SCHEDULE,
        now=now,
    )
    if done.added:
        gather_pictures(service, edition_id, now)
    return done


def look_up(service: Service, edition_id: int, now: datetime) -> Rechecked:
    """Look an edition's stories up at their own addresses."""
    return recheck.recheck(
        service.db,
        edition_id=edition_id,
        fetcher=bootstrap.make_fetcher(service.settings, limits=recheck.LIMITS),
        now=now,
    )


def keep_back(service: Service, edition_id: int, because: str, now: datetime) -> None:
    """Hold an edition until a person approves it.

    Raises:
        StateError: It was released or cancelled meanwhile.
    """
    hold.hold(
        service.db, edition_id=edition_id, because=because, actor=SCHEDULE, now=now
    )


def gather_pictures(service: Service, edition_id: int, now: datetime) -> None:
    """Get the pictures of an edition's stories that it lacks."""
    # Only an editor who was quicker refuses: then there is no trouble.
    with suppress(StateError):
        pictures.gather(
            service.db,
            edition_id=edition_id,
            fetcher=bootstrap.make_fetcher(service.settings, limits=pictures.LIMITS),
            templates=service.templates,
            site=service.site,
            actor=SCHEDULE,
            now=now,
        )


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
