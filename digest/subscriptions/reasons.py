"""Why readers leave: one question after it, counted without a name."""

from datetime import datetime

from digest.domain.issue import local_date
from digest.domain.opinions import LeavingReason
from digest.domain.secrets import Secrets
from digest.storage import opinions
from digest.storage.engine import Database
from digest.subscriptions import leave


def give(
    db: Database,
    *,
    token: str,
    reason: LeavingReason,
    secrets: Secrets,
    now: datetime,
) -> bool:
    """Count a reason, soon after the leave that it is about.

    No audit row: beside the one of the leave it would say whose answer it is.

    Args:
        db: The database.
        token: The link that was left by.
        reason: One of those offered.
        secrets: For the token.
        now: When.

    Returns:
        Whether it was counted; faces answer alike.
    """
    standing = leave.look(db, token=token, secrets=secrets, now=now)
    if standing is None or not standing.can_undo:
        return False
    newsletter = standing.newsletter
    today = local_date(now, newsletter.time_zone)
    with db.write() as tx:
        opinions.add_reason(tx, newsletter.id, reason, given_on=today)
    return True
