"""Indexes by which lists and counters read what they show, and not the whole table of cases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mapsvc.storage.boxes import create_case_positions, drop_case_positions
from mapsvc.storage.words import create_case_words, drop_case_words

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

PARTIAL = (
    # name, for which cases, columns
    ("open", "state <> 'closed'", ("due_at", "id", "state", "historic", "import_run_id", "sign_due_at")),
    ("closed", "state = 'closed'", ("due_at", "id")),
    ("fixed_at", "fixed_at IS NOT NULL", ("fixed_at",)),
    ("closed_at", "closed_at IS NOT NULL", ("closed_at",)),
    ("outcome", "outcome <> ''", ("outcome",)),
    ("unplaced", "unplaced IS TRUE", ("id",)),
    ("edge", "edge IS TRUE", ("id",)),
    ("handover_area_id", "handover_area_id IS NOT NULL", ("handover_area_id",)),
)
REPLACED = (
    ("unplaced", ("unplaced",)),
    ("received_at", ("received_at",)),
    ("state_due_at", ("state", "due_at")),
    ("position", ("lon", "lat")),
    ("category", ("category",)),
)
"""What the new ones stand in for, some under the same name."""


def upgrade() -> None:
    for name, _ in REPLACED:
        op.drop_index(f"ix_case_file_{name}", table_name="case_file")
    for name, only, columns in PARTIAL:
        here = only.replace("IS TRUE", "IS 1")
        op.create_index(
            f"ix_case_file_{name}", "case_file", list(columns), sqlite_where=sa.text(here),
            postgresql_where=sa.text(only),
        )  # fmt: skip
    op.create_index("ix_case_file_received_at", "case_file", ["received_at", "id"])
    op.create_index("ix_case_file_channel", "case_file", ["channel"])
    op.create_index(  # in the order of bytes, by which the beginning of a code is a range whatever the collation
        "ix_case_file_category", "case_file", ["category"], postgresql_ops={"category": "text_pattern_ops"}
    )
    create_case_positions(op.get_bind())
    create_case_words(op.get_bind())


def downgrade() -> None:
    drop_case_words(op.get_bind())
    drop_case_positions(op.get_bind())
    for name in (*(name for name, _, _ in PARTIAL), "received_at", "channel", "category"):
        op.drop_index(f"ix_case_file_{name}", table_name="case_file")
    for name, columns in REPLACED:
        op.create_index(f"ix_case_file_{name}", "case_file", list(columns))
