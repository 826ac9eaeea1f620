"""Mail read from a Maildir."""

import asyncio
import os
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from digest.bootstrap import Service
from digest.inbound.mailbox import Mailbox, Reader
from digest.inbound.maildir import Maildir
from digest.settings import Settings
from tests.builders import add_newsletter
from tests.integration.inbound.common import MESSAGE, kept, to

LIMIT = 64 * 1024


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("new", "cur", "tmp"):
        (tmp_path / "mail" / name).mkdir(parents=True)
    return tmp_path / "mail"


@pytest.fixture
def limited(service: Service, tmp_path: Path) -> Service:
    add_newsletter(service.db)
    values = {"home": tmp_path, "inbound": {"message_octets": LIMIT}}
    return replace(service, settings=Settings.model_validate(values))


@pytest.fixture
def reader(limited: Service, folder: Path) -> Reader:
    return Reader(limited, lambda: Maildir(folder), name="maildir")


def put(folder: Path, name: str, raw: bytes = MESSAGE) -> None:
    (folder / "new" / name).write_bytes(raw)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class Odd(Maildir):
    """Lists what breaks whoever reads it."""

    def keys(self) -> Sequence[str]:
        raise ValueError("a number of 5,000 digits")


def test_an_answer_that_nobody_thought_of_ends_no_listener(
    limited: Service, folder: Path
) -> None:
    reader = Reader(limited, lambda: Odd(folder), name="maildir")

    assert not reader.look()


def test_a_message_is_taken_and_then_marked_as_seen(
    reader: Reader, limited: Service, folder: Path
) -> None:
    put(folder, "1.host")

    good = reader.look()

    assert good
    assert kept(limited) == [
        ("dina@example.test", "subscribe@news.example.test", MESSAGE)
    ]
    assert names(folder / "new") == []
    assert names(folder / "cur") == ["1.host:2,S"]


def test_nothing_is_taken_twice(reader: Reader, limited: Service, folder: Path) -> None:
    put(folder, "1.host")

    reader.look()
    reader.look()

    assert len(kept(limited)) == 1


@pytest.mark.parametrize(
    "raw",
    [
        to("nobody@news.example.test"),
        to("subscribe@elsewhere.test"),
        b"",
        b"\x00\xff" * 500,
        MESSAGE + b"x" * LIMIT,
    ],
    ids=["unknown", "elsewhere", "empty", "octets", "large"],
)
def test_what_is_not_for_us_is_put_aside_whole(
    reader: Reader, limited: Service, folder: Path, raw: bytes
) -> None:
    put(folder, "1.host", raw)
    put(folder, "2.host")

    reader.look()

    assert len(kept(limited)) == 1
    assert (folder / ".Refused" / "cur" / "1.host:2,S").read_bytes() == raw
    assert names(folder / "new") == []


def test_what_is_no_file_holds_up_nobody(
    reader: Reader, limited: Service, folder: Path
) -> None:
    os.mkfifo(folder / "new" / "1.pipe")
    (folder / "new" / "2.folder").mkdir()
    (folder / "new" / "3.link").symlink_to("/etc/passwd")
    put(folder, "4.host")

    for _ in range(5):
        reader.look()

    assert len(kept(limited)) == 1
    assert names(folder / "new") == []
    assert len(names(folder / ".Refused" / "cur")) == 3


def test_what_cannot_be_kept_now_stays(
    reader: Reader, limited: Service, folder: Path
) -> None:
    for number in range(5):
        put(folder, f"{number}.host")
    with limited.db.write() as tx:
        tx.exec_driver_sql("ALTER TABLE inbox RENAME TO elsewhere")

    good = reader.look()
    left = names(folder / "new")
    with limited.db.write() as tx:
        tx.exec_driver_sql("ALTER TABLE elsewhere RENAME TO inbox")
    again = reader.look()

    assert (good, again) == (False, True)
    assert len(left) == 5
    assert len(kept(limited)) == 5


def test_new_ones_go_before_those_that_wait(limited: Service, folder: Path) -> None:
    taken: list[str] = []

    class Slow(Maildir):
        def fetch(self, key: str, most: int) -> bytes | None:
            taken.append(key)
            if key == "1.host":
                raise OSError("bad sector")
            return super().fetch(key, most)

    reader = Reader(limited, lambda: Slow(folder), name="maildir")
    put(folder, "1.host")
    reader.look()
    put(folder, "2.host")
    reader.look()

    assert taken == ["1.host", "2.host", "1.host"]


def test_a_message_that_was_taken_but_not_moved_is_only_moved(
    limited: Service, folder: Path
) -> None:
    reader = Reader(limited, lambda: Maildir(folder), name="maildir")
    put(folder, "1.host")
    (folder / "cur" / "1.host:2,S").mkdir()

    before = reader.look()
    (folder / "cur" / "1.host:2,S").rmdir()
    after = reader.look()

    assert (before, after) == (False, True)
    assert len(kept(limited)) == 1
    assert names(folder / "cur") == ["1.host:2,S"]


def test_a_message_that_somebody_else_moved_is_left_alone(
    limited: Service, folder: Path
) -> None:
    class Hasty(Maildir):
        def keys(self) -> list[str]:
            return ["gone.host"]

    reader = Reader(limited, lambda: Hasty(folder), name="maildir")

    assert reader.look()
    assert kept(limited) == []


@pytest.mark.usefixtures("folder")
def test_no_maildir_is_said_with_the_reason(limited: Service, tmp_path: Path) -> None:
    reader = Reader(limited, lambda: Maildir(tmp_path / "none"), name="maildir")

    with capture_logs() as said:
        good = reader.look()

    assert not good
    assert said[0]["event"] == "mailbox.not_read"
    assert said[0]["reason"].endswith("is no Maildir")


async def test_it_looks_until_it_is_told_to_stop(
    reader: Reader, limited: Service, folder: Path
) -> None:
    stop = asyncio.Event()
    put(folder, "1.host")

    reading = asyncio.create_task(reader.run(stop))
    async with asyncio.timeout(10):
        while names(folder / "new"):  # noqa: ASYNC110 - another thread empties it
            await asyncio.sleep(0.01)
        stop.set()
        await reading

    assert len(kept(limited)) == 1


class Stuck:
    """A server that does not answer until it is hung up on."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self._wake = threading.Event()

    def close(self) -> None:
        self._wake.set()

    def keys(self) -> list[str]:
        self.asked.set()
        self._wake.wait(30)
        return []

    def fetch(self, key: str, most: int) -> bytes | None:
        raise NotImplementedError

    def move(self, key: str, *, refused: bool) -> None:
        raise NotImplementedError


async def test_a_server_that_hangs_does_not_keep_us_from_stopping(
    limited: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.inbound.mailbox._GRACE_SECONDS", 0.05)
    stuck = Stuck()
    mailbox: Mailbox = stuck
    reader, stop = Reader(limited, lambda: mailbox, name="imap"), asyncio.Event()

    reading = asyncio.create_task(reader.run(stop))
    assert await asyncio.to_thread(stuck.asked.wait, 10)
    stop.set()

    async with asyncio.timeout(5):
        await reading


def test_bodies_and_addresses_are_not_logged(
    reader: Reader, limited: Service, folder: Path
) -> None:
    put(folder, "1.host", to("nobody@news.example.test", "a secret"))
    put(folder, "2.host")

    with capture_logs() as said:
        reader.look()

    text = str(said)
    assert "@" not in text
    assert "secret" not in text
    assert "Please" not in text


def test_a_folder_that_goes_away_is_looked_for_again(
    reader: Reader, limited: Service, folder: Path
) -> None:
    reader.look()
    (folder / "new").rename(folder / "elsewhere")

    gone = reader.look()
    (folder / "elsewhere").rename(folder / "new")
    put(folder, "1.host")

    assert (gone, reader.look()) == (False, True)
    assert len(kept(limited)) == 1


def test_a_message_that_somebody_moves_while_it_is_taken_is_taken(
    limited: Service, folder: Path
) -> None:
    class Raced(Maildir):
        def fetch(self, key: str, most: int) -> bytes | None:
            raw = super().fetch(key, most)
            (folder / "new" / key).unlink()
            return raw

    reader = Reader(limited, lambda: Raced(folder), name="maildir")
    put(folder, "1.host")

    assert reader.look()
    assert len(kept(limited)) == 1


def test_told_to_stop_it_leaves_the_rest_for_later(
    reader: Reader, limited: Service, folder: Path
) -> None:
    for number in range(3):
        put(folder, f"{number}.host")
    answers = iter([False, True])

    reader.look(lambda: next(answers))

    assert len(kept(limited)) == 1
    assert len(names(folder / "new")) == 2
