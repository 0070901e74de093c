"""How many are in each segment, kept as it changes"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "segment_figures",
        sa.Column("shop_id", db.Id, sa.ForeignKey("shops.shop_id"), primary_key=True),
        sa.Column("segment_id", db.Id, primary_key=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("moved_on", sa.Date(), nullable=True),
        sa.Column("entered", sa.BigInteger(), nullable=False),
        sa.Column("left", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("segment_figures")
