"""`subscribers …`: what operators and scripts see."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Ran

Cli = Callable[..., Ran]
CONFIRMED = ("--confirmed", "--consent", "by phone, 12 May")
LIST = (
    "email,name,confirmed_at,status\n"
    "alice@x.example,=Alice,2024-01-01T10:00:00Z,\n"
    "bob@x.example,Bob,,\n"
    "charlie@x.example,Charlie,,bounced\n"
)


@pytest.fixture
def desk(installed: Cli) -> Cli:
    """An installation."""
    return installed


@pytest.fixture
def readers(desk: Cli, tmp_path: Path) -> Cli:
    """Alice active, Charlie suppressed."""
    (tmp_path / "list.csv").write_text(LIST, encoding="utf-8")
    assert desk("subscribers", "import", "list.csv").status == 0
    return desk


def test_import_reports_every_count(desk: Cli, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(LIST, encoding="utf-8")

    ran = desk("subscribers", "import", "list.csv", "--json")

    assert ran.status == 0
    assert ran.document == {
        "read": 3,
        "added": 1,
        "already": 0,
        "suppressed": 1,
        "rejected": [
            {
                "line": 3,
                "reason": "nothing proves its consent: vouch for it with --consent",
            }
        ],
        "rejected_total": 1,
        "by_status": {"subscribed": 1, "bounced": 1},
        "preset": "plain",
        "dry_run": False,
    }


def test_import_shows_people_the_first_bad_rows(desk: Cli, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("email\n" + "bad\n" * 30, encoding="utf-8")

    ran = desk("subscribers", "import", "list.csv", "--dry-run")

    lines = ran.out.splitlines()
    assert lines[0].startswith("30 rows read as plain: 0 would be added")
    assert len(lines) == 22
    assert "10 more" in lines[-1]


@pytest.mark.parametrize(
    ("rows", "status"),
    [("bad\nworse\n", 1), ("bad\nalice@x.example\n", 0), ("", 0)],
)
def test_import_fails_where_every_row_was_rejected(
    desk: Cli, tmp_path: Path, rows: str, status: int
) -> None:
    (tmp_path / "list.csv").write_text("email\n" + rows, encoding="utf-8")

    ran = desk("subscribers", "import", "list.csv", "--consent", "a fair", "--json")

    assert ran.status == status
    assert ran.document["rejected_total"] == rows.count("bad") + rows.count("worse")


def test_import_takes_a_mapping_and_a_preset(desk: Cli, tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("Who;When\na@x.example;2024-01-01\n", "utf-8")
    maps = ("--map", "address=who", "--map", "confirmed_at=When", "--preset", "plain")

    ran = desk("subscribers", "import", "l.csv", *maps, "--json")

    assert ran.document["added"] == 1


@pytest.mark.parametrize(
    ("arguments", "status", "why"),
    [
        (("import", "missing.csv"), 1, "No such file"),
        (("import", "empty.csv"), 1, "is empty"),
        (("import", "page.csv"), 1, "a web page"),
        (("import", "odd.csv"), 1, "--map address=COLUMN"),
        (("import", "odd.csv", "--map", "address"), 2, "not FIELD=COLUMN"),
        (("import", "odd.csv", "--preset", "sendy"), 2, "no preset"),
        (("import", "odd.csv", "--newsletter", "daily"), 1, "no newsletter"),
        (("export", "no/such/folder.csv"), 1, "No such file"),
        (("show", "nobody@x.example"), 1, "Nobody with that address"),
        (("show", "a@@x.example"), 1, "Not an e-mail address"),
        (("erase", "nobody@x.example"), 1, "Nobody with that address"),
        (("add", "a@x.example", "--confirmed"), 2, "go together"),
        (("add", "a@x.example", "--consent", "yes"), 2, "go together"),
        (("add", "a@x.example", "--sections", "nope"), 1, "no section"),
        (("suppress", "a@x.example", "--reason", ""), 2, "reason is needed"),
        (("unsuppress", "a@x.example", "--reason", "x"), 1, "not suppressed"),
    ],
)
def test_errors_are_one_line_with_the_mend(
    desk: Cli, tmp_path: Path, arguments: tuple[str, ...], status: int, why: str
) -> None:
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "page.csv").write_bytes(b"<!doctype html>")
    (tmp_path / "odd.csv").write_bytes(b"colour,size\nred,1\n")

    ran = desk("subscribers", *arguments)

    assert (ran.status, ran.out, ran.err.count("\n")) == (status, "", 1)
    assert why in ran.err


def test_add_queues_a_confirmation_letter(desk: Cli) -> None:
    first = desk("subscribers", "add", "dana@x.example", "--json")
    second = desk("subscribers", "add", "dana@x.example", "--json")

    assert first.document == {"address": "dana@x.example", "outcome": "mailed"}
    assert second.document["outcome"] == "limited"


def test_add_confirmed_is_active_with_its_wishes(desk: Cli) -> None:
    wishes = ("--name", "Dana", "--format", "text", "--sections", "news")

    ran = desk("subscribers", "add", "dana@x.example", *CONFIRMED, *wishes, "--json")

    shown = desk("subscribers", "show", "dana@x.example", "--json").document
    assert ran.document["outcome"] == "recorded"
    assert shown["name"] == "Dana"
    held = shown["subscriptions"][0]
    assert (held["state"], held["format"], held["sections"]) == (
        "active",
        "text",
        ["news"],
    )
    assert shown["consent"][0]["wording"] == "by phone, 12 May"


def test_show_has_the_promised_fields(readers: Cli) -> None:
    found = readers("subscribers", "show", "alice@x.example", "--json").document
    barred = readers("subscribers", "show", "charlie@x.example", "--json").document

    assert set(found) == {
        "id",
        "address",
        "name",
        "subscriptions",
        "suppression",
        "consent",
        "history",
    }
    assert {"newsletter", "state", "sections", "format", "since"} <= set(
        found["subscriptions"][0]
    )
    assert found["suppression"] is None
    assert (barred["id"], barred["suppression"]["reason"]) == (None, "bounce")


def test_show_tells_people_the_same(readers: Cli) -> None:
    readers("subscribers", "unsubscribe", "alice@x.example")
    readers("subscribers", "suppress", "alice@x.example", "--reason", "legal")

    lines = readers("subscribers", "show", "alice@x.example").out

    assert "weekly: unsubscribed since" in lines
    assert "suppressed: manual" in lines
    assert "consent imported: list.csv (plain)" in lines
    assert "subscriber.suppressed by cli" in lines


def test_unsubscribe_leaves_and_says_what(readers: Cli) -> None:
    first = readers("subscribers", "unsubscribe", "alice@x.example", "--json")
    second = readers("subscribers", "unsubscribe", "alice@x.example")

    assert first.document == {"left": ["weekly"]}
    assert (second.status, second.out) == (0, "There was nothing to leave.\n")


def test_suppress_and_unsuppress_are_each_other_s_way_back(readers: Cli) -> None:
    address = "alice@x.example"

    barred = readers("subscribers", "suppress", address, "--reason", "legal", "--json")
    lifted = readers("subscribers", "unsuppress", address, "--reason", "ok", "--json")

    assert barred.document["suppression"]["reason"] == "manual"
    assert lifted.document["was"]["reason"] == "manual"
    shown = readers("subscribers", "show", address, "--json").document
    assert shown["suppression"] is None


def test_erase_forgets_the_address(readers: Cli) -> None:
    ran = readers("subscribers", "erase", "Alice@x.example", "--json")

    shown = readers("subscribers", "show", "alice@x.example", "--json").document
    assert ran.document["erased"] is True
    assert (shown["id"], shown["suppression"]["reason"]) == (None, "request")


def test_list_goes_page_by_page(desk: Cli) -> None:
    for name in ("a", "b", "c"):
        desk("subscribers", "add", f"{name}@x.example", *CONFIRMED)

    first = desk("subscribers", "list", "--limit", "2", "--json").document
    rest = desk("subscribers", "list", "--after", str(first["next"]), "--json").document

    assert [each["address"][0] for each in first["items"]] == ["a", "b"]
    assert ([each["address"][0] for each in rest["items"]], rest["next"]) == (
        ["c"],
        None,
    )


def test_list_shows_people_how_to_go_on(desk: Cli) -> None:
    for name in ("a", "b"):
        desk("subscribers", "add", f"{name}@x.example", *CONFIRMED)

    more = desk("subscribers", "list", "--limit", "1").out
    none = desk("subscribers", "list", "--state", "paused").out

    assert "More: --after" in more
    assert none == "No readers.\n"


def test_stats_count(readers: Cli) -> None:
    document = readers("subscribers", "stats", "--json").document
    lines = readers("subscribers", "stats").out

    assert document["readers"] == 1
    assert document["newsletters"]["weekly"]["active"] == 1
    assert document["suppressions"]["bounce"] == 1
    assert document["domains"] == [{"domain": "x.example", "readers": 1}]
    assert "weekly: 0 pending, 1 active" in lines


def test_export_writes_formula_safe_rows_to_a_file(
    readers: Cli, tmp_path: Path
) -> None:
    ran = readers("subscribers", "export", "out.csv", "--json")

    header, alice, charlie = (
        (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()
    )
    assert ran.document == {"file": "out.csv", "rows": 2}
    assert header == (
        "address,name,newsletter,state,sections,format,since,confirmed_at,"
        "consent_source,suppressed"
    )
    assert alice.startswith("alice@x.example,'=Alice,weekly,active,,html,2024-01-01T")
    assert charlie == "charlie@x.example,,,,,,,,,bounce"


def test_export_goes_to_stdout_but_not_beside_json(readers: Cli) -> None:
    plain = readers("subscribers", "export")
    refused = readers("subscribers", "export", "--json")

    assert plain.out.count("\r\n") == 3
    assert (refused.status, "error" in refused.document) == (2, True)


def test_export_to_a_pipe_is_utf_8_with_crlf(readers: Cli, tmp_path: Path) -> None:
    wish = ("subscribers", "add", "j@x.example", "--name", "José", *CONFIRMED)
    assert readers(*wish).status == 0

    done = subprocess.run(
        [sys.executable, "-m", "digest", "subscribers", "export"],
        env={**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=True,
    )

    assert "José".encode() in done.stdout
    assert done.stdout.count(b"\r\n") == done.stdout.count(b"\n") == 4


def test_json_prints_one_document_only(readers: Cli) -> None:
    ran = readers("subscribers", "stats", "--json")

    assert json.loads(ran.out)
    assert ran.err == ""
