"""A letter whose header and signature differ from the next one's in a few places only.

Everything else is written once, by the same functions as any other letter's, with marks
where the values go. The result is cut at the marks; each letter is a join, a hash and
a signature. `write_fields` folds by lengths, so a mark is as long as its values, or
stands in a field that has no white space to fold at.
"""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from digest.mail.dkim import Signer
from digest.mail.fields import Field, write_fields

_STAMP, _HASH = "t", "bh"
_STAMP_LENGTH, _HASH_LENGTH = 10, 44  # digits until 2286; base64 of SHA-256
_MARK = "qxjz"
_SAFE = re.compile(r"[!#-'*+\-./0-9=?@A-Z^-~]{1,320}", re.ASCII)


def is_plain(value: str) -> bool:
    """Tell whether an address may take a mark's place: nothing in it needs care."""
    return _SAFE.fullmatch(value) is not None


def make_marks(
    lengths: Mapping[str, int], fields: Sequence[Field] = ()
) -> dict[str, str]:
    """Make a mark for each name, such that none stands in any field already."""
    text = "".join(value for _, value in fields)
    stem = _MARK
    while stem in text:
        stem += "z"
    return {
        name: f"{stem}{number:03}".ljust(length, "k")
        for number, (name, length) in enumerate(lengths.items())
    }


class Stencil:
    """Octets with places for values.

    Args:
        octets: What was written with marks.
        marks: Names to marks.
    """

    def __init__(self, octets: bytes, marks: Mapping[str, str]) -> None:
        names = {mark.encode("ascii"): name for name, mark in marks.items()}
        pattern = b"(" + b"|".join(map(re.escape, names)) + b")"
        self._parts = re.split(pattern, octets)
        self._places = [
            (index, names[part])
            for index, part in enumerate(self._parts)
            if part in names
        ]

    def fill(self, values: Mapping[str, bytes]) -> bytes:
        """Put values into the places."""
        parts = self._parts.copy()
        for index, name in self._places:
            parts[index] = values[name]
        return b"".join(parts)


class PreparedHeader:
    """A header block, with its signature, of which each letter's is a join.

    Args:
        fields: The header fields, with marks for values.
        marks: Names to marks, of `make_marks`.
        signer: Signs each letter; None: nobody does.
    """

    def __init__(
        self, fields: Sequence[Field], marks: Mapping[str, str], signer: Signer | None
    ) -> None:
        self._header = Stencil(write_fields(fields) + b"\r\n", marks)
        self._seal = None if signer is None else _Seal(fields, marks, signer)

    def write(self, values: Mapping[str, bytes], body: bytes, *, at: datetime) -> bytes:
        """Write one letter.

        Args:
            values: For each name.
            body: Of `PreparedBody.fill`: its canonical form is itself.
            at: The time of signing.
        """
        header = self._header.fill(values)
        if self._seal is None:
            return header + body
        return b"".join((self._seal.sign(values, body, at=at), header, body))


class _Seal:
    """The DKIM-Signature field, and what it signs, cut at their marks."""

    def __init__(
        self, fields: Sequence[Field], marks: Mapping[str, str], signer: Signer
    ) -> None:
        self._signer = signer
        lengths = {_STAMP: _STAMP_LENGTH, _HASH: _HASH_LENGTH}
        lengths |= {f"b{n}": size for n, size in enumerate(signer.chunk_sizes())}
        own = make_marks(lengths, [*fields, *marks.items()])
        value, signed = signer.outline(fields, stamp=own[_STAMP], body_hash=own[_HASH])
        chunks = [mark for name, mark in own.items() if name not in {_STAMP, _HASH}]
        field = ("DKIM-Signature", value + " ".join(chunks))
        self._signed = Stencil(signed, {**marks, **own})
        self._field = Stencil(write_fields([field]), own)
        self._sizes = signer.chunk_sizes()

    def sign(self, values: Mapping[str, bytes], body: bytes, *, at: datetime) -> bytes:
        """Return the field for one letter."""
        own = {
            _STAMP: b"%d" % int(at.timestamp()),
            _HASH: base64.b64encode(hashlib.sha256(body).digest()),
        }
        signature = self._signer.sign_octets(self._signed.fill({**values, **own}))
        start = 0
        for number, size in enumerate(self._sizes):
            own[f"b{number}"] = signature[start : start + size]
            start += size
        return self._field.fill(own)
