"""What a trial must show, told from the recorder's account and the readers' list."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench import recorder
from bench.installation import Installation, readers_of
from bench.recorder import Taken

_OPEN = ("queued", "dispatching", "deferred")


@dataclass(kw_only=True)
class Verdict:
    """How a trial ended.

    Attributes:
        name: The trial's.
        rounds: How often its fault was made.
        kills: How often workers that held letters were killed.
        lost: Readers without letter whom nobody named.
        copies: Letters that came once more.
        uncertain: Letters that are named as in doubt.
        bound: The most copies or letters in doubt that are promised.
        recovery: The longest until what a killed worker held was claimed again, in
            seconds; None: nothing was killed.
        broken: Promises that were broken, in words; none: it passed.
        notes: What else there is to see.
        seconds: How long the trial took.
    """

    name: str
    rounds: int = 1
    kills: int = 0
    lost: int = 0
    copies: int = 0
    uncertain: int = 0
    bound: int = 0
    recovery: float | None = None
    broken: list[str] = field(default_factory=list)
    notes: str = ""
    seconds: float = 0.0

    def require(self, kept: bool, promise: str) -> None:  # noqa: FBT001 - reads as one
        """Note a promise that was not kept."""
        if not kept:
            self.broken.append(promise)

    @property
    def result(self) -> str:
        """One word."""
        return "BROKEN" if self.broken else "ok"

    def line(self) -> str:
        """Say it on one line."""
        reasons = "; ".join(self.broken)
        return (
            f"{self.result:<6} {self.name:<32} lost {self.lost}, copies {self.copies}, "
            f"in doubt {self.uncertain}, {self.seconds:.0f} s; {self.notes}  {reasons}"
        ).rstrip()


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What is allowed.

    Attributes:
        copies: Letters that may come once more.
        uncertain: Letters that may be in doubt.
        skipped: Readers who left and get nothing.
        encrypted: Every letter must come over TLS.
    """

    copies: int = 0
    uncertain: int = 0
    skipped: int = 0
    encrypted: bool = False


@dataclass(frozen=True, kw_only=True)
class Account:
    """What the installation claims, when all is over.

    Attributes:
        readers: Who was to get a letter.
        counts: Letters by state, as `editions status` says.
        doubtful: Readers whose letter is listed as `uncertain`.
        failed: Readers whose letter is listed as `failed`.
        skipped: Readers whose letter is listed as `skipped`.
        suppressed: How many addresses are not written to any more.
    """

    readers: Collection[str]
    counts: Mapping[str, int]
    doubtful: Collection[str] = ()
    failed: Collection[str] = ()
    skipped: Collection[str] = ()
    suppressed: int = 0


def judge(
    name: str, found: Installation, records: Sequence[Path], bounds: Bounds
) -> Verdict:
    """Compare what an installation claims with what the servers took.

    Args:
        name: The trial's.
        found: The installation, when all is over.
        records: What the servers took.
        bounds: What is allowed.
    """
    taken = [letter for path in records for letter in recorder.read(path)]
    return compare(name, _ask(found), taken, bounds)


def _ask(found: Installation) -> Account:
    counts: Mapping[str, int] = found.status()["counts"]

    def listed(state: str) -> list[str]:
        return list(found.listed(state)) if counts[state] else []

    return Account(
        readers=readers_of(found),
        counts=counts,
        doubtful=listed("uncertain"),
        failed=listed("failed"),
        skipped=listed("skipped"),
        suppressed=found.suppressed(),
    )


def compare(
    name: str, account: Account, taken: Sequence[Taken], bounds: Bounds
) -> Verdict:
    """Compare who got a letter with who was to get one, and with what is claimed.

    Args:
        name: The trial's.
        account: What is claimed.
        taken: What the servers took.
        bounds: What is allowed.
    """
    verdict = Verdict(name=name, bound=max(bounds.copies, bounds.uncertain))
    readers, accepted = set(account.readers), {letter.recipient for letter in taken}
    doubtful, failed = set(account.doubtful), set(account.failed)
    skipped = set(account.skipped)
    verdict.lost = len(readers - accepted - doubtful - failed - skipped)
    verdict.copies = len(taken) - len(accepted)
    verdict.uncertain = len(doubtful)
    verdict.require(verdict.lost == 0, f"{verdict.lost} lost")
    verdict.require(verdict.copies <= bounds.copies, f"copies > {bounds.copies}")
    verdict.require(len(doubtful) <= bounds.uncertain, f"in doubt > {bounds.uncertain}")
    verdict.require(not failed, f"{len(failed)} readers failed")
    verdict.require(len(skipped) <= bounds.skipped, f"{len(skipped)} skipped")
    verdict.require(accepted <= readers, "letters to strangers")
    passed_over = len(accepted & (skipped | failed))
    verdict.require(not passed_over, f"{passed_over} letters to readers passed over")
    barred = account.suppressed
    verdict.require(barred <= bounds.skipped, f"{barred} readers suppressed")
    _compare_letters(verdict, taken, bounds)
    _compare_counts(verdict, account, len(accepted - doubtful - failed - skipped))
    return verdict


def _compare_letters(verdict: Verdict, taken: Sequence[Taken], bounds: Bounds) -> None:
    forms = {(t.recipient, t.message_id, t.digest) for t in taken}
    accepted = {t.recipient for t in taken}
    verdict.require(len(forms) == len(accepted), "copies differ")
    names = {t.message_id for t in taken}
    verdict.require(len(names) >= len(accepted), "readers share a Message-ID")
    clear = sum(not letter.encrypted for letter in taken)
    verdict.require(not (bounds.encrypted and clear), f"{clear} in the clear")


def _compare_counts(verdict: Verdict, account: Account, sent: int) -> None:
    """Require that the counters are those of the server and of the lists."""
    claimed = Counter(account.counts)
    left = sum(claimed[state] for state in _OPEN)
    verdict.require(left == 0, f"{left} letters left over")
    found = Counter(
        sent=sent,
        uncertain=len(account.doubtful),
        failed=len(account.failed),
        skipped=len(account.skipped),
    )
    for state, number in found.items():
        kept = claimed[state] == number
        verdict.require(kept, f"counted {claimed[state]} {state}, found {number}")
