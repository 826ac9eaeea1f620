"""Jinja2 environments and translations: letters, pages, and where they are found.

Text in templates is English and marked for translation; `locale/<language>.po` beside
the templates holds the other languages. Undefined names are errors, HTML is escaped.
"""

import gettext
import hashlib
from collections.abc import Iterator, Mapping, Sequence
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

from digest.domain.bidi import anchored, isolated, language_direction
from digest.templating.apart import Task, TemplateFaultError, run

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

    Args:
        root: The folder with `email/`, `web/` and `locale/`; default: the shipped one.
        own: The operator's folder, of which `email/<layout>/` and `email/_*` go
            before those of `root`; it need not exist. Only editions use them:
            pages and notices stay as shipped, whatever is wrong there.

    Attributes:
        root: As given.
        own: As given.
    """

    def __init__(self, root: Path | None = None, own: Path | None = None) -> None:
        self.root = root or shipped("templates")
        self.own = own

    def letter(self, name: str, *, language: str, context: Mapping[str, Any]) -> Letter:
        """Render `email/<name>/{subject.txt,body.txt,body.html}` as it was shipped.

        Args:
            name: The folder's name.
            language: BCP 47 tag of the words around the content.
            context: What the templates may use.

        Raises:
            jinja2.UndefinedError: A template uses a name the context lacks.
        """
        environment = _environment(self.root, language)
        parts = [
            environment.get_template(path).render(context, language=language)
            for path in _paths(name)
        ]
        return _letter(parts, language)

    def issue(self, name: str, *, language: str, context: Mapping[str, Any]) -> Letter:
        """Render an edition by a layout, the operator's own before the shipped one.

        Args:
            name: The layout's name.
            language: BCP 47 tag of the words around the content.
            context: What the layout may use; it can be pickled.

        Raises:
            TemplateFaultError: The operator's layout cannot be used.
        """
        if not self._is_own(name):
            self._require_layout(name)
            return self.letter(name, language=language, context=context)
        return _letter(self._run_own(_paths(name), language, context), language)

    def _run_own(
        self,
        paths: Sequence[str],
        language: str,
        context: Mapping[str, Any] | None,
    ) -> list[str]:
        assert self.own is not None, "there is an own layout"
        return run(
            Task(
                own=self.own.absolute(),
                root=self.root.absolute(),
                language=language,
                paths=paths,
                context=context,
            )
        )

    def _is_own(self, name: str) -> bool:
        return bool(self._own_sources(name))

    def _own_sources(self, name: str) -> list[Path]:
        if self.own is None:
            return []
        letters = self.own / "email"
        found = [*letters.glob(f"{name}/*"), *letters.glob("_*")]
        return sorted(path for path in found if path.is_file())

    def _require_layout(self, name: str) -> None:
        if not (self.root / "email" / name).is_dir():
            raise TemplateFaultError("there is no such layout.", f"email/{name}")

    @property
    def languages(self) -> list[str]:
        """English, and each language that there are words for."""
        return ["en", *sorted(path.stem for path in self.root.glob("locale/*.po"))]

    def faults(self) -> list[str]:
        """Name each template that does not compile, and why."""
        environment = _environment(self.root, "en")
        found = []
        for name in environment.list_templates(extensions=["html", "txt", "xml"]):
            try:
                environment.get_template(name)
            except TemplateError as error:
                found.append(f"{name}: {error}")
        return [*found, *self._own_faults()]

    def _own_faults(self) -> Iterator[str]:
        letters = (self.own or self.root) / "email"
        for path in sorted(letters.rglob("*")) if self.own else ():
            if not path.is_file():
                continue
            try:
                name = path.relative_to(letters.parent).as_posix()
                self._run_own([name], "en", context=None)
            except TemplateFaultError as error:
                yield error.message

    def line(self, path: str, *, language: str, context: Mapping[str, Any]) -> str:
        """Render one shipped template to a single line of text.

        Args:
            path: Below `root`: `email/classic/preheader.txt`, which also serves
                where a layout of the operator's own was shipped with none.
            language: BCP 47 tag.
            context: What the template may use.
        """
        known = [path, "email/classic/preheader.txt"]
        template = _environment(self.root, language).select_template(known)
        return " ".join(template.render(context, language=language).split())

    def fingerprint(self, name: str, *, language: str) -> str:
        """Name exactly the sources that `letter` would render from.

        Returns:
            64 hexadecimal digits over the letter's folder, the shared macros and
            the words of the language.
        """
        letters = self.root / "email"
        sources = [
            *sorted(letters.glob(f"{name}/*")),
            *sorted(letters.glob("_*")),
            *self.root.glob(f"locale/{_words_file(language)}"),
            *self._own_sources(name),
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


def _paths(name: str) -> list[str]:
    return [f"email/{name}/{part}" for part in ("subject.txt", "body.txt", "body.html")]


def _letter(parts: Sequence[str], language: str) -> Letter:
    subject, text, html = parts
    base = language_direction(language)
    return Letter(
        subject=" ".join(subject.split()),
        text=anchored(text.strip(), base) + "\n",
        html=html,
    )


@cache
def _environment(root: Path, language: str) -> Environment:
    environment = Environment(loader=FileSystemLoader(root), autoescape=True)
    furnish(environment, root, language)
    return environment


def furnish(environment: Environment, root: Path, language: str) -> None:
    """Give an environment what every template may rely on.

    Args:
        environment: As yet unused.
        root: The folder with `locale/`.
        language: BCP 47 tag.
    """
    environment.autoescape = select_autoescape(["html"])
    environment.undefined = StrictUndefined
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.add_extension("jinja2.ext.i18n")
    base = language_direction(language)
    environment.filters["isolated"] = lambda text: isolated(str(text), base)
    words = translations(root, language)
    # The extension adds this method at run time.
    environment.install_gettext_translations(words, newstyle=True)  # type: ignore[attr-defined]


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
