"""How far the reading of a shop's past has come.

Revision ID: 0003
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "history_parts",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("connection_id", db.Id, nullable=False),
        sa.Column("task", db.Id, nullable=False),
        sa.Column("kind", db.Id, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("cursor", db.Json, nullable=True),
        *(sa.Column(name, db.UTCDateTime(), nullable=True) for name in ("since_at", "read_at", "begun_at", "ended_at")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("objects", "unreadable")),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in ("expected", "prepared")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("mended", "mended_ever")),
        sa.Column("note", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "connection_id", "task", "kind"),
    )
    with op.batch_alter_table("shops") as shops:
        shops.add_column(sa.Column("history_since_at", db.UTCDateTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("shops") as shops:
        shops.drop_column("history_since_at")
    op.drop_table("history_parts")
