"""Segments day by day"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "segment_days",
        sa.Column("shop_id", db.Id, sa.ForeignKey("shops.shop_id"), primary_key=True),
        sa.Column("segment_id", db.Id, primary_key=True),
        sa.Column("day_on", sa.Date(), primary_key=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("entered", sa.BigInteger(), nullable=False),
        sa.Column("left", sa.BigInteger(), nullable=False),
        sa.Column("known", sa.String(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO lanes (shop_id, kind, due_at, fence, failures) "
        "SELECT shop_id, 'days', due_at, 0, 0 FROM lanes WHERE kind = 'scores'"
    )


def downgrade() -> None:
    op.execute("DELETE FROM lanes WHERE kind = 'days' OR kind LIKE 'past:%'")
    op.drop_table("segment_days")
