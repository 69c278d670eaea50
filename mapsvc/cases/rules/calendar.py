"""Working time: which days are worked, at which hours, and arithmetic in it.

Statutory holidays and make-up working days (调休) come from the `holidays` package; an override
file adds to a year or replaces it. All arithmetic is on local wall time, answers are aware and in UTC.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import holidays

from mapsvc.base.errors import Misconfigured

ONE_DAY = timedelta(days=1)
DAY_HOURS = 8.0
"""A working day as an amount is 8 working hours (`notes` 4.4), whatever the hours of the day add up to."""

_LONGEST_DAYS = 366 * 20
"""No term may reach further: a calendar without working days would otherwise be searched for ever."""

DEFAULT_HOURS = ((time(8), time(12)), (time(14), time(18)))


@dataclass(frozen=True)
class YearOverride:
    """Days that a file states for one year; `complete` replaces what the package knows, else it adds to it."""

    year: int
    days_off: frozenset[date]
    days_on: frozenset[date]
    complete: bool
    source: str = ""


@dataclass(frozen=True)
class YearDays:
    """What differs from Monday to Friday in one year."""

    days_off: frozenset[date]
    days_on: frozenset[date]
    make_up_known: bool


@lru_cache(maxsize=256)
def published_days(country: str, year: int) -> YearDays:
    """Return what the `holidays` package knows of a year; no country means no holidays at all."""
    if not country:
        return YearDays(frozenset(), frozenset(), make_up_known=True)
    # The next year is read too, since its first make-up days may lie in this one.
    known = holidays.country_holidays(country, years=[year, year + 1])
    # Only countries that shift working days have them; the package lists each year that it knows them of.
    shifts = getattr(known, "has_substituted_holidays", False)
    return YearDays(
        days_off=frozenset(day for day in known if day.year == year),
        days_on=frozenset(day for day in getattr(known, "weekend_workdays", ()) if day.year == year),
        make_up_known=not shifts or year in getattr(known, "special_public_holidays", {}),
    )


@dataclass(frozen=True)
class Calendar:
    """Working hours of a place. `hours` are local, ascending and apart; `end_of_day` is explained in `deadlines`."""

    timezone: ZoneInfo
    hours: tuple[tuple[time, time], ...] = DEFAULT_HOURS
    country: str = "CN"
    overrides: tuple[YearOverride, ...] = ()
    end_of_day: bool = False
    _years: dict[int, YearDays] = field(default_factory=dict, compare=False, repr=False)

    def _year(self, year: int) -> YearDays:
        known = self._years.get(year)
        if known is None:
            known = published_days(self.country, year)
            for override in self.overrides:
                if override.year == year:
                    known = _overridden(known, override)
            self._years[year] = known
        return known

    def is_working_day(self, day: date) -> bool:
        """Whether people work on this local day; a day stated as worked wins over one stated as off."""
        year = self._year(day.year)
        if day in year.days_on:
            return True
        return day.weekday() < 5 and day not in year.days_off

    def warnings(self, year: int) -> tuple[str, ...]:
        """Say what is not known of a year; deadlines that reach into it may move once it is."""
        if self._year(year).make_up_known:
            return ()
        return (
            f"The make-up working days of {year} are not known: deadlines in {year} are computed without them. "
            f"{year} 年调休安排未知, 该年时限未计调休。",
        )

    @property
    def fingerprint(self) -> str:
        """Name this calendar on a stored deadline: the country, and a hash of hours and overrides."""
        told = repr((self.hours, str(self.timezone), self.end_of_day, self.overrides_in_words()))
        return f"{self.country or 'none'}-{hashlib.sha256(told.encode()).hexdigest()[:10]}"

    def overrides_in_words(self) -> tuple[tuple[int, bool, tuple[str, ...], tuple[str, ...]], ...]:
        """List the overrides in a stable order, for the fingerprint and for people."""
        return tuple(
            (
                each.year,
                each.complete,
                tuple(sorted(day.isoformat() for day in each.days_off)),
                tuple(sorted(day.isoformat() for day in each.days_on)),
            )
            for each in sorted(self.overrides, key=lambda each: each.year)
        )

    def local(self, moment: datetime) -> datetime:
        """Return the wall time of an aware moment, without its zone."""
        return moment.astimezone(self.timezone).replace(tzinfo=None)

    def instant(self, wall: datetime) -> datetime:
        """Return the aware UTC moment of a wall time; the earlier one where a clock is put back."""
        return wall.replace(tzinfo=self.timezone).astimezone(UTC)

    def spans(self, wall: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield the stretches of working time from a wall time on, the first one cut at its beginning."""
        day = wall.date()
        for _ in range(_LONGEST_DAYS):
            if self.is_working_day(day):
                for opens, closes in self.hours:
                    begin, end = datetime.combine(day, opens), datetime.combine(day, closes)
                    if end > wall:
                        yield max(begin, wall), end
            day += ONE_DAY
        raise Misconfigured(
            "calendar_without_work", "The calendar has no working time left.", hint="Check its hours and overrides."
        )

    def add_working(self, start: datetime, amount: timedelta) -> datetime:
        """Return the moment at which `amount` of working time from `start` on has passed.

        A term that is used up exactly when work ends falls due then, not at the next beginning.
        """
        left = amount
        for begin, end in self.spans(self.local(start)):
            if left <= end - begin:
                return self.instant(begin + left)
            left -= end - begin
        raise AssertionError("spans never ends")

    def working_between(self, start: datetime, end: datetime) -> timedelta:
        """Return how much working time lies between two moments; zero when they are in reverse."""
        total, last = timedelta(0), self.local(end)
        for opens, closes in self.spans(self.local(start)):
            if opens >= last:
                break
            total += min(closes, last) - opens
        return total

    def days_between(self, start: datetime, end: datetime) -> tuple[tuple[date, timedelta], ...]:
        """Return the local days on which working time lies between two moments, each with how much of it."""
        found: dict[date, timedelta] = {}
        last = self.local(end)
        for opens, closes in self.spans(self.local(start)):
            if opens >= last:
                break
            found[opens.date()] = found.get(opens.date(), timedelta(0)) + min(closes, last) - opens
        return tuple(found.items())

    def end_of_working_day(self, start: datetime, days: int) -> datetime:
        """Return the end of the `days`-th working day after the local day of `start`."""
        day, left = self.local(start).date(), days
        for _ in range(_LONGEST_DAYS):
            if left == 0:
                return self.instant(datetime.combine(day, self.hours[-1][1]))
            day += ONE_DAY
            left -= self.is_working_day(day)
        raise Misconfigured("calendar_without_work", "The calendar has no working days left.")


def _overridden(known: YearDays, override: YearOverride) -> YearDays:
    if override.complete:
        return YearDays(override.days_off, override.days_on, make_up_known=True)
    days_off = (known.days_off | override.days_off) - override.days_on
    days_on = (known.days_on | override.days_on) - override.days_off
    return YearDays(days_off, days_on, known.make_up_known)


def calendar_from_document(document: Mapping[str, Any], timezone: ZoneInfo, *, file: str = "") -> Calendar:
    """Check the content of a calendar file (see `data/calendar.toml`) and make the calendar of it."""
    unknown = sorted(set(document) - {"country", "hours", "end_of_day", "years"})
    if unknown:
        raise _wrong(file, f"has no meaning for {', '.join(unknown)}")
    hours = tuple(_span(text, file) for text in document.get("hours", ())) or DEFAULT_HOURS
    if any(earlier[1] > later[0] for earlier, later in pairwise(hours)):
        raise _wrong(file, "has working hours that overlap or are out of order")
    country = str(document.get("country", "CN"))
    if country and country not in holidays.list_supported_countries():
        raise _wrong(file, f"names the country {country!r}, which the holidays package does not know")
    return Calendar(
        timezone=timezone,
        hours=hours,
        country=country,
        end_of_day=bool(document.get("end_of_day", False)),
        overrides=tuple(_override(year, value, file) for year, value in document.get("years", {}).items()),
    )


def _wrong(file: str, what: str) -> Misconfigured:
    return Misconfigured(
        "bad_calendar",
        f"The calendar file {file or '(unnamed)'} {what}.",
        hint="data/calendar.toml shows the form.",
        detail={"file": file},
    )


def _span(text: Any, file: str) -> tuple[time, time]:
    try:
        opens, closes = (time.fromisoformat(part.strip()) for part in str(text).split("-"))
    except ValueError as error:
        raise _wrong(file, f"has the working hours {text!r}, which are not like 08:00-12:00") from error
    if opens >= closes:
        raise _wrong(file, f"has the working hours {text!r}, which end before they begin")
    return opens, closes


def _override(year_text: str, value: Mapping[str, Any], file: str) -> YearOverride:
    if not year_text.isdigit():
        raise _wrong(file, f"has a year {year_text!r} that is not a number")
    year = int(year_text)
    unknown = sorted(set(value) - {"holidays", "workdays", "complete", "source"})
    if unknown:
        raise _wrong(file, f"has no meaning for {', '.join(unknown)} in {year}")
    days_off = frozenset(_day(day, year, file) for day in value.get("holidays", ()))
    days_on = frozenset(_day(day, year, file) for day in value.get("workdays", ()))
    if days_off & days_on:
        raise _wrong(file, f"calls {min(days_off & days_on)} both a holiday and a working day")
    return YearOverride(year, days_off, days_on, bool(value.get("complete", False)), str(value.get("source", "")))


def _day(value: Any, year: int, file: str) -> date:
    try:
        day = value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError as error:
        raise _wrong(file, f"has a day {value!r} that is not like 2027-10-01") from error
    if day.year != year:
        raise _wrong(file, f"has {day} under the year {year}")
    return day
