"""An operator's own layouts: used, kept within limits, named when they are wrong."""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from jinja2.sandbox import ImmutableSandboxedEnvironment

from digest.bootstrap import Service
from digest.compose.render import context_of, render
from digest.compose.view import edition_view
from digest.send.worker import drain
from digest.settings import Settings
from digest.storage import newsletters
from digest.storage.engine import Database
from digest.templating import Templates
from digest.templating.apart import MEGABYTES, TemplateFaultError
from digest.web.pages import render_text
from tests.builders import NOW, SITE, add_newsletter
from tests.conftest import Ran
from tests.integration.compose.conftest import Desk
from tests.layouts import EDITION, NEWSLETTER, STORIES, rendered, stopped
from tests.posting import Inbox, add_reader, make_post, release_edition
from tests.weeks import ISSUE_DATE, add_article

Cli = Callable[..., Ran]

# Of the kinds that public lists of template-injection strings hold.
ESCAPES = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''|attr('__class__') }}",
    "{{ ''|attr('\\x5f\\x5fclass\\x5f\\x5f') }}",
    "{{ ''['__class__'] }}",
    "{{ ['']|map(attribute='__class__')|list }}",
    "{{ [('',)]|groupby('0.__class__') }}",
    "{{ '{0.__class__.__mro__}'.format('') }}",
    "{{ ('{0.__class__}'|safe).format('') }}",
    "{{ '{x.__class__}'.format_map({'x': ''}) }}",
    "{{ self._TemplateReference__context }}",
    "{{ self.__init__.__globals__ }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ lipsum.__globals__['os'].popen('id').read() }}",
    "{{ joiner.__init__.__globals__ }}",
    "{{ namespace.__init__.__globals__ }}",
    "{{ figures.func.__globals__ }}",
    "{{ direction_of.func.__code__ }}",
    "{{ absolute.__self__ }}",
    "{{ view.__class__.__init__.__globals__ }}",
    "{{ links.pop('web') }}",
    "{{ view.sections.__class__ }}",
    "{{ config }}",
    "{{ request.application }}",
    "{{ environ }}",
    "{{ get_flashed_messages }}",
    "{% include '/etc/passwd' %}",
    "{% include '../../keys/token.key' %}",
    "{% include 'email/../../keys/token.key' %}",
    "{% import os %}",
    "{% set x = [] %}{{ x.append(1) }}",
    "{{ (none).__doc__ }}",
]
ENDLESS = (
    "\n{% for i in range(99999) %}{% for j in range(99999) %}\n{% endfor %}{% endfor %}"
)
DOUBLING = (
    "{% set n = namespace(x='ab') %}"
    "{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}"
)
BOMBS = [
    "{{ range(10**9) }}{% for i in range(10**9) %}x{% endfor %}",
    "{{ range(10**9)|list }}",
    "{{ 'a' * 10**9 }}",
    "{{ 'a' * 10**8 }}",
    "{{ [1] * 10**9 }}",
    "{{ 10**(10**8) }}",
    "{{ 'x'|center(10**9) }}",
    "{{ '%999999999d'|format(1) }}",
    "{{ lipsum(n=10**7) }}",
    "{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}",
    "{% for i in range(9999) %}{% for j in range(9999) %}x{% endfor %}{% endfor %}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    DOUBLING,
    "{{ " + "(" * 500 + "1" + ")" * 500 + " }}",
    "{{ " + "-" * 20_000 + "1 }}",
    # Broken markup that takes long to read once it is written.
    "{{ '<a ' * 200000 }}",
    "{{ '<!--' * 200000 }}",
]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """An operator's folder with room for the layout `classic`."""
    folder = tmp_path / "own"
    (folder / "email" / "classic").mkdir(parents=True)
    return folder


@pytest.fixture(scope="module")
def small() -> Iterator[Executor]:
    """A process that has not grown with the tests before."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        yield pool


def test_a_file_of_ones_own_goes_before_the_shipped_one(own: Path) -> None:
    letter = rendered(own, "<h1>{{ view.lead.title }}</h1>{{ figures(3) }}")
    shipped = render(EDITION, NEWSLETTER, STORIES, templates=Templates(), site=SITE)

    assert letter.html.startswith("<h1>Egypt Refuses")
    assert (letter.subject, letter.text) == (shipped.subject, shipped.text)


def test_the_shipped_layout_is_the_same_in_the_sandbox(own: Path) -> None:
    shipped = Templates().root / "email" / "classic" / "body.html"

    letter = rendered(own, shipped.read_text(encoding="utf-8"))

    usual = render(EDITION, NEWSLETTER, STORIES, templates=Templates(), site=SITE)
    assert letter == usual


def test_words_of_a_story_stay_words(own: Path) -> None:
    stories = [replace(STORIES[0], title="<b>{{ 7 * 7 }}</b>")]
    (own / "email" / "classic" / "body.html").write_text("{{ view.lead.title }}")

    letter = render(
        EDITION, NEWSLETTER, stories, templates=Templates(own=own), site=SITE
    )

    assert letter.html == "&lt;b&gt;{{ 7 * 7 }}&lt;/b&gt;"


@pytest.mark.parametrize("text", ESCAPES)
def test_no_template_reaches_python(own: Path, text: str) -> None:
    try:
        html = rendered(own, f"<p>{text}</p>").html
    except TemplateFaultError:
        html = ""

    assert "root:" not in html
    assert "<class" not in html
    assert "&lt;class" not in html
    assert "&lt;function" not in html


@pytest.mark.parametrize("text", BOMBS)
def test_what_computes_or_writes_without_end_is_stopped(
    own: Path, small: Executor, text: str
) -> None:
    found = small.submit(stopped, own, f"\n{text}").result()

    assert found is not None
    assert found.place.startswith("email/classic/body.html")
    assert "\n" not in found.message
    assert found.seconds < 3
    assert found.kilobytes < MEGABYTES * 1024


def test_a_subject_without_end_is_stopped(own: Path) -> None:
    with pytest.raises(TemplateFaultError, match="more than 2,000 characters"):
        rendered(own, "{{ 'a' * 2001 }}", part="subject.txt")


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("\n\n{% if %}", "line 3", "Expected"),
        ("\n{{ colour }}", "line 2", "'colour' is undefined"),
        ("\n{% include 'email/none.html' %}", "line 2", "no template"),
        ("\n{{ 1 // 0 }}", "line 2", "division"),
        ("{{ ''.__class__ }}", "line 1", "unsafe"),
        (ENDLESS, "line 2", "more than 0.8 seconds"),
    ],
)
def test_a_fault_is_named_with_file_and_line(
    own: Path, text: str, place: str, said: str
) -> None:
    with pytest.raises(TemplateFaultError) as fault:
        rendered(own, text)

    assert fault.value.place == f"email/classic/body.html, {place}"
    assert said in fault.value.message


def test_a_fault_in_a_shared_part_is_named_there(own: Path) -> None:
    (own / "email" / "_macros.html").write_text("{% macro type() %}\n{{ x }}\n")

    with pytest.raises(TemplateFaultError, match=r"_macros\.html, line"):
        render(EDITION, NEWSLETTER, STORIES, templates=Templates(own=own), site=SITE)


def test_changing_a_file_of_ones_own_changes_what_was_approved(own: Path) -> None:
    templates = Templates(own=own)
    before = templates.fingerprint("classic", language="en")

    (own / "email" / "classic" / "subject.txt").write_text("Other")

    assert templates.fingerprint("classic", language="en") != before


def test_notices_and_pages_stay_as_they_were_shipped(
    own: Path, service: Service
) -> None:
    for name in (
        "email/confirmation/subject.txt",
        "email/_notice.html",
        "web/help.html",
    ):
        path = own / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{% if %}")
    templates = Templates(own=own)

    page = render_text(replace(service, templates=templates), "help", NEWSLETTER)

    assert "<h1" in page


def test_a_layout_that_is_nowhere_is_named() -> None:
    with pytest.raises(
        TemplateFaultError, match="email/brand: there is no such layout"
    ):
        Templates().issue("brand", language="en", context={})


def test_every_file_of_ones_own_is_compiled_by_the_doctor(own: Path) -> None:
    (own / "email" / "classic" / "body.txt").write_text("{{ view.lead.title }}")
    (own / "email" / "classic" / "body.html").write_text("{% if %}")

    faults = Templates(own=own).faults()

    assert len(faults) == 1
    assert faults[0].startswith("email/classic/body.html, line 1: ")


def test_nothing_secret_can_be_walked_to() -> None:
    view = edition_view(EDITION, NEWSLETTER, STORIES)
    context = context_of(view, NEWSLETTER, SITE)

    kinds = {type(thing) for thing in _reachable(context)}

    assert not kinds & {ModuleType, Settings, Service, Database, Path}
    assert not {kind for kind in kinds if "Secret" in kind.__name__}


def _reachable(start: Any) -> Iterator[Any]:
    """Walk every attribute and item that the sandbox lets a template take."""
    sandbox = ImmutableSandboxedEnvironment()
    seen, waiting = set(), [start]
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, (str, int, float)):
            continue
        seen.add(id(thing))
        yield thing
        if isinstance(thing, dict):
            waiting.extend(thing.values())
        elif isinstance(thing, (list, tuple)):
            waiting.extend(thing)
        for name in dir(thing):
            value = getattr(thing, name, None)
            if sandbox.is_safe_attribute(thing, name, value):
                waiting.append(value)


def test_editions_check_names_what_is_wrong_and_pages_go_on(
    installed: Cli, tmp_path: Path
) -> None:
    db = Database(f"sqlite:///{tmp_path / 'home' / 'digest.db'}")
    with db.read() as tx:
        weekly = newsletters.get(tx, "weekly")
    add_article(db, weekly)
    db.close()
    layout = tmp_path / "home" / "templates" / "email" / "classic"
    layout.mkdir(parents=True)
    (layout / "body.html").write_text("\n{{ colour }}")
    composed = installed("editions", "compose", "--issue-date", "2024-05-12")

    checked = installed("editions", "check", "1", "--json")
    previewed = installed("editions", "preview", "1")

    assert composed.status == 0
    assert checked.status == 1
    (error,) = checked.document["errors"]
    assert (error["rule"], error["where"]) == (
        "template",
        "email/classic/body.html, line 2",
    )
    assert previewed.status == 1
    assert previewed.err.count("\n") == 1


async def test_what_was_released_goes_whatever_becomes_of_the_layout(
    own: Path, sqlite_db: Database
) -> None:
    layout = own / "email" / "classic" / "body.html"
    shipped = Templates().root / "email" / "classic" / "body.html"
    layout.write_text(shipped.read_text(encoding="utf-8"), encoding="utf-8")
    desk = Desk(sqlite_db, Templates(own=own))
    weekly = add_newsletter(sqlite_db)
    add_article(sqlite_db, weekly)
    add_reader(sqlite_db, weekly, "bob@example.com")
    approved = desk.approve(desk.compose(issue_date=ISSUE_DATE).edition.id)
    release_edition(sqlite_db, approved.edition)
    layout.write_text("{% if %}")
    inbox = Inbox()

    async with inbox.sink() as sink:
        totals = await drain(make_post(sqlite_db, sink.port), clock=lambda: NOW)

    assert (totals.sent, inbox.recipients()) == (1, ["bob@example.com"])
