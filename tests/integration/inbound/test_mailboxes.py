"""Which mailboxes are read."""

import asyncio
from dataclasses import replace
from pathlib import Path

from digest.bootstrap import Service
from digest.inbound.mailboxes import (
    find_mailboxes,
    find_trouble,
    make_readers,
    read_mailboxes,
)
from digest.settings import Settings
from tests.builders import add_newsletter
from tests.integration.inbound.common import MESSAGE, kept


async def test_none_is_read_where_none_is_set(service: Service) -> None:
    await read_mailboxes(service, stop=asyncio.Event())

    assert make_readers(service) == []


async def test_one_that_cannot_be_read_holds_up_no_other(
    service: Service, tmp_path: Path
) -> None:
    add_newsletter(service.db)
    for name in ("new", "cur", "tmp"):
        (tmp_path / "mail" / name).mkdir(parents=True)
    (tmp_path / "mail" / "new" / "1.host").write_bytes(MESSAGE)
    account = {"host": "127.0.0.1", "port": 1, "username": "a", "password": "p"}
    values = {"maildir": {"folder": str(tmp_path / "mail")}, "imap": account}
    both = replace(service, settings=Settings.model_validate(values))
    stop = asyncio.Event()

    reading = asyncio.create_task(read_mailboxes(both, stop=stop))
    async with asyncio.timeout(10):
        while not kept(service):  # noqa: ASYNC110 - another thread fills it
            await asyncio.sleep(0.01)
        stop.set()
        await reading

    assert len(kept(service)) == 1


def test_what_keeps_one_from_being_read_is_told(tmp_path: Path) -> None:
    account = {"host": "127.0.0.1", "port": 1, "username": "a", "password": "p"}
    folder = str(tmp_path / "mail")
    values = {"maildir": {"folder": folder}, "imap": account}
    found = find_mailboxes(Settings.model_validate(values))

    before = {name: find_trouble(opens) for name, opens in found.items()}
    for name in ("new", "cur", "tmp"):
        (tmp_path / "mail" / name).mkdir(parents=True)
    after = find_trouble(found["maildir"])

    assert before == {
        "maildir": f"{folder} is no Maildir",
        "imap": "Connection refused",
    }
    assert after is None
