"""Cut the beginning of a story to the length a letter has room for."""

import re

LONGEST = 260
_SHORTEST = 90  # a shorter sentence alone says too little
_PATIENCE = 330  # a first sentence up to here is kept whole

_END = re.compile(r"[.!?؟…][\"'”’»)\]]*(?=\s|$)")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|Gen|Col|Lt|Sgt|Gov|Sen|Rep|No|vs|Jr|Sr|Inc|Ltd|Co"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec)|\b\w|\.\w)\.$"
)
_TAIL = re.compile(
    r"\s*(?:(?:\[\s*(?:…|\.\.\.)\s*\]|\.\.\.|…)\s*)?"
    r"(?:(?:continue reading|read more|read the full (?:story|article))\b.{0,200})?$",
    re.IGNORECASE,
)
_POST_APPEARED = re.compile(
    r"\s*(?:The post\b.{0,400}?\b(?:first appeared|appeared first) on"
    r"|ظهرت المقالة\b.{0,400}?\bأول\w?\W? على)\b.{0,200}$",
    re.IGNORECASE,
)


def strip_feed_tail(text: str) -> str:
    """Take "The post … first appeared on …" and "Continue reading" off the end.

    A text the source broke off ends with its last whole sentence, or an ellipsis.
    """
    without = _POST_APPEARED.sub("", text)
    tail = _TAIL.search(without, max(0, len(without) - 300))
    rest = without[: tail.start() if tail else len(without)].rstrip()
    if not was_cut(without):
        return rest
    ends = [m.end() for m in _END.finditer(rest) if _closes(rest, m)]
    return rest[: ends[-1]] if ends else f"{rest}…" if rest else ""


def was_cut(text: str) -> bool:
    """Whether a source's excerpt says itself that it breaks off."""
    return bool(re.search(r"(?:\[\s*(?:…|\.\.\.)\s*\]|…|\.\.\.)\s*$", text))


def cut_standfirst(text: str) -> str:
    """Cut a text at a sentence near 200 to 260 characters.

    A first sentence a little longer is kept whole; a much longer one is cut between
    words and ends in an ellipsis.
    """
    if len(text) <= LONGEST:
        return text
    ends = [m.end() for m in _END.finditer(text, 0, _PATIENCE) if _closes(text, m)]
    fitting = [end for end in ends if _SHORTEST <= end <= LONGEST]
    if fitting:
        return text[: fitting[-1]]
    later = [end for end in ends if end > LONGEST]
    if later:
        return text[: later[0]]
    return text[: LONGEST - 1].rpartition(" ")[0].rstrip(" ,;:–-") + "…"


def _closes(text: str, end: re.Match[str]) -> bool:
    before = text[max(0, end.start() - 12) : end.start() + 1]
    return not _ABBREVIATION.search(before)
