"""Approve an edition: somebody accepts exactly this content, warnings and all."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from digest.compose.content import content_hash
from digest.compose.draft import Composed
from digest.compose.finding import Finding
from digest.compose.freeze import put_missing
from digest.compose.posting import Posting
from digest.compose.preflight import (
    Loaded,
    Preflight,
    inspect,
    load,
    renderings,
)
from digest.compose.render import Renderings
from digest.compose.withdraw import (
    require_changeable,
    require_unchanged,
    withdraw_approval,
)
from digest.domain.actor import Actor, ActorKind
from digest.domain.editions import Edition
from digest.domain.errors import RefusedError, StateError
from digest.domain.site import Site
from digest.domain.states import EditionState
from digest.storage import audit, editions
from digest.storage.engine import Database, Tx
from digest.templating import Templates
from digest.templating.apart import TemplateFaultError

NO_REASON = "no reason given"


@dataclass(frozen=True, kw_only=True)
class Approved(Composed):
    """An approved edition.

    Attributes:
        accepted: The warnings that the approval accepts.
    """

    accepted: tuple[Finding, ...] = ()


def approve(
    db: Database,
    *,
    edition_id: int,
    because: str,
    templates: Templates,
    site: Site,
    posting: Posting,
    actor: Actor,
    now: datetime,
    seen: str | None = None,
) -> Approved:
    """Check an edition, accept its warnings and freeze what readers will get.

    Approving what is approved already, and unchanged, changes nothing; only a reason
    that was not given then is still taken.

    Args:
        db: The database.
        edition_id: The edition.
        because: Why its warnings are accepted; may be empty.
        templates: The installation's templates.
        site: Its public addresses.
        posting: How it would post the letters.
        actor: Who approves.
        now: The present.
        seen: Names the content that is meant; None: what is there.

    Raises:
        NotFoundError: There is no such edition.
        ChangedError: It is no longer what was seen.
        StateError: It was released or cancelled, a person holds it and no person
            approves, or preflight finds errors.
    """
    drawn, ahead = _render_ahead(db, edition_id, templates, site)
    with db.write() as tx:
        loaded = load(tx, edition_id)
        edition = loaded.edition
        require_changeable(edition)
        _refuse_held(edition, actor)
        stamp = _stamp(loaded, templates, site)
        require_unchanged(edition_id, stamp, seen)
        made = ahead if stamp == drawn else renderings(loaded, templates, site)
        found = inspect(
            loaded, templates=templates, site=site, posting=posting, made=made
        )
        _refuse_errors(found, edition_id)
        if stamp != edition.approved_hash:
            edition = _accept(tx, edition, stamp, because, found, actor=actor, now=now)
        elif edition.approved_because == NO_REASON and because.strip():
            edition = _explain(tx, edition, because.strip(), actor=actor, now=now)
        put_missing(tx, edition, made, now=now)
        return Approved(
            edition=edition,
            newsletter=loaded.newsletter,
            stories=loaded.stories,
            accepted=found.warnings,
        )


def _render_ahead(
    db: Database, edition_id: int, templates: Templates, site: Site
) -> tuple[str, Renderings]:
    """Render outside any transaction: with many choices it may take seconds.

    Returns:
        What the content is, and its letters.
    """
    with db.read() as tx:
        loaded = load(tx, edition_id)
    require_changeable(loaded.edition)
    made = renderings(loaded, templates, site)
    # What cannot be rendered is a finding of preflight.
    with suppress(TemplateFaultError, RefusedError):
        for choice in ("", *loaded.known.choices):
            made.letter(choice)
    return _stamp(loaded, templates, site), made


def _stamp(loaded: Loaded, templates: Templates, site: Site) -> str:
    return content_hash(
        loaded.edition,
        loaded.newsletter,
        loaded.stories,
        templates=templates,
        site=site,
    )


def _accept(
    tx: Tx,
    edition: Edition,
    stamp: str,
    because: str,
    found: Preflight,
    *,
    actor: Actor,
    now: datetime,
) -> Edition:
    draft = withdraw_approval(tx, edition, actor=actor, now=now)
    reason = because.strip() or (NO_REASON if found.warnings else None)
    approved = editions.move(
        tx,
        draft,
        EditionState.APPROVED,
        now=now,
        content_hash=stamp,
        approved_hash=stamp,
        approved_by=str(actor),
        approved_because=reason,
        approved_at=now,
        held_at=None,
        held_by=None,
        held_because=None,
    )
    audit.record(
        tx,
        actor=actor,
        action="edition.approved",
        subject=("edition", edition.id),
        now=now,
        detail={
            "content_hash": stamp,
            "because": reason,
            "warnings": [f"{f.rule}: {f.where}" for f in found.warnings],
        },
    )
    return approved


def _explain(
    tx: Tx, edition: Edition, because: str, *, actor: Actor, now: datetime
) -> Edition:
    audit.record(
        tx,
        actor=actor,
        action="edition.approval_explained",
        subject=("edition", edition.id),
        now=now,
        detail={"because": because},
    )
    return editions.put_reason(tx, edition.id, because, now=now)


def _refuse_held(edition: Edition, actor: Actor) -> None:
    """Let a person lift a hold, and nothing else."""
    if edition.held_at is not None and actor.kind is ActorKind.SCHEDULE:
        said = f": {edition.held_because}" if edition.held_because else ""
        raise StateError(
            f"It is held by {edition.held_by}{said}.".replace("..", "."),
            f"Run: digest editions approve {edition.id}",
        )


def _refuse_errors(found: Preflight, edition_id: int) -> None:
    if found.errors:
        more = f" ({len(found.errors) - 1} more)" if len(found.errors) > 1 else ""
        raise StateError(
            f"Preflight found an error{more}: {found.errors[0].message}",
            f"See: digest editions check {edition_id}",
        )
