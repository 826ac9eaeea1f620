"""What follows DATA, up to its final dot."""

import asyncio

import pytest
from hypothesis import given, strategies as st

from digest.inbound.data import read_data

MOST = 1_000


async def read(
    octets: bytes, *, piece: int = 10**6, limit: int = 64, most: int = MOST
) -> tuple[bytes | None, bytes]:
    """Return the message, and what came behind it."""
    reader = asyncio.StreamReader(limit=limit)

    async def feed() -> None:
        for start in range(0, len(octets), piece):
            reader.feed_data(octets[start : start + piece])
            await asyncio.sleep(0)
        reader.feed_eof()

    feeding = asyncio.create_task(feed())
    try:
        found = await read_data(reader, most=most)
    finally:
        await feeding
    return found, await reader.read()


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 1_000])
@pytest.mark.parametrize(
    ("octets", "message"),
    [
        (b".\r\n", b""),
        (b"\r\n.\r\n", b"\r\n"),
        (b"x\r\n.\r\n", b"x\r\n"),
        (b"A sentence.\r\nAnother.\r\n.\r\n", b"A sentence.\r\nAnother.\r\n"),
        (b"..x\r\n..\r\n.\r\n", b".x\r\n.\r\n"),
        (b".sloppy\r\n.\r\n", b"sloppy\r\n"),
        (b"x" * 300 + b"\r\n.\r\n", b"x" * 300 + b"\r\n"),
    ],
)
async def test_reads_to_the_dot_and_no_further(
    octets: bytes, message: bytes, piece: int
) -> None:
    assert await read(octets + b"QUIT\r\n", piece=piece) == (message, b"QUIT\r\n")


@pytest.mark.parametrize(
    "ending", [b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r.\r\n", b"\r\n.\n", b"\r\n.\r"]
)
async def test_nothing_else_ends_it(ending: bytes) -> None:
    """Attack A5."""
    octets = b"x" + ending + b"MAIL FROM:<a@b.example>\r\n"

    found, behind = await read(octets + b"\r\n.\r\n")

    # A dot that begins a line goes, as it would if it were stuffed.
    assert found == octets.replace(b"\r\n.", b"\r\n") + b"\r\n"
    assert behind == b""


@pytest.mark.parametrize("piece", [5, 1_000_000])
@pytest.mark.parametrize("line", [b"x" * 20 + b".\r\n", b"y" * 3_000])
async def test_what_is_too_large_is_read_to_its_end(line: bytes, piece: int) -> None:
    octets = line * (2 * MOST // len(line) + 1) + b"\r\n.\r\n"

    assert await read(octets + b"QUIT\r\n", piece=piece) == (None, b"QUIT\r\n")


@pytest.mark.parametrize(("length", "is_kept"), [(MOST, True), (MOST + 1, False)])
async def test_the_limit_is_exact(length: int, is_kept: bool) -> None:  # noqa: FBT001 - a parameter
    found, _ = await read(b"x" * (length - 2) + b"\r\n.\r\n")

    assert (found is not None) is is_kept


async def test_a_connection_that_ends_before_says_so() -> None:
    with pytest.raises(asyncio.IncompleteReadError):
        await read(b"x\r\n.\r")


@given(
    st.lists(st.text("ab. \t", max_size=12), max_size=20),
    st.integers(1, 20),
    st.integers(4, 40),
)
async def test_what_was_stuffed_comes_out_again(
    lines: list[str], piece: int, limit: int
) -> None:
    message = "".join(f"{line}\r\n" for line in lines).encode()
    stuffed = message.replace(b"\r\n.", b"\r\n..")
    stuffed = b"." + stuffed if stuffed.startswith(b".") else stuffed

    found, _ = await read(stuffed + b".\r\n", piece=piece, limit=limit)

    assert found == message
