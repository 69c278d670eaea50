"""The logs of many cases, for deriving figures again from what was done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, or_, select

from mapsvc.cases.models import CaseEvent, Deadline
from mapsvc.storage.work import Work

CHUNK = 20_000


@dataclass(frozen=True, slots=True)
class LoggedStep:
    """One event of a case; `undoes` is the sequence of the step that an `undo` took back, else 0."""

    case_id: int
    sequence: int
    step: str
    to_state: str
    at: datetime
    undoes: int = 0


def iter_steps(work: Work, as_of: datetime) -> Iterator[LoggedStep]:
    """Yield the events of all cases up to a moment, case by case and in their sequence."""
    last, sequence = 0, -1
    undoes = case((CaseEvent.step == "undo", CaseEvent.data["undoes"].as_integer()), else_=0)
    while True:
        beyond = or_(CaseEvent.case_id > last, (CaseEvent.case_id == last) & (CaseEvent.sequence > sequence))
        rows = work.session.execute(
            select(CaseEvent.case_id, CaseEvent.sequence, CaseEvent.step, CaseEvent.to_state, CaseEvent.at, undoes)
            .where(beyond, CaseEvent.at <= as_of)
            .order_by(CaseEvent.case_id, CaseEvent.sequence)
            .limit(CHUNK)
        ).all()
        for row in rows:
            yield LoggedStep(row[0], row[1], row[2], row[3], row[4], row[5] or 0)
        if len(rows) < CHUNK:
            return
        last, sequence = rows[-1].case_id, rows[-1].sequence


def due_dates(work: Work, as_of: datetime) -> dict[int, datetime]:
    """Return when each case fell or falls due by the total clock that ran at a moment.

    Clocks are replaced, never changed: the one that ran is the first that was not replaced by then.
    """
    found: dict[int, datetime] = {}
    rows = work.session.execute(
        select(Deadline.case_id, Deadline.due_at)
        .where(Deadline.clock == "total", or_(Deadline.replaced_at.is_(None), Deadline.replaced_at > as_of))
        .order_by(Deadline.case_id, Deadline.id)
        .execution_options(yield_per=CHUNK)
    )
    for case_id, due_at in rows:
        found.setdefault(case_id, due_at)
    return found
