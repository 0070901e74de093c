"""Credentials that are renewed: their version, and when the merchant installed"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("connections") as batch:
        batch.add_column(sa.Column("version", sa.BigInteger(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("installed_at", db.UTCDateTime(), nullable=True))
    with op.batch_alter_table("connections") as batch:
        batch.alter_column("version", server_default=None)
