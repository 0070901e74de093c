"""Pins, and ladders with what their patience is counted from"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("segments") as segments:
        segments.add_column(sa.Column("dues", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.create_table(
        "pins",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("segment_id", db.Id, nullable=False),
        sa.Column("customer_id", db.Id, nullable=False),
        sa.Column("inside", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("author", sa.String(), nullable=True),
        sa.Column("pinned_at", db.UTCDateTime(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "segment_id", "customer_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_pins_customer", "pins", ["shop_id", "customer_id"])
    op.create_index("ix_pins_ends", "pins", ["shop_id", "ends_on"])
    op.create_table(
        "ladders",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("ladder_id", db.Id, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("grace_days", sa.Integer(), nullable=False),
        sa.Column("stay_days", sa.Integer(), nullable=False),
        sa.Column("created_at", db.UTCDateTime(), nullable=False),
        sa.Column("updated_at", db.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "ladder_id"),
    )
    op.create_index("ux_ladders_name", "ladders", ["shop_id", "name"], unique=True)
    op.create_table(
        "ladder_levels",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("segment_id", db.Id, nullable=False),
        sa.Column("ladder_id", db.Id, nullable=True),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "segment_id"),
    )
    op.create_index("ix_ladder_levels_ladder", "ladder_levels", ["shop_id", "ladder_id", "place"])
    op.create_table(
        "spells",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("segment_id", db.Id, nullable=False),
        sa.Column("customer_id", db.Id, nullable=False),
        sa.Column("met_at", db.UTCDateTime(), nullable=False),
        sa.Column("lapsed_at", db.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "segment_id", "customer_id", "met_at"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_spells_customer", "spells", ["shop_id", "customer_id"])


def downgrade() -> None:
    for name in ("spells", "ladder_levels", "ladders", "pins"):
        op.drop_table(name)
    with op.batch_alter_table("segments") as segments:
        segments.drop_column("dues")
