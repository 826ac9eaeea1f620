"""Letters a second, side by side in one run, into one smtp-sink. `make bench`."""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

from bench import postgres, tables, wire
from bench.processes import TrialError, find_tool, module, smtp_sink, tidy_up_when_ended

FAR_SECONDS = 0.050
FAR_CONNECTIONS = 20
SOURCE, LOOP, RSA = "smtp-source", "sendmail loop", "RSA-2048, one core"

Contender = Callable[[], float]
Rates = dict[str, list[float]]


@dataclass(frozen=True, kw_only=True)
class Load:
    """What everybody sends.

    Attributes:
        letters: How many a round.
        size: KB of one.
        connections: At one time.
        processes: Of this service.
        port: Where to.
    """

    letters: int
    size: int
    connections: int
    processes: int
    port: int


def main() -> None:
    """Measure, print, and keep the figures in `var/bench`."""
    wanted = _parse()
    tidy_up_when_ended()
    with ExitStack() as stack:
        place = stack.enter_context(tempfile.TemporaryDirectory(dir=_folder()))
        server = stack.enter_context(postgres.server())
        near = stack.enter_context(smtp_sink())
        load = Load(
            letters=wanted.letters,
            size=wanted.size,
            connections=wanted.connections,
            processes=wanted.processes,
            port=near,
        )
        rates = _measure(_near_contenders(load, place, server), wanted.rounds)
        far = Load(
            letters=wanted.far_letters,
            size=wanted.size,
            connections=FAR_CONNECTIONS,
            processes=1,
            port=stack.enter_context(wire.wired(near, round_trip=FAR_SECONDS)),
        )
        far_rates = _measure(_far_contenders(far, place), wanted.rounds)
    _report(vars(wanted), rates, far_rates)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.send")
    parser.add_argument("--letters", type=int, default=15_000, help="a round")
    parser.add_argument("--far-letters", type=int, default=2_000)
    parser.add_argument("--size", type=int, default=32, help="KB")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--processes", type=int, default=2, help="of this service")
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def _folder() -> str:
    tables.FOLDER.mkdir(parents=True, exist_ok=True)
    return str(tables.FOLDER)


def _near_contenders(load: Load, home: str, server: str) -> Mapping[str, Contender]:
    service = partial(_service, load, home)
    return {
        "unsigned, SQLite": partial(service, None, dkim=False),
        SOURCE: partial(_source, load),
        "unsigned, PostgreSQL": partial(service, server, dkim=False),
        LOOP: partial(_loop, load),
        "signed, SQLite": partial(service, None, dkim=True),
        RSA: _rsa,
        "signed, PostgreSQL": partial(service, server, dkim=True),
    }


def _far_contenders(load: Load, home: str) -> Mapping[str, Contender]:
    return {
        "unsigned, SQLite": partial(_service, load, home, None, dkim=False),
        LOOP: partial(_loop, load),
    }


def _measure(contenders: Mapping[str, Contender], rounds: int) -> Rates:
    """Let everybody have a turn in each round: a busy machine hurts all alike."""
    rates: Rates = {name: [] for name in contenders}
    for number in range(rounds):
        for name, run in contenders.items():
            rate = run()
            rates[name].append(rate)
            print(f"round {number + 1}: {name}: {rate:,.0f} a second", flush=True)
    return rates


def _service(load: Load, home: str, database: str | None, *, dkim: bool) -> float:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("DIGEST_")}
    kept["DIGEST_HOME"] = home
    if database is not None:
        kept["DIGEST_DATABASE__URL"] = database
    command = [
        *module("digest", "bench", "send", "--json"),
        *("--letters", str(load.letters), "--size", str(load.size)),
        *("--connections", str(load.connections), "--processes", str(load.processes)),
        *("--smtp", f"127.0.0.1:{load.port}", "--dkim" if dkim else "--no-dkim"),
    ]
    document: dict[str, Any] = json.loads(_run(command, kept))
    return float(document["per_second"])


def _loop(load: Load) -> float:
    figures = (load.port, load.letters, load.size * 1024, load.connections)
    return float(_run(module("bench.plain", *map(str, figures))))


def _source(load: Load) -> float:
    tool = find_tool("smtp-source")
    if tool is None:
        raise TrialError("smtp-source is not installed (Debian: postfix)")
    began = time.monotonic()
    # -d: it keeps its connections, as everybody here does.
    _run(
        [
            *(tool, "-d", "-s", str(load.connections), "-m", str(load.letters)),
            *("-l", str(load.size * 1024), "-f", "weekly@news.example"),
            *("-t", "reader@example.com", f"127.0.0.1:{load.port}"),
        ]
    )
    return load.letters / (time.monotonic() - began)


def _rsa() -> float:
    printed = _run(["openssl", "speed", "-seconds", "3", "rsa2048"])
    # "rsa 2048 bits 0.000336s 0.000010s 2976.0 …"; newer ones time four operations.
    line = re.compile(r"^rsa\s+2048 bits(?:\s+\S+s){2,4}\s+([\d.]+)", re.MULTILINE)
    found = line.search(printed)
    if found is None:
        raise TrialError(f"openssl printed no rate: {printed}")
    return float(found[1])


def _run(command: list[str], env: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise TrialError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return done.stdout


def _report(options: dict[str, Any], near: Rates, far: Rates) -> None:
    facts = tables.machine()
    print("\n" + "; ".join(f"{name} {value}" for name, value in facts.items()))
    middle = {name: median(rates) for name, rates in near.items()}
    rows = [
        [name, rate, rate / middle[SOURCE], rate / middle[RSA], rate / middle[LOOP]]
        for name, rate in middle.items()
    ]
    heads = ["letters a second", "rate", "× smtp-source", "× RSA", "× loop"]
    tables.show(
        f"{options['letters']:,} letters of {options['size']} KB, "
        f"{options['connections']} connections",
        heads,
        rows,
    )
    far_middle = {name: median(rates) for name, rates in far.items()}
    tables.show(
        f"a relay {FAR_SECONDS * 1000:.0f} ms away, {FAR_CONNECTIONS} connections",
        ["letters a second", "rate", "× loop"],
        [[name, rate, rate / far_middle[LOOP]] for name, rate in far_middle.items()],
    )
    document = {"machine": facts, "options": options, "near": near, "far": far}
    print(f"\nKept in {tables.keep('send', document)}")


if __name__ == "__main__":
    try:
        main()
    except TrialError as error:
        sys.exit(f"error: {error}")
