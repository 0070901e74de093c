"""What became of e-mails, and how far it was told"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("events") as events:
        events.add_column(sa.Column("machine", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "engagements",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("connection_id", db.Id, nullable=False),
        sa.Column("cursor", db.Json, nullable=True),
        sa.Column("since_at", db.UTCDateTime(), nullable=False),
        sa.Column("asked_at", db.UTCDateTime(), nullable=True),
        sa.Column("told", sa.BigInteger(), nullable=False),
        sa.Column("hooked_at", db.UTCDateTime(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("hook_error", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "connection_id"),
    )
