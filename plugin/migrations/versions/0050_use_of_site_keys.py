"""When a key of the shop's pages was last used"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("site_keys") as batch:
        batch.add_column(sa.Column("last_used_at", db.UTCDateTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("site_keys") as batch:
        batch.drop_column("last_used_at")
