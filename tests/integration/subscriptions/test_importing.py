"""Lists come in whole or not at all, suppressions win, nobody is mailed."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from digest.domain.addresses import parse_address
from digest.domain.errors import NotFoundError, RefusedError
from digest.domain.states import SubscriptionState, SuppressionReason
from digest.domain.subscribers import Origin
from digest.storage import (
    newsletters,
    schema,
    subscribers,
    subscriptions,
    suppressions,
)
from digest.storage.engine import Database
from digest.subscriptions import dossier, erase, leave, opt_in, suppressing
from digest.subscriptions.exporting import export_file, write_list
from digest.subscriptions.importing import (
    MOST_NAMED,
    ImportReport,
    ImportWish,
    import_file,
)
from tests.builders import NOW, SECRETS, add_newsletter
from tests.integration.subscriptions.common import CLI, count_rows

Import = Callable[..., ImportReport]
PROVEN = "email,name,confirmed_at,status\n"
STATED = datetime(2024, 1, 1, 10, tzinfo=UTC)


@pytest.fixture
def bring(db: Database, tmp_path: Path) -> Import:
    add_newsletter(db)

    def bring_it(text: str, *, name: str = "list.csv", **changes: Any) -> ImportReport:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8", newline="")
        values: dict[str, Any] = {"path": path, "newsletter": "weekly"}
        wish = ImportWish(**(values | changes))
        return import_file(db, wish, secrets=SECRETS, actor=CLI, now=NOW)

    return bring_it


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    return (
        report.added,
        report.already,
        report.suppressed,
        report.rejected_total,
    )


def look(db: Database, address: str) -> dict[str, Any]:
    return dossier.look_up(db, address=parse_address(address), secrets=SECRETS)


def state_of(db: Database, address: str) -> str:
    return str(look(db, address)["subscriptions"][0]["state"])


def test_keeps_the_time_and_source_of_each_consent(db: Database, bring: Import) -> None:
    report = bring(
        "email,name,confirmed_at,source,ip\n"
        "alice@x.example,Alice,2024-01-01T10:00:00Z,Book fair,192.0.2.7\n"
    )

    found = look(db, "alice@x.example")
    assert counts(report) == (1, 0, 0, 0)
    assert found["name"] == "Alice"
    assert [(s["state"], s["confirmed_at"]) for s in found["subscriptions"]] == [
        ("active", STATED)
    ]
    assert found["consent"] == [
        {
            "at": STATED,
            "newsletter": "weekly",
            "action": "imported",
            "source": "list.csv (plain): Book fair",
            "wording": "The list states: confirmed_at 2024-01-01T10:00:00Z",
            "network": "192.0.2.7",
            "actor": "cli",
        }
    ]


def test_mails_nobody(db: Database, bring: Import) -> None:
    bring(PROVEN + "alice@x.example,A,2024-01-01,\n")

    assert count_rows(db, "notices") == 0


def test_takes_rows_without_proof_only_when_vouched_for(
    db: Database, bring: Import
) -> None:
    text = "email\nalice@x.example\nbob@x.example\n"

    refused = bring(text)
    taken = bring(text, consent="Signed up on paper, 2023")

    assert counts(refused) == (0, 0, 0, 2)
    assert "--consent" in refused.rejected[0].reason
    assert counts(taken) == (2, 0, 0, 0)
    consent = look(db, "bob@x.example")["consent"][0]
    assert (consent["wording"], consent["at"]) == ("Signed up on paper, 2023", NOW)


def test_reads_a_bare_list(bring: Import) -> None:
    report = bring("alice@x.example\nbob@x.example\n", consent="yes")

    assert (report.read, report.added) == (2, 2)


def test_counts_a_repeated_address_once(db: Database, bring: Import) -> None:
    text = PROVEN + "a@x.example,A,2024-01-01,\nA@X.example,B,2024-01-01,\n"

    first, second = bring(text), bring(text)

    assert counts(first) == (1, 1, 0, 0)
    assert counts(second) == (0, 2, 0, 0)
    assert count_rows(db, "consents") == 1


def test_lets_suppressions_win_over_every_other_row(
    db: Database, bring: Import
) -> None:
    bring(PROVEN + "old@x.example,O,2024-01-01,\n")

    report = bring(
        PROVEN + "new@x.example,N,2024-01-01,\n"
        "new@x.example,N,,unsubscribed\n"
        "old@x.example,O,,complained\n"
        "gone@x.example,G,,bounced\n"
        "gone@x.example,G,2024-01-01,\n"
    )

    assert counts(report) == (0, 0, 5, 0)
    assert report.by_status == {
        "subscribed": 2,
        "unsubscribed": 1,
        "complained": 1,
        "bounced": 1,
    }
    reasons = {
        name: look(db, f"{name}@x.example")["suppression"]["reason"]
        for name in ("new", "old", "gone")
    }
    assert reasons == {"new": "request", "old": "complaint", "gone": "bounce"}
    assert state_of(db, "old@x.example") == "unsubscribed"
    assert [c["action"] for c in look(db, "old@x.example")["consent"]][-1] == (
        "withdrawn"
    )


def test_does_not_take_a_bounce_for_a_withdrawn_consent(
    db: Database, bring: Import
) -> None:
    bring(PROVEN + "old@x.example,O,2024-01-01,\n")

    bring(PROVEN + "old@x.example,O,,bounced\n")

    found = look(db, "old@x.example")
    assert found["subscriptions"][0]["state"] == "unsubscribed"
    assert [c["action"] for c in found["consent"]] == ["imported"]


def test_keeps_the_strongest_reason(db: Database, bring: Import) -> None:
    bring("email,status\na@x.example,unsubscribed\nb@x.example,complained\n")

    bring(
        "email,status\n"
        "a@x.example,unsubscribed\na@x.example,complained\nb@x.example,bounced\n"
    )

    reasons = [
        look(db, f"{name}@x.example")["suppression"]["reason"] for name in ("a", "b")
    ]
    assert reasons == ["complaint", "complaint"]


def test_never_brings_back_who_left_is_suppressed_or_erased(
    db: Database, bring: Import
) -> None:
    names = ("left", "barred", "erased")
    text = PROVEN + "".join(f"{n}@x.example,N,2024-01-01,\n" for n in names)
    bring(text)
    leave.unsubscribe_address(
        db,
        address=parse_address("left@x.example"),
        origin=Origin(source="test"),
        actor=CLI,
        now=NOW,
    )
    suppressing.suppress(
        db,
        address=parse_address("barred@x.example"),
        because="legal",
        secrets=SECRETS,
        actor=CLI,
        now=NOW,
    )
    reader_id = look(db, "erased@x.example")["id"]
    erase.erase(db, subscriber_id=reader_id, secrets=SECRETS, actor=CLI, now=NOW)

    report = bring(text, consent="all of them agreed")

    assert counts(report) == (0, 0, 3, 0)
    assert state_of(db, "left@x.example") == "unsubscribed"
    with db.read() as tx:
        assert subscribers.find(tx, "erased@x.example") is None


def test_does_not_write_an_erased_address_back(db: Database, bring: Import) -> None:
    bring(PROVEN + "gone@x.example,G,2024-01-01,\n")
    reader_id = look(db, "gone@x.example")["id"]
    erase.erase(db, subscriber_id=reader_id, secrets=SECRETS, actor=CLI, now=NOW)

    bring("email,status\ngone@x.example,complained\n")

    with db.read() as tx:
        kept = suppressions.find(tx, SECRETS.hash_address("gone@x.example"))
    assert kept is not None
    assert (kept.address, kept.reason) == (None, SuppressionReason.REQUEST)


def test_confirms_who_was_waiting_for_a_confirmation(
    db: Database, bring: Import
) -> None:
    address = parse_address("bob@x.example")
    with db.write() as tx:
        reader = subscribers.add(
            tx,
            address,
            name="Bob",
            address_hash=SECRETS.hash_address(address.key),
            now=NOW,
        )
        weekly = newsletters.get(tx, "weekly")
        subscriptions.add(tx, subscriber_id=reader.id, newsletter_id=weekly.id, now=NOW)

    report = bring(PROVEN + "bob@x.example,Robert,2024-01-01T10:00:00Z,\n")

    with db.read() as tx:
        held = subscriptions.find(tx, subscriber_id=reader.id, newsletter_id=weekly.id)
    assert counts(report) == (1, 0, 0, 0)
    assert held is not None
    assert (held.state, held.confirmed_at) == (SubscriptionState.ACTIVE, STATED)


def test_subscribes_a_known_reader_to_another_newsletter(
    db: Database, bring: Import
) -> None:
    add_newsletter(db, slug="sport")
    bring(PROVEN + "alice@x.example,A,2024-01-01,\n")

    report = bring(PROVEN + "alice@x.example,A,2024-01-01,\n", newsletter="sport")

    assert report.added == 1
    assert [s["newsletter"] for s in look(db, "alice@x.example")["subscriptions"]] == [
        "weekly",
        "sport",
    ]
    assert count_rows(db, "subscribers") == 1


def test_counts_alike_and_changes_nothing_in_a_dry_run(
    db: Database, bring: Import
) -> None:
    bring(PROVEN + "old@x.example,O,2024-01-01,\n")
    text = PROVEN + (
        "old@x.example,O,,unsubscribed\nnew@x.example,N,2024-01-01,\n"
        "new@x.example,N,2024-01-01,\nbad,B,2024-01-01,\n"
    )

    dry = bring(text, is_dry_run=True)
    before = [count_rows(db, name) for name in ("subscribers", "suppressions", "audit")]
    real = bring(text)

    assert counts(dry) == counts(real) == (1, 1, 1, 1)
    assert before == [1, 0, 1]


def test_names_each_bad_row_and_takes_the_rest(db: Database, bring: Import) -> None:
    report = bring(
        PROVEN + "a@x.example,A,2024-01-01,\n"
        'b@@x.example,"B\nB",2024-01-01,\n'
        "\x00c@x.example,C,2024-01-01,\n"
        "d@x.example,D,2024-01-01,\n"
    )

    assert counts(report) == (2, 0, 0, 2)
    assert [each.line for each in report.rejected] == [3, 5]
    assert all("Not an e-mail" in each.reason for each in report.rejected)


def test_plans_long_lists_alike(bring: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digest.storage.subscriber_import._LONG_LIST", 1)
    text = PROVEN + "a@x.example,A,2024-01-01,\nb@x.example,B,2024-01-01,\n"

    first, second = bring(text), bring(text)

    assert (first.added, second.already) == (2, 2)


def test_names_a_row_that_cannot_be_read(bring: Import) -> None:
    report = bring(PROVEN + 'a@x.example,"A,2024-01-01,\nb@x.example,B,2024-01-01,\n')

    assert counts(report) == (1, 0, 0, 1)
    assert report.rejected[0].reason == "a quoted cell is not closed"


def test_bounds_what_it_remembers_of_bad_rows(bring: Import) -> None:
    report = bring("email\n" + "bad\n" * (MOST_NAMED + 5))

    assert (len(report.rejected), report.rejected_total) == (
        MOST_NAMED,
        MOST_NAMED + 5,
    )


@pytest.mark.parametrize("text", ["\x00\x01", ",,\n,,\n", '"never closed\n', ""])
def test_refuses_a_file_that_is_no_list(db: Database, bring: Import, text: str) -> None:
    with pytest.raises(RefusedError):
        bring(text)

    assert count_rows(db, "audit") == 0


def test_refuses_a_newsletter_that_is_not_there(bring: Import) -> None:
    with pytest.raises(NotFoundError):
        bring("email\na@x.example\n", newsletter="daily")


def test_leaves_nothing_half_written(
    db: Database, bring: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("digest.storage.audit.record", interrupt)

    with pytest.raises(KeyboardInterrupt):
        bring(PROVEN + "a@x.example,A,2024-01-01,\n")

    tables = ("subscribers", "subscriptions", "consents")
    assert [count_rows(db, name) for name in tables] == [0, 0, 0]


def test_notes_who_imported_what_without_addresses(db: Database, bring: Import) -> None:
    bring(PROVEN + "alice@x.example,A,2024-01-01,\nbob@x.example,B,,unsubscribed\n")

    with db.read() as tx:
        row = tx.exec_driver_sql("SELECT action, actor, detail FROM audit").one()
    assert row[:2] == ("subscribers.imported", "cli")
    assert "x.example" not in str(row[2])


def test_exports_what_it_imports_again(
    db: Database, bring: Import, tmp_path: Path
) -> None:
    bring(
        "email,name,confirmed_at,sections,format,status\n"
        'alice@x.example,"=HYPERLINK(1)",2024-01-01T10:00:00Z,"arts",text,\n'
        "+b@x.example,'t Hooft,2024-01-02,,html,paused\n"
        "gone@x.example,,,,,complained\n"
    )
    path = tmp_path / "out.csv"
    assert export_file(db, path) == 3
    exported = path.read_text(encoding="utf-8")
    other = Database(f"sqlite:///{tmp_path / 'other.db'}")
    copy_schema(other)

    report = import_file(
        other,
        ImportWish(path=path, newsletter="weekly"),
        secrets=SECRETS,
        actor=CLI,
        now=NOW,
    )

    again = StringIO(newline="")
    write_list(other, again)
    other.close()
    assert (report.preset, counts(report)) == ("digest", (2, 0, 1, 0))
    assert without_source(again.getvalue()) == without_source(exported)
    assert "'=HYPERLINK" in exported
    assert path.stat().st_mode & 0o777 == 0o600


def copy_schema(db: Database) -> None:
    schema.upgrade(db)
    add_newsletter(db)


def without_source(text: str) -> list[list[str]]:
    """Rows without `consent_source`, which names the file, and `since`."""
    return sorted(
        [cell for i, cell in enumerate(row) if i not in {6, 8}]
        for row in csv.reader(StringIO(text))
    )


def test_leaves_no_file_when_an_export_fails(db: Database, tmp_path: Path) -> None:
    folder = tmp_path / "out.csv"
    folder.mkdir()

    with pytest.raises(OSError, match=r"out\.csv"):
        export_file(db, folder)

    assert [path.name for path in tmp_path.iterdir() if "out.csv." in path.name] == []


def test_exports_page_after_page(
    db: Database, bring: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.storage.subscriber_export._BATCH", 2)
    lines = "".join(f"r{i}@x.example,R,2024-01-01,\n" for i in range(5))
    bring(PROVEN + lines + "".join(f"s{i}@x.example,S,,bounced\n" for i in range(5)))
    out = StringIO(newline="")

    written = write_list(db, out)

    assert written == 10
    assert out.getvalue().count("bounce") == 5
    assert out.getvalue().count("list.csv (plain)") == 5


def test_opt_in_by_hand_stays_beside_an_import(db: Database, bring: Import) -> None:
    opt_in.record(
        db,
        newsletter="weekly",
        address=parse_address("alice@x.example"),
        origin=Origin(source="cli", wording="by phone"),
        secrets=SECRETS,
        actor=CLI,
        now=NOW - timedelta(days=1),
    )

    report = bring(PROVEN + "alice@x.example,A,2024-01-01,\n")

    assert counts(report) == (0, 1, 0, 0)
