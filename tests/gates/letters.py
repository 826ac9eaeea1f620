"""The reference editions as their readers get them: signed messages, written once."""

import email
import email.policy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from digest.compose.render import render
from digest.domain.editions import Edition, Story, Variant
from digest.domain.newsletters import Newsletter
from digest.domain.subscribers import LetterFormat
from digest.mail.dkim import Signer
from digest.send.specimen import Specimens
from digest.templating import Templates
from tests.builders import NOW, SECRETS, SITE
from tests.weeks import english_week
from tests.weeks_arabic import arabic_week

Week = tuple[Edition, Newsletter, Sequence[Story]]
WEEKS: dict[str, Callable[[], Week]] = {"en": english_week, "ar": arabic_week}


@dataclass(frozen=True, kw_only=True)
class Written:
    """One reader's letter.

    Attributes:
        message: As the relay gets it.
        html: The HTML part, decoded as a mail program does.
        text: The plain-text part.
        lead: The lead's headline.
    """

    message: bytes
    html: str
    text: str
    lead: str

    @property
    def parsed(self) -> EmailMessage:
        """The message, its parts decoded."""
        return email.message_from_bytes(self.message, policy=email.policy.default)


@cache
def signer() -> Signer:
    """A signer with a key of its own."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return Signer(SITE.mail_domain, "gates", pem)


@cache
def reference(language: str) -> Written:
    """The reference edition of a language."""
    return write(*WEEKS[language]())


def write(
    edition: Edition, newsletter: Newsletter, stories: Sequence[Story]
) -> Written:
    """Write one reader's letter of an edition."""
    letter = render(edition, newsletter, stories, templates=Templates(), site=SITE)
    variant = Variant(
        edition_id=edition.id,
        sections="",
        format=LetterFormat.HTML,
        subject=letter.subject,
        html=letter.html,
        text=letter.text,
    )
    specimens = Specimens(site=SITE, secrets=SECRETS, find_signer=signer, now=NOW)
    (message,) = specimens.write(edition, newsletter, [variant])
    parsed = email.message_from_bytes(message, policy=email.policy.default)
    return Written(
        message=message,
        html=_part(parsed, "html"),
        text=_part(parsed, "plain"),
        lead=stories[0].title,
    )


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None, "a letter has both parts"
    content: str = part.get_content()
    return content.replace("\r\n", "\n")
