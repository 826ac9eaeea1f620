"""Take an approval back: what changed is no longer what somebody accepted."""

from datetime import datetime

from digest.domain.actor import Actor
from digest.domain.editions import CHANGEABLE, Edition
from digest.domain.errors import StateError
from digest.domain.states import EditionState
from digest.storage import approvals, audit
from digest.storage.engine import Tx


class ChangedError(StateError):
    """An edition is not what somebody saw when they decided."""


def require_unchanged(edition_id: int, stamp: str, seen: str | None) -> None:
    """Refuse a decision about content that is no longer there.

    Args:
        edition_id: The edition.
        stamp: Names its content as it is now.
        seen: Names what the decision was about; None: whatever is there.

    Raises:
        ChangedError: They differ.
    """
    if seen is not None and seen != stamp:
        raise ChangedError(
            f"Edition {edition_id} was changed since it was shown.",
            f"Look again: digest editions show {edition_id}",
        )


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
    """Return an approved or scheduled edition to draft; a draft stays as it is."""
    if edition.state == EditionState.DRAFT:
        return edition
    draft = approvals.take_back(tx, edition, now=now)
    audit.record(
        tx,
        actor=actor,
        action="edition.approval_withdrawn",
        subject=("edition", edition.id),
        now=now,
        detail={"was": edition.state, "content_hash": edition.approved_hash},
    )
    return draft
