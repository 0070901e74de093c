"""How a connection keeps tags, and the audiences that are made of them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("connections") as batch:
        batch.add_column(sa.Column("tags_as", sa.String(), nullable=False, server_default="tags"))
    op.create_table(
        "audiences",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("segment_id", db.Id, nullable=False),
        sa.Column("connection_id", db.Id, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("audience_id", db.Id, nullable=True),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("tag", sa.String(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("changed_at", db.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "segment_id", "connection_id"),
    )


def downgrade() -> None:
    op.drop_table("audiences")
    with op.batch_alter_table("connections") as batch:
        batch.drop_column("tags_as")
