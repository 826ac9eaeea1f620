"""Every word a reader sees, in a letter or on a page, is there in Arabic."""

import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from digest.templating import Templates

ROOT = Templates().root
OPTIONS = {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}
KEYWORDS = ("gettext", "ngettext", "_")
PLACEHOLDER = re.compile(r"%\(\w+\)s")
# Placeholders that may stay away: in Arabic "one" and "two" are said by the noun.
SAID_BY_THE_NOUN = "%(shown)s"
SIX = ["zero", "one", "two", "few", "many", "other"]


def words_of(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        for _, _, found, _ in babel_extract(file, KEYWORDS, [], OPTIONS):
            yield str(found[0] if isinstance(found, tuple) else found)


def all_words() -> set[str]:
    templates = [p for p in ROOT.rglob("*") if p.suffix in {".html", ".txt"}]
    return {word for path in templates for word in words_of(path)}


def arabic() -> Catalog:
    with (ROOT / "locale/ar.po").open("rb") as file:
        return read_po(file)


def messages() -> list[Message]:
    return [message for message in arabic() if message.id]


def first_id(message: Message) -> str:
    return message.id[0] if isinstance(message.id, (tuple, list)) else message.id


def forms(message: Message) -> list[str]:
    text = message.string
    return list(text) if isinstance(text, (tuple, list)) else [text or ""]


def test_every_word_is_translated() -> None:
    known = {first_id(message) for message in messages() if all(forms(message))}

    assert all_words() - known == set()


def test_no_translation_is_left_over_or_in_doubt() -> None:
    left_over = {first_id(message) for message in messages()} - all_words()

    assert left_over == set()
    assert [m.id for m in messages() if m.fuzzy] == []
    assert not arabic().obsolete


def test_every_count_has_the_six_forms_of_arabic() -> None:
    catalog = arabic()
    counted = [m for m in messages() if m.pluralizable]

    assert catalog.num_plurals == len(SIX)
    assert counted
    for message in counted:
        assert len(forms(message)) == len(SIX), message.id
        # "Three to ten" and "eleven to ninety-nine" need the number; 1 and 2 do not.
        shown = [SAID_BY_THE_NOUN in form for form in forms(message)]
        assert shown == [False, False, False, True, True, True], message.id


def test_plural_forms_are_chosen_as_cldr_does() -> None:
    for number, form in [
        *((0, "zero"), (1, "one"), (2, "two"), (3, "few"), (10, "few"), (11, "many")),
        *((99, "many"), (100, "other"), (102, "other"), (103, "few"), (111, "many")),
    ]:
        words = Templates().line(
            "email/classic/preheader.txt",
            language="ar",
            context={"stories": [], "minutes": number, "figures": str},
        )
        expected = forms(arabic()["%(shown)s-minute read"])[SIX.index(form)]

        assert words == expected.replace(SAID_BY_THE_NOUN, str(number)) + ".", number


def test_translations_keep_what_is_filled_in() -> None:
    for message in messages():
        wanted = set(PLACEHOLDER.findall(first_id(message)))
        for form in forms(message):
            found = set(PLACEHOLDER.findall(form))
            assert found <= wanted, message.id
            assert wanted - found <= {SAID_BY_THE_NOUN}, message.id


def test_isolates_in_translations_are_closed() -> None:
    for message in messages():
        for form in forms(message):
            assert form.count("\u2066") == form.count("\u2069"), message.id
