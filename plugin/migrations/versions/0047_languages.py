"""Languages that people chose"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("language", sa.String(), nullable=True))
    op.add_column("shops", sa.Column("language", sa.String(), nullable=True))
