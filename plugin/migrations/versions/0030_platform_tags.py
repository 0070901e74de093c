"""Tags that are objects of their own on a platform"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "platform_tags",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("connection_id", db.Id, nullable=False),
        sa.Column("folded", db.Id, nullable=False),
        sa.Column("tag", sa.String(), nullable=False),
        sa.Column("tag_id", db.Id, nullable=True),
        sa.Column("ours", sa.Boolean(), nullable=False),
        sa.Column("made_at", db.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "connection_id", "folded"),
    )
