"""What a trial must show, told from the recorder's account and the readers' list."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench import recorder
from bench.installation import Installation, readers_of

_OPEN = ("queued", "dispatching", "deferred")


@dataclass(kw_only=True)
class Verdict:
    """How a trial ended.

    Attributes:
        name: The trial's.
        lost: Readers without letter whom nobody named.
        copies: Letters that came once more.
        uncertain: Letters that are named as in doubt.
        broken: Promises that were broken, in words; none: it passed.
        notes: What else there is to see.
    """

    name: str
    lost: int = 0
    copies: int = 0
    uncertain: int = 0
    broken: list[str] = field(default_factory=list)
    notes: str = ""

    def require(self, kept: bool, promise: str) -> None:  # noqa: FBT001 - reads as one
        """Note a promise that was not kept."""
        if not kept:
            self.broken.append(promise)

    def line(self) -> str:
        """Say it on one line."""
        word = "BROKEN" if self.broken else "ok"
        reasons = "; ".join(self.broken)
        return (
            f"{word:<7} {self.name:<44} lost {self.lost}, copies {self.copies}, "
            f"in doubt {self.uncertain}  {self.notes}  {reasons}".rstrip()
        )


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What is allowed.

    Attributes:
        copies: Letters that may come once more.
        uncertain: Letters that may be in doubt.
        refused: Readers may be refused for good, by the server's own word.
        skipped: Readers who left and get nothing.
        encrypted: Every letter must come over TLS.
    """

    copies: int = 0
    uncertain: int = 0
    refused: bool = False
    skipped: int = 0
    encrypted: bool = False


def judge(
    name: str, found: Installation, records: Sequence[Path], bounds: Bounds
) -> Verdict:
    """Compare who got a letter with who was to get one, and with what is claimed.

    Args:
        name: The trial's.
        found: The installation, when all is over.
        records: What the servers took.
        bounds: What is allowed.
    """
    verdict = Verdict(name=name)
    readers = readers_of(found)
    taken = [letter for path in records for letter in recorder.read(path)]
    accepted = Counter(letter.recipient for letter in taken)
    status = found.status()
    counts = status["counts"]
    doubtful, refused = set(found.listed("uncertain")), set(found.listed("failed"))
    skipped = set(found.listed("skipped"))
    verdict.lost = len(readers - set(accepted) - doubtful - refused - skipped)
    verdict.copies = sum(accepted.values()) - len(accepted)
    verdict.uncertain = len(doubtful)
    verdict.require(verdict.lost == 0, f"{verdict.lost} lost")
    verdict.require(verdict.copies <= bounds.copies, f"copies > {bounds.copies}")
    verdict.require(len(doubtful) <= bounds.uncertain, f"in doubt > {bounds.uncertain}")
    verdict.require(bounds.refused or not refused, f"{len(refused)} readers failed")
    verdict.require(not set(accepted) - readers, "letters to strangers")
    forms = {(t.recipient, t.message_id, t.digest) for t in taken}
    verdict.require(len(forms) == len(accepted), "copies differ")
    left = sum(counts[state] for state in _OPEN)
    verdict.require(left == 0, f"{left} letters left over")
    verdict.require(len(skipped) <= bounds.skipped, f"{len(skipped)} skipped")
    sent = len(set(accepted) - doubtful)
    verdict.require(
        counts["sent"] == sent, f"counted {counts['sent']} sent, taken {sent}"
    )
    clear = [letter for letter in taken if not letter.encrypted]
    verdict.require(not (bounds.encrypted and clear), f"{len(clear)} in the clear")
    barred = found.suppressed()
    verdict.require(barred <= bounds.skipped, f"{barred} readers suppressed")
    return verdict
