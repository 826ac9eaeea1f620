"""Take a message in: keep it, then act upon it; nothing is answered 250 before.

RFC 5321 §6.1: who answers 250 has taken responsibility. So the message is committed
first. What acting upon it comes to changes nothing about the answer: a message that
cannot be acted upon now is tried again later, or waits in the quarantine.
"""

import errno
from dataclasses import dataclass

import structlog

from digest.bootstrap import Service
from digest.domain.own_mail import Incoming, Recipient, read_recipient
from digest.inbound import handling
from digest.storage import inbox
from digest.storage.engine import TROUBLE
from digest.storage.inbox import Kept

_log = structlog.get_logger()
_NO_SPACE = ("full", "no space", "quota")


@dataclass(frozen=True, kw_only=True)
class Reply:
    """The answer to one message for one recipient (RFC 5321 §4.2, RFC 3463).

    Attributes:
        code: 250: kept. 4xx: give it again later. 5xx: never.
        text: An enhanced code and words that tell nothing of anybody.
    """

    code: int
    text: str

    @property
    def is_kept(self) -> bool:
        """Whether responsibility was taken."""
        return 200 <= self.code < 300  # noqa: PLR2004 - as SMTP counts

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


TAKEN = Reply(code=250, text="2.0.0 Kept")
UNKNOWN = Reply(code=550, text="5.1.1 No such address here")
TOO_LARGE = Reply(code=552, text="5.3.4 Larger than what is taken here")
NO_SPACE = Reply(code=452, text="4.3.1 No space to keep it now, try again later")
NOT_NOW = Reply(code=451, text="4.3.0 It cannot be kept now, try again later")


def find_recipient(service: Service, address: str) -> Recipient | None:
    """Say which address of ours this is, by its form alone; None: none."""
    return read_recipient(address, mail_domain=service.site.mail_domain)


def take(service: Service, *, raw: bytes, sender: str, recipient: str) -> Reply:
    """Keep a message for one recipient, and act upon it at once.

    Args:
        service: The installation.
        raw: Header and body as they came, any line endings.
        sender: The envelope sender; empty: the null sender.
        recipient: The one address of ours.

    Returns:
        What to answer. After 250 the message is in the database; after 4xx and 5xx
        it is not, and whoever gave it still has it.
    """
    return _take(service, raw, sender, recipient)[0]


def take_and_tell(
    service: Service, *, raw: bytes, sender: str, recipient: str
) -> tuple[Reply, Kept | None]:
    """Do as `take` does, and also say what became of the message, if it was kept."""
    reply, message_id = _take(service, raw, sender, recipient)
    if message_id is None:
        return reply, None
    with service.db.read() as tx:
        return reply, inbox.look(tx, message_id)[0]


def _take(
    service: Service, raw: bytes, sender: str, recipient: str
) -> tuple[Reply, int | None]:
    if find_recipient(service, recipient) is None:
        return UNKNOWN, None
    if len(raw) > service.settings.inbound.message_octets:
        return TOO_LARGE, None
    try:
        message = _keep(service, raw, sender, recipient)
    except TROUBLE as error:
        return _explain(str(error.orig)), None
    except OSError as error:
        return _explain(error.strerror or ""), None
    handling.handle_begun(service, message)
    return TAKEN, message.id


def _ask_for_room(service: Service, octets: int) -> None:
    """Leave the last of the disk to letters and readers: strangers fill the inbox."""
    free = service.db.free_octets()
    if free is not None and free - octets < service.settings.inbound.spare_octets:
        raise OSError(errno.ENOSPC, "No space but what is kept free")


def _keep(service: Service, raw: bytes, sender: str, recipient: str) -> Incoming:
    """Keep it, and count the first try of acting upon it in the same commit."""
    _ask_for_room(service, len(raw))
    now, tries = service.now(), 1
    sender, recipient = clean_address(sender), clean_address(recipient).lower()
    with service.db.write() as tx:
        message_id = inbox.add(
            tx, raw=raw, sender=sender, recipient=recipient, now=now, tries=tries
        )
    _log.info("inbound.kept", message=message_id, octets=len(raw))
    return Incoming(
        id=message_id,
        received_at=now,
        sender=sender,
        recipient=recipient,
        raw=raw,
        tries=tries,
    )


def clean_address(address: str) -> str:
    """Leave out what no address holds and no database keeps."""
    text = address.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(c for c in text if c.isprintable() and c not in "<> ")


def _explain(reason: str) -> Reply:
    _log.error("inbound.not_kept", reason=reason.splitlines()[:1])
    is_full = any(word in reason.lower() for word in _NO_SPACE)
    return NO_SPACE if is_full else NOT_NOW
