"""Those who met a reported problem too (我也遇到), each with a follow code of their own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mapsvc.storage.types import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of followers."""
    op.create_table(
        "follower",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("track_code", sa.String(), nullable=False),
        sa.Column("content_sha256", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_follower_case_id_case_file")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follower")),
        sa.UniqueConstraint("track_code", name=op.f("uq_follower_track_code")),
        sa.UniqueConstraint("uuid", name=op.f("uq_follower_uuid")),
    )
    op.create_index(op.f("ix_follower_case_id"), "follower", ["case_id"], unique=False)


def downgrade() -> None:
    """Drop it: their codes open nothing any more, the cases stay."""
    op.drop_table("follower")
