"""Postal codes, time zone and point of customers and orders"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

POINT = ("place_x", "place_y", "place_z")


def upgrade() -> None:
    for name in ("customers", "orders"):
        with op.batch_alter_table(name) as table:
            table.add_column(sa.Column("postal_codes", db.Values(), nullable=True))
            table.add_column(sa.Column("time_zone", sa.String(), nullable=True))
            for column in POINT:
                table.add_column(sa.Column(column, sa.BigInteger(), nullable=True))


def downgrade() -> None:
    for name in ("customers", "orders"):
        with op.batch_alter_table(name) as table:
            for column in ("postal_codes", "time_zone", *POINT):
                table.drop_column(column)
