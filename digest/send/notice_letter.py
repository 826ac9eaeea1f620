"""Write a letter that is no edition's: a notice, fully rendered by its stage."""

from collections.abc import Sequence
from datetime import datetime

from digest.domain.deliveries import LetterKind, Notice, message_id
from digest.domain.letters import NoticeKind
from digest.domain.secrets import Secrets
from digest.domain.site import Site
from digest.domain.tokens import Purpose
from digest.mail.dkim import Signer
from digest.mail.message import Field, format_date, mailbox, prepare_body
from digest.mail.smtp import Envelope
from digest.send.header import OWN_HEADER, assemble, list_fields, sender_id


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
        is_answer = notice.kind == NoticeKind.ANSWER
        return Envelope(
            # RFC 3834 §3.3: an answer's failure is told to nobody, so that none loops
            sender="" if is_answer else self._site.bounce_address(token),
            recipient=notice.address,
            message=assemble(fields, body.fill({}), signer=self._signer, at=dated_at),
        )

    def _own_fields(self, notice: Notice) -> Sequence[Field]:
        headers = dict(notice.headers)
        if notice.kind != NoticeKind.TEST:
            headers.setdefault("Auto-Submitted", "auto-generated")  # RFC 3834 §5
        if "List-Id" in headers:
            stream = f"{notice.kind}:{notice.newsletter_id or 0}:notice"
            headers.setdefault(
                "Feedback-ID", f"{stream}:{sender_id(self._site.mail_domain)}"
            )
        return list_fields(headers)

    def _message_id(self, notice: Notice) -> str:
        return message_id(
            LetterKind.NOTICE,
            notice.id,
            group=0,
            key=self._secrets.address_key,
            domain=self._site.mail_domain,
        )
