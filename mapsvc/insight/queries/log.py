"""The cases as their event log has them: columns in which whatever a step may change is folded anew.

Figures over these columns come from `case_event` and the clocks alone; where they differ from figures over the
rows, a row was changed without an event.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

import numpy as np

from mapsvc.cases.queries.columns.table import NONE_SECONDS, CaseColumns
from mapsvc.cases.queries.histories import LoggedStep, due_dates, iter_steps
from mapsvc.cases.rules.marks import fold
from mapsvc.cases.rules.workflow import NEUTRAL, RULES
from mapsvc.storage.work import Work


@dataclass(frozen=True)
class Standing:
    """How a case stood after some steps."""

    state: str
    outcome: str
    closed_at: datetime | None
    reworks: int
    extensions: int


def standing(logged: Iterable[LoggedStep]) -> list[LoggedStep]:
    """Return the steps that still hold: what an undo took back is gone, with what followed from it, remarks apart."""
    found: list[LoggedStep] = []
    for step in logged:
        if step.step == "undo":
            found = [one for one in found if one.sequence < step.undoes or one.step in NEUTRAL]
        else:
            found.append(step)
    return found


def stand(steps: list[LoggedStep], workflow: str) -> Standing:
    """Return how a case stands after the steps of its log, in their order; at least one."""
    state, outcome, closed_at, reworks, extensions = steps[0].to_state, "", None, 0, 0
    for taken in steps[1:]:
        if state == taken.to_state == "closed":
            continue  # a comment on a closed case
        rule = RULES.get((workflow, taken.step))
        outcome = rule.outcome if rule is not None else outcome
        if taken.step in {"reopen", "check_fail"}:
            reworks += 1
        if taken.step == "extend":
            extensions += 1
        if taken.step == "reopen":
            extensions = 0
        state = taken.to_state
        closed_at = taken.at if state == "closed" else None
    return Standing(state, outcome, closed_at, reworks, extensions)


def columns_from_log(work: Work, columns: CaseColumns, as_of: datetime) -> CaseColumns:
    """Return the columns as the log has them up to a moment.

    What an import brought with it (a state and a closing time that lie before its first event) is kept as it is: the
    log of such a case holds its arrival only. Where a case lies, its category and its channel are not folded.
    """
    known = {int(case_id): row for row, case_id in enumerate(columns.id)}
    made = _Changed(columns)
    due = due_dates(work, as_of)
    for case_id, logged in groupby(iter_steps(work, as_of), key=lambda step: step.case_id):
        row = known.get(case_id)
        if row is not None:
            made.put(row, standing(logged), due.get(case_id))
    return made.columns()


class _Changed:
    """Copies of the columns that a step may change, while they are being written."""

    _NAMES = ("due_at", "closed_at", "fixed_at", "reworks", "extensions", "instant_fix", "on_time", "filed")

    def __init__(self, columns: CaseColumns) -> None:
        self._columns = columns
        self._made = {name: getattr(columns, name).copy() for name in (*self._NAMES, "dispatched")}
        self._coded = {name: getattr(columns, name).copy() for name in ("state", "outcome", "check_result")}
        self._numbers = {name: {value: at for at, value in enumerate(columns.names[name])} for name in self._coded}
        self._workflows = columns.names["workflow"]

    def put(self, row: int, steps: list[LoggedStep], due_at: datetime | None) -> None:
        """Write what the steps of a case leave."""
        workflow = self._workflows[self._columns.workflow[row]]
        standing, marks = stand(steps, workflow), fold((step.step, step.at) for step in steps)
        imported = len(steps) == 1 and standing.state == "closed"
        self._put("due_at", row, _seconds(due_at))
        if not imported:
            self._put("closed_at", row, _seconds(standing.closed_at))
            self._code("outcome", row, standing.outcome)
            closed = standing.closed_at
            self._put("on_time", row, closed is not None and due_at is not None and closed <= due_at)
        self._code("state", row, standing.state)
        self._code("check_result", row, marks.check_result or "")
        self._put("fixed_at", row, _seconds(marks.fixed_at))
        self._put("instant_fix", row, marks.instant_at is not None)
        self._put("filed", row, marks.filed_at is not None)
        self._put("dispatched", row, marks.dispatched_at is not None)
        self._put("reworks", row, standing.reworks)
        self._put("extensions", row, standing.extensions)

    def _put(self, name: str, row: int, value: int) -> None:
        self._made[name][row] = value

    def _code(self, name: str, row: int, value: str) -> None:
        numbers = self._numbers[name]
        self._coded[name][row] = numbers.setdefault(value, len(numbers))

    def columns(self) -> CaseColumns:
        """Return the columns with what was written; their remembered masks are their own."""
        names = {**self._columns.names, **{name: tuple(numbers) for name, numbers in self._numbers.items()}}
        changed = {**self._made, **self._coded}
        return replace(self._columns, key=f"{self._columns.key}-log", names=names, remembered={}, **changed)


def _seconds(moment: datetime | None) -> int:
    return NONE_SECONDS if moment is None else int(np.floor(moment.timestamp()))
