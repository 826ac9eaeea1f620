"""What a message is, whoever wrote it."""

import time

import pytest
from hypothesis import given, strategies as st

from digest.domain.own_mail import MessageKind, Post
from digest.feedback.reading import Reading, read
from digest.feedback.wishes import Wish
from tests.material import find_shared

DOMAIN = "news.example.test"
MIXED = (
    b"From: a@example.org\nContent-Type: multipart/alternative; boundary=b\n\n"
    b"--b\nContent-Type: text/html\n\n<p>no</p>\n--b\n"
    b"Content-Type: text/plain\n\nyes\n--b--\n"
)


def look(raw: bytes, post: Post = Post.CONFIRM) -> Reading:
    return read(raw, sender="a@example.org", post=post, mail_domain=DOMAIN)


def report(kind: str, part: str) -> bytes:
    head = f"Content-Type: multipart/report; report-type={kind}; boundary=b"
    return f"{head}\n\n--b\nContent-Type: {part}\n\nx: y\n--b--\n".encode()


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (report("delivery-status", "message/delivery-status"), MessageKind.BOUNCE),
        (report("x", "message/global-delivery-status"), MessageKind.BOUNCE),
        (report("feedback-report", "message/feedback-report"), MessageKind.COMPLAINT),
        (report("x", "message/feedback-report"), MessageKind.COMPLAINT),
        (report("disposition-notification", "x/y"), MessageKind.AUTO_REPLY),
        (b"From: a@example.org\n\nyes\n", MessageKind.CONFIRMATION),
        (b"From: postmaster@example.org\n\nyes\n", MessageKind.AUTO_REPLY),
        (b"From: no-reply+7@example.org\n\nyes\n", MessageKind.AUTO_REPLY),
        (b"From: boss@example.org\nAuto-Submitted: no\n\n", MessageKind.CONFIRMATION),
        (b"Auto-Submitted:\n auto-replied\n\n", MessageKind.AUTO_REPLY),
        (b"Auto-Submitted: nope\n\n", MessageKind.AUTO_REPLY),
        (b"List-Unsubscribe: <x:y>\n\n", MessageKind.AUTO_REPLY),
        (b"", MessageKind.CONFIRMATION),
    ],
)
@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_the_form_tells_the_kind(raw: bytes, kind: MessageKind, ending: bytes) -> None:
    assert look(raw.replace(b"\n", ending)).kind is kind


def test_a_report_says_so_itself() -> None:
    attached = b"Content-Type: multipart/mixed; boundary=o\n\n--o\n"
    attached += report("delivery-status", "message/delivery-status")

    assert look(attached).kind is MessageKind.CONFIRMATION


def test_plain_text_goes_before_html() -> None:
    assert look(MIXED).wish is Wish.YES


@pytest.mark.parametrize(
    ("markup", "wish"),
    [
        ("<div>نعم</div><blockquote>no</blockquote>", Wish.YES),
        ("<style>no</style><body>yes", Wish.YES),
        ("<title>no</title>yes", Wish.YES),
        ("ye&#115;", Wish.YES),
        ("<blockquote>no", None),
        ("<div class=gmail_quote>no", None),
        ("<", None),
    ],
)
def test_html_is_read_where_there_is_nothing_else(
    markup: str, wish: Wish | None
) -> None:
    head = b"From: a@example.org\nContent-Type: text/html; charset=utf-8\n\n"

    assert look(head + markup.encode()).wish is wish


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        (b"Content-Transfer-Encoding: base64", b"2YbYudmF"),
        (b"Content-Transfer-Encoding: BASE64", b"2Y\nbYud\nmF==="),
        (b"Content-Transfer-Encoding: quoted-printable", b"=D9=86=D8=B9=\n=D9=85"),
        (b"Content-Type: text/plain; charset=windows-1256", "نعم".encode("cp1256")),
        (b'Content-Type: text/plain; charset="no-such"', "نعم".encode()),
        (b"Content-Type: text/plain; charset=punycode", "نعم".encode()),
        (b"Content-Type: nonsense", "نعم".encode()),
        (b"Content-Type: text/plain; charset=utf-16", "نعم".encode("utf-16")),
    ],
)
def test_words_are_decoded(fields: bytes, body: bytes) -> None:
    assert look(fields + b"\n\n" + body).wish is Wish.YES


@pytest.mark.parametrize(
    ("value", "subject"),
    [
        (b"=?utf-8?b?2YbYudmF?=", "نعم"),
        (b"=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        (b"=?x?b?!?=", ""),
        (b"=?utf-8?b?a?=", "=?utf-8?b?a?="),
        (b"=?hex?q?41?=", "41"),
        (b"a\n b", "a b"),
        ("نعم".encode(), "نعم"),
        (b"\xff", "\ufffd"),
    ],
)
def test_subjects_are_decoded(value: bytes, subject: str) -> None:
    assert look(b"Subject: " + value + b"\n\n").subject == subject


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("a@example.org", "a@example.org"),
        ("<a@example.org>", "a@example.org"),
        ("A B <a@example.org>", "a@example.org"),
        ('"B, A" <a@example.org>', "a@example.org"),
        ('"x <b@example.org>" <a@example.org>', "a@example.org"),
        ("a@example.org (A)", "a@example.org"),
        ("=?utf-8?b?2YbYudmF?= <a@example.org>", "a@example.org"),
        ("a@EXAMPLE.org", "a@example.org"),
        ("a@example.org, b@example.org", None),
        ("b@example.org <a@example.org>", None),
        ("<a@example.org>x", None),
        ("x: a@example.org;", None),
        ('"a@example.org', None),
        ("", None),
    ],
)
def test_the_author_is_one_address_beyond_doubt(
    value: str, address: str | None
) -> None:
    author = look(f"From: {value}\n\n".encode()).author

    assert (author.address if author else None) == address


def nested(depth: int) -> bytes:
    head = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (i, i)
        for i in range(depth)
    )
    return head + b"\nyes\n"


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (nested(30), "deep"),
        (b"Content-Type: message/rfc822\n\n" * 30, "deep"),
        (b"Content-Type: multipart/x; boundary=b\n\n" + b"--b\n\n\n" * 300, "parts"),
        (b"X: " + b"y" * 200_000 + b"\n\n", "header is too large"),
        (b"X: y\n" * 2000 + b"\n", "many fields"),
    ],
    ids=["multipart", "message", "parts", "octets", "fields"],
)
def test_beyond_the_limits_nothing_is_read(raw: bytes, word: str) -> None:
    reading = look(raw)

    assert (reading.is_readable, reading.kind) == (False, MessageKind.OTHER)
    assert word in reading.why


def test_within_the_limits_all_is_read() -> None:
    assert look(nested(19)).wish is Wish.YES


@pytest.mark.parametrize(
    "raw",
    [
        b"Content-Type: multipart/x; boundary=b\n\n" + b"\n--b" * 2_500_000,
        b"Content-Type: multipart/x; boundary=b\n\n" + b"\n--" * 3_300_000,
        b"Content-Type: text/html\n\n" + b"<" * 10_000_000,
        b"Content-Type: text/html\n\n" + b"<style>" * 1_400_000,
        b"Content-Type: text/html\n\n" + b"&" * 10_000_000,
        b"From: " + b'"\\' * 60_000 + b"\n\n",
        b"From: " + b"(" * 100_000 + b"\n\n",
        b"Subject: " + b"=?utf-8?q?" * 12_000 + b"\n\n",
        b"Content-Type: " + b';a="' * 30_000 + b"\n\n",
        b"Content-Transfer-Encoding: base64\n\n" + b"=" * 10_000_000,
        b"Content-Transfer-Encoding: quoted-printable\n\n" + b"=" * 10_000_000,
        b"\r" * 10_000_000,
        b":" * 10_000_000,
        b"Content-Type: multipart/digest; boundary=b\n\n--b\n\n" + nested(17) * 2000,
    ],
)
def test_hostile_messages_cost_little(raw: bytes) -> None:
    started = time.process_time()

    look(raw)

    assert time.process_time() - started < 2  # standards, I8


@given(st.binary(max_size=300), st.sampled_from(Post), st.emails() | st.just(""))
def test_any_octets_have_a_reading(raw: bytes, post: Post, sender: str) -> None:
    for start in (
        b"",
        b"From: a@b.example\nContent-Type: multipart/x; boundary=",
        MIXED,
    ):
        assert read(start + raw, sender=sender, post=post, mail_domain=DOMAIN).kind


def test_what_others_wrote_is_told_apart() -> None:
    folder = find_shared("corpora/flanker/messages")
    found = {p.stem: look(p.read_bytes()).kind for p in folder.rglob("*.eml")}

    bounces = {"delayed", "mailbox-full", "no-mx", "office365", "zed"}
    assert {name for name, kind in found.items() if kind == "bounce"} == bounces
    assert {n for n, k in found.items() if k == "complaint"} == {"aol", "yahoo"}
