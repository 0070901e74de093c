"""Events found by what they were about"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    filled = sa.text("subject_id IS NOT NULL")
    columns = ["shop_id", "subject_id", "happened_at"]
    op.create_index("ix_events_subject", "events", columns, sqlite_where=filled, postgresql_where=filled)
