"""The schema: migrations up and down, the same on both databases, and its triggers."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import delete, insert, inspect, select, text, update
from sqlalchemy.exc import DatabaseError, IntegrityError

from digest.domain.allowances import Allowance
from digest.domain.errors import SettingsError, StateError
from digest.domain.opinions import LeavingReason
from digest.storage import (
    address_changes,
    auto_replies,
    inbox,
    opinions,
    schema,
    tables,
    tallies,
)
from digest.storage.engine import Database, Tx
from tests.builders import NOW, add_newsletter
from tests.posting import add_edition

# As versions stored it that knew one weekday each week.
OLD_SCHEDULE = """
INSERT INTO schedules (newsletter_id, weekday, local_time, zone, approval,
    collect_before, grace, enabled, since, created_at, updated_at)
VALUES (:newsletter, 2, '19:00', 'Africa/Cairo', 'auto',
    7200, 3600, true, :at, :at, :at)
"""


def add_consent(tx: Tx) -> None:
    subscriber = tx.execute(
        insert(tables.subscribers)
        .values(
            address="alice@example.org",
            address_key="alice@example.org",
            domain="example.org",
            address_hash="0" * 64,
            name="",
            created_at=NOW,
        )
        .returning(tables.subscribers.c.id)
    ).scalar_one()
    tx.execute(
        insert(tables.consents).values(
            subscriber_id=subscriber,
            at=NOW,
            action="requested",
            source="a test",
            wording="yes",
            network="",
            actor="reader",
        )
    )


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """The queue's tables are procrastinate's business."""
    return kind != "table" or not str(name).startswith("procrastinate_")


def test_migrations_make_exactly_the_tables_the_code_knows(db: Database) -> None:
    with db.read() as tx:
        ours = MigrationContext.configure(tx, opts={"include_name": _is_ours})
        differences = compare_metadata(ours, tables.metadata)

    assert differences == []


def test_migrations_can_be_undone(db: Database) -> None:
    schema.downgrade(db, "base")

    left = set(inspect(db.engine).get_table_names()) - {"alembic_version"}
    assert left == set()
    assert schema.current(db) is None
    schema.upgrade(db)
    schema.require_current(db)


def test_a_schedule_of_a_weekday_keeps_it(db: Database) -> None:
    newsletter = add_newsletter(db)
    schema.downgrade(db, "0010")
    with db.write() as tx:
        tx.execute(text(OLD_SCHEDULE), {"newsletter": newsletter.id, "at": str(NOW)})

    schema.upgrade(db)

    with db.read() as tx:
        assert tx.execute(select(tables.schedules.c.days)).scalar_one() == "Wed"


@pytest.mark.parametrize(
    ("days", "weekday"), [("Sat", 5), ("Tue,Fri", 1), ("last Thu", 3), ("15th", 6)]
)
def test_an_older_version_has_the_first_weekday_of_a_rhythm(
    db: Database, days: str, weekday: int
) -> None:
    newsletter = add_newsletter(db)
    schema.downgrade(db, "0010")
    with db.write() as tx:
        tx.execute(text(OLD_SCHEDULE), {"newsletter": newsletter.id, "at": str(NOW)})
    schema.upgrade(db)
    with db.write() as tx:
        tx.execute(update(tables.schedules).values(days=days))

    schema.downgrade(db, "0010")

    with db.read() as tx:
        assert tx.execute(text("SELECT weekday FROM schedules")).scalar_one() == weekday
    schema.upgrade(db)


def add_opinion(tx: Tx, edition_id: int) -> None:
    tx.execute(
        insert(tables.opinions).values(
            edition_id=edition_id, answer="useful", words="Well said.", at=NOW
        )
    )


def test_what_mail_and_readers_brought_goes_with_their_tables(db: Database) -> None:
    newsletter = add_newsletter(db)
    edition = add_edition(db, newsletter)
    with db.write() as tx:
        add_consent(tx)
        add_opinion(tx, edition.id)
        opinions.add_reason(tx, newsletter.id, LeavingReason.OTHER, given_on=NOW.date())
        address_changes.add(
            tx,
            subscriber_id=tx.execute(select(tables.subscribers.c.id)).scalar_one(),
            newsletter_id=newsletter.id,
            address="alice@example.net",
            address_hash="1" * 64,
            now=NOW,
        )
        inbox.add(tx, raw=b"x", sender="", recipient="abuse@x.example", now=NOW)
        allowance = Allowance(key="x", most=1, within=timedelta(hours=1))
        assert tallies.take(tx, [allowance], now=NOW)
        assert auto_replies.claim(tx, "2" * 64, is_help=True, now=NOW)

    schema.downgrade(db, "0004")
    schema.upgrade(db)

    with db.read() as tx:
        left = {
            table.name: len(tx.execute(select(table)).all())
            for table in (
                tables.opinions,
                tables.subscribers,
                tables.consents,
                tables.address_changes,
                tables.leaving_reasons,
                tables.inbox,
                tables.inbox_raw,
                tables.tallies,
                tables.auto_replies,
            )
        }
        words = tx.execute(select(tables.opinions.c.words)).scalars().all()
    assert [name for name, count in left.items() if count] == [
        "opinions",
        "subscribers",
        "consents",
    ]
    assert words == [""]


def test_upgrading_twice_changes_nothing(db: Database) -> None:
    add_newsletter(db)

    schema.upgrade(db)

    with db.read() as tx:
        assert len(tx.execute(select(tables.newsletters)).all()) == 1


def test_refuses_a_database_of_a_newer_version(db: Database) -> None:
    with db.write() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(StateError, match="does not know"):
        schema.upgrade(db)
    with pytest.raises(StateError, match="Install the newer version"):
        schema.require_current(db)

    with db.write() as tx:
        tx.execute(
            text("UPDATE alembic_version SET version_num = :head"),
            {"head": schema.head()},
        )


def test_says_how_to_mend_a_database_without_tables(sqlite_db: Database) -> None:
    schema.downgrade(sqlite_db, "base")

    with pytest.raises(StateError, match="Run: digest init"):
        schema.require_current(sqlite_db)


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_consents_are_append_only(db: Database, verb: str) -> None:
    with db.write() as tx:
        add_consent(tx)
    change = {
        "update": update(tables.consents).values(wording="something else"),
        "delete": delete(tables.consents),
    }[verb]

    with pytest.raises(DatabaseError, match="append-only"), db.write() as tx:
        tx.execute(change)


def test_replacing_a_consent_is_refused_too(sqlite_db: Database) -> None:
    with sqlite_db.write() as tx:
        add_consent(tx)
        kept = dict(tx.execute(select(tables.consents)).mappings().one())
    change = insert(tables.consents).prefix_with("OR REPLACE")

    with pytest.raises(DatabaseError, match="append-only"), sqlite_db.write() as tx:
        tx.execute(change.values(kept | {"wording": "something else"}))


def test_an_instant_comes_back_in_utc(db: Database) -> None:
    cairo = timezone(timedelta(hours=3))
    at = datetime(2024, 5, 12, 19, 0, 0, 123456, tzinfo=cairo)
    with db.write() as tx:
        tx.execute(
            insert(tables.suppressions).values(
                address_hash="1" * 64, reason="manual", detail="", at=at
            )
        )

    with db.read() as tx:
        found = tx.execute(select(tables.suppressions.c.at)).scalar_one()

    assert found == at
    assert found.tzinfo is UTC


def test_foreign_keys_are_enforced(db: Database) -> None:
    with pytest.raises(IntegrityError), db.write() as tx:
        tx.execute(
            insert(tables.sections).values(
                newsletter_id=99,
                slug="x",
                title="x",
                position=0,
                cap=1,
                thumbnails=False,
            )
        )


def test_a_failed_transaction_leaves_nothing(db: Database) -> None:
    def add_and_fail() -> None:
        with db.write() as tx:
            add_consent(tx)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        add_and_fail()

    with db.read() as tx:
        assert tx.execute(select(tables.subscribers)).all() == []


@pytest.mark.parametrize(
    "url",
    ["nonsense", "mysql://root@localhost/x", "oracle+wat://x", "postgresql+wat://x"],
)
def test_refuses_a_url_it_cannot_use(url: str) -> None:
    with pytest.raises(SettingsError, match="database"):
        Database(url)


def test_revisions_read_from_file_names_are_those_alembic_knows() -> None:
    folder = Path(schema.__file__).parent / "migrations"
    scripts = ScriptDirectory(str(folder))

    known = {script.revision for script in scripts.walk_revisions()}

    assert schema.head() == scripts.get_current_head()
    assert schema._revisions() == known
