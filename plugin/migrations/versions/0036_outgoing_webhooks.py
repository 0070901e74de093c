"""Outgoing webhooks"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("endpoint_id", db.Id, nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("sealed", sa.String(), nullable=False),
        sa.Column("segments", db.Values(), nullable=True),
        sa.Column("addresses", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("read_up_to", sa.BigInteger(), nullable=False),
        sa.Column("cut", sa.BigInteger(), nullable=False),
        sa.Column("failing_at", db.UTCDateTime(), nullable=True),
        sa.Column("rotated_at", db.UTCDateTime(), nullable=True),
        sa.Column("created_at", db.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "endpoint_id"),
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("delivery_id", db.Id, nullable=False),
        sa.Column("endpoint_id", db.Id, nullable=True),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("segment_id", db.Id, nullable=True),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("tag", sa.String(), nullable=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("made_at", db.UTCDateTime(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", db.UTCDateTime(), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("sent_at", db.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "delivery_id"),
    )
    waiting = ["shop_id", "endpoint_id", "state", "number"]
    op.create_index("ix_webhook_deliveries_waiting", "webhook_deliveries", waiting)
    op.create_index("ix_webhook_deliveries_made", "webhook_deliveries", ["shop_id", "made_at"])
    op.create_table(
        "webhook_members",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("delivery_id", db.Id, nullable=False),
        sa.Column("customer_id", db.Id, nullable=False),
        sa.Column("changed_at", db.UTCDateTime(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "delivery_id", "customer_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_webhook_members_customer", "webhook_members", ["shop_id", "customer_id"])
