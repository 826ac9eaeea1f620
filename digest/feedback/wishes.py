"""What a person asks for in the first words of a subject or a body.

Only the first words count, and none that are quoted: "I will not unsubscribe" below a
signature asks for nothing. English and Arabic are understood, whatever language the
newsletter has.
"""

import re
import unicodedata
from enum import StrEnum

from digest.domain.own_mail import Post


class Wish(StrEnum):
    """What somebody asks for."""

    SUBSCRIBE = "subscribe"  # get the letter
    LEAVE = "leave"  # get it no more
    YES = "yes"  # it was me, go on
    NO = "no"  # it was not me, stop
    HELP = "help"  # how does this work


_PHRASES: dict[Wish, tuple[str, ...]] = {
    Wish.SUBSCRIBE: (
        "subscribe", "join", "sign up", "sign me up", "please subscribe",
        "اشتراك", "اشترك", "أريد الاشتراك", "ارغب في الاشتراك", "سجلني",
    ),
    Wish.LEAVE: (
        "unsubscribe", "stop", "leave", "remove me", "remove", "cancel", "opt out",
        "sign off", "signoff", "please unsubscribe", "please remove",
        "إلغاء", "إلغاء الاشتراك", "الغ", "الغي", "ألغوا", "أوقف", "أوقفوا", "توقف",
        "إيقاف", "احذفوني", "احذفني", "أريد إلغاء",
    ),
    Wish.YES: (
        "yes", "confirm", "ok", "okay", "i confirm", "agreed",
        "نعم", "أجل", "موافق", "موافقة", "أؤكد", "تأكيد", "أوافق",
    ),
    Wish.NO: (
        "no", "not me", "wasnt me", "it wasnt me", "this wasnt me", "nope",
        "i did not", "i didnt",
        "لا", "كلا", "لست أنا", "ليس أنا", "لم أطلب", "لم أشترك",
    ),
    Wish.HELP: ("help", "info", "مساعدة", "مساعده", "المساعدة"),
}  # fmt: skip
# What mail programs put before the subject they answer.
_ANSWERS = re.compile(
    r"\s*(?:re|aw|sv|antw|fw|fwd|رد|الرد|ردّ)\s*(?:\[\d+\])?\s*[::]", re.IGNORECASE
)
_LINES_READ = 40
_LINE_READ = 200
_LONGEST = 4  # words of a phrase


def find_wish(subject: str, text: str, post: Post) -> Wish | None:
    """Find what a message asks for.

    The body goes before the subject: an answer keeps the subject of the letter it
    answers, which asks for confirmation itself.

    Args:
        subject: Decoded.
        text: The start of its own text.
        post: What the address is for; only there is a subject's word believed.
    """
    line = _first_line(text)
    found = _match(line)
    if found is not None or _ANSWERS.match(subject):
        return found
    return _match(subject) if post in {Post.SUBSCRIBE, Post.UNSUBSCRIBE} else None


def _first_line(text: str) -> str:
    for line in text.split("\n")[:_LINES_READ]:
        bare = line[:_LINE_READ].strip()
        if bare.startswith((">", "|")):
            continue
        if _fold(bare):
            return bare
    return ""


def _match(line: str) -> Wish | None:
    words = _fold(line[:_LINE_READ]).split()
    for length in range(min(_LONGEST, len(words)), 0, -1):
        found = _FOLDED.get(" ".join(words[:length]))
        if found is not None:
            return found
    return None


def _fold(text: str) -> str:
    """Bring words into one spelling: no case, no marks, one form of each letter."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join("" if _is_silent(c) else c if c.isalnum() else " " for c in plain)
    return " ".join(letters.translate(_ARABIC).split())


def _is_silent(character: str) -> bool:
    """Vowel signs, the tatweel, apostrophes and direction marks."""
    return unicodedata.category(character) in {"Mn", "Cf"} or character in "ـ'’`"


# Alef wasla, alef maqsura and ta marbuta are typed as alef, ya and ha, too.
_ARABIC = str.maketrans("\u0671\u0649\u0629", "\u0627\u064a\u0647")
_FOLDED = {_fold(p): wish for wish, phrases in _PHRASES.items() for p in phrases}
