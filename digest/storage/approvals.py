"""Approvals: what goes with one when it is taken back."""

from datetime import datetime

from digest.domain.editions import Edition
from digest.domain.states import EditionState
from digest.storage import editions
from digest.storage.engine import Tx


def take_back(tx: Tx, edition: Edition, *, now: datetime) -> Edition:
    """Return an approved or scheduled edition to draft.

    Its frozen renderings go, so that nothing but approved words can be posted.
    """
    draft = editions.move(
        tx,
        edition,
        EditionState.DRAFT,
        now=now,
        approved_hash=None,
        approved_by=None,
        approved_because=None,
        approved_at=None,
        scheduled_at=None,
    )
    editions.drop_variants(tx, edition.id)
    return draft
