"""Every tag written, with its time"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    not_taken = sa.text("outcome != 'taken'")
    op.create_table(
        "tag_writes",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("written_at", db.UTCDateTime(), nullable=False),
        sa.Column("connection_id", db.Id, nullable=False),
        sa.Column("tag", db.Id, nullable=False),
        sa.Column("contact", db.Id, nullable=False),
        sa.Column("put_on", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("segment_id", db.Id, nullable=True),
        sa.Column("why", sa.String(), nullable=True),
        sa.Column("released_at", db.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "written_at", "connection_id", "tag", "contact"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_tag_writes_segment", "tag_writes", ["shop_id", "segment_id", "written_at"])
    op.create_index("ix_tag_writes_contact", "tag_writes", ["shop_id", "connection_id", "contact"])
    op.create_index(
        "ix_tag_writes_not_taken",
        "tag_writes",
        ["shop_id", "written_at"],
        sqlite_where=not_taken,
        postgresql_where=not_taken,
    )
