"""Compose a correction: a short letter to exactly those who got an edition."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from digest.compose.content import content_hash
from digest.compose.correction import preheader_of, title_of
from digest.compose.draft import Composed, picked
from digest.compose.order import arrange, as_story
from digest.domain.actor import Actor
from digest.domain.editions import CHANGEABLE, Edition
from digest.domain.errors import StateError
from digest.domain.site import Site
from digest.domain.states import EditionKind
from digest.storage import audit, corrections, editions, newsletters
from digest.storage.engine import Database, Tx
from digest.templating import Templates


def correct(
    db: Database,
    *,
    edition_id: int,
    words: str,
    templates: Templates,
    site: Site,
    actor: Actor,
    now: datetime,
    subject: str = "",
    signed: str = "",
    articles: Sequence[int] = (),
) -> Composed:
    """Compose the draft of a correction; it is edited, approved and released as usual.

    Args:
        db: The database.
        edition_id: The edition that was wrong.
        words: What was wrong and what is right, limited Markdown.
        templates: The installation's templates.
        site: Its public addresses.
        actor: Who corrects.
        now: The present.
        subject: What it is about; "Correction:" is put before it. Empty: the subject
            of the edition that was wrong.
        signed: Who signs the words; may be empty.
        articles: Stories to show as they should have been.

    Raises:
        NotFoundError: There is no such edition or article.
        StateError: Nobody got it, it is a correction, or its correction is in work.
        RefusedError: An article is in another newsletter's pool.
    """
    with db.write() as tx:
        wrong = editions.get(tx, edition_id)
        earlier = editions.of_issue(
            tx,
            newsletter_id=wrong.newsletter_id,
            kind=EditionKind.CORRECTION,
            issue_date=wrong.issue_date,
        )
        _require_correctable(tx, wrong, earlier)
        owner = newsletters.get_by_id(tx, wrong.newsletter_id)
        found = picked(tx, owner, articles)
        stories = arrange([as_story(article, owner) for article in found], owner)
        draft = Edition(
            newsletter_id=owner.id,
            kind=EditionKind.CORRECTION,
            corrects=wrong.id,
            issue_date=wrong.issue_date,
            revision=earlier[0].revision + 1 if earlier else 1,
            number=wrong.number,
            subject=title_of(subject or wrong.subject, owner, templates=templates),
            preheader=preheader_of(wrong, owner, templates=templates),
            opening=words.strip(),
            opening_by=" ".join(signed.split()),
            created_at=now,
            updated_at=now,
        )
        stamp = content_hash(draft, owner, stories, templates=templates, site=site)
        edition = editions.insert_edition(
            tx, replace(draft, content_hash=stamp), stories
        )
        audit.record_edition(
            tx, edition.id, "composed", actor=actor, now=now, corrects=wrong.id
        )
        readers = corrections.count_readers(tx, wrong.id)
        return Composed(
            edition=edition,
            newsletter=owner,
            stories=editions.stories(tx, edition.id),
            notes=_notes(tx, wrong, readers),
        )


def _require_correctable(tx: Tx, wrong: Edition, earlier: Sequence[Edition]) -> None:
    if wrong.kind == EditionKind.CORRECTION:
        raise StateError(
            f"Edition {wrong.id} is a correction itself.",
            f"Correct edition {wrong.corrects} once more.",
        )
    if not corrections.count_readers(tx, wrong.id):
        raise StateError(
            f"Edition {wrong.id} is {wrong.state}: nobody has got it.",
            f"Edit it: digest editions edit {wrong.id}"
            if wrong.state in CHANGEABLE
            else f"See: digest editions status {wrong.id}",
        )
    open_one = next((e for e in earlier if e.state in CHANGEABLE), None)
    if open_one is not None:
        raise StateError(
            f"Edition {open_one.id} is to correct that issue already; it is "
            f"{open_one.state}.",
            f"Edit it: digest editions edit {open_one.id}",
        )


def _notes(tx: Tx, wrong: Edition, readers: int) -> tuple[str, ...]:
    letters = "1 reader" if readers == 1 else f"{readers:,} readers"
    said = f"It is for {letters} who got edition {wrong.id}."
    if corrections.count_under_way(tx, wrong.id):
        still = (
            f"Edition {wrong.id} is still being sent, and a correction goes only when "
            f"that is over: digest editions recall {wrong.id}"
        )
        return said, still
    return (said,)
