"""What tests of lists share."""

from digest.domain.actor import Actor, ActorKind
from digest.storage.engine import Database

CLI = Actor(kind=ActorKind.CLI)


def count_rows(db: Database, table: str) -> int:
    """Count the rows of a table of ours."""
    with db.read() as tx:
        found = tx.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()  # noqa: S608 - ours
    return int(found)
