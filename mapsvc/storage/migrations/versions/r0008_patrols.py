"""Patrols, their tracks for the retention time, and effort by cell and day, which names nobody."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mapsvc.storage.types import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "patrol",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("by_user_id", sa.Integer(), nullable=True),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("content_sha256", sa.String(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=False),
        sa.Column("fixes", sa.Integer(), nullable=False),
        sa.Column("metres", sa.Double(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_patrol_person_id_person")),
        sa.ForeignKeyConstraint(["by_user_id"], ["user_account.id"], name=op.f("fk_patrol_by_user_id_user_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patrol")),
        sa.UniqueConstraint("content_sha256", name=op.f("uq_patrol_content_sha256")),
        sa.UniqueConstraint("uuid", name=op.f("uq_patrol_uuid")),
    )
    op.create_index("ix_patrol_person_id_times", "patrol", ["person_id", "started_at", "ended_at"])
    op.create_index(op.f("ix_patrol_started_at"), "patrol", ["started_at"])
    op.create_table(
        "patrol_track",
        sa.Column("patrol_id", sa.Integer(), nullable=False),
        sa.Column("fixes", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["patrol_id"], ["patrol.id"], name=op.f("fk_patrol_track_patrol_id_patrol")),
        sa.PrimaryKeyConstraint("patrol_id", name=op.f("pk_patrol_track")),
    )
    op.create_table(
        "effort_cell",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("cell", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("metres", sa.Double(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("day", "cell", "mode", name=op.f("pk_effort_cell")),
    )


def downgrade() -> None:
    op.drop_table("effort_cell")
    op.drop_table("patrol_track")
    op.drop_index(op.f("ix_patrol_started_at"), table_name="patrol")
    op.drop_index("ix_patrol_person_id_times", table_name="patrol")
    op.drop_table("patrol")
