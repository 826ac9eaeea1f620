"""What breaks into the plan: embargoes on articles, editions that correct another.

Revision: 0008, after 0007
"""

import sqlalchemy as sa
from alembic import op

from digest.storage.types import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("articles", sa.Column("embargo_until", UtcDateTime()))
    op.add_column(
        "articles",
        sa.Column(
            "embargo_by_hand", sa.Boolean(), nullable=False, server_default=sa.false()
        ),
    )
    op.create_index(op.f("ix_articles_embargo_until"), "articles", ["embargo_until"])
    # In one statement: SQLite adds no constraint to a table that is there, and to
    # make the table anew would break what refers to it.
    kind = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    op.execute(
        f"ALTER TABLE editions ADD COLUMN corrects {kind} "
        "CONSTRAINT fk_editions_corrects REFERENCES editions (id)"
    )


def downgrade() -> None:
    op.drop_column("editions", "corrects")
    op.drop_index(op.f("ix_articles_embargo_until"), "articles")
    op.drop_column("articles", "embargo_by_hand")
    op.drop_column("articles", "embargo_until")
