"""Discounts and payment in the index on a customer's orders: a walk over them then reads nothing else"""

from __future__ import annotations

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

BEFORE = (
    "shop_id",
    "customer_id",
    "placed_at",
    "order_id",
    "deleted_at",
    "counts",
    "cancelled_at",
    "amount_minor",
    "refunded",
    "refunded_minor",
    "countries",
    "regions",
)
NEW = ("financial_status", "discount_codes", "discount_minor")


def upgrade() -> None:
    op.drop_index("ix_orders_customer", "orders")
    op.create_index("ix_orders_customer", "orders", [*BEFORE, *NEW])
