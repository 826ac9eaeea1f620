"""Suppress an address by hand, and lift that again."""

from datetime import datetime

from digest.domain.actor import Actor
from digest.domain.addresses import EmailAddress
from digest.domain.errors import NotFoundError, UsageError
from digest.domain.secrets import Secrets
from digest.domain.states import SuppressionReason
from digest.domain.subscribers import Suppression
from digest.storage import audit, subscribers, suppressions
from digest.storage.engine import Database, Tx


def suppress(
    db: Database,
    *,
    address: EmailAddress,
    because: str,
    secrets: Secrets,
    actor: Actor,
    now: datetime,
) -> Suppression:
    """Put an address on the list of those never written to.

    Returns:
        The suppression that holds: an earlier complaint is stronger and stays.

    Raises:
        UsageError: No reason is given.
    """
    _require(because)
    hashed = secrets.hash_address(address.key)
    with db.write() as tx:
        changed = suppressions.add(
            tx,
            address_hash=hashed,
            address=address.address,
            reason=SuppressionReason.MANUAL,
            detail=because,
            now=now,
        )
        if changed:
            _note(
                tx,
                address,
                action="subscriber.suppressed",
                because=because,
                actor=actor,
                now=now,
            )
        found = suppressions.find(tx, hashed)
    assert found is not None
    return found


def unsuppress(
    db: Database,
    *,
    address: EmailAddress,
    because: str,
    secrets: Secrets,
    actor: Actor,
    now: datetime,
) -> Suppression:
    """Take an address off the list; subscriptions stay as they are.

    Returns:
        The suppression that was lifted.

    Raises:
        UsageError: No reason is given.
        NotFoundError: The address is not on the list.
    """
    _require(because)
    hashed = secrets.hash_address(address.key)
    with db.write() as tx:
        found = suppressions.find(tx, hashed)
        if found is None:
            raise NotFoundError("That address is not suppressed.")
        suppressions.remove(tx, hashed)
        _note(
            tx,
            address,
            action="subscriber.unsuppressed",
            because=f"{because} (was: {found.reason})",
            actor=actor,
            now=now,
        )
    return found


def _require(because: str) -> None:
    if not because.strip():
        raise UsageError("A reason is needed.", 'Say why: --reason "…"')


def _note(
    tx: Tx,
    address: EmailAddress,
    *,
    action: str,
    because: str,
    actor: Actor,
    now: datetime,
) -> None:
    reader = subscribers.find(tx, address.key)
    audit.record(
        tx,
        actor=actor,
        action=action,
        subject=("subscriber", None if reader is None else reader.id),
        now=now,
        detail={"reason": because},
    )
