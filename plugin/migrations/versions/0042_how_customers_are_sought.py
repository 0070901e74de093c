"""How customers are sought: by names and telephone, and by the names of their orders"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin.db import Id, from_the_end, sought

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

AT_ONCE = 5_000
SOUGHT = ("first_sought", "last_sought", "phone_sought")


def upgrade() -> None:
    for name in SOUGHT:
        op.add_column("customers", sa.Column(name, Id, server_default="", nullable=False))
    fill()
    op.create_index("ix_customers_first_sought", "customers", ["shop_id", "first_sought", "last_sought", "customer_id"])
    op.create_index("ix_customers_last_sought", "customers", ["shop_id", "last_sought", "first_sought", "customer_id"])
    op.create_index("ix_customers_phone_sought", "customers", ["shop_id", "phone_sought", "customer_id"])
    op.create_index("ix_orders_name", "orders", ["shop_id", "name"])


def fill() -> None:
    """Work out what is sought of those who are there, some at a time."""
    key = [sa.column("shop_id", Id), sa.column("customer_id", Id)]
    told = [sa.column(name, sa.String()) for name in ("first_name", "last_name", "phone")]
    customers = sa.table("customers", *key, *told, *(sa.column(name, Id) for name in SOUGHT))
    written = sa.update(customers).where(
        customers.c.shop_id == sa.bindparam("shop"), customers.c.customer_id == sa.bindparam("customer")
    )
    connection, last = op.get_bind(), ("", "")
    while True:
        found = sa.select(*key, *told).select_from(customers).where(sa.tuple_(*key) > sa.tuple_(*last))
        rows = connection.execute(found.order_by(*key).limit(AT_ONCE)).all()
        if not rows:
            return
        values = [
            {
                "shop": row.shop_id,
                "customer": row.customer_id,
                "first_sought": sought(row.first_name or ""),
                "last_sought": sought(row.last_name or ""),
                "phone_sought": from_the_end(row.phone or ""),
            }
            for row in rows
            if row.first_name or row.last_name or row.phone
        ]
        if values:
            connection.execute(written, values)
        last = (rows[-1].shop_id, rows[-1].customer_id)
