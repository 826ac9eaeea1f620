"""The desk's page: its links look and change nothing, its buttons act in one's name."""

import re
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import httpx2 as httpx
import pytest
from starlette.testclient import TestClient

from digest.bootstrap import Service
from digest.compose.draft import compose
from digest.compose.edit import Changes, edit
from digest.domain.actor import Actor, ActorKind
from digest.domain.calendar import Approval, Schedule
from digest.domain.editions import Edition
from digest.domain.reviews import DeskMail
from digest.domain.rhythms import weekly
from digest.domain.states import EditionState
from digest.domain.tokens import Purpose
from digest.storage import editions, newsletters
from digest.timetable import plans
from digest.web.app import make_app
from tests.builders import NOW, add_newsletter
from tests.posting import add_reader, audit_of, notices_of
from tests.weeks import EDITOR, add_article

MONA, OMAR = "mona@news.example.test", "omar@news.example.test"
ACTOR = f"operator:{MONA}"
DUE = datetime(2024, 5, 12, 16, tzinfo=UTC)
GRACE = timedelta(hours=6)


class Desk:
    """Two people at the desk, a draft, and its hour four hours from now."""

    def __init__(self, service: Service, *, scheduled: bool = True) -> None:
        self.now = NOW
        self.service = replace(service, clock=lambda: self.now)
        self.db = service.db
        self.newsletter = add_newsletter(self.db, desk=(MONA, OMAR))
        add_reader(self.db, self.newsletter, "alice@example.com")
        for number in range(1, 4):
            add_article(
                self.db, self.newsletter, title=f"The council meets, day {number}"
            )
        if scheduled:
            self.schedule()
        self.edition_id = compose(
            self.db,
            newsletter="weekly",
            templates=service.templates,
            site=service.site,
            actor=EDITOR,
            now=NOW,
        ).edition.id
        self.ask()
        self.client = TestClient(make_app(self.service, answer_after=0))
        self.path = self.paths()[MONA]

    def schedule(self, grace: timedelta = GRACE) -> None:
        plan = Schedule(
            rhythm=weekly(6),
            at=time(19),
            zone="Africa/Cairo",
            approval=Approval.REQUIRED,
            grace=grace,
        )
        plans.set_schedule(
            self.db, newsletter="weekly", plan=plan, actor=EDITOR, now=NOW
        )

    def ask(self, what: DeskMail | None = DeskMail.ASK) -> None:
        self.service.ask_desk(self.edition_id, what, actor=EDITOR, now=self.now)

    def paths(self) -> dict[str, str]:
        """The newest link of each address."""
        return {
            row.address: re.search(r"/review/[a-z2-7]+", row.text)[0]  # type: ignore[index]
            for row in notices_of(self.db)
            if "/review/" in row.text
        }

    def get(self, path: str = "") -> httpx.Response:
        return self.client.get(self.path + path)

    def press(self, do: str, **form: str) -> httpx.Response:
        """Press a button of the page as it is now."""
        seen = re.search(r'name="seen" value="([0-9a-f]{64})"', self.get().text)
        shown = {"seen": seen[1]} if seen else {}
        return self.client.post(self.path, data=shown | form | {"do": do})

    @property
    def edition(self) -> Edition:
        with self.db.read() as tx:
            return editions.get(tx, self.edition_id)

    def titles(self) -> list[str]:
        with self.db.read() as tx:
            return [s.title[-1] for s in editions.stories(tx, self.edition_id)]

    def article(self, place: int) -> int:
        with self.db.read() as tx:
            return editions.stories(tx, self.edition_id)[place - 1].article_id


@pytest.fixture
def desk(service: Service) -> Desk:
    return Desk(service)


def test_the_page_shows_the_hour_the_words_and_the_problems(desk: Desk) -> None:
    page = desk.get()

    assert page.status_code == 200
    assert "Sunday 12 May 2024, 19:00 (16:00 UTC)" in page.text
    assert f'value="{desk.edition.subject}"' in page.text
    assert "Please look at this" in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert "noindex" in page.headers["X-Robots-Tag"]


@pytest.mark.parametrize("path", ["", "/letter", "/text"])
def test_looking_changes_nothing(desk: Desk, path: str) -> None:
    before, audited = desk.edition, audit_of(desk.db)

    answers = [desk.get(path) for _ in range(3)]

    assert [a.status_code for a in answers] == [200] * 3
    assert (desk.edition, audit_of(desk.db)) == (before, audited)


def test_the_whole_letter_is_shown_apart_from_the_page(desk: Desk) -> None:
    letter, text = desk.get("/letter"), desk.get("/text")

    assert "The council meets, day 1" in letter.text
    assert "sandbox" in letter.headers["Content-Security-Policy"]
    assert MONA in text.text
    assert text.headers["Content-Type"].startswith("text/plain")


def test_the_button_approves_in_the_name_of_the_links_holder(desk: Desk) -> None:
    page = desk.press("approve", because="Looked at all of it.")

    assert "Approved, exactly as it is shown here." in page.text
    assert desk.edition.state == EditionState.APPROVED
    assert desk.edition.approved_by == ACTOR
    assert desk.edition.approved_because == "Looked at all of it."
    assert audit_of(desk.db)[-1] == ("edition.approved", ACTOR)


def test_warnings_are_not_accepted_without_a_reason(desk: Desk) -> None:
    page = desk.press("approve", because="  ")

    assert page.status_code == 422
    assert 'aria-invalid="true"' in page.text
    assert desk.edition.state == EditionState.DRAFT


def test_what_changed_since_it_was_shown_is_not_approved(desk: Desk) -> None:
    seen = re.findall(r'name="seen" value="([0-9a-f]{64})"', desk.get().text)[0]
    omar = Actor(kind=ActorKind.OPERATOR, name=OMAR)
    edit(
        desk.db,
        edition_id=desk.edition_id,
        changes=Changes(subject="Another subject entirely"),
        templates=desk.service.templates,
        site=desk.service.site,
        actor=omar,
        now=NOW + timedelta(minutes=5),
    )

    page = desk.client.post(
        desk.path, data={"do": "approve", "seen": seen, "because": "Fine."}
    )

    assert page.status_code == 409
    assert "has changed since you opened this page" in page.text
    assert f"Last changed by {OMAR}, Sunday 12 May 2024, 15:05." in page.text
    assert 'value="Fine."' in page.text
    assert desk.edition.state == EditionState.DRAFT


def test_an_edition_with_errors_has_no_button_to_approve_it(desk: Desk) -> None:
    with desk.db.write() as tx:
        newsletters.replace(tx, replace(desk.newsletter, postal_address=""))

    page = desk.get()
    answer = desk.press("approve", because="Whatever.")

    assert "This must be mended first" in page.text
    assert 'value="approve"' not in page.text
    assert (answer.status_code, desk.edition.state) == (409, EditionState.DRAFT)


def test_the_button_holds_and_the_next_approval_lifts_that(desk: Desk) -> None:
    held = desk.press("hold", because="A name is wrong.")
    first = desk.edition
    desk.press("approve", because="It was right.")

    assert f"It is held by {MONA}" in held.text
    assert "A name is wrong." in held.text
    assert (first.held_by, first.state) == (ACTOR, EditionState.DRAFT)
    assert desk.edition.held_by is None
    assert desk.edition.state == EditionState.APPROVED


def test_the_essential_words_are_edited(desk: Desk) -> None:
    words = {
        "subject": "The council agrees at last",
        "preheader": "After nine hours, and with one abstention.",
        "opening": "First.\r\n\r\nSecond.",
        "opening_by": "Mona",
        "why": "Buses depend on it.",
    }

    page = desk.press("save", **words)

    edition = desk.edition
    assert "Your words are saved." in page.text
    assert edition.opening == "First.\n\nSecond."
    assert [getattr(edition, n) for n in words if n != "opening"] == [
        value for name, value in words.items() if name != "opening"
    ]
    assert audit_of(desk.db)[-1] == ("edition.edited", ACTOR)


def test_saving_what_is_there_changes_nothing(desk: Desk) -> None:
    desk.press("approve", because="Fine.")
    edition = desk.edition
    words = ("subject", "preheader", "opening", "opening_by", "why")

    desk.press("save", **{name: getattr(edition, name) for name in words})

    assert desk.edition == edition


def test_what_was_typed_survives_a_change_by_somebody_else(desk: Desk) -> None:
    page = desk.client.post(
        desk.path,
        data={"do": "save", "seen": "0" * 64, "subject": "My words", "why": "Mine."},
    )

    assert page.status_code == 409
    assert 'value="My words"' in page.text
    assert desk.edition.why == ""


def test_stories_are_moved_dropped_put_back_and_made_the_lead(desk: Desk) -> None:
    first = desk.titles()
    desk.press(f"lead:{desk.article(3)}")
    led = desk.titles()
    desk.press(f"down:{desk.article(2)}")
    lowered = desk.titles()
    desk.press(f"up:{desk.article(3)}")
    raised = desk.titles()
    dropped = desk.article(2)
    page = desk.press(f"drop:{dropped}")
    without = desk.titles()
    desk.press(f"add:{dropped}")

    assert led == [first[2], first[0], first[1]]
    assert lowered == [first[2], first[1], first[0]]
    assert raised == led
    assert without == [first[2], first[1]]
    assert f'value="add:{dropped}"' in page.text
    assert sorted(desk.titles()) == sorted(first)


def test_the_last_story_can_be_dropped_and_then_nothing_approved(desk: Desk) -> None:
    for _ in range(3):
        desk.press(f"drop:{desk.article(1)}")

    page = desk.get()

    assert desk.titles() == []
    assert "The edition has no story" in page.text
    assert page.text.count('value="add:') == 3


@pytest.mark.parametrize("do", ["", "publish", "drop:x", "lead:", "approve:3x"])
def test_a_button_that_is_none_does_nothing(desk: Desk, do: str) -> None:
    before = desk.edition

    answer = desk.press(do)

    assert answer.status_code in {400, 422}
    assert desk.edition == before


def test_a_story_that_is_gone_is_refused_in_words(desk: Desk) -> None:
    page = desk.press("drop:999")

    assert page.status_code == 409
    assert "does not carry article 999" in page.text


def test_a_test_letter_goes_to_whoever_asked(desk: Desk) -> None:
    desk.press("test")

    letter = notices_of(desk.db)[-1]
    assert (letter.kind, letter.address) == ("test", MONA)


def test_a_link_dies_with_the_issues_hour_and_its_grace(desk: Desk) -> None:
    desk.now = DUE + GRACE
    last = desk.get().status_code
    desk.now += timedelta(seconds=1)
    page = desk.get()
    pressed = desk.client.post(desk.path, data={"do": "hold"})

    assert (last, page.status_code, pressed.status_code) == (200, 410, 410)
    assert "This link has expired" in page.text
    assert desk.edition.held_by is None
    assert [desk.get(path).status_code for path in ("/letter", "/text")] == [410, 410]


def test_an_expired_link_mails_a_fresh_one_and_stays_dead(desk: Desk) -> None:
    desk.now = DUE + GRACE + timedelta(minutes=5)
    pages = [desk.client.post(desk.path, data={"again": "1"}) for _ in range(3)]

    fresh = desk.paths()[MONA]
    letters = [n for n in notices_of(desk.db) if n.address == MONA]
    assert "fresh links" in pages[-1].text
    assert len(letters) == 2
    assert desk.client.get(fresh).status_code == 200
    assert desk.get().status_code == 410


def test_asking_again_within_the_hour_mails_nothing_and_says_so(desk: Desk) -> None:
    counts = [
        desk.service.ask_desk(desk.edition_id, None, actor=EDITOR, now=desk.now)
        for _ in range(2)
    ]

    assert counts == [2, 0]


def test_a_link_that_expires_within_the_hour_it_was_mailed_in_is_mailed_anew(
    desk: Desk,
) -> None:
    desk.schedule(grace=GRACE + timedelta(minutes=30))
    desk.now = DUE + GRACE + timedelta(minutes=10)
    desk.ask(None)
    desk.path = desk.paths()[MONA]
    desk.now += timedelta(minutes=25)
    gone = desk.get().status_code

    desk.client.post(desk.path, data={"again": "1"})

    assert gone == 410
    assert desk.client.get(desk.paths()[MONA]).status_code == 200


def test_a_late_issue_is_approved_and_sent_by_hand(desk: Desk) -> None:
    desk.now = DUE + GRACE + timedelta(minutes=5)
    desk.client.post(desk.path, data={"again": "1"})
    desk.path = desk.paths()[MONA]
    approved = desk.press("approve", because="Late, but right.")
    sent = desk.press("release")

    assert 'value="release"' in approved.text
    assert "It is at the post." in sent.text
    assert desk.edition.state == EditionState.SENDING
    assert ("edition.released", ACTOR) in audit_of(desk.db)


def test_sending_is_paused_and_goes_on(desk: Desk) -> None:
    desk.press("approve", because="Fine.")
    desk.press("release")

    paused = desk.press("pause")
    resumed = desk.press("resume")

    assert "Paused. Letters under way finish" in paused.text
    assert 'value="pause"' in resumed.text
    assert desk.edition.state == EditionState.SENDING


def test_what_is_at_the_post_cannot_be_changed(desk: Desk) -> None:
    desk.press("approve", because="Fine.")
    desk.press("release")

    answers = [desk.press(do).status_code for do in ("hold", "approve", "drop:1")]

    assert set(answers) == {409}
    assert desk.edition.state == EditionState.SENDING


def test_an_edition_without_a_schedule_is_sent_by_hand(service: Service) -> None:
    desk = Desk(service, scheduled=False)
    page = desk.press("approve", because="Fine.")

    assert "No schedule lets it go" in page.text
    assert 'value="release"' in page.text


def test_who_left_the_desk_is_not_let_in(desk: Desk) -> None:
    with desk.db.write() as tx:
        newsletters.replace(tx, replace(desk.newsletter, desk=(OMAR,)))

    assert desk.get().status_code == 404
    assert desk.client.post(desk.path, data={"do": "hold"}).status_code == 404
    assert desk.client.get(desk.paths()[OMAR]).status_code == 200


def test_links_of_other_kinds_and_altered_ones_open_nothing(desk: Desk) -> None:
    tokens = desk.service.secrets.tokens
    token = desk.path.removeprefix("/review/")
    others = [tokens.issue(p, 1, at=NOW) for p in Purpose if p is not Purpose.REVIEW]
    altered = [token[:9] + ("a" if token[9] != "a" else "b") + token[10:], token[:-1]]
    unknown = tokens.issue(Purpose.REVIEW, 999, at=NOW)
    forged = tokens.issue(Purpose.REVIEW, 1, at=NOW - timedelta(days=1))

    found = {
        desk.client.get(f"/review/{t}").status_code
        for t in (*others, *altered, unknown, "x")
    }

    assert found == {404}
    # A link made before its holder was asked: of a copy of the database, say.
    assert desk.client.get(f"/review/{forged}").status_code == 410


def test_the_other_address_has_its_own_name_in_the_log(desk: Desk) -> None:
    desk.path = desk.paths()[OMAR]

    desk.press("hold")

    assert audit_of(desk.db)[-1] == ("edition.held", f"operator:{OMAR}")


def test_what_is_amiss_with_several_stories_is_said_once(desk: Desk) -> None:
    page = desk.get().text

    assert "Stories 1, 2, 3: stories.example.test is a name for examples." in page
    assert page.count("is a name for examples") == 1


@pytest.mark.parametrize(
    "do", ["drop:" + "9" * 5000, "add:" + "9" * 19, "lead:\N{ARABIC-INDIC DIGIT ONE}"]
)
def test_a_story_that_no_row_can_have_is_refused(desk: Desk, do: str) -> None:
    before = desk.edition

    assert desk.press(do).status_code == 400
    assert desk.edition == before


def test_reasons_are_one_line_that_turns_nothing(desk: Desk) -> None:
    desk.press("hold", because="one\0\ntwo \N{RIGHT-TO-LEFT OVERRIDE}three" + "x" * 900)
    held = desk.edition.held_because or ""
    desk.press("approve", because="all\0right")

    assert held.startswith("one two ")
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in held
    assert len(held) <= 500
    assert desk.edition.approved_because == "all right"


def test_words_that_were_not_sent_stay(desk: Desk) -> None:
    desk.press("save", subject="Another subject", preheader="And another line")

    desk.press("save", subject="A third subject")

    assert desk.edition.subject == "A third subject"
    assert desk.edition.preheader == "And another line"
