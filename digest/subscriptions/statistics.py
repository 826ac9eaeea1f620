"""How many readers there are, of which newsletter, in which state."""

from dataclasses import dataclass

from digest.domain.allowances import SignUpRules
from digest.domain.states import SubscriptionState, SuppressionReason
from digest.storage import newsletters, subscriber_figures as figures
from digest.storage.engine import Database

_LARGEST, _MOST = 10, 100_000


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """The list in numbers.

    Attributes:
        readers: Addresses known.
        erased: Readers whose address was erased.
        newsletters: Slug → state → subscriptions.
        suppressions: Reason → addresses.
        domains: The largest receiving domains with their readers.
        disposable: Domains of throw-away addresses with their readers.
    """

    readers: int
    erased: int
    newsletters: dict[str, dict[SubscriptionState, int]]
    suppressions: dict[SuppressionReason, int]
    domains: list[tuple[str, int]]
    disposable: list[tuple[str, int]]


def count(db: Database, *, rules: SignUpRules) -> Statistics:
    """Count, in one view of the database.

    Args:
        db: The database.
        rules: Say which domains are of throw-away addresses.
    """
    with db.read() as tx:
        known, erased = figures.count_readers(tx)
        held = figures.count_subscriptions(tx)
        barred = figures.count_suppressions(tx)
        domains = figures.count_domains(tx, limit=_MOST)
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
            domains=domains[:_LARGEST],
            disposable=[each for each in domains if rules.is_disposable(each[0])],
        )
