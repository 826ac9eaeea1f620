"""Write one letter: a variant's prepared body with one reader's values, its header.

The same row gives the same bytes for ever (design rule 4): nothing here reads a clock,
draws chance, or asks for settings that were not fixed at release.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from digest.domain.deliveries import (
    Delivery,
    Imprint,
    LetterKind,
    Notice,
    message_id,
)
from digest.domain.editions import Variant
from digest.domain.issue import write_date
from digest.domain.letters import NoticeKind
from digest.domain.list_headers import list_headers
from digest.domain.secrets import Secrets
from digest.domain.site import Site
from digest.domain.slots import Slot, split
from digest.domain.tokens import Purpose
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
from digest.mail.smtp import Envelope

OWN_HEADER = "X-Digest-Letter"
"""Carries the envelope sender's token, for relays that replace the envelope."""


@dataclass(frozen=True, kw_only=True)
class _Form:
    """A variant, ready to be filled."""

    subject: str
    body: PreparedBody


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

    def write(self, delivery: Delivery, *, dated_at: datetime) -> Envelope:
        """Write one reader's letter.

        Args:
            delivery: Whose address is not erased.
            dated_at: Its Date field.

        Raises:
            DigestError: A value cannot stand in a letter.
        """
        assert delivery.address is not None, "erased deliveries are skipped"
        form = self._forms[delivery.variant_id]
        tokens = self._secrets.tokens
        leave, preferences = (
            tokens.issue(purpose, delivery.subscription_id, key_id=delivery.key_id)
            for purpose in (Purpose.UNSUBSCRIBE, Purpose.PREFERENCES)
        )
        envelope_token = tokens.issue(
            Purpose.DELIVERY, delivery.id, key_id=delivery.key_id
        )
        body = form.body.fill(
            {
                Slot.UNSUBSCRIBE_TOKEN: leave,
                Slot.PREFERENCES_TOKEN: preferences,
                Slot.ADDRESS: delivery.address,
                Slot.CONFIRMED_ON: _write_date(
                    delivery.confirmed_on,
                    self._imprint.language,
                    self._imprint.digits,
                ),
            }
        )
        fields = [
            ("From", mailbox(self._imprint.from_name, self._imprint.from_address)),
            ("Reply-To", mailbox("", self._imprint.reply_to)),
            ("To", mailbox("", delivery.address)),
            ("Subject", form.subject),
            ("Date", format_date(dated_at)),
            ("Message-ID", self._message_id(delivery)),
            *_list_fields(list_headers(self._imprint, self._site, leave)),
            ("Feedback-ID", feedback_id(self._imprint)),
            (OWN_HEADER, envelope_token),
            *form.body.content_fields,
        ]
        return Envelope(
            sender=self._site.bounce_address(envelope_token),
            recipient=delivery.address,
            message=_assemble(fields, body, signer=self._signer, at=dated_at),
        )

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
                *_list_fields(list_headers(imprint, site, "token")),
                ("Feedback-ID", feedback_id(imprint)),
            ]
        )


class NoticeLetters:
    """Writes letters that are no edition's.

    Args:
        site: Our mail domain.
        secrets: Keys of tokens and message ids.
        signer: Signs each letter; None: nobody does, or the relay.
    """

    def __init__(self, *, site: Site, secrets: Secrets, signer: Signer | None) -> None:
        self._site = site
        self._secrets = secrets
        self._signer = signer

    def write(self, notice: Notice, *, dated_at: datetime) -> Envelope:
        """Write a notice.

        Args:
            notice: Fully rendered by the stage that wanted it.
            dated_at: Its Date field.

        Raises:
            DigestError: A value cannot stand in a letter.
        """
        body = prepare_body(
            text=[notice.text],
            html=[notice.html] if notice.html is not None else None,
            boundary=f"notice-{notice.id}",
            language=notice.language,
        )
        token = self._secrets.tokens.issue(Purpose.NOTICE, notice.id)
        fields = [
            ("From", mailbox(notice.sender.name, notice.sender.address)),
            ("Reply-To", mailbox("", notice.sender.reply_to)),
            ("To", mailbox("", notice.address)),
            ("Subject", notice.subject),
            ("Date", format_date(dated_at)),
            ("Message-ID", self._message_id(notice)),
            *self._own_fields(notice),
            (OWN_HEADER, token),
            *body.content_fields,
        ]
        return Envelope(
            sender=self._site.bounce_address(token),
            recipient=notice.address,
            message=_assemble(fields, body.fill({}), signer=self._signer, at=dated_at),
        )

    def _own_fields(self, notice: Notice) -> Sequence[Field]:
        headers = dict(notice.headers)
        if notice.kind != NoticeKind.TEST:
            headers.setdefault("Auto-Submitted", "auto-generated")  # RFC 3834 §5
        if "List-Id" in headers:
            stream = f"{notice.kind}:{notice.newsletter_id or 0}:notice"
            headers.setdefault(
                "Feedback-ID", f"{stream}:{_sender_id(self._site.mail_domain)}"
            )
        return _list_fields(headers)

    def _message_id(self, notice: Notice) -> str:
        return message_id(
            LetterKind.NOTICE,
            notice.id,
            group=0,
            key=self._secrets.address_key,
            domain=self._site.mail_domain,
        )


def feedback_id(imprint: Imprint) -> str:
    """Name the stream for Gmail's feedback loop: four fields, nothing personal."""
    sender = _sender_id(imprint.mail_domain)
    return f"{imprint.issue_date}:{imprint.newsletter}:{imprint.kind}:{sender}"


def _sender_id(mail_domain: str) -> str:
    # Gmail wants 5 to 15 characters that never change; domains are often longer.
    return hashlib.sha256(mail_domain.encode("ascii")).hexdigest()[:12]


@lru_cache(maxsize=4096)
def _write_date(day: date, language: str, digits: str) -> str:
    # Readers by the thousand share a date, and a locale's pattern is slow to apply.
    return write_date(day, language=language, digits=digits)


def _list_fields(headers: Mapping[str, str]) -> list[Field]:
    """Encode the phrase of List-Id where it is not plain ASCII (RFC 2919 §3)."""
    fields = []
    for name, value in headers.items():
        phrase, bracket, identifier = value.rpartition("<")
        if name == "List-Id" and bracket:
            written = mailbox(phrase.strip(' "'), identifier.rstrip(">"))
            fields.append((name, written))
        else:
            fields.append((name, value))
    return fields


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


def _assemble(
    fields: Sequence[Field], body: bytes, *, signer: Signer | None, at: datetime
) -> bytes:
    # The signature is stamped with the letter's own date, so that a letter in
    # doubt is sent again with the very same bytes.
    signature = [signer.sign(fields, body, at=at)] if signer is not None else []
    return b"".join([write_fields([*signature, *fields]), b"\r\n", body])
