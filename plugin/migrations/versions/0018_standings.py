"""What platforms tell of customers when asked: subscriptions, companies, store credit"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "standings",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("customer_id", db.Id, nullable=False),
        sa.Column("name", db.Id, nullable=False),
        sa.Column("told_at", db.UTCDateTime(), nullable=False),
        sa.Column("value", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "customer_id", "name", "told_at"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "store_credit",
        sa.Column("shop_id", db.Id, nullable=False),
        sa.Column("account_id", db.Id, nullable=False),
        sa.Column("changed_at", db.UTCDateTime(), nullable=False),
        sa.Column("customer_id", db.Id, nullable=True),
        sa.Column("told_at", db.UTCDateTime(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("balance_minor", sa.BigInteger(), nullable=False),
        sa.Column("next_expiry_at", db.UTCDateTime(), nullable=True),
        sa.Column("last_credit_at", db.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]),
        sa.PrimaryKeyConstraint("shop_id", "account_id", "changed_at"),
        sqlite_with_rowid=False,
    )
    for name, columns in (
        ("customer", ["customer_id"]),
        ("expiry", ["next_expiry_at"]),
        ("granted", ["last_credit_at"]),
    ):
        op.create_index(f"ix_store_credit_{name}", "store_credit", ["shop_id", *columns])
    with op.batch_alter_table("rating_runs") as runs:
        runs.add_column(sa.Column("supplied", db.Values(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("rating_runs") as runs:
        runs.drop_column("supplied")
    op.drop_table("store_credit")
    op.drop_table("standings")
