"""The last word of names of several, by which customers are sought as well"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin.db import Id, last_word

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

AT_ONCE = 5_000
FEW = sa.text("last_word != ''")


def upgrade() -> None:
    op.add_column("customers", sa.Column("last_word", Id, server_default="", nullable=False))
    fill()
    columns = ["shop_id", "last_word", "first_sought", "customer_id"]
    op.create_index("ix_customers_last_word", "customers", columns, sqlite_where=FEW, postgresql_where=FEW)


def fill() -> None:
    """Work it out of those who are there, some at a time."""
    key = [sa.column("shop_id", Id), sa.column("customer_id", Id)]
    customers = sa.table("customers", *key, sa.column("last_name", sa.String()), sa.column("last_word", Id))
    written = sa.update(customers).where(
        customers.c.shop_id == sa.bindparam("shop"), customers.c.customer_id == sa.bindparam("customer")
    )
    connection, last = op.get_bind(), ("", "")
    while True:
        found = sa.select(*key, customers.c.last_name).where(sa.tuple_(*key) > sa.tuple_(*last))
        rows = connection.execute(found.order_by(*key).limit(AT_ONCE)).all()
        if not rows:
            return
        words = [(row, last_word(row.last_name or "")) for row in rows]
        values = [{"shop": row.shop_id, "customer": row.customer_id, "last_word": word} for row, word in words if word]
        if values:
            connection.execute(written, values)
        last = (rows[-1].shop_id, rows[-1].customer_id)
