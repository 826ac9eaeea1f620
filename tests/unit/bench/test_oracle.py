"""The judge of fault trials: every broken promise is noticed, by its own words."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from bench.oracle import Account, Bounds, compare
from bench.recorder import Taken

READERS = [f"reader-{number}@example.com" for number in range(4)]


def letter(reader: str, **changes: object) -> Taken:
    taken = Taken(
        recipient=reader,
        message_id=f"<{reader}>",
        digest=f"bytes for {reader}",
        encrypted=True,
        at=1.0,
    )
    return replace(taken, **changes)  # type: ignore[arg-type] # a field's own type


def account(counts: Mapping[str, int], **listed: Sequence[str]) -> Account:
    named = {"readers": READERS, "doubtful": (), "failed": (), "skipped": ()} | listed
    return Account(counts=counts, **named)  # type: ignore[arg-type] # only lists


ALL = [letter(reader) for reader in READERS]
ALL_SENT = account({"sent": 4})


def broken(
    claimed: Account,
    taken: Sequence[Taken],
    *,
    copies: int = 0,
    uncertain: int = 0,
    skipped: int = 0,
) -> list[str]:
    bounds = Bounds(copies=copies, uncertain=uncertain, skipped=skipped)
    return compare("trial", claimed, taken, bounds).broken


def test_one_letter_each_and_true_counts_break_nothing() -> None:
    assert broken(ALL_SENT, ALL) == []


def test_a_lost_letter_is_noticed() -> None:
    assert "1 lost" in broken(account({"sent": 3}), ALL[1:])


def test_a_lost_letter_that_is_counted_as_sent_is_noticed() -> None:
    assert broken(ALL_SENT, ALL[1:]) == ["1 lost", "counted 4 sent, found 3"]


def test_a_letter_in_doubt_is_not_lost() -> None:
    claimed = account({"sent": 3, "uncertain": 1}, doubtful=READERS[:1])

    assert broken(claimed, ALL[1:], uncertain=1) == []


def test_more_letters_in_doubt_than_promised_are_noticed() -> None:
    claimed = account({"sent": 3, "uncertain": 1}, doubtful=READERS[:1])

    assert broken(claimed, ALL) == ["in doubt > 0"]


def test_letters_in_doubt_that_are_counted_but_not_listed_are_noticed() -> None:
    claimed = account({"sent": 4, "uncertain": 1})

    assert broken(claimed, ALL, uncertain=1) == ["counted 1 uncertain, found 0"]


def test_a_copy_within_the_bound_is_allowed() -> None:
    assert broken(ALL_SENT, [*ALL, ALL[0]], copies=1) == []


def test_a_copy_beyond_the_bound_is_noticed() -> None:
    assert broken(ALL_SENT, [*ALL, ALL[0]]) == ["copies > 0"]


@pytest.mark.parametrize("change", [{"message_id": "<other>"}, {"digest": "other"}])
def test_a_copy_that_differs_is_noticed(change: dict[str, str]) -> None:
    copy = letter(READERS[0], **change)

    assert broken(ALL_SENT, [*ALL, copy], copies=1) == ["copies differ"]


def test_letters_to_two_readers_with_one_message_id_are_noticed() -> None:
    twin = letter(READERS[0], message_id=ALL[1].message_id)

    assert broken(ALL_SENT, [twin, *ALL[1:]]) == ["readers share a Message-ID"]


@pytest.mark.parametrize("sent", [3, 5])
def test_a_wrong_count_is_noticed(sent: int) -> None:
    claimed = account({"sent": sent})

    assert broken(claimed, ALL) == [f"counted {sent} sent, found 4"]


@pytest.mark.parametrize("state", ["queued", "dispatching", "deferred"])
def test_a_letter_left_over_is_noticed(state: str) -> None:
    claimed = account({"sent": 4, state: 1})

    assert broken(claimed, ALL) == ["1 letters left over"]


def test_a_letter_to_a_reader_who_was_skipped_is_noticed() -> None:
    claimed = account({"sent": 3, "skipped": 1}, skipped=READERS[:1])

    assert broken(claimed, ALL, skipped=1) == ["1 letters to readers passed over"]


def test_a_letter_to_a_reader_who_is_said_to_have_failed_is_noticed() -> None:
    claimed = account({"sent": 3, "failed": 1}, failed=READERS[:1])

    assert broken(claimed, ALL) == [
        "1 readers failed",
        "1 letters to readers passed over",
    ]


def test_a_reader_skipped_who_did_not_leave_is_noticed() -> None:
    claimed = account({"sent": 3, "skipped": 1}, skipped=READERS[:1])

    assert broken(claimed, ALL[1:]) == ["1 skipped"]


def test_a_suppressed_reader_is_noticed() -> None:
    assert broken(replace(ALL_SENT, suppressed=1), ALL) == ["1 readers suppressed"]


def test_a_letter_to_a_stranger_is_noticed() -> None:
    stranger = letter("stranger@example.com")

    assert "letters to strangers" in broken(ALL_SENT, [*ALL, stranger])


def test_a_letter_in_the_clear_is_noticed_where_tls_is_required() -> None:
    clear = letter(READERS[0], encrypted=False)

    verdict = compare("trial", ALL_SENT, [clear, *ALL[1:]], Bounds(encrypted=True))

    assert verdict.broken == ["1 in the clear"]


def test_what_was_found_is_told_with_its_bound() -> None:
    claimed = account({"sent": 3, "uncertain": 1}, doubtful=READERS[:1])

    verdict = compare("trial", claimed, ALL[1:], Bounds(uncertain=8))

    assert (verdict.lost, verdict.copies, verdict.uncertain) == (0, 0, 1)
    assert verdict.bound == 8
    assert verdict.result == "ok"
