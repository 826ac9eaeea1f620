"""The demo's readers: they sign up, confirm and leave by the letters they get."""

import email
import email.policy
import re
from dataclasses import dataclass, field
from pathlib import Path

from digest.bootstrap import Service
from digest.cli.face import CLI
from digest.domain.actor import READER
from digest.domain.addresses import parse_address
from digest.domain.subscribers import Origin
from digest.domain.tokens import Purpose
from digest.mail.sink import Received
from digest.subscriptions import leave, opt_in, sign_up, suppressing

_PENDING, _LEAVING, _SUPPRESSED = 2, 1, 1
_ORIGIN = Origin(source="demo", network="127.0.0.1", wording="Yes, send me the digest.")
_CONFIRM = re.compile(r"/confirm/([a-z2-7]+)")
_LEAVE = re.compile(r"/u/([a-z2-7]+)")


@dataclass(kw_only=True)
class Postbox:
    """Files what the sink took: editions in `outbox`, other letters in its `notices`.

    Attributes:
        outbox: The folder.
        letters: Files of edition letters, in order of arrival.
        notices: Files of other letters, by recipient, the latest.
    """

    outbox: Path
    letters: list[Path] = field(default_factory=list)
    notices: dict[str, Path] = field(default_factory=dict)

    def prepare(self) -> None:
        """Make the folders."""
        (self.outbox / "notices").mkdir(parents=True)

    def file(self, service: Service, received: Received) -> None:
        """Write one letter to a file, told apart by its signed envelope sender."""
        recipient = received.recipients[0]
        token = received.sender.partition("+")[2].partition("@")[0]
        keys = service.secrets.tokens
        if keys.read(Purpose.DELIVERY, token, now=service.now()) is not None:
            path = self.outbox / f"{recipient.partition('@')[0]}.eml"
            self.letters.append(path)
        else:
            number = len(list((self.outbox / "notices").iterdir())) + 1
            path = self.outbox / "notices" / f"{number:03}.eml"
            self.notices[recipient] = path
        path.write_bytes(received.message)


def make_readers(count: int) -> list[str]:
    """Make readers up.

    Args:
        count: How many will get the edition; four more will not.

    Returns:
        Their addresses: those who never confirm last, before them who leaves and who
        is suppressed.
    """
    total = count + _PENDING + _LEAVING + _SUPPRESSED
    return [f"reader-{n:03}@readers.example.test" for n in range(1, total + 1)]


def sign_readers_up(service: Service, newsletter: str, addresses: list[str]) -> None:
    """Ask for the letter on behalf of readers; each is sent a confirmation."""
    for address in addresses:
        sign_up.request(
            service.db,
            newsletter=newsletter,
            address=parse_address(address),
            origin=_ORIGIN,
            rules=None,
            site=service.site,
            secrets=service.secrets,
            templates=service.templates,
            actor=READER,
            now=service.now(),
        )


def confirm_readers(service: Service, postbox: Postbox, addresses: list[str]) -> None:
    """Confirm with the link in each letter."""
    for address in addresses:
        opt_in.confirm(
            service.db,
            token=_find_token(postbox.notices[address], _CONFIRM),
            origin=_ORIGIN,
            site=service.site,
            secrets=service.secrets,
            templates=service.templates,
            actor=READER,
            now=service.now(),
        )


def patient(addresses: list[str]) -> list[str]:
    """Return the readers who confirm; two never do."""
    return addresses[:-_PENDING]


def lose_readers(service: Service, postbox: Postbox, addresses: list[str]) -> None:
    """Let one reader leave by the link in the welcome letter; suppress another."""
    leaving, suppressed = addresses[-_PENDING - 2 : -_PENDING]
    leave.by_token(
        service.db,
        token=_find_token(postbox.notices[leaving], _LEAVE),
        origin=_ORIGIN,
        secrets=service.secrets,
        actor=READER,
        now=service.now(),
    )
    suppressing.suppress(
        service.db,
        address=parse_address(suppressed),
        because="The demo shows that suppressed readers get nothing.",
        secrets=service.secrets,
        actor=CLI,
        now=service.now(),
    )


def write_previews(
    postbox: Postbox, folder: Path, *, name: str = "preview"
) -> tuple[Path, Path]:
    """Write both parts of the first reader's letter beside the outbox."""
    letter = _open(min(postbox.letters))
    page, text = folder / f"{name}.html", folder / f"{name}.txt"
    for path, kind in ((page, "html"), (text, "plain")):
        part = letter.get_body((kind,))
        assert part is not None, "a letter has both parts"
        content = part.get_content().replace("\r\n", "\n")
        path.write_text(content, encoding="utf-8")
    return page, text


def _find_token(path: Path, pattern: re.Pattern[str]) -> str:
    part = _open(path).get_body(("plain",))
    found = pattern.search(part.get_content()) if part is not None else None
    assert found is not None, f"{path} holds its link"
    return found[1]


def _open(path: Path) -> email.message.EmailMessage:
    return email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
