"""Release and what follows: who gets a letter, exactly once, and who decides."""

from datetime import date, timedelta
from typing import Any

import pytest

from digest.domain.errors import DigestError, StateError
from digest.domain.site import Site
from digest.domain.states import (
    DeliveryState,
    EditionState,
    SubscriptionState,
    SuppressionReason,
)
from digest.send import progress, release, steering
from digest.storage import deliveries, editions, suppressions
from digest.storage.engine import Database
from tests.builders import NOW, SECRETS, add_newsletter
from tests.posting import (
    DESK,
    add_edition,
    add_reader,
    add_readers,
    add_variant,
    audit_of,
    mark_sent,
    release_edition,
    rows_of,
)


def test_only_active_readers_are_planned(db: Database) -> None:
    newsletter = add_newsletter(db)
    add_reader(db, newsletter, "alice@example.com")
    for state in set(SubscriptionState) - {SubscriptionState.ACTIVE}:
        add_reader(db, newsletter, f"{state}@example.com", state=state)
    add_reader(db, newsletter, "charlie@example.com")
    with db.write() as tx:
        suppressions.add(
            tx,
            address_hash=SECRETS.hash_address("charlie@example.com"),
            address=None,
            reason=SuppressionReason.BOUNCE,
            detail="",
            now=NOW,
        )
    edition = add_edition(db, newsletter)

    release_edition(db, edition)

    assert [row.address for row in rows_of(db, edition)] == ["alice@example.com"]


def test_a_reader_whose_pause_is_over_is_planned(db: Database) -> None:
    newsletter = add_newsletter(db)
    for name, days in (("back", -1), ("away", 1)):
        add_reader(
            db,
            newsletter,
            f"{name}@example.com",
            state=SubscriptionState.PAUSED,
            paused_until=NOW + timedelta(days=days),
        )
    edition = add_edition(db, newsletter)

    release_edition(db, edition)

    assert [row.address for row in rows_of(db, edition)] == ["back@example.com"]


def test_newest_consent_goes_first(db: Database) -> None:
    newsletter = add_newsletter(db)
    for name, days in (("old", 300), ("new", 1), ("middle", 20)):
        confirmed = NOW - timedelta(days=days)
        add_reader(db, newsletter, f"{name}@example.com", confirmed_at=confirmed)
    edition = add_edition(db, newsletter)

    release_edition(db, edition, chunk_size=1)

    order = sorted(rows_of(db, edition), key=lambda row: int(row.chunk))
    assert [row.address.partition("@")[0] for row in order] == ["new", "middle", "old"]


def test_newest_consent_goes_first_within_a_chunk(db: Database) -> None:
    newsletter = add_newsletter(db)
    for name, days in (("old", 300), ("new", 1), ("middle", 20)):
        confirmed = NOW - timedelta(days=days)
        add_reader(db, newsletter, f"{name}@example.com", confirmed_at=confirmed)
    edition = add_edition(db, newsletter)

    release_edition(db, edition)

    order = [row.address.partition("@")[0] for row in rows_of(db, edition)]
    assert order == ["new", "middle", "old"]


def test_dates_of_consent_are_local(db: Database) -> None:
    newsletter = add_newsletter(db)
    # 23:30 UTC is already the next day in Cairo.
    late = NOW.replace(day=1, hour=23, minute=30)
    add_reader(db, newsletter, "alice@example.com", confirmed_at=late)
    edition = add_edition(db, newsletter)

    release_edition(db, edition)

    assert rows_of(db, edition)[0].confirmed_on == date(2024, 5, 2)


def test_each_reader_gets_the_variant_they_chose(db: Database) -> None:
    newsletter = add_newsletter(db)
    add_reader(db, newsletter, "text@example.com", letter_format="text")
    add_reader(db, newsletter, "arts@example.com", sections="arts")
    edition = add_edition(db, newsletter)
    with db.write() as tx:
        add_variant(tx, edition, "arts", "html")

    release_edition(db, edition)

    with db.read() as tx:
        known = {
            v.id: (v.sections, v.format) for v in editions.variants(tx, edition.id)
        }
    chosen = {row.address: known[row.variant_id] for row in rows_of(db, edition)}
    assert chosen == {
        "text@example.com": ("", "text"),
        "arts@example.com": ("arts", "html"),
    }


def test_a_missing_variant_is_named_and_nothing_is_released(db: Database) -> None:
    newsletter = add_newsletter(db)
    add_reader(db, newsletter, "arts@example.com", sections="arts")
    edition = add_edition(db, newsletter)

    with pytest.raises(release.VariantsMissingError, match="arts as html") as caught:
        release_edition(db, edition)

    assert f"digest editions approve {edition.id}" in caught.value.mend
    assert rows_of(db, edition) == []


def test_what_letters_share_is_frozen(sqlite_db: Database) -> None:
    newsletter = add_newsletter(sqlite_db)
    add_readers(sqlite_db, newsletter, 1)

    edition = release_edition(sqlite_db, add_edition(sqlite_db, newsletter))

    assert edition.frozen is not None
    assert edition.frozen["list_id"] == newsletter.list_id
    assert edition.frozen["base_url"] == "https://news.example.test"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": EditionState.DRAFT}, "not approved"),
        ({"approved_hash": "d" * 64}, "changed after its approval"),
        ({"state": EditionState.SENT, "released_at": NOW}, "released before"),
    ],
)
def test_refuses_what_is_not_approved(
    sqlite_db: Database, changes: dict[str, object], words: str
) -> None:
    newsletter = add_newsletter(sqlite_db)
    add_readers(sqlite_db, newsletter, 1)
    edition = add_edition(sqlite_db, newsletter, **changes)

    with pytest.raises(StateError, match=words):
        release_edition(sqlite_db, edition)


def test_refuses_a_second_release(db: Database) -> None:
    newsletter = add_newsletter(db)
    add_readers(db, newsletter, 2)
    edition = add_edition(db, newsletter)
    release_edition(db, edition)

    with pytest.raises(StateError, match="released before"):
        release_edition(db, edition)

    assert len(rows_of(db, edition)) == 2


def test_refuses_an_edition_without_readers_and_changes_nothing(db: Database) -> None:
    edition = add_edition(db, add_newsletter(db))

    with pytest.raises(StateError, match="no active readers"):
        release_edition(db, edition)

    status = progress.status(db, edition_id=edition.id, now=NOW)
    assert status.state == EditionState.APPROVED


def test_refuses_words_that_cannot_stand_in_a_letter(sqlite_db: Database) -> None:
    newsletter = add_newsletter(sqlite_db)
    add_readers(sqlite_db, newsletter, 1)
    edition = add_edition(sqlite_db, newsletter)
    bad = Site(base_url="https://x.example/\ud800", mail_domain="news.example.test")

    with pytest.raises(DigestError):
        release_edition(sqlite_db, edition, site=bad)

    assert rows_of(sqlite_db, edition) == []


def test_a_later_time_schedules_and_may_be_changed(sqlite_db: Database) -> None:
    newsletter = add_newsletter(sqlite_db)
    edition = add_edition(sqlite_db, newsletter)
    release_edition(sqlite_db, edition, at=NOW + timedelta(hours=1))

    moved = release_edition(sqlite_db, edition, at=NOW + timedelta(hours=2))

    assert moved.state == EditionState.SCHEDULED
    assert release.due(sqlite_db, now=NOW + timedelta(hours=1)) == []
    assert release.due(sqlite_db, now=NOW + timedelta(hours=2)) == [edition.id]


def test_a_time_that_passes_between_asking_and_acting_releases_at_once(
    sqlite_db: Database,
) -> None:
    newsletter = add_newsletter(sqlite_db)
    add_readers(sqlite_db, newsletter, 1)

    edition = release_edition(sqlite_db, add_edition(sqlite_db, newsletter), at=NOW)

    assert edition.state == EditionState.SENDING


def test_every_change_is_audited_with_its_actor(sqlite_db: Database) -> None:
    newsletter = add_newsletter(sqlite_db)
    add_readers(sqlite_db, newsletter, 1)
    edition = add_edition(sqlite_db, newsletter)
    release_edition(sqlite_db, edition)
    about: dict[str, Any] = {"edition_id": edition.id, "actor": DESK, "now": NOW}

    steering.pause(sqlite_db, reason="a mistake", **about)
    steering.resume(sqlite_db, **about)
    steering.cancel(sqlite_db, **about)

    assert audit_of(sqlite_db) == [
        ("edition.released", "operator:editor"),
        ("edition.paused", "operator:editor"),
        ("edition.resumed", "operator:editor"),
        ("edition.cancelled", "operator:editor"),
    ]


def test_a_pause_tells_its_reason_until_it_ends(sqlite_db: Database) -> None:
    newsletter = add_newsletter(sqlite_db)
    add_readers(sqlite_db, newsletter, 1)
    edition = release_edition(sqlite_db, add_edition(sqlite_db, newsletter))
    about: dict[str, Any] = {"edition_id": edition.id, "actor": DESK, "now": NOW}

    steering.pause(sqlite_db, reason="a mistake", **about)
    paused = progress.status(sqlite_db, edition_id=edition.id, now=NOW)
    steering.resume(sqlite_db, **about)
    resumed = progress.status(sqlite_db, edition_id=edition.id, now=NOW)

    assert (paused.state, paused.pause_reason) == (EditionState.PAUSED, "a mistake")
    assert (resumed.state, resumed.pause_reason) == (EditionState.SENDING, None)


def test_only_a_paused_edition_is_resumed(sqlite_db: Database) -> None:
    edition = add_edition(sqlite_db, add_newsletter(sqlite_db))

    with pytest.raises(StateError, match="not paused"):
        steering.resume(sqlite_db, edition_id=edition.id, actor=DESK, now=NOW)


def test_cancelling_states_its_effect(db: Database) -> None:
    newsletter = add_newsletter(db)
    add_readers(db, newsletter, 3)
    edition = release_edition(db, add_edition(db, newsletter))

    effect = steering.cancel(db, edition_id=edition.id, actor=DESK, now=NOW)

    assert (effect.skipped, effect.under_way, effect.sent) == (3, 0, 0)
    assert {row.reason for row in rows_of(db, edition)} == {"cancelled"}


def test_status_counts_every_state(db: Database) -> None:
    newsletter = add_newsletter(db)
    add_readers(db, newsletter, 3)
    edition = release_edition(db, add_edition(db, newsletter))

    status = progress.status(db, edition_id=edition.id, now=NOW)

    assert status.counts == {
        state: 3 if state == DeliveryState.QUEUED else 0 for state in DeliveryState
    }
    assert (status.started_at, status.rate_per_second, status.eta) == (NOW, 0, None)


def test_status_tells_rate_and_end(sqlite_db: Database) -> None:
    newsletter = add_newsletter(sqlite_db)
    add_readers(sqlite_db, newsletter, 30)
    edition = release_edition(sqlite_db, add_edition(sqlite_db, newsletter))
    later = NOW + timedelta(seconds=10)
    mark_sent(sqlite_db, edition.id, 20, at=later)

    status = progress.status(sqlite_db, edition_id=edition.id, now=later)

    assert status.rate_per_second == 2
    assert status.eta == later + timedelta(seconds=5)


def test_a_paused_edition_has_no_rate(sqlite_db: Database) -> None:
    newsletter = add_newsletter(sqlite_db)
    add_readers(sqlite_db, newsletter, 30)
    edition = release_edition(sqlite_db, add_edition(sqlite_db, newsletter))
    mark_sent(sqlite_db, edition.id, 20, at=NOW)
    steering.pause(sqlite_db, edition_id=edition.id, reason="", actor=DESK, now=NOW)

    status = progress.status(sqlite_db, edition_id=edition.id, now=NOW)

    assert (status.rate_per_second, status.eta) == (0, None)


def test_a_sent_edition_has_no_rate(sqlite_db: Database) -> None:
    newsletter = add_newsletter(sqlite_db)
    add_readers(sqlite_db, newsletter, 20)
    edition = release_edition(sqlite_db, add_edition(sqlite_db, newsletter))
    mark_sent(sqlite_db, edition.id, 20, at=NOW)
    with sqlite_db.write() as tx:
        editions.move(tx, edition, EditionState.SENT, now=NOW, finished_at=NOW)

    status = progress.status(sqlite_db, edition_id=edition.id, now=NOW)

    assert (status.state, status.rate_per_second) == (EditionState.SENT, 0)


def test_an_edition_of_which_nothing_goes_has_no_rate(sqlite_db: Database) -> None:
    newsletter = add_newsletter(sqlite_db)
    add_readers(sqlite_db, newsletter, 30)
    edition = release_edition(sqlite_db, add_edition(sqlite_db, newsletter))
    mark_sent(sqlite_db, edition.id, 20, at=NOW)
    later = NOW + timedelta(minutes=5)

    status = progress.status(sqlite_db, edition_id=edition.id, now=later)

    assert (status.rate_per_second, status.eta) == (0, None)


def test_listing_pages_and_filters(db: Database) -> None:
    newsletter = add_newsletter(db)
    add_readers(db, newsletter, 5)
    edition = release_edition(db, add_edition(db, newsletter))
    mark_sent(db, edition.id, 2, at=NOW)

    with db.read() as tx:
        first = deliveries.list_page(tx, edition.id, limit=3)
        rest = deliveries.list_page(tx, edition.id, after=first[-1].id, limit=3)
        sent = deliveries.list_page(tx, edition.id, state=DeliveryState.SENT, limit=10)

    assert (len(first), len(rest), len(sent)) == (3, 2, 2)
