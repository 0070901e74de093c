"""Store credit is found by its customer: with the moment in the index, SQLite takes it rather than the key"""

from __future__ import annotations

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

NAME, TABLE = "ix_store_credit_customer", "store_credit"


def upgrade() -> None:
    op.drop_index(NAME, TABLE)
    op.create_index(NAME, TABLE, ["shop_id", "customer_id", "changed_at"])


def downgrade() -> None:
    op.drop_index(NAME, TABLE)
    op.create_index(NAME, TABLE, ["shop_id", "customer_id"])
