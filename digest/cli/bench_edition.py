"""What a bench sends: an installation of its own, made-up readers, a letter."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from digest import bootstrap
from digest.bootstrap import Service, installing
from digest.cli.dkim import make_key
from digest.cli.face import CLI
from digest.compose import approve, draft, edit
from digest.compose.preview import preview
from digest.domain.errors import StateError
from digest.ingest.imports import import_sources
from digest.mail import quoted
from digest.settings import DatabaseSettings, Settings
from digest.storage.scratch import scratch_database
from digest.subscriptions import importing
from digest.subscriptions.importing import ImportWish
from digest.templating import shipped

_NEWSLETTER = "weekly"
# Nobody's: RFC 2606 §3.
_DOMAINS = ("example.com", "example.net", "example.org")
PARAGRAPH = "A sentence of a story, long enough to be one. " * 10
"""What a story, and the opening of an edition that is made larger, is made of."""
STORY = f"A story for the bench\n\n{PARAGRAPH}\n\n{PARAGRAPH}\n"
"""A story as pasted text: its headline and two paragraphs."""


@contextmanager
def installation(settings: Settings) -> Iterator[Settings]:
    """Make a home, and on PostgreSQL a database, that share nothing with any other.

    Args:
        settings: Those of the operator; only the kind of database, the disk and the
            relay are taken from them, as limits would be what is measured.

    Yields:
        The settings of the installation, which is deleted afterwards.

    Raises:
        StateError: The PostgreSQL account may not create databases.
    """
    # The same disk: what a commit costs depends on it.
    place = settings.home if settings.home.is_dir() else None
    with TemporaryDirectory(prefix="bench-", dir=place) as folder:
        own = Settings(home=Path(folder), smtp=settings.smtp)
        if settings.database_url.startswith("sqlite"):
            yield own
            return
        with scratch_database(settings.database_url) as url:
            found = DatabaseSettings.model_validate({"url": url})
            yield own.model_copy(update={"database": found})


def open_installation(settings: Settings, *, dkim: bool) -> Service:
    """Fill it like `digest init`, with a key where letters are to be signed."""
    seeds = shipped("config") / "newsletters"
    installing.initialise(settings, actor=CLI, seeds=seeds)
    if dkim:
        make_key(settings.dkim_key_file)
    return bootstrap.open_service(settings)


def add_readers(service: Service, count: int) -> None:
    """Import readers from a list, as an operator would.

    Raises:
        StateError: Not every one of them was taken.
    """
    path = service.settings.home / "readers.csv"
    write_list(path, count)
    wish = ImportWish(path=path, newsletter=_NEWSLETTER, consent="Made up for a bench.")
    report = importing.import_file(
        service.db, wish, secrets=service.secrets, actor=CLI, now=service.now()
    )
    path.unlink()
    if report.added != count:
        raise StateError(f"Only {report.added} of {count} readers could be added.")


def write_list(path: Path, count: int) -> None:
    """Write a CSV file of so many made-up addresses."""
    with path.open("w", encoding="ascii") as file:
        file.write("email\n")
        for number in range(1, count + 1):
            domain = _DOMAINS[number % len(_DOMAINS)]
            file.write(f"reader-{number:07}@{domain}\n")


def approve_edition(service: Service, *, octets: int) -> tuple[int, int]:
    """Compose an edition of one story, stretch it to a size and approve it.

    Args:
        service: An installation with readers.
        octets: How large a letter should be; a short one cannot be made shorter.

    Returns:
        The edition's id, and how large its letter is.
    """
    edition_id = _compose(service)
    short = _measure(service, edition_id)
    _stretch(service, edition_id, paragraphs=10)
    each = (_measure(service, edition_id) - short) / 10
    paragraphs = max(0, round((octets - short) / each))
    _stretch(service, edition_id, paragraphs=paragraphs)
    approve.approve(
        service.db,
        edition_id=edition_id,
        because="A bench accepts every warning.",
        templates=service.templates,
        site=service.site,
        posting=service.posting(),
        actor=CLI,
        now=service.now(),
    )
    return edition_id, _measure(service, edition_id)


def _compose(service: Service) -> int:
    path = service.settings.home / "story.txt"
    path.write_text(STORY, encoding="ascii")
    report = import_sources(
        service.db,
        newsletter=_NEWSLETTER,
        inputs=[str(path)],
        fetcher=bootstrap.make_fetcher(service.settings),
        actor=CLI,
        now=service.now(),
        url="https://example.com/bench",
        section="news",
    )
    composed = draft.compose(
        service.db,
        newsletter=_NEWSLETTER,
        articles=[report.imported[0].id],
        templates=service.templates,
        site=service.site,
        actor=CLI,
        now=service.now(),
    )
    return composed.edition.id


def _stretch(service: Service, edition_id: int, *, paragraphs: int) -> None:
    edit.edit(
        service.db,
        edition_id=edition_id,
        changes=edit.Changes(opening="\n".join([PARAGRAPH.strip()] * paragraphs)),
        templates=service.templates,
        site=service.site,
        actor=CLI,
        now=service.now(),
    )


def _measure(service: Service, edition_id: int) -> int:
    """Return the octets of a letter's two texts as they travel, without headers."""
    found = preview(
        service.db,
        edition_id=edition_id,
        templates=service.templates,
        site=service.site,
    )
    parts = (found.variant.text, found.variant.html or "")
    return sum(len(quoted.encode(part)) for part in parts)
