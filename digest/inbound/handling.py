"""Act upon messages that were kept."""

from digest.bootstrap import Service
from digest.domain.own_mail import InboxState, MessageKind, Verdict
from digest.storage import inbox


def handle(service: Service, message_id: int) -> Verdict | None:
    """Act upon one message; None: it was acted upon before."""
    verdict = Verdict(
        state=InboxState.QUARANTINED, kind=MessageKind.OTHER, why="Not read yet."
    )
    with service.db.write() as tx:
        settled = inbox.settle(tx, message_id, verdict, now=service.now())
    return verdict if settled else None
