"""How orders came about, what products were counted among, and what lies in carts"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

ADDED: Mapping[str, Mapping[str, Any]] = {
    "product_versions": {"category_id": db.Id, "collections": db.Values},
    "orders": {
        "discount_minor": sa.BigInteger,
        "location_id": db.Id,
        "app_id": db.Id,
        **dict.fromkeys(("country", "channel", "campaign", "referrer"), sa.String),
        **dict.fromkeys(("device", "browser", "operating_system"), sa.String),
    },
    "line_items": {"product_category": sa.String, "product_category_id": db.Id, "product_collections": db.Values},
    "carts": {"amount_minor": sa.BigInteger, "product_ids": db.Values, "products_updated_at": db.UTCDateTime},
}


def upgrade() -> None:
    for name, columns in ADDED.items():
        with op.batch_alter_table(name) as changed:
            for column, kind in columns.items():
                changed.add_column(sa.Column(column, kind, nullable=True))
    op.execute(
        "UPDATE carts SET amount_minor = total_minor WHERE currency ="
        " (SELECT currency FROM shops WHERE shops.shop_id = carts.shop_id)"
    )
    op.create_index("ix_carts_changed", "carts", ["shop_id", "changed_at", "customer_id"])
    op.create_index("ix_refunds_refunded", "refunds", ["shop_id", "refunded_at", "order_id"])


def downgrade() -> None:
    op.drop_index("ix_refunds_refunded", "refunds")
    op.drop_index("ix_carts_changed", "carts")
    for name, columns in ADDED.items():
        with op.batch_alter_table(name) as changed:
            for column in columns:
                changed.drop_column(column)
