"""What the service is compared with: `sendmail` of aiosmtplib in a loop, and no more.

`python -m bench.plain PORT LETTERS OCTETS CONNECTIONS` prints letters a second. All get
the same letter; there is no ledger and no signature.
"""

import asyncio
import sys
import time
from collections.abc import Iterator

import aiosmtplib

_LINE = "<p>A sentence of a story, long enough to be one.</p>\r\n"


def _message(octets: int) -> str:
    head = (
        "From: weekly@news.example\r\nTo: reader@example.com\r\n"
        "Subject: The week\r\nContent-Type: text/html\r\n\r\n"
    )
    return head + _LINE * ((octets - len(head)) // len(_LINE))


async def _connection(port: int, letters: Iterator[int], message: str) -> None:
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False)
    async with client:
        for number in letters:
            recipient = f"reader-{number}@example.com"
            await client.sendmail("weekly@news.example", [recipient], message)


async def _send(port: int, count: int, octets: int, connections: int) -> float:
    """Return letters a second."""
    letters, message = iter(range(count)), _message(octets)
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(_connection(port, letters, message))
    return count / (time.monotonic() - began)


def main() -> None:
    """Send, and print the rate."""
    port, count, octets, connections = map(int, sys.argv[1:5])
    print(asyncio.run(_send(port, count, octets, connections)))


if __name__ == "__main__":
    main()
