"""Ask the desk about a draft, by letters whose links settle it."""

from collections.abc import Sequence
from datetime import date, datetime

from digest.domain.actor import Actor
from digest.domain.editions import CHANGEABLE, Edition
from digest.domain.newsletters import Newsletter
from digest.domain.reviews import DeskMail, Review
from digest.domain.secrets import Secrets
from digest.domain.site import Site
from digest.domain.tokens import Purpose
from digest.storage import audit, desk, notices
from digest.storage.engine import Database, Tx
from digest.templating import Templates
from digest.timetable.desk_letters import Draft, write_alert, write_question
from digest.timetable.timing import Timing, timing_of


def ask(
    db: Database,
    *,
    draft: Draft,
    what: DeskMail | None,
    addresses: Sequence[str] | None = None,
    site: Site,
    secrets: Secrets,
    templates: Templates,
    actor: Actor,
    now: datetime,
) -> int:
    """Mail a draft to the desk, once for each occasion.

    Args:
        db: The database.
        draft: What is shown.
        what: `ask`, or which reminder; None: fresh links, once an hour at most.
        addresses: Who gets it; None: everybody at the desk.
        site: The public addresses.
        secrets: Keys of tokens.
        templates: The installation's templates.
        actor: Who asks.
        now: The present.

    Returns:
        How many letters; 0 where the desk has them.
    """
    wanted = draft.newsletter.desk_addresses if addresses is None else addresses
    with db.write() as tx:
        if what and not desk.mark_mailed(tx, draft.edition.id, what, now=now):
            return 0
        timing = timing_of(tx, draft.edition, draft.newsletter)
        written = 0
        for address in wanted:
            review = _open(tx, draft.edition, address, timing, now)
            # Of an issue that was moved the desk is reminded again.
            due = int(timing.due.timestamp()) if timing.due else ""
            key = f"desk:{what or _hour_of(review, now)}:{review.id}:{due}"
            if notices.is_known(tx, key):
                continue
            notice = write_question(
                draft,
                what or DeskMail.ASK,
                timing,
                address=address,
                review_url=_link(site, secrets, review, now),
                links_end=review.valid_until,
                key=key,
                templates=templates,
                now=now,
            )
            notices.add(tx, notice, now=now)
            written += 1
        if written:
            audit.record_edition(
                tx,
                draft.edition.id,
                "asked",
                actor=actor,
                now=now,
                occasion=what or "again",
                letters=written,
            )
    return written


def mail_alert(
    tx: Tx,
    *,
    newsletter: Newsletter,
    issue_date: date,
    messages: Sequence[str],
    edition: Edition | None,
    key: str,
    site: Site,
    secrets: Secrets,
    templates: Templates,
    now: datetime,
) -> int:
    """Tell everybody at the desk what keeps an issue from going.

    Args:
        tx: The transaction of what was found.
        newsletter: Whose issue.
        issue_date: Which.
        messages: What is wrong, a line each.
        edition: Its edition; None: there is none.
        key: Names the occasion: two letters to one address with one key are one.
        site: The public addresses.
        secrets: Keys of tokens.
        templates: The installation's templates.
        now: The present.

    Returns:
        How many letters.
    """
    for address in newsletter.desk_addresses:
        url, end, zone = "", now, newsletter.time_zone
        if edition is not None and edition.state in CHANGEABLE:
            timing = timing_of(tx, edition, newsletter)
            review = _open(tx, edition, address, timing, now)
            url, end = _link(site, secrets, review, now), review.valid_until
            zone = timing.zone
        notice = write_alert(
            newsletter,
            issue_date=issue_date,
            messages=messages,
            zone=zone,
            address=address,
            review_url=url,
            links_end=end,
            key=f"desk:alert:{newsletter.id}:{key}:{secrets.hash_address(address.lower())[:16]}",
            templates=templates,
        )
        notices.add(tx, notice, now=now)
    return len(newsletter.desk_addresses)


def _hour_of(review: Review, now: datetime) -> str:
    """Name an hour; links that were made anew are news within it, too."""
    return f"{now:%Y%m%d%H}:{int(review.valid_from.timestamp())}"


def _open(
    tx: Tx, edition: Edition, address: str, timing: Timing, now: datetime
) -> Review:
    return desk.open_review(
        tx,
        edition_id=edition.id,
        address=address,
        now=now,
        until=timing.links_end(now),
    )


def _link(site: Site, secrets: Secrets, review: Review, now: datetime) -> str:
    token = secrets.tokens.issue(Purpose.REVIEW, review.id, at=now)
    return site.review_url(token)
