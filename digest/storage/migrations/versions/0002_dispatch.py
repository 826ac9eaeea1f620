"""Wake-ups: procrastinate's tables, on PostgreSQL.

Its SQL comes with the package, whose schema 3.10 fixed; another schema of theirs is
another revision of ours. It cannot be applied twice, hence the downgrade.
"""

import importlib.util
from pathlib import Path
from typing import Any

from alembic import op

from digest.domain.errors import StateError

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_KINDS = ("TABLE", "FUNCTION", "TYPE")
_NAMES = r"""
    SELECT 'TABLE', oid::regclass::text
      FROM pg_class
     WHERE relkind = 'r' AND relname LIKE 'procrastinate\_%' AND
           pg_table_is_visible(oid)
    UNION ALL
    SELECT 'FUNCTION', oid::regprocedure::text
      FROM pg_proc
     WHERE proname LIKE 'procrastinate\_%' AND pg_function_is_visible(oid)
    UNION ALL
    SELECT 'TYPE', oid::regtype::text
      FROM pg_type
     WHERE typname LIKE 'procrastinate\_%' AND pg_type_is_visible(oid)
       AND typtype IN ('c', 'e')
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        _execute(_schema())


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for kind in _KINDS:
            # Asked for anew: dropping a table drops its type.
            for found, name in _find():
                if found == kind:
                    _execute(f"DROP {kind} {name} CASCADE")


def _schema() -> str:
    package = importlib.util.find_spec("procrastinate")
    if package is None or package.origin is None:
        raise StateError(
            "PostgreSQL needs the procrastinate package.",
            "In the checkout: pip install --require-hashes "
            "-r requirements/postgres.txt",
        )
    path = Path(package.origin).parent / "sql" / "schema.sql"
    return path.read_text(encoding="utf-8")


def _find() -> list[tuple[str, str]]:
    with _cursor() as cursor:
        return list(cursor.execute(_NAMES).fetchall())


def _execute(statements: str) -> None:
    # Past SQLAlchemy, which would take a `%` for a parameter and one statement a time.
    with _cursor() as cursor:
        cursor.execute(statements)


def _cursor() -> Any:
    driver: Any = op.get_bind().connection.driver_connection
    return driver.cursor()
