"""Every word a reader sees on a page or in an opt-in letter is there in Arabic."""

from collections.abc import Iterator
from pathlib import Path

from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from digest.templating import Templates

ROOT = Templates().root
PLACES = ("web/*.html", "email/_notice*", "email/confirmation/*", "email/welcome/*")
OPTIONS = {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}


def words_of(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        for _, _, found, _ in babel_extract(
            file, ("gettext", "ngettext", "_"), [], OPTIONS
        ):
            yield str(found[0] if isinstance(found, tuple) else found)


def test_every_word_is_translated() -> None:
    with (ROOT / "locale/ar.po").open("rb") as file:
        catalog = read_po(file)
    known = {
        m.id if isinstance(m.id, str) else m.id[0] for m in catalog if m.id and m.string
    }

    missing = {
        word
        for place in PLACES
        for path in ROOT.glob(place)
        for word in words_of(path)
        if word not in known
    }

    assert missing == set()
