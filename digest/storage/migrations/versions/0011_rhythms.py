"""Issues on several weekdays, on the month's nth weekday, on days of the month.

Revision: 0011, after 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_SCHEDULES = sa.table("schedules", sa.column("weekday"), sa.column("days"))


def upgrade() -> None:
    op.add_column(
        "schedules",
        sa.Column("days", sa.String(160), nullable=False, server_default="Sun"),
    )
    for number, name in enumerate(_WEEKDAYS):
        every_week = _SCHEDULES.c.weekday == number
        op.execute(_SCHEDULES.update().where(every_week).values(days=name))
    op.drop_column("schedules", "weekday")


def downgrade() -> None:
    op.add_column(
        "schedules",
        sa.Column("weekday", sa.Integer(), nullable=False, server_default="6"),
    )
    # Older versions know one weekday each week: the first one named stays.
    for number, name in enumerate(_WEEKDAYS):
        days = _SCHEDULES.c.days
        is_first = (days == name) | days.like(f"{name},%") | days.like(f"% {name}%")
        op.execute(_SCHEDULES.update().where(is_first).values(weekday=number))
    op.drop_column("schedules", "days")
