"""Keys of the API, and what requests were answered"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("key_id", db.Id, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("scopes", db.Values(), nullable=True),
        sa.Column("created_at", db.UTCDateTime(), nullable=False),
        sa.Column("last_used_at", db.UTCDateTime(), nullable=True),
        sa.Column("revoked_at", db.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "key_id"),
    )
    op.create_table(
        "replies",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("key_id", db.Id, nullable=False),
        sa.Column("request_key", db.Id, nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("answered_at", db.UTCDateTime(), nullable=False),
        sa.Column("answer", db.Json, nullable=True),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "key_id", "request_key"),
    )
