"""Pictures: their files by content, what became of each address, and who shows them.

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op

from digest.storage.types import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_COLUMNS = ("picture_small", "picture_large")


def upgrade() -> None:
    op.create_table(
        "pictures",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=4), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_pictures")),
    )
    op.create_table(
        "picture_sources",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("small", sa.String(length=64), nullable=True),
        sa.Column("large", sa.String(length=64), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("uploaded", sa.Boolean(), nullable=False),
        sa.Column("tried_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["small"], ["pictures.hash"], name=op.f("fk_picture_sources_small")
        ),
        sa.ForeignKeyConstraint(
            ["large"], ["pictures.hash"], name=op.f("fk_picture_sources_large")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_picture_sources")),
    )
    with op.batch_alter_table("stories", schema=None) as batch_op:
        for name in _COLUMNS:
            batch_op.add_column(sa.Column(name, sa.String(length=64), nullable=True))
            batch_op.create_foreign_key(
                op.f(f"fk_stories_{name}"), "pictures", [name], ["hash"]
            )


def downgrade() -> None:
    with op.batch_alter_table("stories", schema=None) as batch_op:
        for name in _COLUMNS:
            batch_op.drop_constraint(op.f(f"fk_stories_{name}"), type_="foreignkey")
            batch_op.drop_column(name)
    op.drop_table("picture_sources")
    op.drop_table("pictures")
