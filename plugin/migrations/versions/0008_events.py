"""What customers did, whoever told it: views of the shop's pages become events"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("source", db.Id, nullable=False),
        sa.Column("event_id", db.Id, nullable=False),
        sa.Column("customer_id", db.Id, nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("happened_at", db.UTCDateTime(), nullable=False),
        sa.Column("subject_id", db.Id, nullable=True),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("tags", db.Values(), nullable=True),
        sa.Column("question", sa.String(), nullable=True),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("score", sa.BigInteger(), nullable=True),
        sa.Column("properties", db.Json, nullable=True),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "source", "event_id"),
    )
    op.execute(
        "INSERT INTO events (shop_id, source, event_id, customer_id, kind, happened_at, subject_id) "
        "SELECT shop_id, 'pixel', event_id, customer_id, kind, happened_at, subject_id FROM site_events"
    )
    op.create_index("ix_events_customer", "events", ["shop_id", "customer_id", "kind", "happened_at"])
    op.create_index("ix_events_happened", "events", ["shop_id", "kind", "happened_at", "customer_id"])
    op.drop_table("site_events")
