"""The worker over real SMTP: every reader gets one letter, whatever happens."""


from digest.domain.states import EditionState
from digest.send import plan
from digest.send.worker import drain
from digest.storage.engine import Database
from tests.builders import NOW, add_newsletter
from tests.posting import (
    Inbox,
    add_edition,
    add_readers,
    make_post,
    release_edition,
    states_of,
)


async def test_every_active_reader_gets_exactly_one_letter(db: Database) -> None:
    newsletter = add_newsletter(db)
    add_readers(db, newsletter, 25)
    edition = add_edition(db, newsletter)
    release_edition(db, edition, chunk_size=10)
    inbox = Inbox()

    async with inbox.sink() as sink:
        totals = await drain(make_post(db, sink.port), clock=lambda: NOW)

    assert inbox.recipients() == sorted(f"r{n}@example.com" for n in range(25))
    assert (totals.sent, totals.waiting) == (25, 0)
    status = plan.status(db, edition_id=edition.id, now=NOW)
    assert status.state == EditionState.SENT
    assert set(states_of(db, edition).values()) == {"sent"}
