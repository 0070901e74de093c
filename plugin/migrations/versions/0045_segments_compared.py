"""Segments compared: what members come to, and how many two of them share"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import clock, db

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "segment_sums",
        sa.Column("shop_id", db.Id, sa.ForeignKey("shops.shop_id"), primary_key=True),
        sa.Column("segment_id", db.Id, primary_key=True),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in (
                *("customers", "buyers", "again", "orders", "spent_minor", "refunded", "days", "engaged"),
                "subscribed",
            )
        ),
        sa.Column("counted_at", db.UTCDateTime(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "overlaps",
        sa.Column("shop_id", db.Id, sa.ForeignKey("shops.shop_id"), primary_key=True),
        sa.Column("one", db.Id, primary_key=True),
        sa.Column("other", db.Id, primary_key=True),
        sa.Column("customers", sa.BigInteger(), nullable=False),
        sa.Column("contacts", sa.BigInteger(), nullable=True),
        sa.Column("counted_at", db.UTCDateTime(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.add_column("attribute_definitions", sa.Column("holders", sa.BigInteger(), nullable=True))
    add_lanes()


def add_lanes() -> None:
    """Give each shop that is there the lane, due at once."""
    shops = sa.table("shops", sa.column("shop_id", db.Id))
    names = (("kind", db.Id), ("due_at", db.UTCDateTime()), ("fence", sa.BigInteger()), ("failures", sa.Integer()))
    lanes = sa.table("lanes", sa.column("shop_id", db.Id), *(sa.column(name, kind) for name, kind in names))
    connection = op.get_bind()
    rows = [
        {"shop_id": shop_id, "kind": "compared", "due_at": clock.now(), "fence": 0, "failures": 0}
        for shop_id in connection.scalars(sa.select(shops.c.shop_id))
    ]
    if rows:
        connection.execute(sa.insert(lanes), rows)
