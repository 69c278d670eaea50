"""Moments and terms in the words of the screen. Pure: the present moment is an argument."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from mapsvc.web.words.book import Book

NEAR = timedelta(hours=4)
"""As the rulebook has it: what falls due within this span is 临期."""

COUNTED = timedelta(hours=6)
"""Up to here the hours left are counted; beyond, the day is said."""


@dataclass(frozen=True)
class DueText:
    """How urgent a deadline is: `late`, `near`, `today` or `later`, and what to say."""

    kind: str
    text: str


@dataclass(frozen=True)
class Times:
    """Says moments in one tongue, in the time zone of the district, as seen from `now`."""

    book: Book
    language: str
    timezone: ZoneInfo
    now: datetime

    def _say(self, key: str, **values: object) -> str:
        return self.book.text(self.language, key, **values)

    def when(self, moment: datetime) -> str:
        """Return 11月22日 周日 14:05; with the year where it is not this one."""
        local = moment.astimezone(self.timezone)
        return self._say(
            "date.full" if self._is_this_year(local) else "date.full_year",
            year=local.year,
            month=local.month,
            month_name=self._say(f"date.month_{local.month}"),
            day=local.day,
            weekday=self._say(f"date.weekday_{local.weekday()}"),
            time=f"{local:%H:%M}",
        )

    def day(self, moment: datetime) -> str:
        """Return 11月22日."""
        local = moment.astimezone(self.timezone)
        return self._say(
            "date.short" if self._is_this_year(local) else "date.short_year",
            year=local.year,
            month=local.month,
            month_name=self._say(f"date.month_{local.month}"),
            day=local.day,
        )

    def weekday(self, day: date) -> str:
        """Return 周二 11月24日."""
        return (
            f"{self._say(f'date.weekday_{day.weekday()}')} {self.day(datetime.combine(day, time(12), self.timezone))}"
        )

    def clock(self, moment: datetime) -> str:
        """Return 08:06 for a moment of this day, 11月22日 08:06 for another."""
        local = moment.astimezone(self.timezone)
        hour = f"{local:%H:%M}"
        return hour if local.date() == self.now.astimezone(self.timezone).date() else f"{self.day(moment)} {hour}"

    def _is_this_year(self, local: datetime) -> bool:
        return local.year == self.now.astimezone(self.timezone).year

    def due(self, due_at: datetime | None, *, state: str = "") -> DueText | None:
        """Return 剩2小时, 超期3小时, 明日到期 ...; None for a case without a running clock."""
        if due_at is None or state == "closed":
            return None
        if state == "suspended":
            return DueText("later", self._say("due.suspended"))
        left = due_at - self.now
        if left < timedelta(0):
            return DueText("late", self._late(-left))
        if left < COUNTED:
            kind = "near" if left < NEAR else "today"
            return DueText(kind, self._count("due.left", left))
        local, today = due_at.astimezone(self.timezone), self.now.astimezone(self.timezone).date()
        if local.date() == today:
            return DueText("today", self._say("due.today", time=f"{local:%H:%M}"))
        if local.date() == today + timedelta(days=1):
            return DueText("later", self._say("due.tomorrow"))
        return DueText("later", self._say("due.on", date=self.day(due_at)))

    def _late(self, span: timedelta) -> str:
        if span >= timedelta(days=2):
            return self._say("due.late_days", count=span.days)
        return self._count("due.late", span)

    def _count(self, key: str, span: timedelta) -> str:
        minutes = int(span.total_seconds() // 60)
        if minutes < 60:
            return self._say(f"{key}_minutes", count=max(1, minutes))
        return self._say(f"{key}_hours", count=minutes // 60)
