"""What sets a correction apart from an issue: its layout, and the words around it."""

from digest.compose.view import clean
from digest.domain.editions import Edition
from digest.domain.issue import write_date, write_number
from digest.domain.newsletters import Newsletter
from digest.domain.recipe import LONGEST_SUBJECT, shorten
from digest.domain.states import EditionKind
from digest.domain.theme import read_theme
from digest.templating import Templates

_LAYOUT = "correction"


def is_correction(edition: Edition) -> bool:
    """Tell whether an edition corrects another."""
    return edition.kind == EditionKind.CORRECTION


def correction_number(edition: Edition) -> int:
    """Return which correction of its issue it is; 0: it is none."""
    return edition.revision if is_correction(edition) else 0


def layout_of(edition: Edition, newsletter: Newsletter) -> str:
    """Return the layout of an edition's letters."""
    return _LAYOUT if is_correction(edition) else newsletter.template


def title_of(wrong: str, newsletter: Newsletter, *, templates: Templates) -> str:
    """Put "Correction:" before a subject, in the newsletter's language.

    Args:
        wrong: The subject; with the word before it already, it stays as it is.
        newsletter: Whose language.
        templates: The installation's templates.
    """
    subject = " ".join(clean(wrong).split())
    if subject.startswith(prefix(newsletter, templates=templates)):
        return subject
    room = LONGEST_SUBJECT - len(prefix(newsletter, templates=templates)) - 1
    return _title(shorten(subject, room), newsletter, templates)


def prefix(newsletter: Newsletter, *, templates: Templates) -> str:
    """Return what the subject of a correction begins with: "Correction:"."""
    return _title("", newsletter, templates)


def preheader_of(
    wrong: Edition, newsletter: Newsletter, *, templates: Templates
) -> str:
    """Say in a preheader which issue is corrected."""
    digits = read_theme(newsletter.theme, direction=newsletter.direction).digits
    date = write_date(wrong.issue_date, language=newsletter.language, digits=digits)
    return templates.line(
        f"email/{_LAYOUT}/preheader.txt",
        language=newsletter.language,
        context={"number": write_number(wrong.number, digits=digits), "date": date},
    )


def _title(subject: str, newsletter: Newsletter, templates: Templates) -> str:
    return templates.line(
        f"email/{_LAYOUT}/title.txt",
        language=newsletter.language,
        context={"subject": subject},
    )
