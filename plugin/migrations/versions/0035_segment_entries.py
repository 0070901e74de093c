"""Entering and leaving segments, told as events"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("connections") as connections:
        connections.add_column(sa.Column("tells_entries", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "segment_entries",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("connection_id", db.Id, nullable=False),
        sa.Column("event_id", db.Id, nullable=False),
        sa.Column("contact", db.Id, nullable=True),
        sa.Column("segment_id", db.Id, nullable=True),
        sa.Column("entered", sa.Boolean(), nullable=False),
        sa.Column("moved_at", db.UTCDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("told_at", db.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "connection_id", "event_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_segment_entries_told", "segment_entries", ["shop_id", "connection_id", "told_at", "moved_at"])
