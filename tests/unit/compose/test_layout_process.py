"""What the process of own layouts answers; its limits are tested from outside."""

from pathlib import Path
from typing import Any

import pytest

from digest.templating import shipped
from digest.templating.apart import MOST_OCTETS, Task
from digest.templating.process import perform, prepare


def answer(own: Path, text: str, **context: Any) -> dict[str, Any]:
    (own / "a.html").write_text(text, encoding="utf-8")
    task = Task(
        own=own,
        root=shipped("templates"),
        language="en",
        paths=["a.html"],
        context=context,
    )
    return perform(task, prepare(task))


def test_renders_and_escapes(tmp_path: Path) -> None:
    assert answer(tmp_path, "<p>{{ word }}", word="<b>") == {"parts": ["<p>&lt;b&gt;"]}


def test_knows_the_words_of_a_language(tmp_path: Path) -> None:
    text = "{% trans %}Unsubscribe{% endtrans %}"

    assert answer(tmp_path, text) == {"parts": ["Unsubscribe"]}


@pytest.mark.parametrize(
    ("text", "place", "fault"),
    [
        ("\n{% if %}", "a.html, line 2", "Expected an expression, got 'end of sta"),
        ("\n\n{{ no }}", "a.html, line 3", "'no' is undefined."),
        ("{% include 'b' %}", "a.html, line 1", "there is no template 'b'."),
        ("{{ 'a' * 10**6 }}b", "a.html", f"it writes more than {MOST_OCTETS:,} char"),
        ("{{ stop() }}", "a.html, line 1", "it needs more than 512 MB."),
        ("{{ ''.__class__ }}", "a.html, line 1", "access to attribute '__class__'"),
    ],
)
def test_names_the_place_of_a_fault(
    tmp_path: Path, text: str, place: str, fault: str
) -> None:
    def stop() -> None:
        raise MemoryError

    found = answer(tmp_path, text, stop=stop)

    assert found["place"] == place
    assert found["fault"].startswith(fault)


def test_only_compiles_where_there_is_nothing_to_say(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("{{ unknown }}")
    task = Task(
        own=tmp_path, root=tmp_path, language="en", paths=["a.html"], context=None
    )

    assert perform(task, prepare(task)) == {"parts": [""]}
