"""How well predictions would have ranked customers in the shop's own past"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("shops") as shops:
        shops.add_column(sa.Column("model_quality", sa.Integer(), nullable=True))
