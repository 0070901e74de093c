"""Connections from before tell of e-mails as well"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import clock, db

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

connections = sa.table(
    "connections", sa.column("shop_id", db.Id), sa.column("connection_id", db.Id), sa.column("platform", db.Id)
)
lanes = sa.table(
    "lanes",
    sa.column("shop_id", db.Id),
    sa.column("kind", db.Id),
    sa.column("due_at", db.UTCDateTime()),
    sa.column("fence", sa.BigInteger()),
    sa.column("failures", sa.Integer()),
)


def upgrade() -> None:
    found = sa.select(connections).where(connections.c.platform == "klaviyo")
    rows = [
        {
            "shop_id": one.shop_id,
            "kind": f"engagement:{one.connection_id}",
            "due_at": clock.now(),
            "fence": 0,
            "failures": 0,
        }
        for one in op.get_bind().execute(found)
    ]
    op.bulk_insert(lanes, rows)
