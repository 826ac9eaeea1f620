"""Whether the time of an answer tells why a token was refused (attack A10).

Run as `python -m bench.refusals [--each N]`.
"""

import argparse
import http.client
import os
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from bench import processes
from bench.processes import TrialError
from bench.ranks import likeness
from bench.sign_ups import make_service
from digest.bootstrap import Service
from digest.domain.tokens import Purpose

# Route of each purpose.
_ROUTES: Mapping[Purpose, str] = {
    Purpose.UNSUBSCRIBE: "/u",
    Purpose.CONFIRM: "/confirm",
    Purpose.PREFERENCES: "/preferences",
    Purpose.RIGHTS: "/my-data",
    Purpose.MOVE: "/new-address",
}
_FORGED = "forged"
_READY_SECONDS, _TIMEOUT_SECONDS = 60.0, 30.0
_LEAST_CHANCE = 0.01  # as A9 says of sign-ups

Timings = dict[str, list[float]]


def main() -> int:
    """Time the refusals; 1 where one kind of token is told from another."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=300, help="of each kind and page")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        timed = time_refusals(make_service(Path(folder)), asked.each)
    chances = []
    for route, kinds in timed.items():
        for kind, seconds in kinds.items():
            chance = likeness(kinds[_FORGED], seconds)
            chances.append(chance)
            print(f"{route} {kind}: {median(seconds) * 1000:.2f} ms, p = {chance:.3f}")
    # So many comparisons would now and then find a difference by chance.
    return int(min(chances) <= _LEAST_CHANCE / len(chances))


def make_tokens(service: Service, purpose: Purpose) -> Mapping[str, str]:
    """Make one token of each kind that a page must refuse."""
    tokens, now = service.secrets.tokens, service.now()
    real = tokens.issue(purpose, 1, at=now)
    other = next(each for each in _ROUTES if each is not purpose)
    place = len(real) // 2
    turned = "a" if real[place] != "a" else "b"
    return {
        _FORGED: f"{real[:place]}{turned}{real[place + 1 :]}",
        "cut": real[:-1],
        "of another purpose": tokens.issue(other, 1, at=now),
        "of a key nobody has": f"77{real[2:]}",
    }


def time_refusals(service: Service, each: int) -> Mapping[str, Timings]:
    """Post every kind of token to every page, in an order drawn by lot.

    Returns:
        Seconds that answers took, by page and kind.

    Raises:
        TrialError: The pages did not start.
    """
    port = processes.free_port()
    variables = {
        "DIGEST_HOME": str(service.settings.home),
        "DIGEST_WEB__PORT": str(port),
    }
    pages = processes.start(
        processes.module("digest", "serve", "--only", "web"),
        env=os.environ | variables,
        log=service.settings.home / "web.log",
    )
    order = [
        (route, kind, token)
        for purpose, route in _ROUTES.items()
        for kind, token in make_tokens(service, purpose).items()
    ] * each
    random.shuffle(order)
    try:
        processes.wait_until(
            lambda: processes.listens(port), within=_READY_SECONDS, what="the pages"
        )
        return _ask(port, order)
    finally:
        processes.kill(pages)


def _ask(port: int, order: Sequence[tuple[str, str, str]]) -> Mapping[str, Timings]:
    timed: dict[str, Timings] = defaultdict(lambda: defaultdict(list))
    answers: dict[str, set[tuple[int, int]]] = defaultdict(set)
    pages = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_SECONDS)
    kind_of_body = {"Content-Type": "application/x-www-form-urlencoded"}
    for route, kind, token in order:
        started = time.perf_counter()
        pages.request(
            "POST", f"{route}/{token}", "List-Unsubscribe=One-Click", kind_of_body
        )
        answer = pages.getresponse()
        body = answer.read()
        timed[route][kind].append(time.perf_counter() - started)
        answers[route].add((answer.status, len(body)))
    pages.close()
    if different := [route for route, seen in answers.items() if len(seen) > 1]:
        raise TrialError(f"answers differ: {', '.join(different)}")
    return timed


if __name__ == "__main__":
    raise SystemExit(main())
