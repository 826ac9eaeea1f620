"""What a refusal means: the one place where temporary and permanent are told.

The server's first digit says whether to try again (RFC 5321 §4.2.1), its enhanced code
whose trouble it is (RFC 3463, RFC 5248); servers that send none, or a wrong one, are
read by their words.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from digest.mail.reply import CLOSING, LOST_THREAD, Reply, Stage


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


@dataclass(frozen=True)
class _Cause:
    """A row of the tables below; `soft`: to be tried again even after a 5xx."""

    fault: Fault
    reason: str
    soft: bool = False


_SENDER_REFUSED = _Cause(Fault.POLICY, "sender-refused")
_HANGING_UP = _Cause(Fault.TRANSPORT, "server-closing", soft=True)
_GREYLISTED = _Cause(Fault.RECIPIENT, "greylisted", soft=True)
_NO_MAILBOX = _Cause(Fault.RECIPIENT, "no-such-mailbox")
_BAD_ADDRESS = _Cause(Fault.RECIPIENT, "bad-address")
_NO_DOMAIN = _Cause(Fault.RECIPIENT, "no-such-domain")
_FULL = _Cause(Fault.RECIPIENT, "mailbox-full", soft=True)
_MAILBOX = _Cause(Fault.RECIPIENT, "mailbox-trouble", soft=True)
_POLICY = _Cause(Fault.POLICY, "policy")
_TOO_LARGE = _Cause(Fault.MESSAGE, "too-large")
_PROTOCOL = _Cause(Fault.MESSAGE, "protocol")
_CONFUSED = _Cause(Fault.TRANSPORT, "lost-thread", soft=True)
_CONTENT = _Cause(Fault.MESSAGE, "content")
_LOGIN_REFUSED = _Cause(Fault.POLICY, "login-refused")
_SYSTEM = _Cause(Fault.TRANSPORT, "system-trouble")
_ROUTING = _Cause(Fault.TRANSPORT, "routing")

# Enhanced codes without their class (RFC 3463 §3; RFC 5248 and its registry), the
# exact ones before those of a whole subject.
_BY_ENHANCED = {
    "1.1": _NO_MAILBOX,
    "1.2": _NO_DOMAIN,
    "1.3": _BAD_ADDRESS,
    "1.6": _Cause(Fault.RECIPIENT, "mailbox-moved"),
    "1.7": _SENDER_REFUSED,
    "1.8": _SENDER_REFUSED,
    "1.10": _Cause(Fault.RECIPIENT, "domain-takes-no-mail"),  # RFC 7505 §4.2
    "1": _Cause(Fault.RECIPIENT, "address-trouble"),
    "2.2": _FULL,
    "2.3": _TOO_LARGE,
    "2": _MAILBOX,
    "3.4": _TOO_LARGE,
    "6": _CONTENT,
    # 5.7.25 to .32 and 5.7.515 are the mailbox providers' rules for bulk senders.
    "7": _POLICY,
}
# What servers use for anything; there the words, where known, say more.
_BY_VAGUE_ENHANCED = {
    "1.0": _BAD_ADDRESS,
    "2.1": _Cause(Fault.RECIPIENT, "mailbox-disabled"),
    "3": _SYSTEM,
    "4": _ROUTING,
    "5": _PROTOCOL,
}

# Marks of providers' blocks, whatever the code: Yahoo [TSS04], Apple [CS01],
# Microsoft S3140, SC-001, Comcast BL000010.
_PROVIDER_MARKS = re.compile(
    r"\[(?:IP)?TSS?\d+\]|\[(?:CS|HM|PR)\d+\]|\bS(?:3\d{3}|775)\b"
    r"|\b(?:RP|SC|OU|DY)-\d{3}\b|\b(?:BL|RL)0\d{5}\b"
)
_GREYLIST = re.compile(r"gr[ae]y-?\s?list", re.IGNORECASE)
_BY_WORDS = (
    (_GREYLIST, _GREYLISTED),
    (
        # Microsoft's directory refuses unknown recipients with 5.4.1 and these words.
        re.compile(r"recipient address rejected: access denied", re.IGNORECASE),
        _NO_MAILBOX,
    ),
    (
        re.compile(
            r"spam|\bblocked\b|\b(?:black|block|deny) ?list|\b(?:dns)?[rb]l\b"
            r"|\breputation\b|\brate\b|\bthrottl|\babus|\bcomplaints?\b|unsolicited"
            r"|\b(?:spf|dkim|dmarc|ptr)\b|reverse dns|\bbulk\b|\bpolicy\b|\bbanned\b"
            r"|too many (?:connections|messages)|relay|rcpthosts|access denied"
            r"|authenticat",
            re.IGNORECASE,
        ),
        _POLICY,
    ),
    (
        # RFC 5321 §4.2.3 words 452 so, and means the server's own disk.
        re.compile(r"insufficient system (?:storage|resources)", re.IGNORECASE),
        _SYSTEM,
    ),
    (
        re.compile(
            r"(?:mailbox|inbox|maildir)\b.{0,20}\bfull|over ?-?quota|quota exceeded"
            r"|exceeded.{0,20}(?:quota|storage)|insufficient.{0,20}storage",
            re.IGNORECASE,
        ),
        _FULL,
    ),
    (
        re.compile(
            r"(?:message|size|mail)\b.{0,20}\b(?:too (?:large|big)|exceeds)",
            re.IGNORECASE,
        ),
        _TOO_LARGE,
    ),
    (
        re.compile(
            r"(?:user|recipient|mailbox|account|address|addressee)\b.{0,30}"
            r"\b(?:unknown|unavailable|not found|disabled|inactive|invalid"
            r"|not exist|doesn't exist|not a valid)"
            r"|(?:unknown|invalid|no such|bad|unrouteable)"
            r" (?:local )?(?:user|recipient|mailbox|account|address|part|person)"
            r"|no mailbox (?:here )?by that name|not our customer",
            re.IGNORECASE,
        ),
        _NO_MAILBOX,
    ),
)
# Bare codes by what they answer (RFC 5321 §4.2.3, §4.3.2; RFC 7504).
_BY_CODE: dict[tuple[str, int], _Cause] = {
    ("rcpt", 450): _MAILBOX,
    ("rcpt", 550): _NO_MAILBOX,
    ("rcpt", 551): _Cause(Fault.RECIPIENT, "mailbox-moved"),
    ("rcpt", 552): _FULL,
    ("rcpt", 553): _BAD_ADDRESS,
    ("rcpt", 554): _POLICY,
    ("rcpt", 556): _NO_DOMAIN,
    ("mail", 552): _TOO_LARGE,
    ("data", 552): _TOO_LARGE,
    ("dot", 552): _TOO_LARGE,
}
_BY_STAGE: dict[Stage, _Cause] = {
    "connect": _SYSTEM,
    "ehlo": _SYSTEM,
    "mail": _SENDER_REFUSED,
    "rcpt": _POLICY,
    "data": _CONTENT,
    "dot": _CONTENT,
}
_BEFORE_RCPT = ("connect", "ehlo", "mail")
_BEFORE_MAIL = ("connect", "ehlo")
_PERMANENT = 500
_SYNTAX = range(500, 505)
_LOGIN = (530, 534, 535, 538)
# Addresses and links hold words that are not the server's.
_NOT_WORDS = re.compile(r"<[^<>]*>|\S+@\S+|https?://\S+", re.IGNORECASE)


def judge(reply: Reply, *, stage: Stage) -> Verdict:
    """Decide whose trouble a refusal is, and whether it is final.

    Args:
        reply: A 4xx or 5xx answer.
        stage: What it answered: the greeting, EHLO (and STARTTLS, AUTH), MAIL, RCPT,
            DATA, or the final dot.

    Returns:
        The verdict. `Fault.RECIPIENT` with `permanent` is given only where the
        mailbox itself was refused for good, never for 5.7.x or a full one.
    """
    cause = _find_cause(reply, stage)
    if cause.fault is Fault.RECIPIENT and stage in _BEFORE_RCPT:
        # No recipient had been named yet: it is about us.
        cause = _SENDER_REFUSED
    if reply.code == CLOSING and cause.fault is not Fault.POLICY:
        cause = _HANGING_UP
    return Verdict(cause.fault, _is_final(reply, stage, cause), cause.reason)


def _find_cause(reply: Reply, stage: Stage) -> _Cause:
    words = _NOT_WORDS.sub(" ", reply.text)
    if _PROVIDER_MARKS.search(words):
        return _Cause(Fault.POLICY, "provider-policy")
    code = (reply.enhanced or "0.0.0")[2:]
    if code.startswith("7.") and _GREYLIST.search(words):
        return _GREYLISTED
    vague = _look_up(_BY_VAGUE_ENHANCED, code)
    known = None if code in _BY_VAGUE_ENHANCED else _look_up(_BY_ENHANCED, code)
    if known is not None:
        return known
    spoken = next((c for pattern, c in _BY_WORDS if pattern.search(words)), None)
    if spoken is not None and not _is_passing(reply, vague, spoken):
        return spoken
    return _find_by_code(reply.code, stage, vague)


def _is_passing(reply: Reply, vague: _Cause | None, spoken: _Cause) -> bool:
    """Tell whether a code names the server's own passing trouble.

    Then its words are about the server, too: "user database unavailable".
    """
    is_own = vague in (_SYSTEM, _ROUTING) and reply.code < _PERMANENT
    return is_own and spoken.fault is not Fault.POLICY and spoken is not _GREYLISTED


def _look_up(table: Mapping[str, _Cause], code: str) -> _Cause | None:
    """Find an enhanced code's row, or its subject's."""
    return table.get(code) or table.get(code.partition(".")[0])


def _find_by_code(code: int, stage: Stage, vague: _Cause | None) -> _Cause:
    if code in LOST_THREAD:
        return _CONFUSED
    if vague is not None:
        return vague
    found = _LOGIN_REFUSED if code in _LOGIN else _BY_CODE.get((stage, code))
    if found is None and code in _SYNTAX:
        found = _PROTOCOL
    return found or (_BY_STAGE[stage] if code >= _PERMANENT else _SYSTEM)


def _is_final(reply: Reply, stage: Stage, cause: _Cause) -> bool:
    """A 5xx is, unless its enhanced code or its cause says it will pass."""
    if cause.soft or stage in _BEFORE_MAIL or reply.code < _PERMANENT:
        return False
    return not (reply.enhanced or "").startswith("4")
