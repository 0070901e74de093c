"""Figures of what orders come to and how they came about"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

NUMBERS = ("average_order_minor", "largest_order_minor", "days_between_orders")
TEXTS = ("first_source", "last_source")
LISTS = ("devices", "browsers", "operating_systems", "sales_channels")


def upgrade() -> None:
    kinds = {
        **dict.fromkeys(NUMBERS, sa.BigInteger),
        **dict.fromkeys(TEXTS, sa.String),
        **dict.fromkeys(LISTS, db.Values),
    }
    with op.batch_alter_table("customer_stats") as stats:
        for name, kind in kinds.items():
            stats.add_column(sa.Column(name, kind(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("customer_stats") as stats:
        for name in (*LISTS, *TEXTS, *NUMBERS):
            stats.drop_column(name)
