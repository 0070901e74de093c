"""Webhooks that the guard holds, and segments that are told anew"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("webhook_endpoints") as batch:
        batch.add_column(sa.Column("anew", db.Json, nullable=True))
    with op.batch_alter_table("webhook_deliveries") as batch:
        batch.add_column(sa.Column("passes", sa.Boolean(), server_default=sa.false(), nullable=False))
