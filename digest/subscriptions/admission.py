"""Who may press a button of the public pages how often (attack A6)."""

from datetime import datetime

from digest.domain.allowances import SignUpRules
from digest.domain.secrets import Secrets
from digest.storage import tallies
from digest.storage.engine import Database


def admit(
    db: Database,
    *,
    kind: str,
    network: str,
    rules: SignUpRules,
    secrets: Secrets,
    now: datetime,
) -> bool:
    """Count what one network asks for, unless it asked too often.

    A sign-up is also refused while everybody together has got as many letters as
    there may be: whoever asks is told to come back, whatever the address.

    Args:
        db: The database.
        kind: What is asked for, which is counted apart: `sign-up`, `opinion`.
        network: As `web.limits.network_of` gives it; kept as a keyed hash.
        rules: How often.
        secrets: For the hash.
        now: When.
    """
    theirs = rules.of_network(secrets.hash_name(kind, network))
    wanted = [theirs, rules.of_everybody()] if kind == "sign-up" else [theirs]
    # Looked at first: a flood must not queue for the right to write.
    with db.read() as tx:
        if not tallies.has_room(tx, wanted, now=now):
            return False
    with db.write() as tx:
        return tallies.take(tx, [theirs], now=now)
