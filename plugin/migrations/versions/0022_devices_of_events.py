"""By which device, browser and system something was done on the shop's pages"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("events") as events:
        for name in ("device", "browser", "operating_system"):
            events.add_column(sa.Column(name, sa.String(), nullable=True))
