"""Look-ups that go on over several calls"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "look_ups",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("connection_id", db.Id, nullable=False),
        sa.Column("kind", db.Id, nullable=False),
        sa.Column("endpoint", sa.String(), nullable=False),
        sa.Column("body", db.Json, nullable=True),
        sa.Column("contacts", db.Json, nullable=True),
        sa.Column("kept_at", db.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "connection_id", "kind"),
    )
