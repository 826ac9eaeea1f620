"""What tests of mailboxes share."""

from collections.abc import Sequence

from digest.bootstrap import Service
from digest.storage import tables

MESSAGE = (
    b"Return-Path: <dina@example.test>\r\nDelivered-To: subscribe@news.example.test\r\n"
    b"From: dina@example.test\r\nSubject: hello\r\n\r\nPlease.\r\n"
)


def to(recipient: str, subject: str = "hello") -> bytes:
    """Return a message to an address, as a host delivered it."""
    name = b"subscribe@news.example.test"
    return MESSAGE.replace(name, recipient.encode()).replace(b"hello", subject.encode())


def kept(service: Service) -> Sequence[tuple[str, str, bytes]]:
    """Return what was taken: sender, recipient, octets."""
    with service.db.read() as tx:
        both = tables.inbox.join(tables.inbox_raw)
        rows = tx.execute(both.select().order_by(tables.inbox.c.id)).all()
    return [(row.sender, row.recipient, bytes(row.raw)) for row in rows]
