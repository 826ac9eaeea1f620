"""Trials of two machines that share a database, one of which dies."""

import random
import shutil
import signal
import time
from dataclasses import replace

from bench import peek, recorder, workers
from bench.oracle import Verdict, judge
from bench.peek import Held
from bench.processes import TrialError, wait_until
from bench.trials import (
    FINISH_SECONDS,
    Place,
    Trial,
    bounds_of_one,
    far_recorder,
    trial,
)
from bench.workers import Worker


def run_machines(place: Place, name: str, *, seed: int, uncertain: str) -> Verdict:
    """Let two homes share one PostgreSQL, and kill everything of one of them.

    Raises:
        TrialError: Not both had work, or the other did not take it over.
    """
    with trial(place, name, DIGEST_SEND__UNCERTAIN=uncertain) as held:
        other = replace(held.found, home=held.folder / "other-machine")
        shutil.copytree(held.found.home, other.home)
        other.run("adopt", "--join")
        with far_recorder(held):
            crew = [workers.start(own, "--once") for own in (held.found, other)]
            chance = random.Random(seed)
            try:
                held.wait_for(chance.randrange(1, place.letters // 3))
                working = _wait_for_both(held, crew)
                victim = chance.choice(crew)
                orphans = _kill(held, victim)
                recovery = _wait_for_takeover(held, orphans)
                early = recorder.count(held.record)
                workers.wait_for_end([w for w in crew if w is not victim])
                after = recorder.count(held.record) - early
            finally:
                workers.kill_all(crew)
        if not after:
            raise TrialError("the other machine had nothing left to finish")
        verdict = judge(name, held.found, [held.record], bounds_of_one(uncertain))
        verdict.kills, verdict.recovery = 1, recovery
        verdict.notes = (
            f"{working} had been sent of what each held, {after} more by the other"
        )
        return verdict


def _wait_for_both(held: Trial, crew: list[Worker]) -> str:
    """Wait until each holds a chunk of which it has sent some; says how many."""
    own = {worker.process.pid: 0 for worker in crew}

    def have_sent() -> bool:
        workers.require_alive(crew)
        sent = dict.fromkeys(own, 0)
        for chunk in peek.held(held.found):
            sent[chunk.process] = sent.get(chunk.process, 0) + chunk.sent
        own.update(sent)
        return all(own.values())

    wait_until(have_sent, within=FINISH_SECONDS, what="work for both machines")
    return " and ".join(map(str, own.values()))


def _kill(held: Trial, victim: Worker) -> list[Held]:
    """Kill one while it holds a chunk of which it has sent some."""
    workers.kill_all([victim])
    process = victim.process.pid
    found = [chunk for chunk in peek.held(held.found) if chunk.process == process]
    is_hit = victim.process.returncode == -signal.SIGKILL
    if not (is_hit and any(chunk.sent for chunk in found)):
        raise TrialError("the machine that was killed held nothing")
    return found


def _wait_for_takeover(held: Trial, orphans: list[Held]) -> float:
    """Wait until all is claimed anew; returns the seconds since the death."""
    began = time.monotonic()

    def are_claimed() -> bool:
        fences = peek.fences(held.found)
        return all(fences[orphan.chunk] > orphan.fence for orphan in orphans)

    wait_until(are_claimed, within=FINISH_SECONDS, what="the other machine's takeover")
    return time.monotonic() - began
