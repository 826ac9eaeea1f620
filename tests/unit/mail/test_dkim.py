"""DKIM: two verifiers that are not ours accept what we sign, and nothing else."""

import ctypes
import ctypes.util
from collections.abc import Sequence
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from dkim.canonicalization import Relaxed
from hypothesis import given, strategies as st

from digest.domain.errors import DigestError
from digest.mail.dkim import Signer, dns_record, generate_key, relax_body
from digest.mail.message import (
    Field,
    SlotName,
    format_date,
    mailbox,
    prepare_body,
    write_fields,
)
from tests.builders import NOW
from tests.material import find_shared

OPENDKIM = ctypes.util.find_library("opendkim")
KEY = generate_key()
SIGNER = Signer("news.example", "digest", KEY)
RECORD = dns_record(KEY, domain="news.example", selector="digest")
PREPARED = prepare_body(
    text=["Hello \t there  \n\n.\n", SlotName("name"), "\n\n\n"],
    html=["<p>Hello  ", SlotName("name"), "</p>"],
    boundary="week-19",
    language="ar",
)
BODY = PREPARED.fill({"name": "مصر  "})
FIELDS: list[Field] = [
    ("From", mailbox("شوارع مصرية", "weekly@news.example")),
    ("To", "alice@example.com"),
    ("Subject", "مصر ترفض التنسيق مع إسرائيل بشأن معبر رفح بعد التصعيد الأخير"),
    ("Date", format_date(NOW)),
    ("Message-ID", "<1.1@news.example>"),
    ("List-Id", "Weekly <weekly.news.example>"),
    ("List-Unsubscribe", f"<https://news.example/u/{'k' * 150}>"),
    ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    ("Feedback-ID", "19:weekly:digest:news"),
    *PREPARED.content_fields,
]


def signed(fields: Sequence[Field] = FIELDS, body: bytes = BODY) -> bytes:
    signature = SIGNER.sign(fields, body, at=NOW)
    return write_fields([signature, *fields]) + b"\r\n" + body


def dkimpy_accepts(letter: bytes) -> bool:
    def find_key(name: bytes, timeout: int = 5) -> bytes:
        assert name == f"{RECORD.name}.".encode()
        return RECORD.value.encode()

    return bool(dkim.verify(letter, dnsfunc=find_key))


def opendkim_accepts(letter: bytes, keys: Path) -> bool:
    """Ask libopendkim, the library under opendkim-testmsg, with keys from a file."""
    set_option, query_method, query_info, query_file = 1, 6, 7, 1
    keys.write_text(f"{RECORD.name} {RECORD.value}\n")
    library = ctypes.CDLL(OPENDKIM)
    library.dkim_init.restype = library.dkim_verify.restype = ctypes.c_void_p
    whole = ctypes.c_void_p(library.dkim_init(None, None))
    method = ctypes.c_int(query_file)
    path = ctypes.create_string_buffer(str(keys).encode(), 4096)
    for option, value in ((query_method, ctypes.byref(method)), (query_info, path)):
        size = ctypes.c_size_t(4 if option == query_method else 4096)
        assert library.dkim_options(whole, set_option, option, value, size) == 0
    status = ctypes.c_int()
    one = ctypes.c_void_p(
        library.dkim_verify(whole, b"letter", None, ctypes.byref(status))
    )
    assert library.dkim_chunk(one, letter, ctypes.c_size_t(len(letter))) == 0
    assert library.dkim_chunk(one, None, ctypes.c_size_t(0)) == 0
    verdict = library.dkim_eom(one, None)
    library.dkim_free(one)
    library.dkim_close(whole)
    return bool(verdict == 0)


class TestSignature:
    def test_is_accepted_by_dkimpy(self) -> None:
        assert dkimpy_accepts(signed())

    @pytest.mark.skipif(OPENDKIM is None, reason="no libopendkim here")
    def test_is_accepted_by_opendkim(self, tmp_path: Path) -> None:
        assert opendkim_accepts(signed(), tmp_path / "keys")

    @pytest.mark.skipif(OPENDKIM is None, reason="no libopendkim here")
    def test_of_a_changed_letter_is_refused_by_opendkim(self, tmp_path: Path) -> None:
        changed = (
            signed().replace(b"=\r\n there", b"=\r\n where").replace(b"Hel", b"Hal")
        )

        assert not opendkim_accepts(changed, tmp_path / "keys")

    def test_of_a_changed_body_is_refused(self) -> None:
        assert not dkimpy_accepts(signed().replace(b"Hello", b"Hallo"))

    @pytest.mark.parametrize(
        "name",
        [
            *("From", "To", "Cc", "Subject", "Date", "Message-ID", "Reply-To"),
            *("MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
            *("List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID"),
        ],
    )
    def test_lets_no_field_be_added(self, name: str) -> None:
        """Oversigned (RFC 6376 §8.15)."""
        added = f"{name}: eve@evil.example\r\n".encode() + signed()

        assert not dkimpy_accepts(added)

    def test_covers_both_unsubscribe_fields(self) -> None:
        """RFC 8058 §4."""
        _, value = SIGNER.sign(FIELDS, BODY, at=NOW)

        names = value.split("h=")[1].split(";")[0].replace(" ", "").split(":")
        assert {"List-Unsubscribe", "List-Unsubscribe-Post"} <= set(names)

    def test_says_when_and_how_and_signs_the_whole_body(self) -> None:
        name, value = SIGNER.sign(FIELDS, BODY, at=NOW)

        tags = dict(tag.strip().split("=", 1) for tag in value.split(";"))
        assert name == "DKIM-Signature"
        assert tags["a"] == "rsa-sha256"
        assert tags["c"] == "relaxed/relaxed"
        assert tags["d"] == "news.example"
        assert tags["s"] == "digest"
        assert tags["t"] == str(int(NOW.timestamp()))
        assert "l" not in tags

    def test_is_folded_within_78_columns(self) -> None:
        block = write_fields([SIGNER.sign(FIELDS, BODY, at=NOW)])

        assert max(map(len, block.split(b"\r\n"))) <= 78

    @pytest.mark.parametrize(
        "body", [b"", b"\r\n", b"no end", b" a \t b \r\n\r\n\r\n"], ids=repr
    )
    def test_of_a_body_not_made_here_is_accepted_too(self, body: bytes) -> None:
        assert dkimpy_accepts(signed(FIELDS, body))

    @given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])))
    def test_of_any_subject_is_accepted(self, subject: str) -> None:
        fields = [*FIELDS[:2], ("Subject", subject), *FIELDS[3:]]

        assert dkimpy_accepts(signed(fields))


class TestRelaxedBody:
    def test_agrees_with_the_example(self) -> None:
        """RFC 6376 §3.4.5."""
        assert relax_body(b" C \r\nD \t E\r\n\r\n\r\n") == b" C\r\nD E\r\n"

    @given(st.lists(st.sampled_from([b" ", b"\t", b"\r\n", b"a"])).map(b"".join))
    def test_agrees_with_dkimpy(self, body: bytes) -> None:
        whole = body + b"\r\n"

        assert relax_body(whole) == Relaxed.canonicalize_body(whole)

    def test_agrees_with_dkimpy_on_real_letters(self) -> None:
        found = find_shared("corpora/flanker/messages").glob("*.eml")
        letters = [path.read_bytes() for path in found]
        bodies = [b"\r\n".join([*x.splitlines(), b""]) for x in letters]

        differing = [b for b in bodies if relax_body(b) != Relaxed.canonicalize_body(b)]

        assert bodies
        assert not differing


class TestKey:
    def test_record_fits_the_strings_of_dns(self) -> None:
        assert RECORD.name == "digest._domainkey.news.example"
        assert RECORD.value.startswith("v=DKIM1; k=rsa; p=")
        assert "".join(RECORD.strings) == RECORD.value
        assert max(map(len, RECORD.strings)) <= 255

    @pytest.mark.parametrize(
        "pem",
        [
            b"",
            b"nonsense",
            ec.generate_private_key(ec.SECP256R1()).private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
            rsa.generate_private_key(65537, 2048).private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(b"geheim"),
            ),
        ],
        ids=["empty", "nonsense", "another-kind", "encrypted"],
    )
    def test_of_another_kind_is_refused(self, pem: bytes) -> None:
        with pytest.raises(DigestError, match="DKIM key"):
            Signer("news.example", "digest", pem)
