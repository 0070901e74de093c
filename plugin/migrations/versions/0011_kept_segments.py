"""What people say about a segment, its versions, reviews and tests, and frozen copies of its members"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TOLD = ("objective", "owner", "owner_email", "offer", "say", "review")
DEFINED = ("name", "query", "tag", "rewards", "enabled")


def upgrade() -> None:
    with op.batch_alter_table("segments") as segments:
        for name in TOLD:
            segments.add_column(sa.Column(name, sa.String(), nullable=True))
    op.create_table(
        "segment_versions",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("segment_id", db.Id, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("edited_at", db.UTCDateTime(), nullable=False),
        sa.Column("editor", sa.String(), nullable=False),
        sa.Column("edit", sa.String(), nullable=False),
        sa.Column("restored", sa.Integer(), nullable=True),
        sa.Column("content", db.Json, nullable=True),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "segment_id", "version"),
    )
    op.create_table(
        "segment_reviews",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("segment_id", db.Id, nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("mailed_at", db.UTCDateTime(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("done_at", db.UTCDateTime(), nullable=True),
        sa.Column("editor", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "segment_id", "due_on"),
    )
    op.create_table(
        "segment_tests",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("segment_id", db.Id, nullable=False),
        sa.Column("customer_id", db.Id, nullable=False),
        sa.Column("inside", sa.Boolean(), nullable=False),
        sa.Column("made_at", db.UTCDateTime(), nullable=False),
        sa.Column("editor", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "segment_id", "customer_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "snapshots",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("snapshot_id", db.Id, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("segment_id", db.Id, nullable=True),
        sa.Column("segment_name", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("query", sa.String(), nullable=False),
        sa.Column("taken_at", db.UTCDateTime(), nullable=False),
        sa.Column("editor", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "snapshot_id"),
    )
    op.create_table(
        "snapshot_members",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("snapshot_id", db.Id, nullable=False),
        sa.Column("customer_id", db.Id, nullable=False),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "snapshot_id", "customer_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_snapshot_members_customer", "snapshot_members", ["shop_id", "customer_id"])
    keep_first_versions()


def keep_first_versions() -> None:
    """Let the segments that there are have what they are now as their first version known."""
    kept = sa.table(
        "segments",
        *(sa.column(name) for name in ("shop_id", "segment_id", "version", *DEFINED)),
        sa.column("updated_at", db.UTCDateTime()),
    )
    written = sa.table(
        "segment_versions",
        *(sa.column(name) for name in ("shop_id", "segment_id", "version", "editor", "edit")),
        sa.column("edited_at", db.UTCDateTime()),
        sa.column("content", db.Json),
    )
    for row in op.get_bind().execute(sa.select(kept)).mappings().all():
        content = {name: bool(row[name]) if name in ("rewards", "enabled") else row[name] for name in DEFINED}
        key = {name: row[name] for name in ("shop_id", "segment_id", "version")}
        first = {"editor": "", "edit": "added", "edited_at": row["updated_at"], "content": content}
        op.execute(written.insert().values(key | first))


def downgrade() -> None:
    for name in ("snapshot_members", "snapshots", "segment_tests", "segment_reviews", "segment_versions"):
        op.drop_table(name)
    with op.batch_alter_table("segments") as segments:
        for name in TOLD:
            segments.drop_column(name)
