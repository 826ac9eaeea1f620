"""A prepared letter is, byte for byte, what would be written field by field."""

from dataclasses import replace

import dkim
import pytest
from hypothesis import given, settings, strategies as st

from digest.mail import prepared
from digest.mail.dkim import Signer, dns_record, generate_key
from digest.mail.envelope import has_bare_line_end, stuff
from digest.mail.smtp import Envelope
from digest.send.letter import EditionLetters
from tests.builders import NOW, SECRETS, SITE
from tests.unit.send.test_letter import DELIVERY, IMPRINT, VARIANT

KEY = generate_key()
SIGNER = Signer(SITE.mail_domain, "s1", KEY)
ADDRESSES = st.from_regex(
    r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,60}@[a-z-]{1,60}\.example", fullmatch=True
)


def write_both(
    monkeypatch: pytest.MonkeyPatch,
    *,
    subject: str = VARIANT.subject,
    name: str = IMPRINT.name,
    address: str = "alice@example.com",
    subscription: int = 7,
    signer: Signer | None = SIGNER,
) -> tuple[Envelope, Envelope]:
    letters = EditionLetters(
        replace(IMPRINT, name=name, from_name=name),
        [replace(VARIANT, subject=subject)],
        secrets=SECRETS,
        signer=signer,
    )
    reader = replace(DELIVERY, address=address, subscription_id=subscription)
    quick = letters.write(reader, dated_at=NOW)
    with monkeypatch.context() as patch:
        patch.setattr(prepared, "is_plain", lambda _: False)
        general = letters.write(reader, dated_at=NOW)
    return quick, general


@pytest.mark.parametrize("signer", [None, SIGNER], ids=["unsigned", "signed"])
@given(
    subject=st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1),
    name=st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=50),
    address=ADDRESSES,
    subscription=st.integers(1, 2**48 - 1),
)
@settings(max_examples=25)
def test_is_the_same_as_the_general_one(
    signer: Signer | None, subject: str, name: str, address: str, subscription: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        quick, general = write_both(
            patch,
            subject=subject,
            name=name,
            address=address,
            subscription=subscription,
            signer=signer,
        )

    assert quick.message == general.message


@given(address=ADDRESSES)
@settings(max_examples=25)
def test_keeps_what_its_envelope_promises(address: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        quick, _ = write_both(patch, address=address)

    message = quick.message
    assert quick.is_canonical
    assert message.isascii()
    assert not has_bare_line_end(message)
    assert stuff(message) == message


def test_verifies_with_an_independent_verifier(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record = dns_record(KEY, domain=SITE.mail_domain, selector="s1").value

    quick, _ = write_both(monkeypatch)

    assert dkim.verify(quick.message, dnsfunc=lambda *_, **__: record.encode())


def test_survives_a_subject_that_looks_like_its_marks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    quick, general = write_both(monkeypatch, subject="qxjz000 qxjzz001 qxjz")

    assert quick.message == general.message


def test_is_not_used_for_an_address_that_needs_care() -> None:
    letters = EditionLetters(IMPRINT, [VARIANT], secrets=SECRETS, signer=None)

    foreign = letters.write(replace(DELIVERY, address="مثال@example.com"), dated_at=NOW)

    assert not foreign.is_canonical
