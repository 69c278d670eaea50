"""When a term falls due. Four units (GB/T 30428 practice, `notes` 4.4):

紧急工作时 and 紧急工作日 run through nights, weekends and holidays; 工作时 and 工作日 only in
working hours. 1 工作日 is 8 working hours, or, with the calendar's `end_of_day`, the end of the next
working day. The clocks of a case: `total` from intake, never stopped by a transfer or an open
border question, stopped only while the case is suspended (挂账); `sign` from each assignment or
dispatch; `check` from the moment it was reported fixed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from mapsvc.base.errors import InvalidInput
from mapsvc.cases.rules.calendar import DAY_HOURS, Calendar

UNITS: dict[str, tuple[str, str]] = {
    "working_hour": ("工作时", "working hours"),
    "working_day": ("工作日", "working days"),
    "urgent_hour": ("紧急工作时", "hours without a break"),
    "urgent_day": ("紧急工作日", "days without a break"),
}
CLOCKS = ("total", "sign", "check")


@dataclass(frozen=True)
class Span:
    """An amount of one of the four units, such as 1.5 工作时; always more than nothing."""

    amount: float
    unit: str

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise InvalidInput("unknown_unit", f"{self.unit!r} is no unit of a term.", hint=f"Use {', '.join(UNITS)}.")
        if not (math.isfinite(self.amount) and self.amount > 0):
            raise InvalidInput(
                "bad_term", f"A term of {self.amount} {self.unit} cannot be kept.", hint="Use more than 0."
            )

    @property
    def working(self) -> bool:
        """Whether only working time counts."""
        return self.unit.startswith("working")

    def in_words(self, language: str = "zh") -> str:
        """Return the term as people write it, such as `2紧急工作时`."""
        zh, en = UNITS[self.unit]
        return f"{self.amount:g}{zh}" if language == "zh" else f"{self.amount:g} {en}"


def due_at(calendar: Calendar, start: datetime, term: Span) -> datetime:
    """Return when a term that began at `start` falls due; a later start never falls due earlier."""
    if term.unit == "urgent_hour":
        return start + timedelta(hours=term.amount)
    if term.unit == "urgent_day":
        return start + timedelta(days=term.amount)
    if term.unit == "working_day":
        if calendar.end_of_day:
            return calendar.end_of_working_day(start, math.ceil(term.amount))
        return calendar.add_working(start, timedelta(hours=term.amount * DAY_HOURS))
    return calendar.add_working(start, timedelta(hours=term.amount))


def due_after_pause(
    calendar: Calendar, unit: str, due: datetime, paused_at: datetime, resumed_at: datetime
) -> datetime:
    """Return the due time after a pause: what was left when it began is left when it ends.

    A clock that had run out before the pause stays where it was: a pause heals nothing.
    """
    if due <= paused_at or resumed_at <= paused_at:
        return due
    if not unit.startswith("working"):
        return due + (resumed_at - paused_at)
    left = calendar.working_between(paused_at, due)
    return calendar.add_working(resumed_at, left) if left else max(due, resumed_at)
