"""What an SMTP answer means: the one place where temporary and permanent are told.

The server's first digit says whether to try again (RFC 5321 §4.2.1), its enhanced code
whose trouble it is (RFC 3463, RFC 5248); servers that send none, or a wrong one, are
read by their words.
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Literal

Stage = Literal["connect", "ehlo", "mail", "rcpt", "data", "dot"]

_LONGEST_TEXT = 1000
_ENHANCED = re.compile(r"[#(\[]{0,2}([245]\.\d{1,3}\.\d{1,3})\b[)\]]{0,2}[ \t:-]*")


@dataclass(frozen=True)
class Reply:
    """One answer of a server.

    Attributes:
        code: Three digits.
        enhanced: The enhanced status code, `5.1.1` (RFC 2034), where given.
        text: The words, on one line, without control characters.
    """

    code: int
    enhanced: str | None
    text: str

    def __str__(self) -> str:
        return " ".join(filter(None, (f"{self.code:03}", self.enhanced, self.text)))


class Fault(Enum):
    """Whose trouble a refusal is."""

    RECIPIENT = "recipient"  # the mailbox; permanent may suppress its address
    POLICY = "policy"  # our reputation or standing: pause, never suppress
    TRANSPORT = "transport"  # the way there; try another connection, blame nobody
    MESSAGE = "message"  # this letter's size, form or content


@dataclass(frozen=True)
class Verdict:
    """What a refusal means for the letter.

    Attributes:
        fault: Whose trouble it is.
        permanent: Trying this letter again is pointless. With `Fault.RECIPIENT` the
            address is dead, too.
        reason: A short stable name for logs and counts: `no-such-mailbox`.
    """

    fault: Fault
    permanent: bool
    reason: str


def parse_reply(code: int, text: str) -> Reply:
    """Make a reply of a code and the words after it, lines joined by LF.

    Args:
        code: The three digits.
        text: The words; each line may begin with the enhanced code (RFC 2034 §4).

    Returns:
        The reply with its text on one line of at most 1,000 characters.
    """
    lines = (
        text.encode("utf-8", "surrogateescape").decode("utf-8", "replace").split("\n")
    )
    found = next((m for line in lines if (m := _ENHANCED.match(line))), None)
    words = " ".join(_ENHANCED.sub("", line, count=1).strip() for line in lines)
    printable = "".join(c if c.isprintable() else " " for c in words)
    return Reply(
        code, found[1] if found else None, " ".join(printable.split())[:_LONGEST_TEXT]
    )


def judge(reply: Reply, *, stage: Stage) -> Verdict:
    """Decide whose trouble a refusal is, and whether it is final.

    Args:
        reply: A 4xx or 5xx answer.
        stage: What it answered: the greeting, EHLO (and STARTTLS, AUTH), MAIL, RCPT,
            DATA, or the final dot.

    Returns:
        The verdict. `Fault.RECIPIENT` with `permanent` is given only where the
        mailbox is said not to exist.
    """
    permanent = reply.code >= 500 and not (reply.enhanced or "5").startswith("4")
    return Verdict(Fault.TRANSPORT, permanent, "unknown")
