"""Keys for the shop's own pages"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "site_keys",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("site_key", db.Id, nullable=False),
        sa.Column("origins", db.Values(), nullable=True),
        sa.Column("sealed", sa.String(), nullable=False),
        sa.Column("created_at", db.UTCDateTime(), nullable=False),
        sa.Column("revoked_at", db.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "site_key"),
    )
