"""What contacts carry, read back; quiet starts; connections that are being left"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("destinations") as batch:
        batch.add_column(sa.Column("quiet", sa.Boolean(), server_default=sa.false(), nullable=False))
    with op.batch_alter_table("connections") as batch:
        batch.add_column(sa.Column("leaving_at", db.UTCDateTime(), nullable=True))
    op.create_table(
        "read_backs",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("connection_id", db.Id, nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("cursor", db.Id, nullable=True),
        sa.Column("begun_at", db.UTCDateTime(), nullable=False),
        sa.Column("ended_at", db.UTCDateTime(), nullable=True),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.Column("lost", sa.BigInteger(), nullable=False),
        sa.Column("back", sa.BigInteger(), nullable=False),
        sa.Column("gone", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "connection_id"),
    )
    op.create_table(
        "drifts",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("connection_id", db.Id, nullable=False),
        sa.Column("contact", db.Id, nullable=False),
        sa.Column("folded", db.Id, nullable=False),
        sa.Column("tag", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("seen_at", db.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "connection_id", "contact", "folded"),
        sqlite_with_rowid=False,
    )
