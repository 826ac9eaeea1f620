"""Act upon messages that were kept: at once, and later upon what a crash left.

Everything here may happen twice: a crash between an effect and its note comes back to
the message. Stages refuse what was done already, and letters have a dedupe key.
"""

from dataclasses import dataclass
from datetime import timedelta

import structlog

from digest.bootstrap import Service
from digest.domain.own_mail import InboxState, Incoming, MessageKind, Verdict
from digest.inbound import acts
from digest.storage import auto_replies, inbox
from digest.storage.engine import TROUBLE

_log = structlog.get_logger()
_MOST_TRIES = 5
# Who took a message acts upon it at once; longer than that takes, even when busy.
_LEFT_AFTER = timedelta(minutes=2)


@dataclass(frozen=True, kw_only=True)
class Swept:
    """What a round through the inbox came to.

    Attributes:
        handled: Messages acted upon that had been left.
        forgotten: Old ones deleted.
    """

    handled: int
    forgotten: int


def handle(service: Service, message_id: int) -> Verdict | None:
    """Act upon one message.

    Args:
        service: The installation.
        message_id: Of a message that waits.

    Returns:
        What became of it; None: it was acted upon before, or cannot be now and waits
        for the next round.
    """
    try:
        with service.db.write() as tx:
            message = inbox.begin(tx, message_id)
    except (*TROUBLE, OSError):
        _log.exception("inbound.waits", message=message_id)
        return None
    return None if message is None else handle_begun(service, message)


def handle_begun(service: Service, message: Incoming) -> Verdict | None:
    """Act upon a message whose try is counted already; see `handle`."""
    try:
        verdict = _judge(service, message)
        with service.db.write() as tx:
            inbox.settle(tx, message.id, verdict, now=service.now())
    except (*TROUBLE, OSError):
        _log.exception("inbound.waits", message=message.id)
        return None
    _log.info(
        "inbound.handled", message=message.id, kind=verdict.kind, state=verdict.state
    )
    return verdict


def sweep(service: Service, *, all_waiting: bool = False) -> Swept:
    """Act upon what a crash left, and forget what is old.

    Args:
        service: The installation.
        all_waiting: Also what was taken just now: nobody else takes messages in.
    """
    now = service.now()
    before = now if all_waiting else now - _LEFT_AFTER
    with service.db.read() as tx:
        waiting = inbox.waiting(tx, before=before)
    handled = sum(handle(service, message_id) is not None for message_id in waiting)
    keep = timedelta(days=service.settings.inbound.keep_days)
    with service.db.write() as tx:
        forgotten = inbox.forget_done(tx, before=now - keep)
        auto_replies.forget(tx, now=now)
    return Swept(handled=handled, forgotten=forgotten)


def _judge(service: Service, message: Incoming) -> Verdict:
    if message.tries > _MOST_TRIES:
        return Verdict(
            state=InboxState.QUARANTINED,
            kind=MessageKind.OTHER,
            why="Acting upon it failed again and again.",
        )
    try:
        return acts.act(service, message)
    except (*TROUBLE, OSError):
        raise
    except Exception as error:  # noqa: BLE001 - the one catch-all of this loop
        # One message that nobody thought of must not stop those behind it.
        _log.exception("inbound.failed", message=message.id)
        return Verdict(
            state=InboxState.QUARANTINED,
            kind=MessageKind.OTHER,
            why=f"Acting upon it failed: {type(error).__name__}.",
        )
