"""Bring a long list of readers in: a handful of statements, all of it or nothing."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)

from digest.domain.actor import Actor
from digest.domain.states import SubscriptionState, SuppressionReason
from digest.domain.subscribers import ConsentAction, is_stronger
from digest.storage import subscriber_staging, tables
from digest.storage.engine import WRITE, Database, Tx
from digest.storage.insertion import insert_new
from digest.storage.subscriber_staging import Outcome, Staged, plan, rows
from digest.storage.types import Id, UtcDateTime

_CACHE_KIB = 65_536  # SQLite's 2 MB page cache would thrash on a million keys
_LONG_LIST = 50_000  # rows

_r, _p = rows.c, plan.c
_BARRED = tables.suppressions
_LEFT = SubscriptionState.UNSUBSCRIBED
_RECEIVING = (SubscriptionState.ACTIVE, SubscriptionState.PAUSED)
# A bounced address has not taken its consent back.
_WITHDRAWING = (SuppressionReason.REQUEST, SuppressionReason.COMPLAINT)


class Staging:
    """The staging tables of one import, on a connection of their own."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        subscriber_staging.staging.create_all(connection, checkfirst=False)

    def add(self, batch: Sequence[Staged]) -> None:
        """Stage some thousand rows; lines must not repeat."""
        subscriber_staging.load(self._connection, batch)

    def foresee(self, *, newsletter_id: int) -> Mapping[Outcome, int]:
        """Count what a merge would do, and do nothing."""
        return _make_plan(self._connection, newsletter_id)

    def merge(
        self, *, newsletter_id: int, actor: Actor, now: datetime
    ) -> tuple[Tx, Mapping[Outcome, int]]:
        """Bring everything staged in; the caller's block commits it.

        Returns:
            The open transaction, for the audit, and rows by outcome.
        """
        tx = self._connection
        tx.commit()
        tx.execution_options(**WRITE)
        tx.begin()
        counts = _make_plan(tx, newsletter_id)
        _suppress(tx, actor, now)
        _add_subscribers(tx, now)
        _add_subscriptions(tx, newsletter_id, now)
        _add_consents(tx, newsletter_id, actor, now)
        return tx, counts


@contextmanager
def staging(db: Database) -> Iterator[Staging]:
    """Open staging tables; what was merged is committed when the block ends well."""
    with db.engine.connect() as connection:
        # Its own, closed at the end: temporary tables and settings go with it.
        connection.detach()
        if db.is_sqlite:
            connection.exec_driver_sql(f"PRAGMA cache_size=-{_CACHE_KIB}")
        yield Staging(connection)
        connection.commit()


def _make_plan(tx: Tx, newsletter_id: int) -> Mapping[Outcome, int]:
    """Decide on every row: a suppression anywhere in the file or the database wins."""
    if tx.dialect.name == "postgresql":
        tx.exec_driver_sql("ANALYZE import_rows")  # or it plans for an empty table
        tx.exec_driver_sql("SET LOCAL work_mem = '64MB'")  # joins of whole lists
        staged = tx.execute(select(func.count()).select_from(rows)).scalar_one()
        if staged > _LONG_LIST:  # anti-joins look small to it, and it would loop
            tx.exec_driver_sql("SET LOCAL enable_nestloop = off")
    people, held, barred = tables.subscribers, tables.subscriptions, _BARRED
    nth = func.row_number().over(partition_by=_r.address_key, order_by=_r.line)
    reasons = func.count(_r.reason).over(partition_by=_r.address_key)
    outcome = case(
        (
            or_(reasons > 0, barred.c.id.is_not(None), held.c.state == _LEFT),
            Outcome.SUPPRESSED,
        ),
        (or_(nth > 1, held.c.state.in_(_RECEIVING)), Outcome.ALREADY),
        else_=Outcome.ADDED,
    )
    decided = (
        select(
            _r.line,
            outcome.label("outcome"),
            people.c.id.label("subscriber_id"),
            held.c.id.label("subscription_id"),
        )
        .select_from(rows)
        .outerjoin(barred, barred.c.address_hash == _r.address_hash)
        .outerjoin(people, people.c.address_key == _r.address_key)
        .outerjoin(
            held,
            and_(
                held.c.subscriber_id == people.c.id,
                held.c.newsletter_id == newsletter_id,
            ),
        )
        .subquery()
    )
    # New readers, who are most of a long list, stay out of the plan.
    query = select(decided).where(
        or_(decided.c.outcome != Outcome.ADDED, decided.c.subscriber_id.is_not(None))
    )
    tx.execute(plan.insert().from_select(list(_p.keys()), query))
    counted = tx.execute(select(_p.outcome, func.count()).group_by(_p.outcome)).all()
    found = {row[0]: int(row[1]) for row in counted}
    every = tx.execute(select(func.count()).select_from(rows)).scalar_one()
    found[Outcome.ADDED] = found.get(Outcome.ADDED, 0) + every - sum(found.values())
    return {each: found.get(each, 0) for each in Outcome}


def _suppress(tx: Tx, actor: Actor, now: datetime) -> None:
    """Write the file's suppressions, and end what they stop."""
    c = _BARRED.c
    strength = _strength(_r.reason)
    # An erased reader's suppression stays as it is: its address must not come back.
    tx.execute(
        delete(tables.suppressions).where(
            c.address.is_not(None),
            exists().where(
                _r.address_hash == c.address_hash,
                _r.reason.is_not(None),
                strength > _strength(c.reason),
            ),
        )
    )
    nth = func.row_number().over(
        partition_by=_r.address_hash, order_by=(strength.desc(), _r.line)
    )
    ranked = (
        select(
            _r.address_hash, _r.address, _r.reason, _r.detail, _at(now), nth.label("n")
        )
        .where(_r.reason.is_not(None))
        .subquery()
    )
    columns = ["address_hash", "address", "reason", "detail", "at"]
    query = select(*(ranked.c[name] for name in columns)).where(ranked.c.n == 1)
    insert_new(tx, tables.suppressions, columns, query)
    _end_subscriptions(tx, actor, now)


def _end_subscriptions(tx: Tx, actor: Actor, now: datetime) -> None:
    people, held = tables.subscribers, tables.subscriptions
    stopped = (
        select(held.c.id)
        .join(people, people.c.id == held.c.subscriber_id)
        .join(rows, _r.address_hash == people.c.address_hash)
        .where(_r.reason.is_not(None), held.c.state != _LEFT)
    )
    values = {
        "subscriber_id": held.c.subscriber_id,
        "newsletter_id": held.c.newsletter_id,
        "at": literal(now, UtcDateTime()),
        "action": literal(ConsentAction.WITHDRAWN),
        "source": func.min(_r.source),
        "wording": literal(""),
        "network": literal(""),
        "actor": literal(str(actor)),
    }
    withdrawn = (
        stopped.with_only_columns(*values.values())
        .where(_r.reason.in_(_WITHDRAWING))
        .group_by(held.c.subscriber_id, held.c.newsletter_id)
    )
    tx.execute(tables.consents.insert().from_select(list(values), withdrawn))
    tx.execute(
        update(held)
        .where(held.c.id.in_(stopped))
        .values(state=_LEFT, since=now, paused_until=None)
    )


def _add_subscribers(tx: Tx, now: datetime) -> None:
    columns = ["address", "address_key", "domain", "address_hash", "name", "created_at"]
    query = (
        select(*(_r[name] for name in columns[:-1]), literal(now, UtcDateTime()))
        .select_from(rows)
        .outerjoin(plan, _p.line == _r.line)
        .where(_p.line.is_(None))
        .order_by(_r.line)  # so that ids ascend in what is inserted next
    )
    insert_new(tx, tables.subscribers, columns, query)


def _add_subscriptions(tx: Tx, newsletter_id: int, now: datetime) -> None:
    held = tables.subscriptions
    values = {
        "subscriber_id": tables.subscribers.c.id,
        "newsletter_id": literal(newsletter_id, Id),
        "state": _r.state,
        "sections": _r.sections,
        "format": _r.format,
        "since": _at(now),
        "confirmed_at": _at(now),
    }
    query = _select_added(values).where(_p.subscription_id.is_(None))
    insert_new(tx, held, list(values), query)
    # Waiting for a confirmation that the list now proves.
    stated = (
        select(_at(now))
        .join(plan, _p.line == _r.line)
        .where(_p.subscription_id == held.c.id, _p.outcome == Outcome.ADDED)
        .scalar_subquery()
    )
    waiting = select(_p.subscription_id).where(
        _p.outcome == Outcome.ADDED, _p.subscription_id.is_not(None)
    )
    tx.execute(
        update(held)
        .where(held.c.id.in_(waiting))
        .values(state=SubscriptionState.ACTIVE, since=now, confirmed_at=stated)
    )


def _add_consents(tx: Tx, newsletter_id: int, actor: Actor, now: datetime) -> None:
    values = {
        "subscriber_id": tables.subscribers.c.id,
        "newsletter_id": literal(newsletter_id, Id),
        "at": _at(now),
        "action": literal(ConsentAction.IMPORTED),
        "source": _r.source,
        "wording": _r.wording,
        "network": _r.network,
        "actor": literal(str(actor)),
    }
    tx.execute(
        tables.consents.insert().from_select(list(values), _select_added(values))
    )


def _select_added(
    values: Mapping[str, ColumnElement[object]],
) -> Select[*tuple[Any, ...]]:
    people = tables.subscribers
    return (
        select(*list[Any](values.values()))
        .select_from(rows)
        .outerjoin(plan, _p.line == _r.line)
        .join(people, people.c.address_key == _r.address_key)
        .where(or_(_p.line.is_(None), _p.outcome == Outcome.ADDED))
        .order_by(_r.line)
    )


def _at(now: datetime) -> ColumnElement[datetime]:
    """Return the stated time, or now."""
    return func.coalesce(_r.at, literal(now, UtcDateTime())).label("at")


def _strength(reason: ColumnElement[str]) -> ColumnElement[int]:
    return case(
        {
            each: sum(is_stronger(each, other) for other in SuppressionReason)
            for each in SuppressionReason
        },
        value=reason,
        else_=0,
    )
