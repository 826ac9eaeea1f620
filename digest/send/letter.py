"""Write one letter: a variant's prepared body with one reader's values, its header.

The same row gives the same bytes for ever (design rule 4): nothing here reads a clock,
draws chance, or asks for settings that were not fixed at release.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from digest.domain.deliveries import (
    Delivery,
    Imprint,
    LetterKind,
    message_id,
)
from digest.domain.editions import Variant
from digest.domain.issue import write_date
from digest.domain.list_headers import list_headers
from digest.domain.secrets import Secrets
from digest.domain.site import Site
from digest.domain.slots import Slot, split
from digest.domain.tokens import Purpose
from digest.mail import prepared
from digest.mail.dkim import Signer
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
from digest.mail.prepared import PreparedHeader
from digest.mail.smtp import Envelope
from digest.send.header import OWN_HEADER, assemble, list_fields, sender_id


@dataclass(frozen=True, kw_only=True)
class _Form:
    """A variant, ready to be filled."""

    subject: str
    body: PreparedBody


@dataclass(frozen=True, slots=True)
class _Own:
    """What differs in the header from one reader's letter to the next."""

    address: str
    date: str
    message_id: str
    leave: str
    token: str


# The lengths of tokens, by which fields fold; the others stand alone in a field.
_MARKS = {"address": 20, "date": 20, "message_id": 20, "leave": 37, "token": 37}


class EditionLetters:
    """Writes the letters of one edition.

    Args:
        imprint: What they share.
        variants: Its frozen renderings; each is encoded once.
        secrets: Keys of tokens and message ids.
        signer: Signs each letter; None: nobody does, or the relay.
    """

    def __init__(
        self,
        imprint: Imprint,
        variants: Sequence[Variant],
        *,
        secrets: Secrets,
        signer: Signer | None,
    ) -> None:
        self._imprint = imprint
        self._secrets = secrets
        self._signer = signer
        self._site = Site(base_url=imprint.base_url, mail_domain=imprint.mail_domain)
        self._forms = {v.id: _prepare(v, imprint.language) for v in variants}
        self._headers = {key: self._prepare_header(f) for key, f in self._forms.items()}

    def write(self, delivery: Delivery, *, dated_at: datetime) -> Envelope:
        """Write one reader's letter.

        Args:
            delivery: Whose address is not erased.
            dated_at: Its Date field.

        Raises:
            DigestError: A value cannot stand in a letter.
        """
        assert delivery.address is not None, "erased deliveries are skipped"
        key_id, reader = delivery.key_id, delivery.subscription_id
        tokens = self._secrets.tokens
        own = _Own(
            delivery.address,
            _format_date(dated_at),
            self._message_id(delivery),
            tokens.issue(Purpose.UNSUBSCRIBE, reader, key_id=key_id),
            tokens.issue(Purpose.DELIVERY, delivery.id, key_id=key_id),
        )
        preferences = tokens.issue(Purpose.PREFERENCES, reader, key_id=key_id)
        body = self._fill(delivery, own, preferences)
        is_plain = prepared.is_plain(own.address)
        write = self._write_prepared if is_plain else self._write_generally
        return Envelope(
            sender=self._site.bounce_address(own.token),
            recipient=delivery.address,
            message=write(delivery.variant_id, own, body, dated_at),
            is_canonical=is_plain,
        )

    def _fill(self, delivery: Delivery, own: _Own, preferences: str) -> bytes:
        return self._forms[delivery.variant_id].body.fill(
            {
                Slot.UNSUBSCRIBE_TOKEN: own.leave,
                Slot.PREFERENCES_TOKEN: preferences,
                Slot.ADDRESS: own.address,
                Slot.CONFIRMED_ON: _write_date(
                    delivery.confirmed_on,
                    self._imprint.language,
                    self._imprint.digits,
                ),
            }
        )

    def _prepare_header(self, form: _Form) -> PreparedHeader:
        example = self._fields(form, _Own(**dict.fromkeys(_MARKS, "x")))
        marks = prepared.make_marks(_MARKS, example)
        fields = self._fields(form, _Own(**marks))
        return PreparedHeader(fields, marks, self._signer)

    def _write_prepared(
        self, variant_id: int, own: _Own, body: bytes, at: datetime
    ) -> bytes:
        values = {name: getattr(own, name).encode("ascii") for name in _MARKS}
        return self._headers[variant_id].write(values, body, at=at)

    def _write_generally(
        self, variant_id: int, own: _Own, body: bytes, at: datetime
    ) -> bytes:
        """Write a letter whose address needs care, field by field."""
        fields = self._fields(self._forms[variant_id], own)
        return assemble(fields, body, signer=self._signer, at=at)

    def _fields(self, form: _Form, own: _Own) -> list[Field]:
        imprint = self._imprint
        return [
            ("From", mailbox(imprint.from_name, imprint.from_address)),
            ("Reply-To", mailbox("", imprint.reply_to)),
            ("To", mailbox("", own.address)),
            ("Subject", form.subject),
            ("Date", own.date),
            ("Message-ID", own.message_id),
            *list_fields(list_headers(imprint, self._site, own.leave)),
            ("Feedback-ID", feedback_id(imprint)),
            (OWN_HEADER, own.token),
            *form.body.content_fields,
        ]

    def _message_id(self, delivery: Delivery) -> str:
        return message_id(
            LetterKind.DELIVERY,
            delivery.id,
            group=delivery.edition_id,
            key=self._secrets.address_key,
            domain=self._imprint.mail_domain,
        )


def check_letters(imprint: Imprint, variants: Sequence[Variant]) -> None:
    """Encode every variant and a header once, before readers wait for them.

    Raises:
        DigestError: Something in them cannot stand in a letter.
    """
    site = Site(base_url=imprint.base_url, mail_domain=imprint.mail_domain)
    for variant in variants:
        form = _prepare(variant, imprint.language)
        write_fields(
            [
                ("From", mailbox(imprint.from_name, imprint.from_address)),
                ("Reply-To", mailbox("", imprint.reply_to)),
                ("Subject", form.subject),
                *list_fields(list_headers(imprint, site, "token")),
                ("Feedback-ID", feedback_id(imprint)),
            ]
        )


def feedback_id(imprint: Imprint) -> str:
    """Name the stream for Gmail's feedback loop: four fields, nothing personal."""
    sender = sender_id(imprint.mail_domain)
    return f"{imprint.issue_date}:{imprint.newsletter}:{imprint.kind}:{sender}"


@lru_cache(maxsize=64)
def _format_date(at: datetime) -> str:
    # Thousands of letters share a second.
    return format_date(at)


@lru_cache(maxsize=4096)
def _write_date(day: date, language: str, digits: str) -> str:
    # Readers by the thousand share a date, and a locale's pattern is slow to apply.
    return write_date(day, language=language, digits=digits)


def _prepare(variant: Variant, language: str) -> _Form:
    body = prepare_body(
        text=_pieces(variant.text),
        html=_pieces(variant.html) if variant.html is not None else None,
        boundary=f"digest-{variant.edition_id}-{variant.id}",
        language=language,
    )
    return _Form(subject=variant.subject, body=body)


def _pieces(rendering: str) -> list[Piece]:
    return [
        SlotName(piece.value) if isinstance(piece, Slot) else piece
        for piece in split(rendering)
    ]
