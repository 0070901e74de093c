"""What was decided of proposed templates"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "proposals",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("template", db.Id, nullable=False),
        sa.Column("decided_at", db.UTCDateTime(), nullable=False),
        sa.Column("editor", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "template"),
    )
