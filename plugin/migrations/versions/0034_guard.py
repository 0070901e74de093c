"""The guard: what is written by the hour, what is held, and whom to tell"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("shops") as batch:
        batch.add_column(sa.Column("alert_email", sa.String(), nullable=True))
    op.create_table(
        "tag_counts",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("connection_id", db.Id, nullable=False),
        sa.Column("segment_id", db.Id, nullable=False),
        sa.Column("hour_at", db.UTCDateTime(), nullable=False),
        sa.Column("added", sa.BigInteger(), nullable=False),
        sa.Column("removed", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "connection_id", "segment_id", "hour_at"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "holds",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("segment_id", db.Id, nullable=False),
        sa.Column("connection_id", db.Id, nullable=False),
        sa.Column("held_at", db.UTCDateTime(), nullable=False),
        sa.Column("since_at", db.UTCDateTime(), nullable=False),
        sa.Column("added", sa.BigInteger(), nullable=False),
        sa.Column("removed", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("back_asked_at", db.UTCDateTime(), nullable=True),
        sa.Column("back_at", db.UTCDateTime(), nullable=True),
        sa.Column("released_at", db.UTCDateTime(), nullable=True),
        sa.Column("mailed_at", db.UTCDateTime(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "segment_id", "connection_id", "held_at"),
    )
