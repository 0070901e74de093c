"""The templates that segments were made from"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "segment_origins",
        sa.Column("shop_id", db.Id, sa.ForeignKey("shops.shop_id"), primary_key=True),
        sa.Column("segment_id", db.Id, primary_key=True),
        sa.Column("template", sa.String(), nullable=False),
        sa.Column("thresholds", db.Json, nullable=True),
        sa.Column("query", sa.String(), nullable=False),
        sa.Column("learned_at", db.UTCDateTime(), nullable=False),
        sa.Column("frozen", sa.Boolean(), nullable=False),
    )
    op.execute(
        "INSERT INTO lanes (shop_id, kind, due_at, fence, failures) "
        "SELECT shop_id, 'thresholds', due_at, 0, 0 FROM lanes WHERE kind = 'scores'"
    )


def downgrade() -> None:
    op.execute("DELETE FROM lanes WHERE kind = 'thresholds'")
    op.drop_table("segment_origins")
