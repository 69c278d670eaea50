"""A case knows how far a whistle has come: the street finds what waits for its approval by one index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("case_file", sa.Column("whistle", sa.String(), nullable=False, server_default=sa.text("''")))
    op.create_index("ix_case_file_whistle", "case_file", ["whistle"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_case_file_whistle", table_name="case_file")
    with op.batch_alter_table("case_file") as table:
        table.drop_column("whistle")
