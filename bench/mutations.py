"""Messages nobody would write, made of messages that somebody wrote."""

import random
import re
from collections.abc import Callable, Iterator, Sequence

_Change = Callable[[random.Random, bytes, Sequence[bytes]], bytes]

_LINE = re.compile(rb"\r\n|\r|\n")
_PIECES = (
    b"\x00",
    b"\xff\xfe",
    b"\x1b[2J",
    b"\xe2\x80\xae",
    b"=?utf-8?B?",
    b"=?x?q?=00?=",
    b"--",
    b";" * 300,
    b"(" * 300,
    b'"' * 99,
    b"<" * 300,
    b"@" * 300,
    b"\r\n.\r\n",
    b"\r\n\r\n",
    b"Content-Type: multipart/mixed; boundary=x\r\n",
    b"Content-Type: message/rfc822\r\n",
    b"Content-Type: text/plain; charset=no-such\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"Auto-Submitted: auto-replied\r\n",
    b"From: a@b.example, c@d.example\r\n",
    b"From: =?utf-8?q?=0d=0aBcc:_x=40y?= <x@y.example>\r\n",
)
_PART = b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n"


def mutate(messages: Sequence[bytes], *, count: int, seed: int) -> Iterator[bytes]:
    """Yield so many mutations; the same for a seed.

    Args:
        messages: What they are made of, not empty.
        count: How many.
        seed: Decides everything.
    """
    chance = random.Random(seed)
    for _ in range(count):
        raw = chance.choice(messages)
        for _ in range(chance.randint(1, 4)):
            raw = chance.choice(_CHANGES)(chance, raw, messages)
        yield raw


def excessive(octets: int) -> Iterator[bytes]:
    """Yield messages beyond limits: depth, parts, header, addresses, size.

    Args:
        octets: The largest message that is taken.
    """
    head = b"From: dina@reader.example\r\nSubject: subscribe\r\n"
    yield head + b"".join(_PART % (n, n) for n in range(2000)) + b"x"
    many = b"--b\r\n\r\nx\r\n" * 20_000
    yield head + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + many + b"--b--"
    yield head + b"X-Long: " + b"x" * 500_000 + b"\r\n\r\nx"
    yield head + b"".join(b"X-%d: y\r\n" % n for n in range(20_000)) + b"\r\nx"
    yield b"From: " + b"a@b.example, " * 20_000 + b"c@d.example\r\n\r\nx"
    yield head + b"\r\n" + b"A line of a message.\r\n" * (octets * 9 // 10 // 22)


def _flip(chance: random.Random, raw: bytes, _: Sequence[bytes]) -> bytes:
    octets = bytearray(raw)
    for _number in range(min(len(octets), chance.randint(1, 50))):
        octets[chance.randrange(len(octets))] = chance.randrange(256)
    return bytes(octets)


def _cut(chance: random.Random, raw: bytes, _: Sequence[bytes]) -> bytes:
    return raw[: chance.randint(0, len(raw))]


def _drop(chance: random.Random, raw: bytes, _: Sequence[bytes]) -> bytes:
    start, end = sorted(chance.randint(0, len(raw)) for _ in range(2))
    return raw[:start] + raw[end:]


def _repeat(chance: random.Random, raw: bytes, _: Sequence[bytes]) -> bytes:
    start = chance.randint(0, len(raw))
    piece = raw[start : start + chance.randint(1, 500)]
    return raw[:start] + piece * chance.randint(2, 40) + raw[start:]


def _splice(chance: random.Random, raw: bytes, others: Sequence[bytes]) -> bytes:
    other = chance.choice(others)
    return raw[: chance.randint(0, len(raw))] + other[chance.randint(0, len(other)) :]


def _insert(chance: random.Random, raw: bytes, _: Sequence[bytes]) -> bytes:
    start = chance.randint(0, len(raw))
    return raw[:start] + chance.choice(_PIECES) + raw[start:]


def _prepend(chance: random.Random, raw: bytes, _: Sequence[bytes]) -> bytes:
    return chance.choice(_PIECES) + raw


def _shuffle(chance: random.Random, raw: bytes, _: Sequence[bytes]) -> bytes:
    lines = _LINE.split(raw)
    start = chance.randrange(len(lines))
    some = lines[start : start + 20]
    chance.shuffle(some)
    return b"\r\n".join([*lines[:start], *some, *lines[start + 20 :]])


_CHANGES: Sequence[_Change] = (
    *(_flip, _cut, _drop, _repeat, _splice, _insert, _prepend, _shuffle),
)
