"""Readers who leave while letters go out. `python -m bench.leaver RECORD ADDRESS…`.

Once the first letter was taken, each in turn; prints when each had left.
"""

import contextlib
import io
import sys
import time
from pathlib import Path

from bench import recorder
from bench.processes import wait_until
from digest.cli.app import run

_READY_SECONDS = 300.0


def main() -> None:
    """Unsubscribe each reader by the operator's command."""
    record, *addresses = sys.argv[1:]
    with contextlib.redirect_stdout(io.StringIO()):
        run(["subscribers", "--help"])  # loads what the command needs
    wait_until(
        lambda: recorder.count(Path(record)) > 0,
        within=_READY_SECONDS,
        what="the first letter",
    )
    for address in addresses:
        with contextlib.redirect_stdout(io.StringIO()):
            status = run(["subscribers", "unsubscribe", address])
        if status:
            sys.exit(status)
        print(f"{address}\t{time.time():.3f}", flush=True)


if __name__ == "__main__":
    main()
