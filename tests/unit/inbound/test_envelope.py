"""What a delivered message's header tells of its envelope."""

import pytest
from hypothesis import given, strategies as st

from digest.inbound.envelope import Envelope, read_envelope

FIELDS = ("X-Original-To", "Delivered-To", "Envelope-To", "To")


def read(text: str, fields: tuple[str, ...] = FIELDS) -> Envelope:
    return read_envelope(text.encode(), fields=fields, mail_domain="ours.test")


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_reads_sender_and_recipient(ending: str) -> None:
    lines = ("Return-Path: <dina@example.test>", "Delivered-To: a@ours.test", "", "x")

    found = read(ending.join(lines))

    assert found == Envelope(sender="dina@example.test", recipient="a@ours.test")


@pytest.mark.parametrize("text", ["", "Return-Path: <>\n\n", "Subject: x\n\n"])
def test_the_null_sender_is_empty(text: str) -> None:
    assert read(text) == Envelope(sender="", recipient=None)


def test_the_most_trusted_field_decides_wherever_it_stands() -> None:
    text = "To: c@ours.test\nDelivered-To: b@ours.test\nX-Original-To: a@ours.test\n\n"

    assert read(text).recipient == "a@ours.test"
    assert read(text, ("To", "X-Original-To")).recipient == "c@ours.test"


def test_a_mailbox_of_the_host_is_passed_over() -> None:
    text = "Delivered-To: digest@host.test\nDelivered-To: a@ours.test\n\n"

    assert read(text).recipient == "a@ours.test"


def test_of_several_addresses_the_first_of_ours_is_taken() -> None:
    text = 'To: "x, y" <d@example.test>,\n Ours <a@ours.test>, b@ours.test\n\n'

    assert read(text).recipient == "a@ours.test"


def test_what_stands_in_the_body_counts_for_nothing() -> None:
    text = "Subject: x\n\nDelivered-To: a@ours.test\nReturn-Path: <a@example.test>\n"

    assert read(text) == Envelope(sender="", recipient=None)


def test_an_endless_field_is_not_read_to_its_end() -> None:
    text = "To: " + "x@example.test, " * 10_000 + "a@ours.test\n\n"

    assert read(text).recipient is None


@given(st.binary(max_size=2_000))
def test_any_octets_have_an_envelope(raw: bytes) -> None:
    found = read_envelope(raw, fields=FIELDS, mail_domain="")

    assert isinstance(found.sender, str)
