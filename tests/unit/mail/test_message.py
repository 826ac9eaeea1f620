"""Messages: what is written reads back the same, and nothing can be slipped in."""

import email
import email.policy
import html
import json
import re
from datetime import UTC, datetime, timedelta, timezone
from email.header import decode_header, make_header
from email.message import EmailMessage, MIMEPart
from email.utils import parseaddr, parsedate_to_datetime

import pytest
from hypothesis import given, strategies as st

from digest.domain.errors import DigestError
from digest.mail.dkim import relax_body
from digest.mail.message import (
    Field,
    Piece,
    PreparedBody,
    SlotName,
    format_date,
    mailbox,
    prepare_body,
    write_fields,
)
from tests.material import find_shared

LINE_ENDS = "\r\n\x00\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
lines = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=300
)
pieces = st.lists(texts | st.sampled_from([SlotName("a"), SlotName("b")]), max_size=8)


def read(fields: bytes, body: bytes = b"") -> EmailMessage:
    return email.message_from_bytes(
        fields + b"\r\n" + body, policy=email.policy.default
    )


def read_body(prepared: PreparedBody, body: bytes) -> EmailMessage:
    return read(write_fields(prepared.content_fields), body)


def join(parts: list[Piece], values: dict[str, str]) -> str:
    whole = "".join(p if isinstance(p, str) else values[p.name] for p in parts)
    return re.sub(r"\r\n|\r", "\n", whole)


def content(part: MIMEPart) -> str:
    octets = part.get_payload(decode=True)
    assert isinstance(octets, bytes)
    return octets.decode("utf-8").replace("\r\n", "\n")


def prepare(text: list[Piece], html: list[Piece] | None = None) -> PreparedBody:
    return prepare_body(text=text, html=html, boundary="week-19", language="en")


class TestPreparedBody:
    @given(pieces, pieces, texts, texts)
    def test_reads_back_as_the_same_two_texts(
        self, text: list[Piece], page: list[Piece], a: str, b: str
    ) -> None:
        prepared = prepare(["Hello", *text], page)

        body = prepared.fill({"a": a, "b": b})

        plain, rich = read_body(prepared, body).iter_parts()
        escaped = {"a": html.escape(a), "b": html.escape(b)}
        expected = join(["Hello", *text], {"a": a, "b": b})
        assert content(plain).rstrip("\n") == expected.rstrip("\n")
        assert content(rich).rstrip("\n") == join(page, escaped).rstrip("\n")

    @given(pieces, texts, texts)
    def test_reads_back_as_the_same_text_alone(
        self, text: list[Piece], a: str, b: str
    ) -> None:
        prepared = prepare(["Hello", *text])

        body = prepared.fill({"a": a, "b": b})

        found = content(read_body(prepared, body))
        expected = join(["Hello", *text], {"a": a, "b": b})
        assert found.rstrip("\n") == expected.rstrip("\n")

    @given(pieces, pieces | st.none(), texts, texts)
    def test_is_canonical_and_needs_no_dot_stuffing(
        self, text: list[Piece], page: list[Piece] | None, a: str, b: str
    ) -> None:
        body = prepare(["Hello", *text], page).fill({"a": a, "b": b})

        rows = body.split(b"\r\n")
        assert relax_body(body) == body
        assert rows.pop() == b""
        assert max(map(len, rows)) <= 76
        assert not any(row.startswith((b".", b"From ")) for row in rows)
        assert not re.search(rb"[^\r\n!-~ ]|\r(?!\n)|(?<!\r)\n", body)

    def test_puts_a_slot_on_a_line_of_its_own(self) -> None:
        prepared = prepare(["Leave: https://n.example/u/", SlotName("token"), " now."])

        body = prepared.fill({"token": "k3y"})

        assert body == b"Leave: https://n.example/u/=\r\nk3y=\r\n now.\r\n"

    def test_keeps_a_character_on_one_line(self) -> None:
        body = prepare(["م" * 300]).fill({})

        decoded = [
            bytes.fromhex(row.rstrip(b"=").replace(b"=", b"").decode("ascii"))
            for row in body.split()
        ]

        assert "".join(octets.decode("utf-8") for octets in decoded) == "م" * 300

    def test_names_its_type_and_language(self) -> None:
        prepared = prepare(["Hello"], ["<p>Hello</p>"])

        assert prepared.content_fields == (
            ("MIME-Version", "1.0"),
            ("Content-Type", 'multipart/alternative; boundary="=_week-19"'),
            ("Content-Transfer-Encoding", "7bit"),
            ("Content-Language", "en"),
        )

    def test_puts_text_first_and_html_last(self) -> None:
        prepared = prepare(["Hello"], ["<p>Hello</p>"])

        parts = read_body(prepared, prepared.fill({})).iter_parts()

        assert [p.get_content_type() for p in parts] == ["text/plain", "text/html"]

    def test_cannot_be_ended_by_its_own_boundary(self) -> None:
        prepared = prepare(["\n--=_week-19--\n"], ["x"])

        parts = list(read_body(prepared, prepared.fill({})).iter_parts())

        assert len(parts) == 2

    @pytest.mark.parametrize("text", [[], ["\n "]])
    def test_needs_a_text_part(self, text: list[Piece]) -> None:
        with pytest.raises(DigestError, match="empty"):
            prepare(text, ["<p>Hello</p>"])

    @pytest.mark.parametrize("boundary", ["", "a b", 'a"b', "é", "x" * 69])
    def test_refuses_what_is_no_boundary(self, boundary: str) -> None:
        with pytest.raises(DigestError, match="boundary"):
            prepare_body(text=["a"], html=["b"], boundary=boundary, language="en")

    def test_refuses_half_a_character(self) -> None:
        with pytest.raises(DigestError, match="surrogate"):
            prepare(["\ud800"])

    def test_refuses_to_leave_a_slot_open(self) -> None:
        with pytest.raises(KeyError, match="token"):
            prepare([SlotName("token")]).fill({})


class TestWriteFields:
    @given(lines)
    def test_writes_any_subject_so_that_it_reads_back(self, subject: str) -> None:
        block = write_fields([("Subject", subject)])

        assert read(block)["Subject"] == subject.strip(" \t")

    @given(lines)
    def test_folds_every_subject_within_the_limits(self, subject: str) -> None:
        block = write_fields([("Subject", subject)])

        rows = block.split(b"\r\n")
        words = re.findall(rb"=\?\S+\?=", block)
        assert max(map(len, rows)) <= 78
        assert all(row.strip() for row in rows[:-1])
        assert all(len(word) <= 75 for word in words)

    @given(lines.filter(str.strip))
    def test_writes_any_name_so_that_it_reads_back(self, name: str) -> None:
        block = write_fields([("From", mailbox(name, "desk@news.example"))])

        unfolded = block.decode("ascii").replace("\r\n", "")
        phrase, address = parseaddr(unfolded.removeprefix("From: "))
        assert address == "desk@news.example"
        assert str(make_header(decode_header(phrase))) == " ".join(name.split())

    def test_carries_or_refuses_the_naughty_strings(self) -> None:
        baseline = len(read(write_fields([("Subject", "a"), ("From", "b@c.de")])))
        counts = set()
        for text in json.loads(find_shared("corpora/blns/blns.json").read_text()):
            try:
                block = write_fields(
                    [("Subject", text), ("From", mailbox(text, "b@c.de"))]
                )
            except DigestError:
                continue
            counts.add(len(read(block)))

        assert counts == {baseline}

    @pytest.mark.parametrize("character", LINE_ENDS, ids=ascii)
    @pytest.mark.parametrize(
        "name", ["Subject", "From", "Reply-To", "List-Id", "Feedback-ID", "X-Ours"]
    )
    def test_refuses_every_line_end_in_a_value(self, name: str, character: str) -> None:
        with pytest.raises(DigestError):
            write_fields([(name, f"Hello{character}Bcc: eve@evil.example")])

    @pytest.mark.parametrize("character", LINE_ENDS, ids=ascii)
    def test_refuses_every_line_end_in_a_field_name(self, character: str) -> None:
        with pytest.raises(DigestError, match="name of a header field"):
            write_fields([(f"X{character}Bcc", "a")])

    @given(texts)
    def test_writes_one_field_or_none(self, value: str) -> None:
        try:
            block = write_fields([("Subject", value), ("X-Next", "1")])
        except DigestError:
            return

        assert read(block).keys() == ["Subject", "X-Next"]

    @pytest.mark.parametrize("name", ["", "a b", "a:b", "é", "x" * 77])
    def test_refuses_what_is_no_field_name(self, name: str) -> None:
        with pytest.raises(DigestError, match="name of a header field"):
            write_fields([(name, "a")])

    @pytest.mark.parametrize("name", ["From", "Message-ID", "List-Unsubscribe", "To"])
    def test_refuses_a_field_that_stands_twice(self, name: str) -> None:
        with pytest.raises(DigestError, match="twice"):
            write_fields([(name, "<a@b.example>"), (name.upper(), "<c@d.example>")])

    def test_keeps_a_long_unsubscribe_address_whole(self) -> None:
        """Encoded or folded inside, it could not be clicked (RFC 8058 §3.1)."""
        url, mailto = f"<https://n.example/u/{'k' * 130}>", "<mailto:u+k@n.example>"

        block = write_fields([("List-Unsubscribe", f"{url}, {mailto}")])

        assert block == f"List-Unsubscribe: {url},\r\n {mailto}\r\n".encode()

    def test_never_folds_a_single_long_word_off_its_name(self) -> None:
        block = write_fields([("Message-ID", f"<{'k' * 90}@n.example>")])

        assert block.count(b"\r\n") == 1

    def test_folds_no_quoted_name(self) -> None:
        sender = mailbox(
            "The Week, as seen from here, in many words", "a" * 40 + "@b.c"
        )

        block = write_fields([("From", sender)])

        name, address = block.split(b"\r\n ")
        assert name == b'From: "The Week, as seen from here, in many words"'
        assert address == b"<" + b"a" * 40 + b"@b.c>\r\n"

    def test_folds_at_every_78_columns(self) -> None:
        block = write_fields([("Keywords", ", ".join(["word"] * 60))])

        assert max(map(len, block.split(b"\r\n"))) <= 78

    def test_refuses_a_line_beyond_998_octets(self) -> None:
        with pytest.raises(DigestError, match="too long"):
            write_fields([("List-Unsubscribe", f"<https://n.example/{'k' * 1000}>")])

    @pytest.mark.parametrize(
        ("name", "value"),
        [("List-Id", "أسبوع <w.n.example>"), ("To", "Zoë <z@n.example>")],
    )
    def test_refuses_raw_text_where_structure_is_due(
        self, name: str, value: str
    ) -> None:
        with pytest.raises(DigestError, match="ASCII"):
            write_fields([(name, value)])

    @pytest.mark.parametrize("value", ["مثال@n.example", "Zoe <zoë@n.example>"])
    def test_lets_an_internationalized_address_stand(self, value: str) -> None:
        """RFC 6532 §3.2."""
        assert write_fields([("To", value)]) == f"To: {value}\r\n".encode()

    def test_writes_an_empty_subject(self) -> None:
        assert write_fields([("Subject", " ")]) == b"Subject: \r\n"


class TestMailbox:
    @pytest.mark.parametrize(
        ("name", "written"),
        [
            ("Egyptian Streets", "Egyptian Streets <a@b.example>"),
            ('The "Week", daily', '"The \\"Week\\", daily" <a@b.example>'),
            ("", "a@b.example"),
            ("مصر", "=?utf-8?b?2YXYtdix?= <a@b.example>"),
            ("Zoë", "=?utf-8?q?Zo=C3=AB?= <a@b.example>"),
            ("=?utf-8?q?a?=", "=?utf-8?b?PT91dGYtOD9xP2E/PQ==?= <a@b.example>"),
        ],
    )
    def test_writes_the_name_as_it_must_be(self, name: str, written: str) -> None:
        assert mailbox(name, "a@b.example") == written

    def test_serves_list_id(self) -> None:
        """RFC 2919 §2."""
        assert mailbox("Weekly", "weekly.n.example") == "Weekly <weekly.n.example>"

    @pytest.mark.parametrize(
        "address", ["", "a b@c.d", "a@b>, <c@d", "a@b\r\nBcc: c@d", "a,b@c", "a@b\x85"]
    )
    def test_refuses_what_would_not_stay_an_address(self, address: str) -> None:
        with pytest.raises(DigestError, match="address"):
            mailbox("Alice", address)


class TestFormatDate:
    def test_writes_the_moment_in_utc(self) -> None:
        cairo = timezone(timedelta(hours=3))

        written = format_date(datetime(2024, 5, 12, 19, 0, 5, tzinfo=cairo))

        assert written == "Sun, 12 May 2024 16:00:05 +0000"

    @given(
        st.datetimes(
            min_value=datetime(1970, 1, 2),  # noqa: DTZ001 - the strategy adds the zone
            max_value=datetime(9999, 12, 30),  # noqa: DTZ001 - the same
            timezones=st.sampled_from([UTC, timezone(timedelta(hours=3))]),
        )
    )
    def test_reads_back_to_the_second(self, at: datetime) -> None:
        written = format_date(at)

        found = parsedate_to_datetime(written)
        assert found == at.astimezone(UTC).replace(microsecond=0)


def test_a_whole_letter_reads_back() -> None:
    prepared = prepare(["Hello ", SlotName("a")], ["<p>", SlotName("a"), "</p>"])
    fields: list[Field] = [
        ("From", mailbox("مصر", "a@b.example")),
        ("Subject", "الأسبوع"),
        *prepared.content_fields,
    ]

    letter = read(write_fields(fields), prepared.fill({"a": "<Zoë>"}))

    assert letter["Subject"] == "الأسبوع"
    plain, rich = letter.iter_parts()
    assert plain.get_content() == "Hello <Zoë>"
    assert rich.get_content() == "<p>&lt;Zoë&gt;</p>"
