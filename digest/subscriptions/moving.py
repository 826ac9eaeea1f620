"""A reader's letters go to another address, once both addresses' holders agree.

Whether the new address is known here shows nowhere: the same page, the same letter, and
to a suppressed address none. The old address is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from digest.domain.actor import Actor
from digest.domain.addresses import EmailAddress, parse_address
from digest.domain.allowances import SignUpRules
from digest.domain.newsletters import Newsletter
from digest.domain.secrets import Secrets
from digest.domain.site import Site
from digest.domain.subscribers import Origin, Subscriber
from digest.domain.tokens import Purpose
from digest.storage import (
    address_changes,
    newsletters,
    notices,
    subscribers,
    subscriptions,
)
from digest.storage.address_changes import AddressChange
from digest.storage.engine import Database, Tx
from digest.subscriptions import rights, sign_up
from digest.subscriptions.evidence import Deed
from digest.subscriptions.readdressing import GETS, note, readdress
from digest.subscriptions.rights_letters import write_moved, write_question
from digest.templating import Templates

DAY, MONTH = timedelta(days=1), timedelta(days=30)
MOST_ASKED = 3  # a day, by one reader
MOST_TO_ONE = 3  # in 30 days, to one address, and one a day


class Move(StrEnum):
    """What the link in the letter to the new address came to."""

    OPEN = "open"  # waits for the button
    DONE = "done"  # letters go there: also when it is pressed again
    OVER = "over"  # too old, replaced, the reader was erased, or not possible any more
    UNKNOWN = "unknown"  # not a link of ours


@dataclass(frozen=True, kw_only=True)
class Moving:
    """How such a link stands.

    Attributes:
        outcome: What it came to.
        newsletter: In whose language; None for an unknown link.
        address: The new address, while the link is open.
        names: The newsletters that would go there.
    """

    outcome: Move
    newsletter: Newsletter | None = None
    address: str = ""
    names: Sequence[str] = ()


def ask(
    db: Database,
    *,
    token: str,
    address: EmailAddress,
    rules: SignUpRules,
    site: Site,
    secrets: Secrets,
    templates: Templates,
    actor: Actor,
    now: datetime,
) -> bool:
    """Ask the holder of a new address whether letters may go there.

    Args:
        db: The database.
        token: Of the link to the reader's data.
        address: The new address, which may be anybody's.
        rules: How many letters one inbox and all together are sent.
        site: For the link.
        secrets: For tokens and the address hash.
        templates: For the letter.
        actor: Who asks.
        now: When.

    Returns:
        Whether a letter was mailed; pages say the same either way.
    """
    hashed = secrets.hash_address(address.key)
    with db.write() as tx:
        access = rights.open_door(tx, token, secrets=secrets, now=now)
        if access.reader is None or access.newsletter is None:
            return False
        reader = subscribers.lock(tx, access.reader.id)
        if reader is None or reader.address_hash == hashed:
            return False
        if sign_up.is_barred(tx, address, hashed, anybody=True):
            return False
        is_enough = _asked_too_often(tx, reader, hashed, now)
        if is_enough or not sign_up.admit(tx, address, rules, secrets, now):
            return False
        change_id = address_changes.add(
            tx,
            subscriber_id=reader.id,
            newsletter_id=access.newsletter.id,
            address=address.address,
            address_hash=hashed,
            now=now,
        )
        letter = write_question(
            reader,
            change_id=change_id,
            address=address.address,
            newsletter=access.newsletter,
            names=_names(tx, reader.id),
            site=site,
            secrets=secrets,
            templates=templates,
            now=now,
        )
        notices.add(tx, letter, now=now)
        note(tx, reader, "move_asked", actor, now)
        return True


def forget_unanswered(db: Database, *, now: datetime) -> None:
    """Forget new addresses whose holders did not agree while they could."""
    with db.write() as tx:
        address_changes.forget_before(tx, now - DAY)


def look(db: Database, *, token: str, secrets: Secrets, now: datetime) -> Moving:
    """Say how a link in such a letter stands, changing nothing."""
    with db.read() as tx:
        found = _find(tx, token, secrets, now)
        return Moving(outcome=Move.UNKNOWN) if found is None else _show(tx, found)


def agree(
    db: Database,
    *,
    token: str,
    origin: Origin,
    secrets: Secrets,
    templates: Templates,
    actor: Actor,
    now: datetime,
) -> Moving:
    """Send the letters there from now on; pressing twice changes nothing more.

    An address that nobody has here becomes the reader's, with their history and the
    links in their old letters. One that another reader has keeps that reader's
    record: the subscriptions go there, as an opt-in, and the old ones end.

    Args:
        db: The database.
        token: From the letter to the new address.
        origin: Where the button was, and its words.
        secrets: For tokens and the address hash.
        templates: For the letter to the old address.
        actor: Who agrees.
        now: When.
    """
    deed = Deed(origin=origin, actor=actor, now=now)
    with db.write() as tx:
        found = _find(tx, token, secrets, now)
        if found is None:
            return Moving(outcome=Move.UNKNOWN)
        reader = subscribers.lock(tx, found.change.subscriber_id)
        # Two presses at once follow each other here: look again after.
        found = _find(tx, token, secrets, now)
        assert found is not None, "changes are never deleted"
        if found.outcome is not Move.OPEN or reader is None:
            return _show(tx, found)
        assert found.change.address is not None, "the link is open"
        address = parse_address(found.change.address)
        hashed = secrets.hash_address(address.key)
        newsletter = newsletters.get_by_id(tx, found.change.newsletter_id)
        readdress(tx, reader, address, hashed, deed)
        address_changes.agree(tx, found.change, now=now)
        letter = write_moved(
            reader,
            change_id=found.change.id,
            to=address.address,
            newsletter=newsletter,
            templates=templates,
        )
        notices.add(tx, letter, now=now)
        return Moving(outcome=Move.DONE, newsletter=newsletter)


@dataclass(frozen=True, kw_only=True)
class _Found:
    change: AddressChange
    outcome: Move


def _find(tx: Tx, text: str, secrets: Secrets, now: datetime) -> _Found | None:
    token = secrets.tokens.read(Purpose.MOVE, text, now=now)
    change = None if token is None else address_changes.get(tx, token.row_id)
    if token is None or change is None:
        return None
    outcome = Move.OPEN
    if change.agreed_at is not None:
        outcome = Move.DONE if _has_address(tx, change) else Move.OVER
    elif token.expired or _is_over(tx, change.address, secrets):
        outcome = Move.OVER
    return _Found(change=change, outcome=outcome)


def _has_address(tx: Tx, change: AddressChange) -> bool:
    reader = subscribers.get(tx, change.subscriber_id)
    return reader is not None and reader.address is not None


def _is_over(tx: Tx, text: str | None, secrets: Secrets) -> bool:
    """Tell whether a later wish took its place, or the address was suppressed."""
    if text is None:
        return True
    address = parse_address(text)
    hashed = secrets.hash_address(address.key)
    return sign_up.is_barred(tx, address, hashed, anybody=False)


def _show(tx: Tx, found: _Found) -> Moving:
    is_open = found.outcome is Move.OPEN
    return Moving(
        outcome=found.outcome,
        newsletter=newsletters.get_by_id(tx, found.change.newsletter_id),
        address=found.change.address or "" if is_open else "",
        names=_names(tx, found.change.subscriber_id) if is_open else (),
    )


def _asked_too_often(tx: Tx, reader: Subscriber, hashed: str, now: datetime) -> bool:
    return (
        address_changes.count_by(tx, reader.id, since=now - DAY) >= MOST_ASKED
        or address_changes.count_to(tx, hashed, since=now - DAY) > 0
        or address_changes.count_to(tx, hashed, since=now - MONTH) >= MOST_TO_ONE
    )


def _names(tx: Tx, subscriber_id: int) -> Sequence[str]:
    return [
        newsletters.get_by_id(tx, held.newsletter_id).name
        for held in subscriptions.for_subscriber(tx, subscriber_id)
        if held.state in GETS
    ]
