"""Marks of its steps on the case, for figures over a million of them; filled from the events that are there."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from mapsvc.storage.types import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MOMENTS = ("filed_at", "dispatched_at", "fixed_at", "instant_at")

case = sa.table(
    "case_file", sa.column("id"), sa.column("check_result"), *(sa.column(name, UtcDateTime()) for name in MOMENTS)
)
event = sa.table(
    "case_event", sa.column("case_id"), sa.column("sequence"), sa.column("at", UtcDateTime()), sa.column("step")
)


def upgrade() -> None:
    """Add the columns, then fold the events of every case that has some into them."""
    for name in MOMENTS:
        op.add_column("case_file", sa.Column(name, UtcDateTime(), nullable=True))
    op.add_column("case_file", sa.Column("check_result", sa.String(), nullable=True))
    undone = sa.func.coalesce(_of(sa.func.max(event.c.sequence), "check_fail", "reopen").scalar_subquery(), 0)
    last_check = _of(sa.func.max(event.c.sequence), "check_pass", "check_fail").scalar_subquery()
    checked = sa.select(event.c.step).where(event.c.case_id == case.c.id, event.c.sequence == last_check)
    marked = ("accept", "dispatch", "redispatch", "fix", "instant_fix", "check_pass", "check_fail")
    op.execute(
        case.update()
        .where(case.c.id.in_(sa.select(event.c.case_id).where(event.c.step.in_(marked))))
        .values(
            filed_at=_of(sa.func.min(event.c.at), "accept").scalar_subquery(),
            dispatched_at=_of(sa.func.min(event.c.at), "dispatch", "redispatch").scalar_subquery(),
            fixed_at=_of(sa.func.max(event.c.at), "fix", "instant_fix")
            .where(event.c.sequence > undone)
            .scalar_subquery(),
            instant_at=_of(sa.func.min(event.c.at), "instant_fix").scalar_subquery(),
            check_result=sa.case(
                (checked.scalar_subquery() == "check_pass", "passed"),
                (checked.scalar_subquery() == "check_fail", "failed"),
            ),
        )
    )


def _of(what: sa.ColumnElement[Any], *steps: str) -> sa.Select[Any]:
    """Return a value over the events of the case that is being updated that are one of some steps."""
    return sa.select(what).where(event.c.case_id == case.c.id, event.c.step.in_(steps)).correlate(case)


def downgrade() -> None:
    """Take the columns away; the events still hold all that they said."""
    for name in (*MOMENTS, "check_result"):
        op.drop_column("case_file", name)
