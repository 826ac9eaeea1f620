"""Jinja2 environments and translations: letters, pages, and where they are found.

Text in templates is English and marked for translation; `locale/<language>.po` beside
the templates holds the other languages. Undefined names are errors, HTML is escaped.
"""

import gettext
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from babel.messages.pofile import read_po
from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    select_autoescape,
)

_HERE = Path(__file__).parents[1]


def shipped(name: str) -> Path:
    """Return the folder `templates` or `config` that came with this package.

    An installed wheel carries them inside the package; a checkout beside it.
    """
    inside = _HERE / "_shipped" / name
    return inside if inside.is_dir() else _HERE.parent / name


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A rendered letter.

    Attributes:
        subject: One line.
        text: The plain-text part.
        html: The HTML part.
    """

    subject: str
    text: str
    html: str


class Templates:
    """The templates of one installation.

    Attributes:
        root: The folder with `email/`, `web/` and `locale/`.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or shipped("templates")

    def letter(self, name: str, *, language: str, context: Mapping[str, Any]) -> Letter:
        """Render `email/<name>/{subject.txt,body.txt,body.html}`.

        Args:
            name: The folder's name.
            language: BCP 47 tag of the words around the content.
            context: What the templates may use.

        Raises:
            jinja2.UndefinedError: A template uses a name the context lacks.
        """
        environment = _environment(self.root, language)

        def render(part: str) -> str:
            template = environment.get_template(f"email/{name}/{part}")
            return template.render(context, language=language)

        return Letter(
            subject=" ".join(render("subject.txt").split()),
            text=render("body.txt").strip() + "\n",
            html=render("body.html"),
        )

    def faults(self) -> list[str]:
        """Name each template that does not compile, and why."""
        environment = _environment(self.root, "en")
        found = []
        for name in environment.list_templates(extensions=["html", "txt", "xml"]):
            try:
                environment.get_template(name)
            except TemplateError as error:
                found.append(f"{name}: {error}")
        return found

    def line(self, path: str, *, language: str, context: Mapping[str, Any]) -> str:
        """Render one template to a single line of text.

        Args:
            path: Below `root`: `email/classic/preheader.txt`.
            language: BCP 47 tag.
            context: What the template may use.
        """
        template = _environment(self.root, language).get_template(path)
        return " ".join(template.render(context, language=language).split())

    def fingerprint(self, name: str, *, language: str) -> str:
        """Name exactly the sources that `letter` would render from.

        Returns:
            64 hexadecimal digits over the letter's folder, the shared macros and
            the words of the language.
        """
        letters = self.root / "email"
        sources = [
            *sorted((letters / name).iterdir()),
            *sorted(letters.glob("_*")),
            *self.root.glob(f"locale/{_words_file(language)}"),
        ]
        total = hashlib.sha256()
        for path in sources:
            content = hashlib.sha256(path.read_bytes()).digest()
            total.update(path.name.encode() + b"\0" + content)
        return total.hexdigest()

    def page(self, name: str, *, language: str, context: Mapping[str, Any]) -> str:
        """Render `web/<name>.html`."""
        template = _environment(self.root, language).get_template(f"web/{name}.html")
        return template.render(context, language=language)


@cache
def _environment(root: Path, language: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(root),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    words = translations(root, language)
    # The extension adds this method at run time.
    environment.install_gettext_translations(words, newstyle=True)  # type: ignore[attr-defined]
    return environment


@cache
def translations(root: Path, language: str) -> gettext.NullTranslations:
    """Load the words of a language; English where there is no file for it."""
    path = root / "locale" / _words_file(language)
    if not path.exists():
        return gettext.NullTranslations()
    with path.open("rb") as file:
        return _Catalog(file)


def _words_file(language: str) -> str:
    return f"{language.partition('-')[0]}.po"


class _Catalog(gettext.NullTranslations):
    """A .po file, read without a compiling step."""

    def _parse(self, fp: Any) -> None:
        catalog = read_po(fp)
        self._plural = catalog.plural_expr
        self._messages = {m.id: m.string for m in catalog if m.id and m.string}
        self._plurals = gettext.c2py(self._plural)

    def gettext(self, message: str) -> str:
        found = self._messages.get(message)
        return found if isinstance(found, str) else message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        found = self._messages.get((msgid1, msgid2))
        if isinstance(found, tuple) and all(found):
            return str(found[self._plurals(n)])
        return msgid1 if n == 1 else msgid2
