"""Windows of time: months and spans of local days, as moments. Pure: the time zone and the present are arguments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from mapsvc.base.errors import InvalidInput

MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
YEARS = range(1900, 2200)
"""Years that are asked for; beyond them neither calendars nor time zones say anything."""

LONGEST_DAYS = 3660
SPANS = {"7d": 7, "28d": 28, "90d": 90, "365d": 365}
"""Rolling spans by their name in the address; 28 days hold four of every weekday."""


@dataclass(frozen=True)
class Window:
    """Local days from `first` to `last`, both within; `since` and `until` are its moments, `name` as in the address."""

    name: str
    first: date
    last: date
    since: datetime
    until: datetime

    @property
    def month(self) -> str:
        """The month that the window is, as 2026-11; empty for another span."""
        return self.name if MONTH.fullmatch(self.name) else ""

    def is_over(self, now: datetime) -> bool:
        """Whether the window lies wholly in the past."""
        return now >= self.until


def read_window(name: str, now: datetime, timezone: ZoneInfo) -> Window:
    """Return the window of a name: `2026-11`, `7d`, `28d`, `90d`, `365d`, or two days `2026-11-01..2026-11-15`.

    An empty name is the month of `now`. Raises `InvalidInput` for anything else.
    """
    today = now.astimezone(timezone).date()
    name = name or f"{today:%Y-%m}"
    if MONTH.fullmatch(name) and int(name[:4]) in YEARS:
        first = date(int(name[:4]), int(name[5:]), 1)
        return _window(name, first, next_month(first) - timedelta(days=1), timezone)
    if name in SPANS:
        return _window(name, today - timedelta(days=SPANS[name] - 1), today, timezone)
    start, dots, end = name.partition("..")
    try:
        first, last = date.fromisoformat(start), date.fromisoformat(end)
    except ValueError:
        dots = ""
    known = bool(dots) and first.year in YEARS and last.year in YEARS
    if not known or not first <= last <= first + timedelta(days=LONGEST_DAYS):
        raise InvalidInput(
            "bad_window",
            f"{name[:40]!r} is no window of time.",
            hint="Use a month (2026-11), 7d, 28d, 90d, 365d, or two days (2026-11-01..2026-11-15).",
        )
    return _window(name, first, last, timezone)


def months_up_to(now: datetime, timezone: ZoneInfo, count: int) -> tuple[Window, ...]:
    """Return the last months up to the present one, the oldest first."""
    first = now.astimezone(timezone).date().replace(day=1)
    found = []
    for _ in range(count):
        found.append(read_window(f"{first:%Y-%m}", now, timezone))
        first = (first - timedelta(days=1)).replace(day=1)
    return tuple(reversed(found))


def next_month(first: date) -> date:
    """Return the first day of the month after."""
    return (first.replace(day=28) + timedelta(days=4)).replace(day=1)


def _window(name: str, first: date, last: date, timezone: ZoneInfo) -> Window:
    since = datetime.combine(first, time.min, timezone)
    until = datetime.combine(last + timedelta(days=1), time.min, timezone)
    return Window(name, first, last, since, until)
