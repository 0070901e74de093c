"""What whoever follows a segment is told of merges and of those who were forgotten"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("membership_changes", sa.Column("former_id", db.Id, nullable=True))
    op.create_table(
        "handovers",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("run", sa.BigInteger(), nullable=False),
        sa.Column("segment_id", db.Id, nullable=False),
        sa.Column("customer_id", db.Id, nullable=False),
        sa.Column("changed_at", db.UTCDateTime(), nullable=False),
        sa.Column("entered", sa.Boolean(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "run", "segment_id", "customer_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_handovers_customer", "handovers", ["shop_id", "customer_id"])
