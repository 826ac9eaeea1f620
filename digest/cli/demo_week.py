"""The demo's steps: the sample week through every real part, by hand of a few readers.

Nothing here is a stand-in but the relay, which is `digest.mail.sink` on loopback.
"""

import email
import email.policy
import re
import tomllib
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from digest import bootstrap
from digest.bootstrap import Service
from digest.cli.face import CLI
from digest.compose import approve, draft, edit, preflight
from digest.domain.actor import READER
from digest.domain.addresses import parse_address
from digest.domain.editions import Edition, Sponsor
from digest.domain.errors import StateError
from digest.domain.subscribers import Origin
from digest.domain.tokens import Purpose
from digest.ingest.imports import Report, import_sources
from digest.mail.sink import Received
from digest.storage import editions
from digest.subscriptions import leave, opt_in, sign_up, suppressing

NEWSLETTER = "weekly"
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


@dataclass(frozen=True, kw_only=True)
class Week:
    """The bundled sample week: its stories, and the editor's words around them.

    Attributes:
        folder: Where the files are.
        plan: `edition.toml`.
    """

    folder: Path
    plan: dict[str, Any]

    @property
    def issue_date(self) -> date:
        """The Sunday it is for."""
        found = self.plan["issue_date"]
        assert isinstance(found, date)
        return found


def read_week(folder: Path) -> Week:
    """Read a sample week's plan."""
    text = (folder / "edition.toml").read_text(encoding="utf-8")
    return Week(folder=folder, plan=tomllib.loads(text))


def import_week(service: Service, week: Week) -> tuple[int, int]:
    """Bring the stories in: the lead as a pasted page, the others as a feed.

    Returns:
        The lead's article id, and how many stories there are.

    Raises:
        StateError: A story was rejected.
    """
    lead, stories = week.plan["lead"], week.plan["stories"]
    first = _import(
        service,
        week.folder / lead["file"],
        url=lead["url"],
        section=lead["section"],
        source=lead["source"],
    )
    rest = _import(service, week.folder / stories["file"])
    return first.imported[0].id, first.accepted + rest.accepted


def _import(
    service: Service,
    path: Path,
    *,
    url: str | None = None,
    section: str | None = None,
    source: str = "",
) -> Report:
    report = import_sources(
        service.db,
        newsletter=NEWSLETTER,
        inputs=[str(path)],
        fetcher=bootstrap.make_fetcher(service.settings),
        actor=CLI,
        now=service.now(),
        url=url,
        section=section,
        source=source,
    )
    if report.rejected:
        raise StateError(
            f"The sample week was not taken whole: {report.rejected[0].reason}",
            "Install this version again: its files were changed.",
        )
    return report


def sign_readers_up(service: Service, count: int) -> list[str]:
    """Ask for the letter on behalf of readers; each is sent a confirmation.

    Args:
        service: The installation.
        count: How many will get the edition; four more will not.

    Returns:
        Their addresses: those who never confirm last, before them who leaves and who
        is suppressed.
    """
    total = count + _PENDING + _LEAVING + _SUPPRESSED
    addresses = [f"reader-{n:03}@readers.example.test" for n in range(1, total + 1)]
    for address in addresses:
        sign_up.request(
            service.db,
            newsletter=NEWSLETTER,
            address=parse_address(address),
            origin=_ORIGIN,
            site=service.site,
            secrets=service.secrets,
            templates=service.templates,
            actor=READER,
            now=service.now(),
        )
    return addresses


def confirm_readers(service: Service, postbox: Postbox, addresses: list[str]) -> None:
    """Confirm with the link in each letter; two readers never do."""
    for address in addresses[:-_PENDING]:
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


def compose_edition(service: Service, week: Week, *, lead: int) -> Edition:
    """Compose the week's edition, write the editor's words, check and approve it.

    Raises:
        StateError: Preflight found an error.
    """
    draft_of_week = draft.compose(
        service.db,
        newsletter=NEWSLETTER,
        issue_date=week.issue_date,
        templates=service.templates,
        site=service.site,
        actor=CLI,
        now=service.now(),
    )
    edition_id = draft_of_week.edition.id
    edit.edit(
        service.db,
        edition_id=edition_id,
        changes=_changes(week, lead),
        templates=service.templates,
        site=service.site,
        actor=CLI,
        now=service.now(),
    )
    found = preflight.check(
        service.db,
        edition_id=edition_id,
        templates=service.templates,
        site=service.site,
        signed=True,
    )
    if found.errors:
        raise StateError(f"Preflight found: {found.errors[0].message}")
    approved = approve.approve(
        service.db,
        edition_id=edition_id,
        because="The demo accepts: " + ", ".join(w.rule for w in found.warnings),
        templates=service.templates,
        site=service.site,
        signed=True,
        actor=CLI,
        now=service.now(),
    )
    return approved.edition


def _changes(week: Week, lead: int) -> edit.Changes:
    words, sponsor = week.plan["words"], week.plan["sponsor"]
    standfirst = week.plan["lead"]["standfirst"]
    return edit.Changes(
        subject=words["subject"],
        preheader=words["preheader"],
        opening=words["opening"],
        opening_by=words["signed"],
        why=words["why"],
        sponsor=Sponsor(**sponsor),
        lead=lead,
        stories={lead: edit.StoryWords(standfirst=standfirst)},
    )


def load_edition(service: Service, edition_id: int) -> Edition:
    """Look where the edition stands."""
    with service.db.read() as tx:
        return editions.get(tx, edition_id)


def write_previews(postbox: Postbox, folder: Path) -> tuple[Path, Path]:
    """Write both parts of the first reader's letter beside the outbox."""
    letter = _open(min(postbox.letters))
    page, text = folder / "preview.html", folder / "preview.txt"
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
