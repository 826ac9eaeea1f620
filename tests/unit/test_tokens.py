"""Tokens: signed, purpose-bound, short, read case-insensitively."""

from datetime import timedelta

from hypothesis import given, strategies as st

from digest.domain.site import Site
from digest.domain.tokens import Purpose, TokenKeys
from tests.builders import NOW

KEYS = TokenKeys(current=2, keys={1: b"1" * 32, 2: b"2" * 32})
SITE = Site(base_url="https://n.example", mail_domain="n.example")
rows = st.integers(min_value=0, max_value=2**48 - 1)
purposes = st.sampled_from(Purpose)


@given(purposes, rows)
def test_reads_back_what_was_issued_in_any_case(purpose: Purpose, row: int) -> None:
    text = KEYS.issue(purpose, row, at=NOW)

    token = KEYS.read(purpose, text.upper(), now=NOW)

    assert token is not None
    assert (token.purpose, token.row_id, token.expired) == (purpose, row, False)


@given(purposes, purposes, rows)
def test_refuses_a_token_made_for_another_purpose(
    made: Purpose, asked: Purpose, row: int
) -> None:
    text = KEYS.issue(made, row, at=NOW)

    token = KEYS.read(asked, text, now=NOW)

    assert (token is not None) == (made == asked)


@given(purposes, rows, st.data())
def test_refuses_any_changed_character(
    purpose: Purpose, row: int, data: st.DataObject
) -> None:
    text = KEYS.issue(purpose, row, at=NOW)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(
        st.sampled_from(
            [c for c in "abcdefghijklmnopqrstuvwxyz234567" if c != text[place]]
        )
    )

    token = KEYS.read(purpose, text[:place] + other + text[place + 1 :], now=NOW)

    assert token is None


@given(rows)
def test_refuses_letters_whose_capitals_are_ascii(row: int) -> None:
    text = KEYS.issue(Purpose.UNSUBSCRIBE, row, at=NOW)
    strange = text.replace("i", "\u0131").replace("s", "\u017f")

    token = KEYS.read(Purpose.UNSUBSCRIBE, strange, now=NOW)

    assert (token is None) == (strange != text)


@given(st.text(max_size=80))
def test_never_fails_on_text_that_is_no_token(text: str) -> None:
    assert KEYS.read(Purpose.UNSUBSCRIBE, text, now=NOW) is None


def test_still_reads_tokens_of_a_retired_key() -> None:
    old = TokenKeys(current=1, keys={1: b"1" * 32}).issue(Purpose.UNSUBSCRIBE, 7)

    token = KEYS.read(Purpose.UNSUBSCRIBE, old, now=NOW + timedelta(days=9999))

    assert token is not None
    assert not token.expired


def test_confirmation_expires_after_seven_days() -> None:
    text = KEYS.issue(Purpose.CONFIRM, 7, at=NOW)

    inside = KEYS.read(Purpose.CONFIRM, text, now=NOW + timedelta(days=7))
    outside = KEYS.read(Purpose.CONFIRM, text, now=NOW + timedelta(days=7, seconds=1))

    assert inside is not None
    assert not inside.expired
    assert outside is not None
    assert outside.expired


def test_every_local_part_stays_within_64_octets() -> None:
    """RFC 5321 §4.5.3.1.1."""
    biggest = 2**48 - 1
    addresses = [
        SITE.bounce_address(KEYS.issue(Purpose.DELIVERY, biggest)),
        SITE.confirm_address(KEYS.issue(Purpose.CONFIRM, biggest, at=NOW)),
        SITE.unsubscribe_mailto(KEYS.issue(Purpose.UNSUBSCRIBE, biggest)),
    ]

    lengths = [len(a.removeprefix("mailto:").partition("@")[0]) for a in addresses]

    assert max(lengths) <= 64
