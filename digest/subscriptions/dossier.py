"""Everything about one address, for the operator who looks it up."""

from typing import Any

from digest.domain.addresses import EmailAddress
from digest.domain.errors import NotFoundError
from digest.domain.secrets import Secrets
from digest.domain.subscribers import Subscriber
from digest.storage import (
    consents,
    newsletters,
    subscriber_figures as figures,
    subscribers,
    subscriptions,
    suppressions,
)
from digest.storage.engine import Database, Tx


def look_up(db: Database, *, address: EmailAddress, secrets: Secrets) -> dict[str, Any]:
    """Gather what is known of an address, as plain values.

    Returns:
        `id` (None: only the suppression is known), `address`, `name`,
        `subscriptions`, `suppression`, `consent`, `history`.

    Raises:
        NotFoundError: Nothing is known of it.
    """
    with db.read() as tx:
        reader = subscribers.find(tx, address.key)
        barred = suppressions.find(tx, secrets.hash_address(address.key))
        if reader is None and barred is None:
            raise NotFoundError(
                "Nobody with that address is known.", "Check its spelling."
            )
        suppression = (
            None
            if barred is None
            else {"reason": barred.reason, "at": barred.at, "detail": barred.detail}
        )
        return {
            "id": None if reader is None else reader.id,
            "address": address.address if reader is None else reader.address,
            "name": "" if reader is None else reader.name,
            "subscriptions": [] if reader is None else show_subscriptions(tx, reader),
            "suppression": suppression,
            "consent": [] if reader is None else show_consent(tx, reader),
            "history": [] if reader is None else _show_history(tx, reader),
        }


def show_subscriptions(tx: Tx, reader: Subscriber) -> list[dict[str, Any]]:
    """Describe what a reader subscribed to, oldest first."""
    names = _name_newsletters(tx)
    return [
        {
            "newsletter": names[each.newsletter_id],
            "state": each.state,
            "sections": list(each.sections),
            "format": each.format,
            "since": each.since,
            "confirmed_at": each.confirmed_at,
            "paused_until": each.paused_until,
        }
        for each in subscriptions.for_subscriber(tx, reader.id)
    ]


def show_consent(tx: Tx, reader: Subscriber) -> list[dict[str, Any]]:
    """Describe a reader's consent evidence, oldest first."""
    names = _name_newsletters(tx)
    return [
        {
            "at": each.at,
            "newsletter": names.get(each.newsletter_id or 0),
            "action": each.action,
            "source": each.origin.source,
            "wording": each.origin.wording,
            "network": each.origin.network,
            "actor": each.actor,
        }
        for each in consents.for_subscriber(tx, reader.id)
    ]


def show_letters(tx: Tx, reader: Subscriber) -> list[dict[str, Any]]:
    """Describe the editions that went to a reader, oldest first."""
    names = _name_newsletters(tx)
    return [
        {
            "newsletter": names[each.newsletter_id],
            "issue_date": each.issue_date,
            "state": each.state,
            "at": each.at,
        }
        for each in figures.letters(tx, reader.id)
    ]


def _show_history(tx: Tx, reader: Subscriber) -> list[dict[str, Any]]:
    return [
        {
            "at": each.at,
            "action": each.action,
            "actor": each.actor,
            "detail": each.detail,
        }
        for each in figures.history(tx, reader.id)
    ]


def _name_newsletters(tx: Tx) -> dict[int, str]:
    return {each.id: each.slug for each in newsletters.list_all(tx)}
