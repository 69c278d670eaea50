"""Months as they were first printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from mapsvc.insight.models import MonthReport
from mapsvc.insight.queries.figures import Figures
from mapsvc.insight.rules.rates import TALLY_PARTS, Rate, Tally, make_rates
from mapsvc.people.models import User
from mapsvc.storage.work import Work

EVERYTHING = 0
"""The `area_id` of a month that is about everything."""


@dataclass(frozen=True)
class Numbers:
    """The counts of a report: four of the tally, numerator and total of each rate, by name."""

    tally: Tally
    counts: Mapping[str, tuple[int, int]]

    def rates(self) -> tuple[Rate, ...]:
        """Return the rates of these counts, in their order."""
        received = self.tally.received
        return tuple(make_rates(name, k, n, received=received)[0] for name, (k, n) in self.counts.items())

    def as_json(self) -> dict[str, Any]:
        """Return what is stored."""
        return {
            "received": self.tally.received,
            **{name: getattr(self.tally, name) for name in TALLY_PARTS},
            "rates": {name: list(pair) for name, pair in self.counts.items()},
        }

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Numbers:
        """Return what was stored."""
        tally = Tally(stored["received"], *(stored[name] for name in TALLY_PARTS))
        return cls(tally, {name: (pair[0], pair[1]) for name, pair in stored["rates"].items()})


@dataclass(frozen=True)
class Difference:
    """One figure that is another one now: numerator and total (of the tally: both the same)."""

    name: str
    then: tuple[int, int]
    now: tuple[int, int]


@dataclass(frozen=True)
class FrozenMonth:
    """A month as it was first printed, by whom and when."""

    month: str
    area_id: int | None
    as_of: datetime
    made_at: datetime
    made_by: str
    numbers: Numbers


def count_numbers(figures: Figures) -> Numbers:
    """Return the counts of a report."""
    return Numbers(figures.tally(), {rate.name: (rate.numerator, rate.n) for rate in figures.summary()})


def find_month(work: Work, month: str, area_id: int | None) -> FrozenMonth | None:
    """Return a month as it was first printed for an area (None: everything), or None where it never was."""
    row = work.session.execute(
        select(MonthReport, User.display_name)
        .outerjoin(User, User.id == MonthReport.made_by_user_id)
        .where(MonthReport.month == month, MonthReport.area_id == (area_id or EVERYTHING))
    ).one_or_none()
    if row is None:
        return None
    found, by = row
    return FrozenMonth(found.month, area_id, found.as_of, found.made_at, by or "", Numbers.read(found.figures))


def differences(then: Numbers, now: Numbers) -> tuple[Difference, ...]:
    """Return the figures that differ, the tally first; a rate that one of them has not is left out."""
    pairs = [(name, getattr(then.tally, name), getattr(now.tally, name)) for name in ("received", *TALLY_PARTS)]
    found = [Difference(name, (a, a), (b, b)) for name, a, b in pairs if a != b]
    for name, counts in then.counts.items():
        other = now.counts.get(name)
        if other is not None and tuple(other) != tuple(counts):
            found.append(Difference(name, counts, other))
    return tuple(found)
