"""Why everybody is to be asked anew by a segment"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("segments", sa.Column("due_cause", sa.String(), nullable=True))
    op.execute("UPDATE segments SET due_cause = 'edited' WHERE whole IS NOT NULL")
