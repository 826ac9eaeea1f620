"""The editor's words: picks, support, captions; empty sections, own links, opinions.

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op

from digest.storage.types import Id, UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _columns() -> list[tuple[str, sa.Column[object]]]:
    return [
        (
            "newsletters",
            sa.Column(
                "when_empty", sa.String(8), nullable=False, server_default="lead"
            ),
        ),
        (
            "newsletters",
            sa.Column("own_links", sa.JSON(), nullable=False, server_default="{}"),
        ),
        ("editions", sa.Column("support", sa.JSON())),
        (
            "editions",
            sa.Column("picks", sa.JSON(), nullable=False, server_default="[]"),
        ),
        (
            "stories",
            sa.Column("caption", sa.Text(), nullable=False, server_default=""),
        ),
        (
            "variants",
            sa.Column(
                "is_bare", sa.Boolean(), nullable=False, server_default=sa.false()
            ),
        ),
    ]


def upgrade() -> None:
    for table, column in _columns():
        op.add_column(table, column)
    op.create_table(
        "opinions",
        sa.Column("id", Id, nullable=False),
        sa.Column("edition_id", Id, nullable=False),
        sa.Column("answer", sa.String(length=16), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["editions.id"], name=op.f("fk_opinions_edition_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opinions")),
    )
    op.create_index(op.f("ix_opinions_edition_id"), "opinions", ["edition_id"])


def downgrade() -> None:
    op.drop_table("opinions")
    for table, column in reversed(_columns()):
        op.drop_column(table, column.name)
