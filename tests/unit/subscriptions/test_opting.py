"""Double opt-in and the way out: what is written down, mailed and refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from digest.domain.actor import READER
from digest.domain.addresses import parse_address
from digest.domain.allowances import SignUpRules
from digest.domain.errors import NotFoundError, RefusedError
from digest.domain.states import SuppressionReason
from digest.domain.subscribers import Consent, LetterFormat, Origin, Subscription
from digest.domain.tokens import Purpose
from digest.storage import consents, subscribers, subscriptions, suppressions, tables
from digest.storage.engine import Database
from digest.subscriptions import asking_again, leave, opt_in, sign_up
from digest.subscriptions.leave import Standing
from digest.subscriptions.opt_in import Confirmation, OptIn
from digest.subscriptions.sign_up import SignUp
from digest.templating import Templates
from tests.builders import NOW, SECRETS, SITE, add_newsletter

BOB = parse_address("bob@example.test")
FORM = Origin(source="/", network="192.0.2.7", wording="One letter a week.")
DAY = timedelta(days=1)
TEMPLATES = Templates()


@dataclass(frozen=True)
class Desk:
    """The stage with everything but the case's own arguments filled in."""

    db: Database

    def ask(self, at: datetime = NOW, **changes: Any) -> SignUp:
        values: dict[str, Any] = {"newsletter": "weekly", "address": BOB} | changes
        return sign_up.request(
            self.db,
            **values,
            origin=FORM,
            site=SITE,
            secrets=SECRETS,
            templates=TEMPLATES,
            actor=READER,
            now=at,
        )

    def token(self, purpose: Purpose = Purpose.CONFIRM, at: datetime = NOW) -> str:
        return SECRETS.tokens.issue(purpose, self.held().id, at=at)

    def confirm(self, at: datetime = NOW, token: str | None = None) -> Confirmation:
        return opt_in.confirm(
            self.db,
            token=token or self.token(),
            origin=FORM,
            site=SITE,
            secrets=SECRETS,
            templates=TEMPLATES,
            actor=READER,
            now=at,
        )

    def go(self, at: datetime = NOW, token: str | None = None) -> Standing | None:
        return leave.by_token(
            self.db,
            token=token or self.token(Purpose.UNSUBSCRIBE),
            origin=FORM,
            secrets=SECRETS,
            actor=READER,
            now=at,
        )

    def undo(self, at: datetime = NOW) -> Standing | None:
        return leave.undo(
            self.db,
            token=self.token(Purpose.UNSUBSCRIBE),
            origin=FORM,
            secrets=SECRETS,
            actor=READER,
            now=at,
        )

    def suppress(self, reason: SuppressionReason) -> None:
        with self.db.write() as tx:
            suppressions.add(
                tx,
                address_hash=SECRETS.hash_address(BOB.key),
                address=BOB.address,
                reason=reason,
                detail="",
                now=NOW,
            )

    def held(self) -> Subscription:
        with self.db.read() as tx:
            reader = subscribers.find(tx, BOB.key)
            assert reader is not None
            return subscriptions.for_subscriber(tx, reader.id)[0]

    def evidence(self) -> Sequence[Consent]:
        with self.db.read() as tx:
            return consents.for_subscriber(tx, self.held().subscriber_id)

    def mailed(self) -> Sequence[Mapping[str, Any]]:
        with self.db.read() as tx:
            rows = tx.execute(tables.notices.select().order_by(tables.notices.c.id))
            return [dict(row) for row in rows.mappings()]

    def audited(self) -> list[str]:
        with self.db.read() as tx:
            rows = tx.execute(tables.audit.select().order_by(tables.audit.c.id))
            return [row.action for row in rows]


@pytest.fixture
def desk(sqlite_db: Database) -> Desk:
    add_newsletter(sqlite_db)
    return Desk(sqlite_db)


def test_asking_makes_a_pending_subscription_with_its_evidence(desk: Desk) -> None:
    outcome = desk.ask(sections=("news", "arts"), letter_format=LetterFormat.TEXT)

    held = desk.held()
    assert outcome is SignUp.MAILED
    assert (held.state, held.sections, held.format) == (
        "pending",
        ("arts", "news"),
        "text",
    )
    assert [(e.action, e.origin) for e in desk.evidence()] == [("requested", FORM)]
    assert desk.audited() == ["subscription.requested"]


def test_the_confirmation_letter_is_no_list_letter(desk: Desk) -> None:
    """Check L4: its reader is on no list yet."""
    desk.ask()

    letter = desk.mailed()[0]

    assert letter["headers"] == {"Auto-Submitted": "auto-generated"}
    assert letter["reply_to"] == SITE.confirm_address(desk.token())
    assert SITE.confirm_url(desk.token()) in letter["text"]
    assert SITE.confirm_url(desk.token()) in letter["html"]


def test_nothing_typed_into_the_form_is_mailed(desk: Desk) -> None:
    """Attack A6: the letter would else carry a spammer's words to a stranger."""
    desk.ask(name="Buy gold at https://evil.test")

    letter = desk.mailed()[0]

    assert "evil" not in letter["subject"] + letter["text"] + letter["html"]


@pytest.mark.parametrize("shape", ["subject", "text", "html"])
def test_confirmation_and_welcome_hold_no_left_or_right(desk: Desk, shape: str) -> None:
    desk.ask()
    desk.confirm()

    letters = [row[shape] for row in desk.mailed()]

    assert len(letters) == 2
    assert all("right" not in letter for letter in letters)


def test_many_requests_mail_one_letter_a_day_and_three_in_thirty_days(
    desk: Desk,
) -> None:
    """Attack A6, on fewer requests: 8 in each of 5 days."""
    outcomes = [
        desk.ask(NOW + day * DAY + hour * timedelta(hours=2))
        for day in range(5)
        for hour in range(8)
    ]

    assert outcomes.count(SignUp.MAILED) == 3
    assert len(desk.mailed()) == 3
    assert len(desk.evidence()) == 3


def test_a_month_later_an_address_may_be_asked_again(desk: Desk) -> None:
    asked = [desk.ask(NOW + day * DAY) for day in (0, 1, 2, 29, 31)]

    assert asked == ["mailed", "mailed", "mailed", "limited", "mailed"]


def test_one_inbox_gets_few_letters_whatever_it_is_called(desk: Desk) -> None:
    """Attack A6: many providers deliver all of these to one person."""
    names = ["bob+1", "b.ob", "bo.b", "bob+2", "bo.b+3"]

    outcomes = [desk.ask(address=parse_address(f"{n}@example.test")) for n in names]

    assert outcomes == ["mailed", "mailed", "mailed", "limited", "limited"]
    assert len(desk.mailed()) == 3


def test_what_a_limit_refuses_leaves_nothing_behind(desk: Desk) -> None:
    """Neither an address nor evidence: a flood must not fill the tables."""
    few = SignUpRules(altogether=1)
    desk.ask(rules=few)

    refused = desk.ask(rules=few, address=parse_address("dina@example.test"))

    with desk.db.read() as tx:
        known = [row.address for row in tx.execute(tables.subscribers.select())]
    assert refused is SignUp.LIMITED
    assert known == ["bob@example.test"]


def test_an_operator_may_send_more(desk: Desk) -> None:
    addresses = [parse_address(f"bob+{n}@example.test") for n in range(5)]

    outcomes = {desk.ask(address=each, rules=None) for each in addresses}

    assert outcomes == {SignUp.MAILED}


def test_the_operator_is_warned_of_disposable_domains(desk: Desk) -> None:
    rules = SignUpRules(disposable_domains=["*.test"])

    with capture_logs() as logs:
        outcome = desk.ask(rules=rules)

    assert outcome is SignUp.MAILED
    assert logs == [
        {
            "event": "sign_up.disposable",
            "log_level": "warning",
            "domain": "example.test",
        }
    ]


def test_confirming_gives_the_limits_back(desk: Desk) -> None:
    desk.ask()
    desk.confirm()
    desk.go()

    outcome = desk.ask()

    assert outcome is SignUp.MAILED


@pytest.mark.parametrize("reason", ["bounce", "complaint", "manual"])
def test_a_suppressed_address_is_not_asked(desk: Desk, reason: str) -> None:
    desk.suppress(SuppressionReason(reason))

    outcome = desk.ask()

    assert outcome is SignUp.SUPPRESSED
    assert desk.mailed() == []


def test_confirming_lifts_the_readers_own_suppression(desk: Desk) -> None:
    desk.suppress(SuppressionReason.REQUEST)
    desk.ask()

    desk.confirm()

    with desk.db.read() as tx:
        assert suppressions.find(tx, SECRETS.hash_address(BOB.key)) is None
    assert "suppression.lifted" in desk.audited()


def test_confirming_lifts_no_other_suppression(desk: Desk) -> None:
    desk.ask()
    desk.suppress(SuppressionReason.MANUAL)

    outcome = desk.confirm().outcome

    with desk.db.read() as tx:
        assert suppressions.find(tx, SECRETS.hash_address(BOB.key)) is not None
    assert outcome is OptIn.CONFIRMED
    assert [row["kind"] for row in desk.mailed()] == ["confirmation"]


def test_refuses_an_unknown_newsletter_and_section(desk: Desk) -> None:
    with pytest.raises(NotFoundError):
        desk.ask(newsletter="daily")
    with pytest.raises(RefusedError):
        desk.ask(sections=("sports",))

    assert desk.mailed() == []


def test_looking_at_a_confirmation_link_changes_nothing(desk: Desk) -> None:
    """Attack A7."""
    desk.ask()

    seen = opt_in.look(desk.db, token=desk.token(), secrets=SECRETS, now=NOW)

    assert seen.outcome is OptIn.OPEN
    assert desk.held().state == "pending"


def test_confirming_opts_in_with_evidence_and_one_welcome(desk: Desk) -> None:
    desk.ask()

    seen = [desk.confirm(), desk.confirm(NOW + DAY)]

    held = desk.held()
    assert [s.outcome for s in seen] == [OptIn.CONFIRMED, OptIn.ALREADY]
    assert (held.state, held.confirmed_at) == ("active", NOW)
    assert [e.action for e in desk.evidence()] == ["requested", "confirmed"]
    assert [row["kind"] for row in desk.mailed()] == ["confirmation", "welcome"]


def test_the_welcome_letter_has_every_list_field(desk: Desk) -> None:
    desk.ask()
    desk.confirm()

    headers = desk.mailed()[1]["headers"]

    leave_url = SITE.unsubscribe_url(desk.token(Purpose.UNSUBSCRIBE))
    assert headers["List-Unsubscribe"].startswith(f"<{leave_url}>, <mailto:")
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["List-Id"] == '"The Week" <weekly.news.example.test>'
    assert headers["List-Post"] == "NO"


def test_an_expired_link_confirms_nothing_and_can_be_renewed(desk: Desk) -> None:
    desk.ask()
    later = NOW + 8 * DAY

    seen = desk.confirm(later)
    newsletter = asking_again.send_again(
        desk.db,
        token=desk.token(),
        origin=FORM,
        rules=SignUpRules(),
        site=SITE,
        secrets=SECRETS,
        templates=TEMPLATES,
        actor=READER,
        now=later,
    )

    assert seen.outcome is OptIn.EXPIRED
    assert newsletter is not None
    assert desk.held().state == "pending"
    assert len(desk.mailed()) == 2


def test_an_old_link_does_not_undo_a_later_leave(desk: Desk) -> None:
    desk.ask()
    desk.confirm()
    desk.go(NOW + DAY)

    seen = desk.confirm(NOW + 2 * DAY)

    assert seen.outcome is OptIn.EXPIRED
    assert desk.held().state == "unsubscribed"


@pytest.mark.parametrize("token", ["", "x", "a" * 44])
def test_an_unknown_link_confirms_nothing(desk: Desk, token: str) -> None:
    seen = desk.confirm(token=token or "-")
    again = asking_again.send_again(
        desk.db,
        token=token,
        origin=FORM,
        rules=SignUpRules(),
        site=SITE,
        secrets=SECRETS,
        templates=TEMPLATES,
        actor=READER,
        now=NOW,
    )

    assert (seen.outcome, again) == (OptIn.UNKNOWN, None)


def test_an_active_reader_who_asks_again_gets_nothing(desk: Desk) -> None:
    desk.ask()
    desk.confirm()

    outcome = desk.ask(NOW + 2 * DAY, sections=("arts",))

    assert outcome is SignUp.ACTIVE
    assert desk.held().sections == ()
    assert len(desk.mailed()) == 2


def record(
    desk: Desk, wording: str = "Signed the list at the book fair."
) -> Subscription:
    return opt_in.record(
        desk.db,
        newsletter="weekly",
        address=BOB,
        origin=Origin(source="cli", wording=wording),
        secrets=SECRETS,
        actor=READER,
        now=NOW,
    )


def test_recorded_consent_opts_in_without_a_letter(desk: Desk) -> None:
    held = record(desk)

    again = record(desk)

    assert held == again
    assert held.state == "active"
    assert [e.action for e in desk.evidence()] == ["recorded"]
    assert desk.mailed() == []


def test_recorded_consent_needs_words_and_an_address_that_may_be_written_to(
    desk: Desk,
) -> None:
    with pytest.raises(RefusedError, match="words"):
        record(desk, wording=" ")
    desk.suppress(SuppressionReason.COMPLAINT)

    with pytest.raises(RefusedError, match="suppressed"):
        record(desk)


def test_leaving_is_noted_once_however_often_it_is_asked(desk: Desk) -> None:
    desk.ask()
    desk.confirm()

    seen = [desk.go(NOW + n * DAY) for n in (1, 2, 3000)]

    assert [s and s.has_left for s in seen] == [True, True, True]
    assert [str(e.action) for e in desk.evidence()].count("withdrawn") == 1
    assert desk.audited().count("subscription.left") == 1
    assert desk.held().since == NOW + DAY


def test_looking_at_an_unsubscribe_link_changes_nothing(desk: Desk) -> None:
    """Attack A8."""
    desk.ask()
    desk.confirm()
    token = desk.token(Purpose.UNSUBSCRIBE)

    seen = leave.look(desk.db, token=token, secrets=SECRETS, now=NOW)

    assert seen is not None
    assert (seen.masked, seen.has_left) == ("b•••@example.test", False)
    assert desk.held().state == "active"


def test_an_unknown_link_leaves_nobody(desk: Desk) -> None:
    desk.ask()
    desk.confirm()

    seen = desk.go(token=desk.token(Purpose.PREFERENCES))

    assert seen is None
    assert desk.held().state == "active"


def test_undo_brings_back_what_was(desk: Desk) -> None:
    desk.ask()
    desk.confirm()
    desk.go(NOW)

    desk.undo(NOW + timedelta(minutes=5))

    held = desk.held()
    assert (held.state, held.confirmed_at) == ("active", NOW)
    assert desk.audited()[-1] == "subscription.restored"


def test_undo_brings_back_a_pause(desk: Desk) -> None:
    desk.ask()
    desk.confirm()
    with desk.db.write() as tx:
        subscriptions.pause(tx, desk.held(), until=NOW + 28 * DAY, now=NOW)
    desk.go(NOW)

    desk.undo(NOW)

    assert (desk.held().state, desk.held().paused_until) == ("paused", NOW + 28 * DAY)


def test_undo_confirms_nobody_who_was_not_confirmed(desk: Desk) -> None:
    desk.ask()
    desk.go()

    desk.undo()

    assert desk.held().state == "pending"


def test_undo_works_only_soon_after(desk: Desk) -> None:
    desk.ask()
    desk.confirm()
    desk.go(NOW)

    seen = desk.undo(NOW + timedelta(hours=2))

    assert seen is not None
    assert seen.has_left
    assert desk.held().state == "unsubscribed"


def test_undo_of_an_unknown_link_is_nothing(desk: Desk) -> None:
    seen = leave.undo(
        desk.db, token="x", origin=FORM, secrets=SECRETS, actor=READER, now=NOW
    )

    assert seen is None


def unsubscribe(desk: Desk, newsletter: str | None = None) -> tuple[str, ...]:
    return leave.unsubscribe_address(
        desk.db,
        address=BOB,
        newsletter=newsletter,
        origin=Origin(source="cli"),
        actor=READER,
        now=NOW,
    )


def test_an_operator_unsubscribes_an_address_from_everything(desk: Desk) -> None:
    nobody = unsubscribe(desk)
    desk.ask()

    first, second = unsubscribe(desk), unsubscribe(desk, "weekly")

    assert (nobody, first, second) == ((), ("weekly",), ())
    assert desk.held().state == "unsubscribed"
