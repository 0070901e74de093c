"""The clock of the newest record that a platform has told of a customer"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("customers") as customers:
        customers.add_column(sa.Column("record_updated_at", db.UTCDateTime(), nullable=True))
    op.execute("UPDATE customers SET record_updated_at = profile_updated_at")


def downgrade() -> None:
    with op.batch_alter_table("customers") as customers:
        customers.drop_column("record_updated_at")
