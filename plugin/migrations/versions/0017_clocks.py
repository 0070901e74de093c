"""As of when segments are evaluated where the clock is put back"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("shops") as shops:
        for name in ("evaluated_at", "ahead_at"):
            shops.add_column(sa.Column(name, db.UTCDateTime(), nullable=True))
    with op.batch_alter_table("stale") as stale:
        stale.add_column(sa.Column("marked_at", db.UTCDateTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("stale") as stale:
        stale.drop_column("marked_at")
    with op.batch_alter_table("shops") as shops:
        for name in ("ahead_at", "evaluated_at"):
            shops.drop_column(name)
