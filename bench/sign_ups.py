"""Ten thousand sign-ups of one address from as many networks; the time answers take.

Run as `python -m bench.sign_ups [--requests N] [--timed N]`; attacks A6 and A9.
"""

import argparse
import http.client
import os
import random
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

from starlette.testclient import TestClient

from bench import processes
from bench.processes import TrialError
from bench.ranks import likeness
from digest import bootstrap
from digest.bootstrap import Service, installing
from digest.domain.actor import READER
from digest.domain.addresses import parse_address
from digest.domain.subscribers import Origin
from digest.domain.tokens import Purpose
from digest.settings import Settings, WebSettings
from digest.storage import tables
from digest.subscriptions import opt_in
from digest.web.app import make_app

_VICTIM, _KNOWN = "victim@example.com", "known@example.com"
_DAY = timedelta(hours=24)
_AT_ONCE = 4
_READY_SECONDS, _TIMEOUT_SECONDS = 60.0, 30.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run both trials; 1 where one of them fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--timed", type=int, default=1_000)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        service = make_service(Path(folder))
        letters = bomb(service, asked.requests)
        print(f"{asked.requests} sign-ups in 24 h from as many networks: ", end="")
        print(f"{letters} confirmation letters")
        known, unknown = time_answers(service, asked.timed)
        chance = likeness(known, unknown)
        print(f"known {median(known) * 1000:.2f} ms, ", end="")
        print(f"unknown {median(unknown) * 1000:.2f} ms, p = {chance:.3f}")
    return int(letters > 1 or chance <= 0.01)  # noqa: PLR2004 - as A9 says


def make_service(home: Path) -> Service:
    """Make an installation whose limits of networks are out of the way."""
    settings = Settings(home=home, web=WebSettings(trusted_hosts=["testserver"]))
    installing.initialise(settings, actor=READER)
    service = bootstrap.open_service(settings)
    opt_in.record(
        service.db,
        newsletter="weekly",
        address=parse_address(_KNOWN),
        origin=Origin(source="bench", wording="Yes."),
        secrets=service.secrets,
        actor=READER,
        now=service.now(),
    )
    return service


def bomb(service: Service, count: int) -> int:
    """Sign one address up from many networks within 24 hours.

    Returns:
        How many confirmation letters were written to it.
    """
    app = make_app(service, answer_after=0)
    start = service.now()
    for number in range(count):
        at = start + number * (_DAY / count) * 0.999
        app.state.service = _at(service, at)
        octets = (198, 18 + (number >> 16), number >> 8 & 255, number & 255)
        client = TestClient(app, client=(".".join(map(str, octets)), 40_000))
        stamp = service.secrets.tokens.issue(
            Purpose.FORM, 1, at=at - timedelta(minutes=1)
        )
        client.post("/subscribe", data={"address": _VICTIM, "stamp": stamp})
    query = tables.notices.select().where(tables.notices.c.address == _VICTIM)
    with service.db.read() as tx:
        return len(tx.execute(query).all())


def _at(service: Service, moment: datetime) -> Service:
    return replace(service, clock=lambda: moment)


def time_answers(service: Service, count: int) -> tuple[list[float], list[float]]:
    """Sign up a known and unknown addresses, in an order drawn by lot, four at a time.

    The pages run in a process of their own, and are asked over connections that stay.

    Args:
        service: The installation.
        count: How often each.

    Returns:
        Seconds that answers took: to the known address, to unknown ones.

    Raises:
        TrialError: The pages did not start, or refused a sign-up.
    """
    port = processes.free_port()
    variables = {
        "DIGEST_HOME": str(service.settings.home),
        "DIGEST_WEB__PORT": str(port),
        "DIGEST_SIGN_UP__PER_NETWORK": str(10**9),
        "DIGEST_SIGN_UP__ALTOGETHER": str(10**9),
    }
    pages = processes.start(
        processes.module("digest", "serve", "--only", "web"),
        env=os.environ | variables,
        log=service.settings.home / "web.log",
    )
    # Each as long as the known one.
    unknown = [f"k{number:04}@example.com" for number in range(count)]
    order = [_KNOWN] * count + unknown
    random.shuffle(order)
    stamp = service.secrets.tokens.issue(
        Purpose.FORM, 1, at=service.now() - timedelta(minutes=1)
    )
    try:
        processes.wait_until(
            lambda: processes.listens(port), within=_READY_SECONDS, what="the pages"
        )
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            parts = [order[number::_AT_ONCE] for number in range(_AT_ONCE)]
            asked = pool.map(lambda part: _ask(port, part, stamp), parts)
            taken = [each for part in asked for each in part]
    finally:
        processes.kill(pages)
    known = [seconds for address, seconds in taken if address == _KNOWN]
    return known, [seconds for address, seconds in taken if address != _KNOWN]


def _ask(port: int, addresses: list[str], stamp: str) -> list[tuple[str, float]]:
    pages = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_SECONDS)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    taken = []
    for address in addresses:
        form = urlencode({"address": address, "stamp": stamp})
        started = time.perf_counter()
        pages.request("POST", "/subscribe", form, kind)
        answer = pages.getresponse()
        answer.read()
        taken.append((address, time.perf_counter() - started))
        if answer.status != http.client.OK:
            raise TrialError(f"a sign-up was answered {answer.status}")
    pages.close()
    return taken


if __name__ == "__main__":
    raise SystemExit(main())
