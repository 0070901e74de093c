"""What was done about people, and by whom"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "people_changes",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("changed_at", db.UTCDateTime(), nullable=False),
        sa.Column("account_id", db.Id, nullable=False),
        sa.Column("change", db.Id, nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("editor", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "changed_at", "account_id", "change"),
    )
