"""How many readers there are, of which newsletter, in which state."""

from dataclasses import dataclass

from digest.domain.states import SubscriptionState, SuppressionReason
from digest.storage import newsletters, subscriber_figures as figures
from digest.storage.engine import Database

_LARGEST = 10


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """The list in numbers.

    Attributes:
        readers: Addresses known.
        erased: Readers whose address was erased.
        newsletters: Slug → state → subscriptions.
        suppressions: Reason → addresses.
        domains: The largest receiving domains with their readers.
    """

    readers: int
    erased: int
    newsletters: dict[str, dict[SubscriptionState, int]]
    suppressions: dict[SuppressionReason, int]
    domains: list[tuple[str, int]]


def count(db: Database) -> Statistics:
    """Count, in one view of the database."""
    with db.read() as tx:
        known, erased = figures.count_readers(tx)
        held = figures.count_subscriptions(tx)
        barred = figures.count_suppressions(tx)
        return Statistics(
            readers=known,
            erased=erased,
            newsletters={
                each.slug: {
                    state: held.get((each.id, state), 0) for state in SubscriptionState
                }
                for each in newsletters.list_all(tx)
            },
            suppressions={each: barred.get(each, 0) for each in SuppressionReason},
            domains=figures.count_domains(tx, limit=_LARGEST),
        )
