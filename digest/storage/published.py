"""The list of what readers have got: enough to link to it, without its content."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from digest.domain.states import EditionKind, EditionState
from digest.storage import tables
from digest.storage.engine import Tx


@dataclass(frozen=True, kw_only=True)
class Published:
    """One released issue.

    Attributes:
        edition_id: The edition that readers got of it.
        issue_date: Its local date; names its page.
        number: "No. 19".
        subject: Its headline.
        updated_at: Its last change.
    """

    edition_id: int
    issue_date: date
    number: int
    subject: str
    updated_at: datetime


def list_issues(tx: Tx, newsletter_id: int) -> Sequence[Published]:
    """List a newsletter's released weekly issues, newest first, one per date."""
    c = tables.editions.c
    public = (EditionState.SENDING, EditionState.PAUSED, EditionState.SENT)
    query = (
        select(c.id, c.issue_date, c.number, c.subject, c.updated_at)
        .where(
            c.newsletter_id == newsletter_id,
            c.kind == EditionKind.WEEKLY,
            c.state.in_(public),
        )
        .order_by(c.issue_date.desc(), c.revision)
    )
    # Of several revisions of a date the last one counts.
    issues = {
        row.issue_date: Published(
            edition_id=row.id,
            issue_date=row.issue_date,
            number=row.number,
            subject=row.subject,
            updated_at=row.updated_at,
        )
        for row in tx.execute(query)
    }
    return list(issues.values())
