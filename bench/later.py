"""A worker to whom it is later. `python -m bench.later SECONDS`.

So that a trial need not wait for hours until a deferred letter is tried again.
"""

import asyncio
import sys
from datetime import datetime, timedelta

from digest import bootstrap
from digest.cli import logs
from digest.send.worker import drain
from digest.settings import load_settings


def main() -> None:
    """Carry what is due so many seconds from now, then end."""
    ahead = timedelta(seconds=int(sys.argv[1]))

    def clock() -> datetime:
        return bootstrap.utc_now() + ahead

    logs.set_up()
    service = bootstrap.open_service(load_settings(), clock=clock)
    asyncio.run(drain(bootstrap.make_post(service), clock=clock))
    service.db.close()


if __name__ == "__main__":
    main()
