"""People with roles, who come in by links"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugin import db

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("accounts") as batch:
        batch.add_column(sa.Column("email", sa.String(), server_default="", nullable=False))
        batch.add_column(sa.Column("role", sa.String(), server_default="owner", nullable=False))
        batch.add_column(sa.Column("code_digest", sa.String(), nullable=True))
        batch.add_column(sa.Column("code_until", db.UTCDateTime(), nullable=True))
        batch.create_unique_constraint("uq_accounts_email", ["shop_id", "email"])
