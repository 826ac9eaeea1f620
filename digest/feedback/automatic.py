"""Whether a program wrote a message, and whether one of ours may answer it.

RFC 3834 §2 and §5, and what robots are known by that follow no standard.
"""

import re

from digest.domain.addresses import EmailAddress
from digest.mail.incoming import Part
from digest.mail.words import decode_field

MOST_HOPS = 100  # RFC 5321 §6.3
_BULK = frozenset({b"bulk", b"junk", b"list", b"auto_reply"})
_ROBOT_FIELDS = (
    "list-id",
    "list-unsubscribe",
    "list-post",
    "mailing-list",
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
    "x-auto-response-suppress",
    "x-mail-autoreply",
    "x-ms-exchange-inbox-rules-loop",
    "x-failed-recipients",
    "x-facebook-notify",
)
# RFC 3834 §2: mailer-daemon, -request and owner- never get an automatic answer
_ROBOTS = re.compile(
    r"(?:mailer-?daemon|postmaster|majordomo|listserv|no-?reply|do-?not-?reply"
    r"|bounces?)(?:[+=_.-].*)?|owner-.*|.*-(?:owner|request|bounces?)(?:\+.*)?"
)
_SUBJECTS = re.compile(
    r"\s*(?:auto(?:matic|mated)?[ -]?(?:reply|response)|auto:|out[ -]of[ -](?:the[ -])?"
    r"office|vacation|away from|i am away|رد تلقائي|الرد التلقائي|رد آلي|خارج المكتب"
    r"|abwesenheit|réponse automatique|respuesta automática)",
    re.IGNORECASE,
)


def find_loop(message: Part, *, mail_domain: str) -> str | None:
    """Say why a message goes round in circles; None: it does not."""
    if len(message.all("received")) >= MOST_HOPS:
        return "It passed a hundred servers: a loop."
    ours = mail_domain.encode("ascii")
    if any(value.strip().lower() == ours for value in message.all("x-loop")):
        return "It is an answer of ours that came back: a loop."
    if any(_is_our_list(value, ours) for value in message.all("list-id")):
        return "It is a letter of ours that came back: a loop."
    return None


def find_robot(
    message: Part, *, author: EmailAddress | None, sender: str
) -> str | None:
    """Say by what a message shows that a program wrote it; None: a person did.

    Args:
        message: Taken apart.
        author: The address in From, if there is one.
        sender: The envelope sender; empty: the null sender.
    """
    if not sender or is_robot(sender):
        return "Its envelope sender takes no answers."
    if author is not None and is_robot(author.address):
        return "It is from the address of a program."
    if message.content_type == "multipart/report":
        return "It is a report."
    return _find_robot_field(message)


def is_robot(address: str) -> bool:
    """Tell whether an address is known to be a program's by its local part."""
    return _ROBOTS.fullmatch(address.lower().rpartition("@")[0]) is not None


def _find_robot_field(message: Part) -> str | None:
    if any(map(_is_automatic, message.all("auto-submitted"))):
        return "Auto-Submitted says so."
    if any(value.strip().lower() in _BULK for value in message.all("precedence")):
        return "Precedence says that it is bulk mail."
    for name, _ in message.fields:
        if name in _ROBOT_FIELDS:
            return f"It has the field {name}."
    if _SUBJECTS.match(decode_field(message.first("subject"))):
        return "Its subject says so."
    return None


def _is_automatic(value: bytes) -> bool:
    # RFC 3834 §5: the word may be followed by a comment or parameters
    return re.split(rb"[;\s(]", value.strip().lower(), maxsplit=1)[0] != b"no"


def _is_our_list(value: bytes, domain: bytes) -> bool:
    identifier = value.lower().rpartition(b"<")[2].rstrip(b"> \t")
    return identifier == domain or identifier.endswith(b"." + domain)
