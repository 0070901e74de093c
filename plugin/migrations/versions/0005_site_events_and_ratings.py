"""What is seen on the shop's own pages, and what the platform itself thinks of its customers"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("customers") as customers:
        customers.add_column(sa.Column("account_status", sa.String(), nullable=True))
        customers.add_column(sa.Column("account_updated_at", db.UTCDateTime(), nullable=True))
        customers.add_column(sa.Column("platform_rfm_group", sa.String(), nullable=True))
        customers.add_column(sa.Column("spend_tier", sa.String(), nullable=True))
        customers.add_column(sa.Column("rated_at", db.UTCDateTime(), nullable=True))
    with op.batch_alter_table("customer_stats") as stats:
        stats.add_column(sa.Column("account_status", sa.String(), nullable=True))
        stats.add_column(sa.Column("platform_rfm_group", sa.String(), nullable=True))
        stats.add_column(sa.Column("spend_tier", sa.String(), nullable=True))
    with op.batch_alter_table("segments") as segments:
        segments.add_column(sa.Column("rewards", sa.Boolean(), server_default=sa.false(), nullable=False))
    for kind in ("ratings", "subscriptions"):  # of the stores that are connected already
        op.execute(
            "INSERT INTO lanes (shop_id, kind, due_at, fence, failures) "  # noqa: S608  the names above
            f"SELECT shop_id, '{kind}:' || connection_id, created_at, 0, 0 FROM connections WHERE role = 'store'"
        )
    op.create_table(
        "refetches",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("connection_id", db.Id, nullable=False),
        sa.Column("order_id", db.Id, nullable=False),
        sa.Column("unless_known", sa.Boolean(), nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", db.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "connection_id", "order_id"),
    )
    op.create_table(
        "site_events",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("event_id", db.Id, nullable=False),
        sa.Column("customer_id", db.Id, nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject_id", db.Id, nullable=True),
        sa.Column("happened_at", db.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "event_id"),
    )
    op.create_index("ix_site_events_customer", "site_events", ["shop_id", "customer_id", "kind", "happened_at"])
    op.create_index("ix_site_events_happened", "site_events", ["shop_id", "happened_at", "customer_id"])
    op.create_table(
        "pixels",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("connection_id", db.Id, nullable=False),
        sa.Column("site_key", sa.String(), nullable=False),
        sa.Column("platform_id", db.Id, nullable=True),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "connection_id"),
    )
    op.create_table(
        "subscriptions",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("connection_id", db.Id, nullable=False),
        sa.Column("sealed", sa.String(), nullable=False),
        sa.Column("checked_at", db.UTCDateTime(), nullable=True),
        sa.Column("put_back", sa.Integer(), nullable=False),
        sa.Column("ended", sa.Integer(), nullable=False),
        sa.Column("refused", db.Json, nullable=True),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "connection_id"),
    )
    op.create_table(
        "rating_runs",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("connection_id", db.Id, nullable=False),
        sa.Column("cursor", sa.String(), nullable=True),
        sa.Column("begun_at", db.UTCDateTime(), nullable=True),
        sa.Column("ended_at", db.UTCDateTime(), nullable=True),
        sa.Column("rated", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "connection_id"),
    )
