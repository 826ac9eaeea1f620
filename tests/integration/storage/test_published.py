"""The list of issues that readers have got."""

from datetime import date

from digest.domain.states import EditionState
from digest.storage import published
from digest.storage.engine import Database
from tests.builders import add_newsletter
from tests.posting import add_edition


def test_lists_what_readers_got_newest_first_and_once_a_date(db: Database) -> None:
    newsletter = add_newsletter(db)
    for day, state, revision in (
        (12, EditionState.CANCELLED, 1),
        (12, EditionState.PAUSED, 2),
        (5, EditionState.SENT, 1),
        (19, EditionState.SENDING, 1),
        (26, EditionState.SCHEDULED, 1),
    ):
        add_edition(
            db,
            newsletter,
            issue_date=date(2024, 5, day),
            state=state,
            revision=revision,
            subject=f"{day} {revision}",
        )

    with db.read() as tx:
        found = published.list_issues(tx, newsletter.id)

    assert [issue.subject for issue in found] == ["19 1", "12 2", "5 1"]
