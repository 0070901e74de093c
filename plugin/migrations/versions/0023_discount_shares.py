"""Which share of their orders had a discount"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("customer_stats") as stats:
        stats.add_column(sa.Column("discount_share", sa.Integer(), nullable=True))
