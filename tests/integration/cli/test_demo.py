"""The demo: the sample week through every real part, once for all these tests."""

import email
import email.message
import email.policy
import io
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing, redirect_stderr, redirect_stdout
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import dkim
import pytest

from digest.cli.app import run
from digest.cli.demo_week import read_week
from tests.conftest import Ran

Cli = Callable[..., Ran]
SAMPLE = Path(__file__).parents[3] / "config" / "sample-week"
RAFAH = (
    "https://egyptianstreets.com/2024/05/12/egypt-refuses-rafah-crossing-"
    "coordination-with-israel-after-escalation-reports/"
)


class Demo(NamedTuple):
    """One finished demo."""

    out: Path
    document: dict[str, Any]
    progress: list[str]

    @property
    def letters(self) -> list[Path]:
        return sorted((self.out / "outbox").glob("*.eml"))

    @property
    def notices(self) -> list[Path]:
        return sorted((self.out / "outbox" / "notices").glob("*.eml"))

    def rows(self, query: str) -> list[Any]:
        with closing(sqlite3.connect(self.out / "digest.db")) as connection:
            return connection.execute(query).fetchall()


def read(path: Path) -> email.message.EmailMessage:
    return email.message_from_bytes(path.read_bytes(), policy=email.policy.default)


def part_of(path: Path, kind: str) -> str:
    part = read(path).get_body((kind,))
    assert part is not None
    content = part.get_content()
    assert isinstance(content, str)
    return content.replace("\r\n", "\n")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    out = tmp_path_factory.mktemp("demo") / "out"
    stdout, stderr = io.StringIO(), io.StringIO()
    with redirect_stdout(stdout), redirect_stderr(stderr):
        status = run(["demo", "--out", str(out), "--json"])
    assert status == 0, stderr.getvalue()
    return Demo(out, json.loads(stdout.getvalue()), stderr.getvalue().splitlines())


def test_says_what_it_did_in_one_document(demo: Demo) -> None:
    assert demo.document == {
        "edition": {
            "id": 1,
            "subject": "Egypt refuses Rafah coordination: reports",
            "state": "sent",
        },
        "readers": 12,
        "sent": 12,
        "outbox": str(demo.out / "outbox"),
        "preview_html": str(demo.out / "preview.html"),
        "preview_text": str(demo.out / "preview.txt"),
        "arabic": {
            "edition": {
                "id": 2,
                "subject": "مصر ترفض التنسيق بشأن معبر رفح: تقارير",
                "state": "sent",
            },
            "readers": 3,
            "sent": 3,
            "outbox": str(demo.out / "outbox-ar"),
            "preview_html": str(demo.out / "preview-ar.html"),
            "preview_text": str(demo.out / "preview-ar.txt"),
        },
    }
    assert len(demo.progress) == 5


def test_every_letter_verifies(demo: Demo) -> None:
    """By dkimpy, with the record that `dkim-record.txt` holds."""
    name, value = (demo.out / "dkim-record.txt").read_text().splitlines()
    records = {f"{name}.".encode(): value.encode()}

    def published(asked: bytes, **_: Any) -> bytes | None:
        return records.get(asked)

    files = [*demo.letters, *demo.notices, *(demo.out / "outbox-ar").rglob("*.eml")]
    unsigned = [
        path.name
        for path in files
        if not dkim.verify(path.read_bytes(), dnsfunc=published)
    ]

    assert len(demo.letters) == 12
    assert unsigned == []


def test_every_letter_leads_with_the_rafah_story(demo: Demo) -> None:
    for path in demo.letters:
        text = part_of(path, "plain")
        html = part_of(path, "html")

        assert text.index(RAFAH) < text.index("NEWS & POLITICS")
        assert html.index(RAFAH) < html.index("https://www.aljazeera.com/")


def test_every_letter_can_be_left_with_one_click(demo: Demo) -> None:
    for letter in map(read, demo.letters):
        assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert "/u/" in letter["List-Unsubscribe"]
        assert "mailto:unsubscribe+" in letter["List-Unsubscribe"]


def test_carries_the_editor_s_words(demo: Demo) -> None:
    text = " ".join(part_of(demo.letters[0], "plain").split())

    assert "A week that began with a picnic" in text
    assert "Why it matters: Rafah is" in text
    assert "Paid for by The Demo Bookshop" in text
    assert "12 stories" in text


def test_each_active_reader_gets_exactly_one_letter(demo: Demo) -> None:
    counts = Counter(read(path)["To"] for path in demo.letters)

    assert set(counts.values()) == {1}
    active = demo.rows(
        "SELECT s.address FROM subscribers s"
        " JOIN subscriptions b ON b.subscriber_id = s.id AND b.newsletter_id = 1"
        " LEFT JOIN suppressions x ON x.address_hash = s.address_hash"
        " WHERE b.state = 'active' AND x.id IS NULL"
    )
    assert set(counts) == {address for (address,) in active}


def test_the_others_get_none(demo: Demo) -> None:
    states = demo.rows(
        "SELECT state, count(*) FROM subscriptions"
        " WHERE newsletter_id = 1 GROUP BY state"
    )
    suppressed = demo.rows("SELECT count(*) FROM suppressions")

    assert dict(states) == {"active": 13, "pending": 2, "unsubscribed": 1}
    assert suppressed == [(1,)]


def test_readers_opted_in_twice_by_real_letters(demo: Demo) -> None:
    subjects = Counter(str(read(path)["Subject"]) for path in demo.notices)
    consents = demo.rows("SELECT action, count(*) FROM consents GROUP BY action")

    assert sorted(subjects.values()) == [14, 16]
    # Three of them asked for the Arabic letter as well.
    assert dict(consents) == {"requested": 19, "confirmed": 17, "withdrawn": 1}


def test_the_ledger_agrees_with_the_outbox(demo: Demo) -> None:
    rows = demo.rows("SELECT state, count(*) FROM deliveries GROUP BY state")

    assert rows == [("sent", 12 + 3)]


def test_the_arabic_edition_is_arabic_all_over(demo: Demo) -> None:
    letters = sorted((demo.out / "outbox-ar").glob("*.eml"))
    notices = sorted((demo.out / "outbox-ar" / "notices").glob("*.eml"))

    assert [path.stem for path in letters] == [f"reader-{n:03}" for n in (1, 2, 3)]
    assert len(notices) == 6
    for path in [*letters, *notices]:
        assert read(path)["Content-Language"] == "ar"
        assert '<html lang="ar" dir="rtl"' in part_of(path, "html")
    for path in letters:
        text = part_of(path, "plain")
        assert text.index(RAFAH) < text.index("https://www.aljazeera.net/")
        assert "ظهرت المقالة" not in text
        assert "٩ موضوعات" in text


def test_the_previews_are_what_a_reader_got(demo: Demo) -> None:
    html, text = demo.document["preview_html"], demo.document["preview_text"]

    letter = part_of(demo.letters[0], "html")
    beside = letter.replace('src="http://127.0.0.1:8000/', 'src="')
    assert Path(html).read_text(encoding="utf-8") == beside
    assert Path(text).read_text(encoding="utf-8") == part_of(demo.letters[0], "plain")


def test_the_state_is_private(demo: Demo) -> None:
    assert demo.out.stat().st_mode & 0o077 == 0


def test_sources_are_named_and_only_the_lead_is_the_paper_s(demo: Demo) -> None:
    rows = demo.rows("SELECT url, source, published_on FROM articles")

    assert len(rows) == 12 + 9
    ours = [url for url, _, _ in rows if "egyptianstreets.com" in url]
    assert ours == [RAFAH, RAFAH]
    made_up = {"Demo item", "مادة تجريبية"}
    assert all(
        (source in made_up) == url.startswith("https://example.org/demo/")
        for url, source, _ in rows
    )
    days = {date.fromisoformat(day) for _, _, day in rows}
    assert min(days) >= date(2024, 5, 6)
    assert max(days) == date(2024, 5, 12)


def test_the_lead_s_standfirst_has_45_to_70_words() -> None:
    standfirst = read_week(SAMPLE).plan["lead"]["standfirst"]

    assert 45 <= len(standfirst.split()) <= 70


def test_is_rebuilt_by_the_next_one(cli: Cli, tmp_path: Path) -> None:
    out = tmp_path / "out"
    cli("demo", "--out", str(out), "--readers", "2")
    (out / "outbox" / "old.eml").touch()

    ran = cli("demo", "--out", str(out), "--readers", "1")

    assert ran.status == 0
    assert [p.name for p in (out / "outbox").glob("*.eml")] == ["reader-001.eml"]
    assert "went to 1 reader" in ran.out
    assert f"DIGEST_HOME={out} digest serve" in ran.out


def test_never_deletes_what_no_demo_made(cli: Cli, tmp_path: Path) -> None:
    out = tmp_path / "thesis"
    out.mkdir()
    (out / "chapter").write_text("dear to somebody")

    ran = cli("demo", "--out", str(out))

    assert ran.status == 1
    assert "was not made by a demo" in ran.err
    assert (out / "chapter").exists()


def test_never_follows_a_link_to_delete(cli: Cli, tmp_path: Path, demo: Demo) -> None:
    link = tmp_path / "link"
    link.symlink_to(demo.out)

    assert cli("demo", "--out", str(link)).status == 1
    assert demo.letters


def test_takes_an_empty_folder_and_refuses_a_file(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert cli("demo", "--out", "file").status == 1
    assert cli("demo", "--out", "file/out").status == 1


@pytest.mark.parametrize("readers", ["0", "10001", "x"])
def test_a_wrong_number_of_readers_is_wrong_usage(readers: str, cli: Cli) -> None:
    assert cli("demo", "--readers", readers).status == 2


def test_wrong_settings_leave_the_last_demo_alone(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / ".digest-demo").touch()
    (out / "mark").touch()
    monkeypatch.setenv("DIGEST_WEB__PORT", "no")

    ran = cli("demo", "--out", str(out))

    assert ran.status == 2
    assert (out / "mark").exists()


def test_uses_no_database_or_relay_but_its_own(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGEST_DATABASE__URL", "postgresql://nobody@127.0.0.1:1/x")
    monkeypatch.setenv("DIGEST_SMTP__HOST", "relay.example.com")

    ran = cli("demo", "--out", str(tmp_path / "out"), "--readers", "1", "--json")

    assert ran.document["sent"] == 1


@pytest.mark.parametrize(
    ("page", "count"), [("preview.html", 7), ("preview-ar.html", 3)]
)
def test_a_preview_shows_its_drawings_from_the_folder_beside_it(
    demo: Demo, page: str, count: int
) -> None:
    html = (demo.out / page).read_text(encoding="utf-8")

    sources = re.findall(r'<img src="(.*?)"', html)

    assert len(sources) == count
    assert all((demo.out / s).read_bytes().startswith(b"\x89PNG") for s in sources)


def test_a_letter_names_its_pictures_at_the_site(demo: Demo) -> None:
    sources = re.findall(r'<img src="(.*?)"', part_of(demo.letters[0], "html"))

    assert all(s.startswith("http://127.0.0.1:8000/pictures/") for s in sources)
    assert len(sources) == 7
