"""What a trial looks up in the database itself, beside the workers; it only reads."""

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import psycopg

from bench.installation import Installation

_BUSY_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class Held:
    """A chunk that a worker, alive or not, has a lease on.

    Attributes:
        chunk: Its row.
        fence: What the next claim raises.
        process: The worker's process id.
        sent: Letters of it that are sent.
    """

    chunk: int
    fence: int
    process: int
    sent: int


def held(found: Installation) -> list[Held]:
    """Look up who holds what."""
    rows = _query(
        found,
        "SELECT c.id, c.fence, c.lease_owner, count(d.id) FROM chunks c "
        "LEFT JOIN deliveries d ON d.edition_id = c.edition_id "
        "AND d.chunk = c.number AND d.state = 'sent' "
        "WHERE c.lease_owner IS NOT NULL GROUP BY c.id, c.fence, c.lease_owner",
    )
    return [
        # An owner is HOST:PROCESS:CHANCE:CHANCE, and a host may hold colons.
        Held(chunk=chunk, fence=fence, process=int(owner.split(":")[-3]), sent=sent)
        for chunk, fence, owner, sent in rows
    ]


def fences(found: Installation) -> dict[int, int]:
    """Look up every chunk's fence; each claim raises it."""
    return dict(_query(found, "SELECT id, fence FROM chunks"))


def counts(found: Installation) -> Counter[str]:
    """Count letters by their state."""
    query = "SELECT state, count(*) FROM deliveries GROUP BY state"
    return Counter(dict(_query(found, query)))


def is_sent(found: Installation) -> bool:
    """Tell whether nothing of the edition is left to carry."""
    return _query(found, "SELECT state FROM editions") == [("sent",)]


def reader_ids(found: Installation) -> dict[str, int]:
    """Look up each reader's subscription, which their links are made of."""
    return dict(_query(found, "SELECT address, subscription_id FROM deliveries"))


def leaves(found: Installation) -> dict[str, int]:
    """Count who left: subscriptions, rows of consent evidence, rows of the audit."""
    queries = {
        "left": "FROM subscriptions WHERE state = 'unsubscribed'",
        "evidence": "FROM consents WHERE action = 'withdrawn'",
        "audit": "FROM audit WHERE action = 'subscription.left'",
    }
    return {
        name: _query(found, f"SELECT count(*) {query}")[0][0]
        for name, query in queries.items()
    }


def inbox(found: Installation) -> Counter[str]:
    """Count messages that came in by their state."""
    query = "SELECT state, count(*) FROM inbox GROUP BY state"
    return Counter(dict(_query(found, query)))


def inbox_digests(found: Installation) -> Counter[str]:
    """Count the messages that came in by their SHA-256."""
    rows = _query(found, "SELECT raw FROM inbox_raw")
    return Counter(hashlib.sha256(raw).hexdigest() for (raw,) in rows)


def ledger(found: Installation, chunks: Collection[int]) -> list[Sequence[Any]]:
    """Copy everything that a worker writes about some chunks."""
    ids = ", ".join(map(str, chunks))
    mine = (
        "FROM deliveries d JOIN chunks c ON c.edition_id = d.edition_id "
        f"AND c.number = d.chunk WHERE c.id IN ({ids})"
    )
    queries = (
        f"SELECT * FROM chunks WHERE id IN ({ids}) ORDER BY id",  # noqa: S608 - numbers
        f"SELECT d.* {mine} ORDER BY d.id",
        f"SELECT * FROM attempts WHERE delivery_id IN (SELECT d.id {mine}) ORDER BY id",  # noqa: S608 - numbers
    )
    return [row for query in queries for row in _query(found, query)]


def is_mid_transaction(found: Installation) -> bool:
    """Tell whether some session on PostgreSQL stands inside a transaction."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND state <> 'idle' AND xact_start IS NOT NULL"
    )
    return _query(found, query) != [(0,)]


def _query(found: Installation, query: str) -> list[Any]:
    if found.database is None:
        place = f"file:{found.home / 'digest.db'}?mode=ro"
        with closing(sqlite3.connect(place, uri=True, timeout=_BUSY_SECONDS)) as base:
            return base.execute(query).fetchall()
    with psycopg.connect(found.database, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()
