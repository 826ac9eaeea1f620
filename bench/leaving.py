"""Trials of readers who leave by the link in their letter while an edition goes out."""

import http.client
import random
import time
from concurrent.futures import Future, ThreadPoolExecutor

from bench import peek, processes, recorder, workers
from bench.oracle import Bounds, Verdict, judge
from bench.processes import TrialError, free_port, module, wait_until
from bench.trials import Place, Trial, far_recorder, trial
from digest.care.keys import read_secrets
from digest.domain.tokens import Purpose

_LEAVING = 200
_LEAVE_SECONDS = 1.0
_TIMEOUT_SECONDS = 30.0
_READY_SECONDS = 60.0
# RFC 8058 §3.2: what a mail program posts.
_FORM = "List-Unsubscribe=One-Click"
_FORM_TYPE = {"Content-Type": "application/x-www-form-urlencoded"}


def run_leaving(place: Place, name: str, *, seed: int) -> Verdict:
    """Let readers leave: a second after the answer no letter to them may begin.

    A letter is taken later than it begins, so what is required is a little more.

    Raises:
        TrialError: Nobody left in time to be passed over, or a POST was refused.
    """
    web = free_port()
    address = {"DIGEST_WEB__HOST": "127.0.0.1", "DIGEST_WEB__PORT": str(web)}
    with trial(place, name, **address) as held:
        left = _send_while_leaving(held, web, _links(held, seed))
        taken = recorder.read(held.record)
        late = [
            letter
            for letter in taken
            if letter.at > left.get(letter.recipient, letter.at) + _LEAVE_SECONDS
        ]
        bounds = Bounds(skipped=len(left))
        verdict = judge(name, held.found, [held.record], bounds)
        verdict.require(not late, f"{len(late)} letters later than a second")
        skipped = peek.counts(held.found)["skipped"]
        end = max(letter.at for letter in taken)
        early = sum(at + _LEAVE_SECONDS < end for at in left.values())
        if not (skipped and early):
            raise TrialError(f"of {len(left)} who left, {skipped} were passed over")
        verdict.rounds = len(left)
        verdict.notes = f"{len(left)} left, {skipped} of them before their letter"
        return verdict


def _links(held: Trial, seed: int) -> dict[str, str]:
    """Choose who leaves; returns the path of each one's link."""
    ids = peek.reader_ids(held.found)
    leaving = random.Random(seed).sample(sorted(ids), min(_LEAVING, len(ids) // 4))
    tokens = read_secrets(held.found.home / "keys").tokens
    return {
        reader: f"/u/{tokens.issue(Purpose.UNSUBSCRIBE, ids[reader])}"
        for reader in leaving
    }


def _send_while_leaving(
    held: Trial, web: int, links: dict[str, str]
) -> dict[str, float]:
    """Carry the edition; returns when each reader's POST was answered."""
    serving = module("digest", "serve", "--only", "web")
    log = held.folder / "web.log"
    with far_recorder(held), ThreadPoolExecutor(1) as readers:
        pages = processes.start(serving, env=held.found.environment, log=log)
        crew = []
        try:
            wait_until(
                lambda: processes.listens(web), within=_READY_SECONDS, what="the pages"
            )
            crew.append(workers.start(held.found, "--once"))
            held.wait_for(1)
            leaving: Future[dict[str, float]] = readers.submit(_leave, web, links)
            workers.wait_for_end(crew)
            return leaving.result()
        finally:
            workers.kill_all(crew)
            processes.kill(pages)


def _leave(web: int, links: dict[str, str]) -> dict[str, float]:
    """Post each in turn.

    Raises:
        TrialError: An answer was not 200.
    """
    left: dict[str, float] = {}
    for reader, path in links.items():
        pages = http.client.HTTPConnection("127.0.0.1", web, timeout=_TIMEOUT_SECONDS)
        pages.request("POST", path, _FORM, _FORM_TYPE)
        status = pages.getresponse().status
        if status != http.client.OK:
            raise TrialError(f"a reader who leaves was answered {status}")
        left[reader] = time.time()
        pages.close()
    return left
