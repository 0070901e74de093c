"""What a merchant keeps of customers: attributes, their definitions and values"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "attribute_definitions",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("key", db.Id, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("defined_at", db.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "attribute_values",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("customer_id", db.Id, nullable=False),
        sa.Column("key", db.Id, nullable=False),
        sa.Column("changed_at", db.UTCDateTime(), nullable=False),
        sa.Column("value", db.Id, nullable=True),
        sa.Column("value_on", sa.Date(), nullable=True),
        sa.Column("month_day", sa.Integer(), nullable=True),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "customer_id", "key", "changed_at"),
        sqlite_with_rowid=False,
    )
    for name, column in (("ix_attribute_values_on", "value_on"), ("ix_attribute_values_month_day", "month_day")):
        filled = sa.text(f"{column} IS NOT NULL")
        op.create_index(
            name,
            "attribute_values",
            ["shop_id", "key", column, "customer_id"],
            sqlite_where=filled,
            postgresql_where=filled,
        )


def downgrade() -> None:
    op.drop_table("attribute_values")
    op.drop_table("attribute_definitions")
