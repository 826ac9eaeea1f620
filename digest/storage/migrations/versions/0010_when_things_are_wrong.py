"""What schedules do when things are wrong, and which homes may send.

Revision: 0010, after 0009
"""

import sqlalchemy as sa
from alembic import op

from digest.storage.types import Id, UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_TABLES = ("homes", "sightings", "alerts", "issue_steps")


def _policies() -> list[sa.Column[object]]:
    return [
        sa.Column("unapproved", sa.String(8), nullable=False, server_default="hold"),
        sa.Column("too_few", sa.String(8), nullable=False, server_default="hold"),
        sa.Column("least", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("collect_again", sa.Integer(), nullable=False, server_default="900"),
    ]


def upgrade() -> None:
    for column in _policies():
        op.add_column("schedules", column)
    op.create_table(
        "issue_steps",
        sa.Column("id", Id, nullable=False),
        sa.Column("schedule_id", Id, nullable=False),
        sa.Column("issue_date", sa.Date(), nullable=False),
        sa.Column("step", sa.String(16), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issue_steps")),
        *_belongs("issue_steps", "schedule"),
        sa.UniqueConstraint(
            "schedule_id",
            "issue_date",
            "step",
            name=op.f("uq_issue_steps_schedule_id_issue_date_step"),
        ),
    )
    op.create_table(
        "alerts",
        sa.Column("id", Id, nullable=False),
        sa.Column("schedule_id", Id, nullable=False),
        sa.Column("issue_date", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("settled_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        *_belongs("alerts", "schedule"),
        sa.UniqueConstraint(
            "schedule_id",
            "issue_date",
            "key",
            name=op.f("uq_alerts_schedule_id_issue_date_key"),
        ),
    )
    op.create_table(
        "sightings",
        sa.Column("id", Id, nullable=False),
        sa.Column("edition_id", Id, nullable=False),
        sa.Column("article_id", Id, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("headline", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sightings")),
        *_belongs("sightings", "edition"),
        *_belongs("sightings", "article"),
        sa.UniqueConstraint(
            "edition_id", "article_id", name=op.f("uq_sightings_edition_id_article_id")
        ),
    )
    op.create_table(
        "homes",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("place", sa.String(64), nullable=False),
        sa.Column("mark", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("adopted_by", sa.Text(), nullable=False),
        sa.Column("adopted_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_homes")),
    )


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)
    for column in reversed(_policies()):
        op.drop_column("schedules", column.name)


def _belongs(table: str, owner: str) -> list[sa.ForeignKeyConstraint]:
    name = op.f(f"fk_{table}_{owner}_id")
    return [
        sa.ForeignKeyConstraint([f"{owner}_id"], [f"{owner}s.id"], name=name),
    ]
