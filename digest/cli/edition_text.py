"""Editions as the command line shows them: EDITION documents and lines for people."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from digest.bootstrap import Service
from digest.cli.face import Face, counted
from digest.compose.finding import Finding
from digest.domain.editions import Edition, Story
from digest.domain.newsletters import Newsletter
from digest.domain.states import DeliveryState
from digest.storage import deliveries, editions, newsletters, opinions
from digest.storage.engine import Tx

_LINES = ("subject", "preheader")


def load_document(service: Service, edition_id: int) -> dict[str, Any]:
    """Load one edition as interface.md's EDITION.

    Raises:
        NotFoundError: There is no such edition.
    """
    with service.db.read() as tx:
        edition = editions.get(tx, edition_id)
        newsletter = newsletters.get_by_id(tx, edition.newsletter_id)
        return edition_document(tx, edition, newsletter, service)


def edition_document(
    tx: Tx, edition: Edition, newsletter: Newsletter, service: Service
) -> dict[str, Any]:
    """Describe an edition with its stories and its letters' counts."""
    values = {
        name: value
        for name, value in asdict(edition).items()
        if name not in {"newsletter_id", "frozen"}
    }
    found = deliveries.counts(tx, edition.id, since=service.now()).by_state
    stories = editions.stories(tx, edition.id)
    return values | {
        "newsletter": newsletter.slug,
        "stories": [_story_document(story) for story in stories],
        "opinions": opinions.counts(tx, edition.id),
        "counts": {state.value: found.get(state, 0) for state in DeliveryState},
    }


def letters(count: int, one: str, many: str) -> str:
    """Say what some letters do: `1 letter waits`, `2 letters wait`."""
    return f"1 letter {one}" if count == 1 else f"{count:,} letters {many}"


def edition_line(document: Mapping[str, Any]) -> str:
    """Sum an edition up in one line."""
    return (
        f"{document['id']:>4}  {document['issue_date']}  No. {document['number']:<4} "
        f"{document['state']:<10} {document['newsletter']}: {document['subject']}"
        f"{_about(document)}"
    )


def _about(document: Mapping[str, Any]) -> str:
    wrong = document["corrects"]
    return f" (corrects edition {wrong})" if wrong is not None else ""


def edition_lines(document: Mapping[str, Any]) -> list[str]:
    """Describe an edition for people."""
    subject, preheader = document["subject"], document["preheader"]
    long = {name: counted(len(document[name]), "character") for name in _LINES}
    issue = f"{document['newsletter']} No. {document['number']}"
    lines = [
        f"Edition {document['id']}: {issue}, {document['issue_date']}, "
        + document["state"]
        + _about(document),
        f"  Subject    {subject} ({long['subject']})",
        f"  Preheader  {preheader or '-'} ({counted(len(preheader), 'character')})",
    ]
    for label, name in (("Opening", "opening"), ("Why", "why")):
        if document[name]:
            lines.append(f"  {label:<10} {' '.join(document[name].split())}")
    if document["opening_by"]:
        lines.append(f"  Signed     {document['opening_by']}")
    if document["sponsor"]:
        lines.append(f"  Paid by    {document['sponsor']['name']}")
    lines += [f"  {p['kind'].title():<10} {p['title']}" for p in document["picks"]]
    if document["support"]:
        lines.append(f"  Support    {document['support']['title']}")
    if document["held_by"]:
        lines.append(
            f"  Held       by {document['held_by']}: {document['held_because'] or '-'}"
        )
    if document["approved_by"]:
        because = document["approved_because"]
        reason = f" ({because})" if because else ""
        lines.append(f"  Approved   by {document['approved_by']}{reason}")
    lines += [
        f"  {s['position']:>2}. {s['section']:<10} {s['title']} [{s['article_id']}]"
        for s in document["stories"]
    ]
    return [*lines, *_count_lines(document)]


def _count_lines(document: Mapping[str, Any]) -> Iterator[str]:
    for label, name in (("Letters", "counts"), ("Opinions", "opinions")):
        if found := [f"{n} {what}" for what, n in document[name].items() if n]:
            yield f"  {label:<10} {', '.join(found)}"


def show_changed(
    face: Face, service: Service, edition_id: int, *, notes: Sequence[str] = ()
) -> None:
    """Show an edition as a command leaves it, and what there is to say of it."""
    document = load_document(service, edition_id)
    face.show(
        {"edition": document, "notes": list(notes)},
        [*edition_lines(document), *notes],
    )


def finding_documents(findings: Sequence[Finding]) -> list[dict[str, str]]:
    """Describe what preflight found."""
    return [{"rule": f.rule, "message": f.message, "where": f.where} for f in findings]


def finding_lines(kind: str, findings: Sequence[Finding]) -> list[str]:
    """Describe what preflight found, for people."""
    return [f"{kind}: {f.message} [{f.rule}, {f.where}]" for f in findings]


def _story_document(story: Story) -> dict[str, Any]:
    values = asdict(story)
    del values["id"], values["edition_id"]
    return values
