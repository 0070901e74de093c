"""Shops that have put their first steps away"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("shops") as batch:
        batch.add_column(sa.Column("steps_put_away_at", db.UTCDateTime(), nullable=True))
