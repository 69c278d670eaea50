"""What a case keeps of its steps for the figures: when it was filed, dispatched, mended, and how its check went.

The marks stand on the row of the case, so that a list and a rate of a million cases need no look into the
log; the log stays the truth, and `mapsvc insight verify` folds it anew by the same rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

FIX_STEPS = frozenset({"fix", "instant_fix"})


@dataclass(frozen=True)
class Marks:
    """The marks of one case.

    `filed_at` and `dispatched_at` are of the first time; `fixed_at` is of the mending that stands (None
    again after a failed check or a reopening); `instant_at` of the mending on the spot (即查即改), and stays
    whatever comes after it; `check_result` is of the last check (核查).
    """

    filed_at: datetime | None = None
    dispatched_at: datetime | None = None
    fixed_at: datetime | None = None
    instant_at: datetime | None = None
    check_result: str | None = None


MARKED = ("filed_at", "dispatched_at", "fixed_at", "instant_at", "check_result")
"""The names of the marks, which are columns of the case as well."""


def mark(before: Marks, step: str, at: datetime) -> Marks:
    """Return the marks after a step taken at a moment."""
    if step == "accept":
        return replace(before, filed_at=before.filed_at or at)
    if step in {"dispatch", "redispatch"}:
        return replace(before, dispatched_at=before.dispatched_at or at)
    if step in FIX_STEPS:
        instant = (before.instant_at or at) if step == "instant_fix" else before.instant_at
        return replace(before, fixed_at=at, instant_at=instant)
    if step == "check_pass":
        return replace(before, check_result="passed")
    if step == "check_fail":
        return replace(before, fixed_at=None, check_result="failed")
    if step == "reopen":
        return replace(before, fixed_at=None)
    return before


def fold(steps: Iterable[tuple[str, datetime]]) -> Marks:
    """Return the marks that a log of steps leaves, in the order of their sequence."""
    marks = Marks()
    for step, at in steps:
        marks = mark(marks, step, at)
    return marks
