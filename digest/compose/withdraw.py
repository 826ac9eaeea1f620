"""Take an approval back: what changed is no longer what somebody accepted."""

from datetime import datetime

from digest.domain.actor import Actor
from digest.domain.editions import CHANGEABLE, Edition
from digest.domain.errors import StateError
from digest.domain.states import EditionState
from digest.storage import audit, editions
from digest.storage.engine import Tx


def require_changeable(edition: Edition) -> None:
    """Refuse to change what was released or cancelled.

    Raises:
        StateError: It is on its way, sent or cancelled.
    """
    if edition.state not in CHANGEABLE:
        raise StateError(
            f"Edition {edition.id} is {edition.state} and cannot be changed.",
            "Compose another: digest editions compose",
        )


def withdraw_approval(
    tx: Tx, edition: Edition, *, actor: Actor, now: datetime
) -> Edition:
    """Return an approved or scheduled edition to draft; a draft stays as it is.

    Its frozen renderings go, so that nothing but the approved words can be posted.
    """
    if edition.state == EditionState.DRAFT:
        return edition
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
    audit.record(
        tx,
        actor=actor,
        action="edition.approval_withdrawn",
        subject=("edition", edition.id),
        now=now,
        detail={"was": edition.state, "content_hash": edition.approved_hash},
    )
    return draft
