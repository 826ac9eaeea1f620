"""Which section of the letter a story belongs to."""

from collections.abc import Iterable, Mapping, Sequence

from digest.domain.articles import NO_SECTION
from digest.domain.newsletters import Section
from digest.domain.plaintext import fold

_SMALL_WORDS = {"and", "the", "of", "in", "و"}


def guess_section(
    categories: Iterable[str],
    sections: Sequence[Section],
    category_map: Mapping[str, str],
) -> str | None:
    """Return the slug of the section a story's categories name, or None.

    The source's own table rules; else a category equal to a section's slug or title;
    else one whose words all stand in a title ("Politics" in "News & Politics").
    """
    mapped = {fold(category): slug for category, slug in category_map.items()}
    known = {section.slug for section in sections}
    table = {category: slug for category, slug in mapped.items() if slug in known}
    for section in reversed(sections):
        table = {fold(s): section.slug for s in (section.slug, section.title)} | table
    folded = [fold(category) for category in categories]
    exact = next((table[category] for category in folded if category in table), None)
    return exact or _guess_by_words(folded, sections)


def _guess_by_words(
    categories: Sequence[str], sections: Sequence[Section]
) -> str | None:
    for category in categories:
        for section in sections:
            if (words := _words(category)) and words <= _words(fold(section.title)):
                return section.slug
    return None


def flags_for(section: str | None, flags: tuple[str, ...]) -> tuple[str, ...]:
    """Add the flag that asks the desk for a section where there is none."""
    return flags if section or NO_SECTION in flags else (*flags, NO_SECTION)


def _words(text: str) -> set[str]:
    return set(text.split()) - _SMALL_WORDS
