"""Kill trials: all processes of the post killed at once, at random, until done."""

import random
import signal
import time
from dataclasses import dataclass

from bench import peek, recorder, workers
from bench.oracle import Bounds, Verdict, judge
from bench.processes import TrialError
from bench.trials import CONNECTIONS, FINISH_SECONDS, Place, Trial, trial
from bench.workers import Worker

RECOVERY_SECONDS = 5.0
"""Promised from a worker's start: what a killed one held is claimed again."""

_LOOK_SECONDS = 0.02
_MOST_KILLS = 4


@dataclass(kw_only=True)
class _Course:
    """What happened in a trial.

    Attributes:
        rounds: How often workers were started.
        kills: How often they were killed while they held letters.
        recoveries: Each time measured, in seconds.
        orphans: Fences of the chunks that the workers killed last held.
    """

    rounds: int = 0
    kills: int = 0
    recoveries: list[float]
    orphans: dict[int, int]


def run_kill(
    place: Place, name: str, *, seed: int, processes: int, uncertain: str
) -> Verdict:
    """Kill every worker after a random number of letters, again and again.

    Args:
        place: Where.
        name: The trial's.
        seed: Decides when to kill.
        processes: Workers at one time.
        uncertain: `hold` or `resend`.

    Raises:
        TrialError: No worker was killed while it held letters.
    """
    with trial(place, name, DIGEST_SEND__UNCERTAIN=uncertain) as held:
        with recorder.recording(held.record, held.port):
            course = _kill_until_done(held, place, random.Random(seed), processes)
        if not (course.kills and course.recoveries):
            raise TrialError("no worker was killed while it held letters")
        most = course.kills * processes * CONNECTIONS
        resends = uncertain == "resend"
        bounds = Bounds(copies=most if resends else 0, uncertain=0 if resends else most)
        verdict = judge(name, held.found, [held.record], bounds)
        verdict.rounds, verdict.kills = course.rounds, course.kills
        verdict.recovery = max(course.recoveries)
        verdict.notes = f"{course.kills} kills, recovered in {verdict.recovery:.1f} s"
        return verdict


def require_quick_recovery(verdict: Verdict) -> Verdict:
    """Require that it was in time; apart, as a test on a busy machine is not timed."""
    slowest = verdict.recovery or 0.0
    verdict.require(slowest <= RECOVERY_SECONDS, f"recovered after {slowest:.1f} s")
    return verdict


def _kill_until_done(
    held: Trial, place: Place, chance: random.Random, processes: int
) -> _Course:
    course = _Course(recoveries=[], orphans={})
    while not peek.is_sent(held.found):
        began = recorder.count(held.record)
        point = began + 1 + chance.randrange(place.letters // 3)
        is_last = course.rounds == _MOST_KILLS or point >= place.letters
        crew = [workers.start(held.found) for _ in range(processes)]
        course.rounds += 1
        try:
            _watch(held, crew, course, None if is_last else point)
            if is_last:
                for worker in crew:
                    workers.end_politely(worker)
            else:
                _kill(held, crew, course)
        finally:
            workers.kill_all(crew)
    return course


def _watch(held: Trial, crew: list[Worker], course: _Course, point: int | None) -> None:
    """Wait for so many letters, or None: the end; note when orphans are taken over.

    Raises:
        TrialError: It takes too long, or a worker ended by itself.
    """
    ready = workers.wait_for_any(crew)
    while True:
        now = time.monotonic()
        if course.orphans and _are_claimed(held, course.orphans):
            course.recoveries.append(now - ready)
            course.orphans = {}
        if point is None and peek.is_sent(held.found):
            return
        if point is not None and recorder.count(held.record) >= point:
            return
        workers.require_alive(crew)
        if now - ready > FINISH_SECONDS:
            raise TrialError(f"not through within {FINISH_SECONDS:g} s")
        time.sleep(_LOOK_SECONDS)


def _are_claimed(held: Trial, orphans: dict[int, int]) -> bool:
    fences = peek.fences(held.found)
    return all(fences[chunk] > fence for chunk, fence in orphans.items())


def _kill(held: Trial, crew: list[Worker], course: _Course) -> None:
    workers.kill_all(crew)
    killed = {w.process.pid for w in crew if w.process.returncode == -signal.SIGKILL}
    orphans = {
        chunk.chunk: chunk.fence
        for chunk in peek.held(held.found)
        if chunk.process in killed
    }
    if orphans:
        course.kills += 1
        course.orphans = orphans
