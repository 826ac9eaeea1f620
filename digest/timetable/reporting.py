"""Tell the desk how an issue went: at its end, and what came back within a day."""

from datetime import datetime, timedelta

from digest.domain.actor import Actor
from digest.domain.editions import Edition
from digest.domain.newsletters import Newsletter
from digest.domain.reviews import DeskMail
from digest.domain.secrets import Secrets
from digest.domain.site import Site
from digest.domain.states import DeliveryState, SuppressionReason
from digest.storage import audit, deliveries, desk, notices, opinions
from digest.storage.engine import Database, Tx
from digest.templating import Templates
from digest.timetable.desk_letters import write_report

_DAY = timedelta(days=1)
# An issue that ended longer ago is no news, say when this version is new here.
_NEWS = timedelta(days=3)
_MOST_REFUSALS = 5


def report_due(
    db: Database,
    *,
    newsletter: Newsletter,
    site: Site,
    secrets: Secrets,
    templates: Templates,
    actor: Actor,
    now: datetime,
) -> int:
    """Report the issues of a newsletter that ended lately, each twice.

    Args:
        db: The database.
        newsletter: Whose issues.
        site: The public addresses.
        secrets: Keys of hashes.
        templates: The installation's templates.
        actor: Who reports.
        now: The present.

    Returns:
        How many reports are new.
    """
    with db.read() as tx:
        ended = desk.finished_since(tx, newsletter.id, now - _NEWS)
        wanted = [
            (edition, what)
            for edition in ended
            for what in _wanted(edition, now)
            if what not in desk.mailed(tx, edition.id)
        ]
    for edition, what in wanted:
        with db.write() as tx:
            if desk.mark_mailed(tx, edition.id, what, now=now):
                _report(
                    tx,
                    edition,
                    newsletter,
                    what,
                    site=site,
                    secrets=secrets,
                    templates=templates,
                    now=now,
                )
                audit.record_edition(
                    tx, edition.id, "reported", actor=actor, now=now, report=what
                )
    return len(wanted)


def _wanted(edition: Edition, now: datetime) -> list[DeskMail]:
    assert edition.finished_at is not None, "it has ended"
    is_day_over = now >= edition.finished_at + _DAY
    return [DeskMail.SENT, *([DeskMail.DAY] if is_day_over else [])]


def _report(
    tx: Tx,
    edition: Edition,
    newsletter: Newsletter,
    what: DeskMail,
    *,
    site: Site,
    secrets: Secrets,
    templates: Templates,
    now: datetime,
) -> None:
    counts = _counts(tx, edition, now)
    refusals = [
        f"{text} ({count})" if count > 1 else text
        for text, count in desk.failures(tx, edition.id, limit=_MOST_REFUSALS)
    ]
    for address in newsletter.desk_addresses:
        of_whom = secrets.hash_address(address.lower())[:16]
        notice = write_report(
            edition,
            newsletter,
            what,
            counts=counts,
            refusals=refusals,
            address=address,
            archive_url=site.archive_url(newsletter.slug, str(edition.issue_date)),
            key=f"desk:{what}:{edition.id}:{of_whom}",
            templates=templates,
        )
        notices.add(tx, notice, now=now)


def _counts(tx: Tx, edition: Edition, now: datetime) -> dict[str, int]:
    letters = deliveries.counts(tx, edition.id, since=now).by_state
    suppressed = desk.count_suppressed(tx, edition)
    given = opinions.counts(tx, edition.id)
    return {
        **{state.value: letters.get(state, 0) for state in DeliveryState},
        "bounces": suppressed.get(SuppressionReason.BOUNCE, 0),
        "complaints": suppressed.get(SuppressionReason.COMPLAINT, 0),
        "left": desk.count_left(tx, edition),
        **{answer.value: count for answer, count in given.items()},
    }
