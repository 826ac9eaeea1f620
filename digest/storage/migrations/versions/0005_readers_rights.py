"""Changes of address; words beside an opinion; why readers left.

Revision: 0005, after 0004
"""

import sqlalchemy as sa
from alembic import op

from digest.storage.types import Id, UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "opinions", sa.Column("words", sa.Text(), nullable=False, server_default="")
    )
    op.create_table(
        "leaving_reasons",
        sa.Column("id", Id, nullable=False),
        sa.Column("newsletter_id", Id, nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("given_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["newsletter_id"],
            ["newsletters.id"],
            name=op.f("fk_leaving_reasons_newsletter_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leaving_reasons")),
    )
    op.create_index(
        op.f("ix_leaving_reasons_newsletter_id"), "leaving_reasons", ["newsletter_id"]
    )
    op.create_table(
        "address_changes",
        sa.Column("id", Id, nullable=False),
        sa.Column("subscriber_id", Id, nullable=False),
        sa.Column("newsletter_id", Id, nullable=False),
        sa.Column("address", sa.String(length=320)),
        sa.Column("address_hash", sa.String(length=64), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("agreed_at", UtcDateTime()),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscribers.id"],
            name=op.f("fk_address_changes_subscriber_id"),
        ),
        sa.ForeignKeyConstraint(
            ["newsletter_id"],
            ["newsletters.id"],
            name=op.f("fk_address_changes_newsletter_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_changes")),
    )
    for column in ("subscriber_id", "address_hash"):
        op.create_index(
            op.f(f"ix_address_changes_{column}"), "address_changes", [column]
        )


def downgrade() -> None:
    op.drop_table("address_changes")
    op.drop_table("leaving_reasons")
    op.drop_column("opinions", "words")
