"""What sign-ups took of their limits, shared by all processes.

Revision: 0007, after 0006
"""

import sqlalchemy as sa
from alembic import op

from digest.storage.types import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tallies",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("start", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", "start", name=op.f("pk_tallies")),
    )
    op.create_index(op.f("ix_tallies_until"), "tallies", ["until"])


def downgrade() -> None:
    op.drop_table("tallies")
