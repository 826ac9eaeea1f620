"""The demo's desk: the sample week through every real part.

Nothing here is a stand-in but the relay, which is `digest.mail.sink` on loopback.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from digest import bootstrap
from digest.bootstrap import Service
from digest.cli.demo_pictures import illustrate
from digest.cli.face import CLI
from digest.compose import approve, draft, edit, pictures, preflight
from digest.domain.editions import (
    Edition,
    Pick,
    PickKind,
    Sponsor,
    Story,
    Support,
)
from digest.domain.errors import StateError
from digest.ingest.imports import Report, import_sources
from digest.storage import editions


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
    def newsletter(self) -> str:
        """The name of the newsletter it is for."""
        return str(self.plan["newsletter"])

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
        week.newsletter,
        week.folder / lead["file"],
        url=lead["url"],
        section=lead["section"],
        source=lead["source"],
    )
    rest = _import(service, week.newsletter, week.folder / stories["file"])
    return first.imported[0].id, first.accepted + rest.accepted


def _import(
    service: Service,
    newsletter: str,
    path: Path,
    *,
    url: str | None = None,
    section: str | None = None,
    source: str = "",
) -> Report:
    report = import_sources(
        service.db,
        newsletter=newsletter,
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


def compose_edition(service: Service, week: Week, *, lead: int) -> Edition:
    """Compose the week's edition, write the editor's words, check and approve it.

    Raises:
        StateError: Preflight found an error.
    """
    draft_of_week = draft.compose(
        service.db,
        newsletter=week.newsletter,
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
        changes=_changes(service, week, draft_of_week.stories, lead),
        templates=service.templates,
        site=service.site,
        actor=CLI,
        now=service.now(),
    )
    # All of them were taken in: nothing is fetched.
    pictures.gather(
        service.db,
        edition_id=edition_id,
        fetcher=bootstrap.make_fetcher(service.settings, limits=pictures.LIMITS),
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
        posting=service.posting(),
    )
    if found.errors:
        raise StateError(f"Preflight found: {found.errors[0].message}")
    approved = approve.approve(
        service.db,
        edition_id=edition_id,
        because="The demo accepts: " + ", ".join(w.rule for w in found.warnings),
        templates=service.templates,
        site=service.site,
        posting=service.posting(),
        actor=CLI,
        now=service.now(),
    )
    return approved.edition


def _changes(
    service: Service, week: Week, stories: Sequence[Story], lead: int
) -> edit.Changes:
    words, sponsor = week.plan["words"], week.plan["sponsor"]
    drawn = illustrate(
        service,
        stories,
        week.plan["pictures"],
        folder=week.folder,
        credit=words["credit"],
    )
    first = replace(
        drawn[lead],
        standfirst=week.plan["lead"]["standfirst"],
        caption=words["caption"],
    )
    return edit.Changes(
        subject=words["subject"],
        preheader=words["preheader"],
        opening=words["opening"],
        opening_by=words["signed"],
        why=words["why"],
        sponsor=Sponsor(**sponsor),
        support=Support(**week.plan["support"]),
        picks=[Pick(**p | {"kind": PickKind(p["kind"])}) for p in week.plan["picks"]],
        lead=lead,
        stories=drawn | {lead: first},
    )


def load_edition(service: Service, edition_id: int) -> Edition:
    """Look where the edition stands."""
    with service.db.read() as tx:
        return editions.get(tx, edition_id)
