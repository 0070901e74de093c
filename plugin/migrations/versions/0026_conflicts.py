"""Segments and tags that should not meet on a customer"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "conflicts",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("one", db.Id, nullable=False),
        sa.Column("other", db.Id, nullable=False),
        sa.Column("made_at", db.UTCDateTime(), nullable=False),
        sa.Column("editor", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "one", "other"),
    )
