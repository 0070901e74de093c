"""How many events e-mail platforms told is counted where it is asked"""

from __future__ import annotations

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("engagements") as engagements:
        engagements.drop_column("told")
