"""The desk by mail: who is asked, held editions, links, and what was mailed.

Revision: 0009, after 0008
"""

import sqlalchemy as sa
from alembic import op

from digest.storage.types import Id, UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def _columns() -> list[tuple[str, sa.Column[object]]]:
    return [
        (
            "newsletters",
            sa.Column("desk", sa.JSON(), nullable=False, server_default="[]"),
        ),
        ("editions", sa.Column("held_at", UtcDateTime())),
        ("editions", sa.Column("held_by", sa.Text())),
        ("editions", sa.Column("held_because", sa.Text())),
    ]


def upgrade() -> None:
    for table, column in _columns():
        op.add_column(table, column)
    op.create_table(
        "reviews",
        sa.Column("id", Id, nullable=False),
        sa.Column("edition_id", Id, nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("valid_from", UtcDateTime(), nullable=False),
        sa.Column("valid_until", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["editions.id"], name=op.f("fk_reviews_edition_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
        sa.UniqueConstraint(
            "edition_id", "address", name=op.f("uq_reviews_edition_id_address")
        ),
    )
    op.create_table(
        "desk_mail",
        sa.Column("id", Id, nullable=False),
        sa.Column("edition_id", Id, nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["editions.id"], name=op.f("fk_desk_mail_edition_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_mail")),
        sa.UniqueConstraint(
            "edition_id", "what", name=op.f("uq_desk_mail_edition_id_what")
        ),
    )


def downgrade() -> None:
    op.drop_table("desk_mail")
    op.drop_table("reviews")
    for table, column in reversed(_columns()):
        op.drop_column(table, column.name)
