"""kill -9 while mail comes in: what was answered 250 is there, and is acted upon."""

import asyncio
import os
import re
import signal
import sys
from pathlib import Path

import pytest

from digest import bootstrap
from digest.bootstrap import Service, installing
from digest.domain.actor import Actor, ActorKind
from digest.inbound import handling
from digest.settings import Settings
from digest.settings.parts import InboundSettings
from tests.integration.inbound.test_listener import Client
from tests.integration.inbound.writing import later, make_message, rows

DESK = Actor(kind=ActorKind.CLI)
_TELLS = re.compile(rb"Taking mail by lmtp on 127\.0\.0\.1:(\d+)")


@pytest.fixture
def service(tmp_path: Path) -> Service:
    settings = Settings(
        home=tmp_path / "home", inbound=InboundSettings(protocol="lmtp", port=0)
    )
    installing.initialise(settings, actor=DESK)
    return bootstrap.open_service(settings)


async def start(service: Service) -> tuple[asyncio.subprocess.Process, int]:
    settings = {
        "DIGEST_HOME": str(service.settings.home),
        "DIGEST_INBOUND__PROTOCOL": "lmtp",
        "DIGEST_INBOUND__PORT": "0",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "digest", "serve", "--only", "inbound"),
        env=os.environ | settings,
        start_new_session=True,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    async for line in process.stderr:
        if found := _TELLS.search(line):
            return process, int(found[1])
    pytest.fail("it never said where it takes mail")


async def post(port: int, name: str, answered: list[str]) -> None:
    """Hand over one message after the other until the listener is gone."""
    client = Client(*await asyncio.open_connection("127.0.0.1", port))
    await client.hear()
    await client.say(b"LHLO x.example\r\n")
    for number in range(10_000):
        author = f"{name}-{number}@example.org"
        replies = await client.send(
            make_message(author=author), "subscribe", sender=author
        )
        if replies[0].startswith("250"):
            answered.append(author)


@pytest.mark.parametrize("wait", [0.2, 0.5, 0.9])
async def test_nothing_that_was_answered_is_lost(service: Service, wait: float) -> None:
    answered: list[str] = []
    process, port = await start(service)
    posting = [asyncio.create_task(post(port, f"r{i}", answered)) for i in range(4)]

    await asyncio.sleep(wait)  # the moment is the test
    os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
    await asyncio.wait(posting)

    handling.sweep(later(service, minutes=5))
    kept = {row.sender: row.state for row in rows(service, "inbox")}
    assert answered
    assert set(answered) <= set(kept)
    assert set(kept.values()) == {"done"}
    for each in posting:
        each.exception()
    service.db.close()
