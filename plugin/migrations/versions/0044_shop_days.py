"""The shop day by day, and its customers by their scores

All days of all shops are due to be counted, and everybody is looked at once, since the day on which a customer was
added was not kept for all.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import clock, db

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

TOTALS = (
    "added",
    "orders",
    "known",
    "minor",
    "first_orders",
    "first_minor",
    "second_orders",
    "again_orders",
    "again_minor",
)
SCORES = ("recency", "frequency", "monetary")

orders = sa.table("orders", sa.column("shop_id", db.Id), sa.column("placed_at", db.UTCDateTime()))
lanes = sa.table("lanes", sa.column("shop_id", db.Id), sa.column("kind", db.Id), sa.column("due_at", db.UTCDateTime()))


def upgrade() -> None:
    op.create_table(
        "shop_days",
        sa.Column("shop_id", db.Id, sa.ForeignKey("shops.shop_id"), primary_key=True),
        sa.Column("day_on", sa.Date(), primary_key=True),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in TOTALS),
        sa.Column("counted_at", db.UTCDateTime(), nullable=False),
        sa.Column("next_at", db.UTCDateTime(), nullable=True),
        sqlite_with_rowid=False,
    )
    due = op.create_table(
        "due_days",
        sa.Column("shop_id", db.Id, sa.ForeignKey("shops.shop_id"), primary_key=True),
        sa.Column("day_number", sa.BigInteger(), primary_key=True),
        sa.Column("marks", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rfm_cells",
        sa.Column("shop_id", db.Id, sa.ForeignKey("shops.shop_id"), primary_key=True),
        *(sa.Column(name, sa.Integer(), primary_key=True) for name in SCORES),
        sa.Column("customers", sa.BigInteger(), nullable=False),
        sa.Column("spent_minor", sa.BigInteger(), nullable=False),
        sa.Column("scored_at", db.UTCDateTime(), nullable=False),
        sqlite_with_rowid=False,
    )
    scored = sa.text("rfm_recency IS NOT NULL")
    op.create_index(
        "ix_customer_stats_rfm",
        "customer_stats",
        ["shop_id", *(f"rfm_{name}" for name in SCORES), "customer_id"],
        sqlite_where=scored,
        postgresql_where=scored,
    )
    number = sa.cast(db.day_number(orders.c.placed_at), sa.BigInteger())
    marked = sa.select(orders.c.shop_id, number, sa.literal(1)).where(orders.c.placed_at.is_not(None)).distinct()
    op.execute(due.insert().from_select(["shop_id", "day_number", "marks"], marked))
    look_at_everybody()


def look_at_everybody() -> None:
    now = clock.now()
    op.execute(
        "INSERT INTO stale (shop_id, customer_id, marks, cause) "
        "SELECT shop_id, customer_id, 1, 'again' FROM customers WHERE true "
        "ON CONFLICT (shop_id, customer_id) DO UPDATE SET marks = stale.marks + 1"
    )
    op.execute(
        "INSERT INTO lanes (shop_id, kind, fence, failures) SELECT shop_id, 'figures', 0, 0 FROM shops WHERE true "
        "ON CONFLICT (shop_id, kind) DO NOTHING"
    )
    op.execute(lanes.update().where(lanes.c.kind.in_(("figures", "recompute"))).values(due_at=now))


def downgrade() -> None:
    op.execute("DELETE FROM lanes WHERE kind = 'figures'")
    op.drop_index("ix_customer_stats_rfm", "customer_stats")
    for name in ("rfm_cells", "due_days", "shop_days"):
        op.drop_table(name)
