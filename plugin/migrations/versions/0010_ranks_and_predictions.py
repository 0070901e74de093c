"""Ranks and predictions, worked out each night"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

KNOWN = sa.text("next_order_at IS NOT NULL")


def upgrade() -> None:
    with op.batch_alter_table("customer_stats") as stats:
        stats.add_column(sa.Column("spend_percentile", sa.Integer(), nullable=True))
        stats.add_column(sa.Column("predicted_orders", sa.BigInteger(), nullable=True))
        stats.add_column(sa.Column("predicted_minor", sa.BigInteger(), nullable=True))
        stats.add_column(sa.Column("lifetime_minor", sa.BigInteger(), nullable=True))
        stats.add_column(sa.Column("churn_risk", sa.Integer(), nullable=True))
        stats.add_column(sa.Column("next_order_at", db.UTCDateTime(), nullable=True))
    op.create_index(
        "ix_customer_stats_next_order",
        "customer_stats",
        ["shop_id", "next_order_at"],
        sqlite_where=KNOWN,
        postgresql_where=KNOWN,
    )


def downgrade() -> None:
    op.drop_index("ix_customer_stats_next_order", "customer_stats")
    with op.batch_alter_table("customer_stats") as stats:
        for name in (
            "next_order_at",
            "churn_risk",
            "lifetime_minor",
            "predicted_minor",
            "predicted_orders",
            "spend_percentile",
        ):
            stats.drop_column(name)
