"""Editions as their readers get them: signed messages, written once.

The reference weeks have everything that a letter may carry; the sample weeks are what
`digest demo` sends, by every step an operator takes.
"""

import email
import email.policy
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from email.message import EmailMessage
from functools import cache
from html import unescape
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from digest.compose.correction import preheader_of, title_of
from digest.compose.render import render
from digest.domain.editions import Edition, Story, Variant
from digest.domain.newsletters import Newsletter
from digest.domain.pictures import PictureKind
from digest.domain.states import EditionKind
from digest.domain.subscribers import LetterFormat
from digest.mail.dkim import Signer
from digest.send.specimen import Specimens
from digest.storage import pictures
from digest.storage.engine import Database
from digest.templating import Templates
from tests.builders import NOW, SECRETS, SITE
from tests.drawings import saved, scene
from tests.weeks import english_week
from tests.weeks_arabic import arabic_week

Week = tuple[Edition, Newsletter, Sequence[Story]]
WEEKS: dict[str, Callable[[], Week]] = {"en": english_week, "ar": arabic_week}
WRONG = {
    "en": "Our letter said that the crossing closed on Monday. It closed on "
    "**Tuesday, 7 May**, and [the story](https://stories.example.test/1) says so now.",
    "ar": "قالت رسالتنا إن المعبر أغلق يوم الاثنين. "
    "**أغلق يوم الثلاثاء السابع من مايو**.",
}


@dataclass(frozen=True, kw_only=True)
class Written:
    """One reader's letter.

    Attributes:
        message: As the relay gets it.
        html: The HTML part, decoded as a mail program does.
        text: The plain-text part.
        pictures: The files it shows, by address.
    """

    message: bytes
    html: str
    text: str
    pictures: Mapping[str, bytes]

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


@cache
def correction(language: str) -> Written:
    """The correction of a language's reference edition, its lead told anew."""
    wrong, newsletter, stories = WEEKS[language]()
    templates = Templates()
    edition = replace(
        wrong,
        kind=EditionKind.CORRECTION,
        corrects=1,
        subject=title_of(wrong.subject, newsletter, templates=templates),
        preheader=preheader_of(wrong, newsletter, templates=templates),
        opening=WRONG[language],
        why="",
        sponsor=None,
        support=None,
        picks=(),
    )
    return write(edition, newsletter, stories[:1])


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
    return _read(message, drawn)


def send_samples(folder: Path) -> dict[str, Written]:
    """Let `digest demo` send the sample weeks; one reader's letter of each."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("DIGEST_")}
    environ["DIGEST_WEB__BASE_URL"] = SITE.base_url
    subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "digest", "demo", "--out", folder, "--readers", "1"],
        env=environ,
        capture_output=True,
        check=True,
    )
    db = Database(f"sqlite:///{folder / 'digest.db'}")

    def find(url: str, _number: int) -> bytes:
        name, _, kind = url.rpartition("/")[2].partition(".")
        with db.read() as tx:
            return pictures.load(tx, name, PictureKind(kind)) or b""

    outboxes = {"demo-en": folder / "outbox", "demo-ar": folder / "outbox-ar"}
    found = {
        name: _read(next(outbox.glob("*.eml")).read_bytes(), find)
        for name, outbox in outboxes.items()
    }
    db.close()
    return found


@cache
def _drawn(number: int) -> bytes:
    return saved(scene(number, (1200, 675)), quality=80)


def drawn(_url: str, number: int) -> bytes:
    """Draw a picture that was never fetched."""
    return _drawn(number)


def _read(message: bytes, find: Callable[[str, int], bytes]) -> Written:
    parsed = email.message_from_bytes(message, policy=email.policy.default)
    html = _part(parsed, "html")
    shown = map(unescape, re.findall(r'<img[^>]+src="([^"]+)"', html))
    return Written(
        message=message,
        html=html,
        text=_part(parsed, "plain"),
        pictures={url: find(url, number) for number, url in enumerate(shown)},
    )


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None, "a letter has both parts"
    content: str = part.get_content()
    return content.replace("\r\n", "\n")
