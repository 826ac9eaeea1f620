"""The states of editions, deliveries and subscriptions, and the moves between them.

`docs/states.md` draws the same tables for operators.
"""

from collections.abc import Mapping
from enum import StrEnum

from digest.domain.errors import StateError


class EditionKind(StrEnum):
    """What sort of letter an edition is."""

    WEEKLY = "weekly"  # the digest
    CORRECTION = "correction"  # sent after a mistake, to the same readers


class EditionState(StrEnum):
    """Where an edition is on its way to the reader."""

    DRAFT = "draft"  # may be edited
    APPROVED = "approved"  # somebody accepted exactly this content hash
    SCHEDULED = "scheduled"  # approved, goes to the post at a set time
    SENDING = "sending"  # frozen; its deliveries are being carried
    PAUSED = "paused"  # frozen; nothing new is handed over
    SENT = "sent"  # every delivery has reached a final state
    CANCELLED = "cancelled"  # will not be sent, or no further


class DeliveryState(StrEnum):
    """Where one letter to one reader is; notices use the same ledger words."""

    QUEUED = "queued"  # never attempted
    DISPATCHING = "dispatching"  # durable before its final dot is written
    SENT = "sent"  # the server took responsibility (2xx after the dot)
    DEFERRED = "deferred"  # will be tried again at `next_attempt_at`
    FAILED = "failed"  # refused for good, or its deadline passed
    UNCERTAIN = "uncertain"  # the answer to the dot was lost (RFC 1047)
    SKIPPED = "skipped"  # not sent on purpose; the reason is kept


class SkipReason(StrEnum):
    """Why a delivery was not attempted."""

    UNSUBSCRIBED = "unsubscribed"  # left after release
    SUPPRESSED = "suppressed"  # on the suppression list
    PAUSED = "paused"  # the reader paused the subscription
    ERASED = "erased"  # the reader's record was erased
    CANCELLED = "cancelled"  # the edition was cancelled
    NO_STORIES = "no-stories"  # none in the reader's sections (`when_empty`)


class SubscriptionState(StrEnum):
    """What a reader has agreed to for one newsletter."""

    PENDING = "pending"  # asked, not yet confirmed
    ACTIVE = "active"  # receives editions
    PAUSED = "paused"  # keeps the subscription, receives none until a date
    UNSUBSCRIBED = "unsubscribed"  # left


class SuppressionReason(StrEnum):
    """Why an address is never written to."""

    BOUNCE = "bounce"  # the address does not accept mail
    COMPLAINT = "complaint"  # the reader reported a letter as spam
    REQUEST = "request"  # the reader asked for no mail
    MANUAL = "manual"  # an operator decided


EDITION_MOVES: Mapping[EditionState, frozenset[EditionState]] = {
    EditionState.DRAFT: frozenset({EditionState.APPROVED, EditionState.CANCELLED}),
    EditionState.APPROVED: frozenset(
        {
            EditionState.DRAFT,
            EditionState.SCHEDULED,
            EditionState.SENDING,
            EditionState.CANCELLED,
        }
    ),
    EditionState.SCHEDULED: frozenset(
        {
            EditionState.DRAFT,
            EditionState.APPROVED,
            EditionState.SENDING,
            EditionState.CANCELLED,
        }
    ),
    EditionState.SENDING: frozenset(
        {EditionState.PAUSED, EditionState.SENT, EditionState.CANCELLED}
    ),
    EditionState.PAUSED: frozenset({EditionState.SENDING, EditionState.CANCELLED}),
    EditionState.SENT: frozenset(),
    EditionState.CANCELLED: frozenset(),
}

DELIVERY_MOVES: Mapping[DeliveryState, frozenset[DeliveryState]] = {
    DeliveryState.QUEUED: frozenset(
        {
            DeliveryState.DISPATCHING,
            DeliveryState.DEFERRED,
            DeliveryState.FAILED,
            DeliveryState.SKIPPED,
        }
    ),
    DeliveryState.DISPATCHING: frozenset(
        {
            DeliveryState.SENT,
            DeliveryState.DEFERRED,
            DeliveryState.FAILED,
            DeliveryState.UNCERTAIN,
        }
    ),
    DeliveryState.DEFERRED: frozenset(
        {
            DeliveryState.DISPATCHING,
            DeliveryState.DEFERRED,
            DeliveryState.FAILED,
            DeliveryState.SKIPPED,
        }
    ),
    DeliveryState.UNCERTAIN: frozenset(
        {DeliveryState.DISPATCHING, DeliveryState.QUEUED, DeliveryState.SENT}
    ),
    DeliveryState.SENT: frozenset(),
    DeliveryState.FAILED: frozenset(),
    DeliveryState.SKIPPED: frozenset(),
}

SUBSCRIPTION_MOVES: Mapping[SubscriptionState, frozenset[SubscriptionState]] = {
    SubscriptionState.PENDING: frozenset(
        {SubscriptionState.ACTIVE, SubscriptionState.UNSUBSCRIBED}
    ),
    SubscriptionState.ACTIVE: frozenset(
        {SubscriptionState.PAUSED, SubscriptionState.UNSUBSCRIBED}
    ),
    SubscriptionState.PAUSED: frozenset(
        {SubscriptionState.ACTIVE, SubscriptionState.UNSUBSCRIBED}
    ),
    SubscriptionState.UNSUBSCRIBED: frozenset(
        {SubscriptionState.PENDING, SubscriptionState.ACTIVE}
    ),
}


def check_edition_move(
    edition_id: int, before: EditionState, after: EditionState
) -> None:
    """Refuse a move the table does not allow.

    Raises:
        StateError: The edition cannot go from `before` to `after`.
    """
    if after not in EDITION_MOVES[before]:
        allowed = ", ".join(sorted(EDITION_MOVES[before])) or "nothing: it is final"
        raise StateError(
            f"Edition {edition_id} is {before} and cannot become {after}.",
            f"It can become {allowed}. See: digest editions status {edition_id}",
        )
