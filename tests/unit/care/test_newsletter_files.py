"""Newsletter files: they seed the database once, or are refused in one line."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from digest.care.newsletter_files import read_seed
from digest.care.newsletter_seeds import seed, update
from digest.compose.sender_rules import check_sender
from digest.domain.actor import Actor, ActorKind
from digest.domain.errors import SettingsError
from digest.domain.letters import Sender
from digest.domain.newsletters import WhenEmpty
from digest.domain.own_links import OwnLinks
from digest.domain.rhythms import weekly
from digest.storage import newsletters, schedules
from digest.storage.engine import Database
from tests.builders import NOW

SHIPPED = Path(__file__).parents[3] / "config" / "newsletters" / "weekly.toml"
CLI = Actor(kind=ActorKind.CLI)
LEAST = """
name = "The Week"
purpose = "One letter a week."
postal_address = "1 Press Street, Cairo"
time_zone = "Africa/Cairo"
"""
SECTION = '[[sections]]\nslug = "news"\ntitle = "News"\n'


def write(folder: Path, content: str, name: str = "weekly.toml") -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def test_reads_the_shipped_newsletter() -> None:
    found = read_seed(SHIPPED, mail_domain="news.example.test").newsletter

    assert (found.slug, found.time_zone, found.direction) == (
        "weekly",
        "Africa/Cairo",
        "ltr",
    )
    assert [(s.slug, s.cap) for s in found.sections] == [
        ("news", 5),
        ("features", 3),
        ("arts", 3),
        ("good", 1),
    ]
    assert found.list_id == "weekly.news.example.test"


def test_places_an_unnamed_sender_at_the_mail_domain(tmp_path: Path) -> None:
    path = write(tmp_path, LEAST + SECTION)

    found = read_seed(path, mail_domain="n.example").newsletter

    address = "weekly@n.example"
    assert found.sender == Sender(name="The Week", address=address, reply_to=address)


def test_keeps_a_named_sender(tmp_path: Path) -> None:
    sender = (
        '[sender]\nname = "Desk"\naddress = "a@b.example"\nreply_to="c@b.example"\n'
    )
    path = write(tmp_path, LEAST + sender + SECTION)

    found = read_seed(path, mail_domain="n.example").newsletter

    assert found.sender == Sender(
        name="Desk", address="a@b.example", reply_to="c@b.example"
    )


def test_an_arabic_newsletter_runs_from_right_to_left(tmp_path: Path) -> None:
    path = write(tmp_path, LEAST + 'language = "ar-EG"\n' + SECTION, "ar.toml")

    found = read_seed(path, mail_domain="n.example").newsletter

    assert (found.slug, found.direction) == ("ar", "rtl")


def test_says_what_empty_sections_and_own_links_do(tmp_path: Path) -> None:
    own = '[own_links]\nhosts = ["Stories.Example", "مثال.test"]\nsource = "letter"\n'
    path = write(tmp_path, 'when_empty = "skip"\n' + LEAST + own + SECTION)

    found = read_seed(path, mail_domain="n.example").newsletter

    assert found.when_empty == WhenEmpty.SKIP
    assert found.own_links == OwnLinks(
        hosts=("stories.example", "xn--mgbh0fb.test"), source="letter"
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (LEAST, "sections is missing"),
        (LEAST + "sections = []", "sections"),
        (LEAST.replace("name", "nmae", 1) + SECTION, "name is missing"),
        (LEAST + "colour = 1\n" + SECTION, "colour is unknown"),
        (LEAST + SECTION + "cap = 0", "sections.0.cap is wrong"),
        (LEAST + SECTION + SECTION, "two sections are called 'news'"),
        (LEAST + SECTION.replace("news", "N ws"), "sections.0.slug"),
        (LEAST.replace("Africa/Cairo", "Cairo") + SECTION, "time_zone is wrong"),
        (LEAST + 'language = "english!"\n' + SECTION, "language is wrong"),
        (LEAST + 'direction = "up"\n' + SECTION, "direction is wrong"),
        (LEAST + 'template = "../x"\n' + SECTION, "template is wrong"),
        (LEAST.replace("The Week", r"A\r\nBcc: x") + SECTION, "name is wrong"),
        (LEAST + '[sender]\naddress = "x"\n' + SECTION, "sender.address is wrong"),
        (LEAST + '[theme]\nink = "#FFFFFF"\n' + SECTION, "contrast"),
        (LEAST + '[theme]\nmood = "blue"\n' + SECTION, "no 'mood'"),
        (LEAST + 'list_id = "<x>"\n' + SECTION, "list_id is wrong"),
        (LEAST + 'when_empty = "wait"\n' + SECTION, "when_empty is wrong"),
        (LEAST + '[own_links]\nhosts = ["x/y"]\n' + SECTION, "own_links.hosts.0"),
        (LEAST + '[own_links]\nmedium = "a b"\n' + SECTION, "own_links.medium"),
        ("name", "not valid TOML"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line_that_names_it(
    content: str, reason: str, tmp_path: Path
) -> None:
    path = write(tmp_path, content)

    with pytest.raises(SettingsError) as caught:
        read_seed(path, mail_domain="n.example")

    assert str(path) in str(caught.value)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_list_id_stays_within_255_octets(tmp_path: Path) -> None:
    """RFC 2919 §3."""
    path = write(tmp_path, LEAST + SECTION)
    domain = ".".join(["x" * 60] * 4) + ".example"

    with pytest.raises(SettingsError, match="255 octets"):
        read_seed(path, mail_domain=domain)


def test_the_files_name_must_do_as_a_slug(tmp_path: Path) -> None:
    path = write(tmp_path, LEAST + SECTION, "My Letter.toml")

    with pytest.raises(SettingsError, match="is wrong"):
        read_seed(path, mail_domain="n.example")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        read_seed(tmp_path / "x.toml", mail_domain="n.example")


def test_seeds_once_and_then_the_database_rules(db: Database, tmp_path: Path) -> None:
    path = write(tmp_path, LEAST + SECTION)
    seed(db, [path], mail_domain="n.example", actor=CLI, now=NOW)
    write(tmp_path, LEAST.replace("The Week", "Other") + SECTION)

    stored = seed(db, [path], mail_domain="n.example", actor=CLI, now=NOW)

    assert stored == []
    with db.read() as tx:
        assert [n.name for n in newsletters.list_all(tx)] == ["The Week"]


def test_records_who_seeded(db: Database, tmp_path: Path) -> None:
    path = write(tmp_path, LEAST + SECTION)

    seed(db, [path], mail_domain="n.example", actor=CLI, now=NOW)

    with db.read() as tx:
        rows = tx.execute(text("SELECT actor, action FROM audit")).all()
    assert [tuple(row) for row in rows] == [("cli", "newsletter.seeded")]


def test_one_wrong_file_stores_none(db: Database, tmp_path: Path) -> None:
    good = write(tmp_path, LEAST + SECTION)
    bad = write(tmp_path, LEAST, "bad.toml")

    with pytest.raises(SettingsError):
        seed(db, [good, bad], mail_domain="n.example", actor=CLI, now=NOW)

    with db.read() as tx:
        assert newsletters.list_all(tx) == []


def test_a_schedule_is_stored_with_its_newsletter(
    tmp_path: Path, sqlite_db: Database
) -> None:
    table = '[schedule]\nat = "Sun 19:00"\ngrace = "3h"\nstart = 2026-11-29\n'
    path = write(tmp_path, LEAST + SECTION + table)

    (stored,) = seed(sqlite_db, [path], mail_domain="n.example", actor=CLI, now=NOW)

    with sqlite_db.read() as tx:
        plan = schedules.get(tx, stored).plan
    assert (plan.rhythm, plan.at.hour, plan.zone) == (weekly(6), 19, "Africa/Cairo")
    assert (plan.grace, plan.start_on) == (timedelta(hours=3), date(2026, 11, 29))


def test_records_who_set_a_seeded_schedule(tmp_path: Path, sqlite_db: Database) -> None:
    path = write(tmp_path, LEAST + SECTION + '[schedule]\nat = "Sun 19:00"\n')

    seed(sqlite_db, [path], mail_domain="n.example", actor=CLI, now=NOW)

    with sqlite_db.read() as tx:
        rows = tx.execute(text("SELECT actor, subject_kind, action FROM audit")).all()
    assert ("cli", "schedule", "schedule.set") in [tuple(row) for row in rows]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ('at = "Snu 19:00"', "Did you mean Sun"),
        ('at = "Sun 19:00"\nzone = "Africa/Cario"', "Did you mean Africa/Cairo"),
        ('at = "Sun 19:00"\ngrace = "9d"', "between 0 and 6 days"),
        ('at = "Sun 19:00"\nhour = 3', "schedule.hour is unknown"),
        ('zone = "Africa/Cairo"', "schedule.at is missing"),
    ],
)
def test_a_wrong_schedule_is_refused(tmp_path: Path, table: str, words: str) -> None:
    path = write(tmp_path, f"{LEAST}{SECTION}[schedule]\n{table}\n")

    with pytest.raises(SettingsError, match=words):
        read_seed(path, mail_domain="n.example")


def test_the_shipped_arabic_newsletter_is_arabic_and_waits_to_be_asked_for() -> None:
    found = read_seed(SHIPPED.with_name("weekly-ar.toml"), mail_domain="n.example")

    assert found.newsletter.direction == "rtl"
    assert found.newsletter.theme["digits"] == "arab"
    assert not found.at_init
    assert read_seed(SHIPPED, mail_domain="n.example").at_init


def test_a_placeholder_in_arabic_is_one_as_well() -> None:
    path = SHIPPED.with_name("weekly-ar.toml")
    newsletter = read_seed(path, mail_domain="n.paper.eg").newsletter

    assert [finding.rule for finding in check_sender(newsletter)] == [
        "placeholder-address"
    ]


def test_an_update_says_what_it_changed_and_leaves_the_schedule(
    tmp_path: Path, sqlite_db: Database
) -> None:
    table = '[schedule]\nat = "Sun 19:00"\n'
    file = write(tmp_path, LEAST + SECTION + table)
    seed(sqlite_db, [file], mail_domain="n.example", actor=CLI, now=NOW)
    write(tmp_path, LEAST + SECTION + "[theme]\nradius = 8\n")

    updated = update(sqlite_db, file, mail_domain="n.example", actor=CLI, now=NOW)

    with sqlite_db.read() as tx:
        detail = tx.execute(
            text("SELECT detail FROM audit WHERE action = 'newsletter.updated'")
        ).scalar_one()
        assert schedules.find(tx, updated.id) is not None
    assert json.loads(detail) == {"changed": ["theme"]}
