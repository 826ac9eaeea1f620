"""An SMTP answer, read (RFC 5321 §4.2, RFC 2034)."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Stage = Literal["connect", "ehlo", "mail", "rcpt", "data", "dot"]

CLOSING = 421
"""The server hangs up after it (RFC 5321 §3.8)."""

LOST_THREAD = (500, 502, 503)
"""The server does not see the command that we sent where we are (RFC 5321 §4.2.4,
§4.3.2): the two sides have lost each other, whatever the letter."""

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


@lru_cache(maxsize=256)
def parse_reply(code: int, text: str) -> Reply:
    """Make a reply of a code and the words after it, lines joined by LF.

    Args:
        code: The three digits.
        text: The words; each line may begin with the enhanced code (RFC 2034 §4).

    Returns:
        The reply with its text on one line of at most 1,000 characters.
    """
    read = [(_ENHANCED.match(line), line) for line in text.split("\n")]
    enhanced = next((found[1] for found, _ in read if found), None)
    words = " ".join(line[found.end() :] if found else line for found, line in read)
    return Reply(code, enhanced, one_line(words))


def one_line(text: str) -> str:
    """Make words from outside fit for a log: printable, on one line, not too long."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()[:_LONGEST_TEXT]
    whole = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    printable = "".join(c if c.isprintable() else " " for c in whole)
    return " ".join(printable.split())[:_LONGEST_TEXT]
