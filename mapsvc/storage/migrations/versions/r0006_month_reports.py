"""Months of figures as they were first printed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mapsvc.storage.types import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; nothing was printed before."""
    op.create_table(
        "month_report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("area_id", sa.Integer(), nullable=False),
        sa.Column("as_of", UtcDateTime(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("made_by_user_id", sa.Integer(), nullable=True),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["made_by_user_id"], ["user_account.id"], name=op.f("fk_month_report_made_by_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_month_report")),
        sa.UniqueConstraint("month", "area_id", name=op.f("uq_month_report_month_area_id")),
    )


def downgrade() -> None:
    """Take the table away, with what was printed: export the briefings first if they are wanted."""
    op.drop_table("month_report")
