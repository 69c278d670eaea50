"""Figures counted from the cases in memory: of a whole scope, by area, by month, by category, by channel.

Everything is counted over what the asker may see (`visible_mask`), by the cuts of `cases.rules.cuts`, so that the
list behind a number (`/cases` with the same cut) holds exactly its cases.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from mapsvc.cases.queries.columns.cuts import part_mask, population_mask
from mapsvc.cases.queries.columns.masks import CaseFilter, filter_mask, visible_mask
from mapsvc.cases.queries.columns.table import CaseColumns
from mapsvc.cases.rules.cuts import Cut
from mapsvc.geo.measure import LocalFrame
from mapsvc.insight.rules.rates import FORMULAS, SUMMARY, TALLY_PARTS, Rate, Tally, get_formula, make_rates
from mapsvc.insight.rules.recurrence import recurred
from mapsvc.insight.rules.windows import Window
from mapsvc.people.rules.actor import Actor

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

MOMENT_OF = {"due": "due_at", "due_findings": "due_at", "due_hotline": "due_at", "mended": "fixed_at"}
"""Which moment puts a case of a population into a window; for the others it is when it came in."""


@dataclass(frozen=True)
class Question:
    """What figures are about: a window, and what narrows it; the defaults narrow nothing.

    `as_of` is the moment at which they are made (whole seconds). `area_id` is an area of any level. `light` as in
    `cases.rules.cuts.light_of`.
    """

    since: datetime
    until: datetime
    as_of: datetime
    light: frozenset[tuple[str, str]] = frozenset()
    area_id: int | None = None
    category: str = ""
    channels: tuple[str, ...] = ()
    include_historic: bool = True

    def within(self, window: Window) -> Question:
        """Return the same question about another window."""
        return replace(self, since=window.since, until=window.until)

    def cut(self, population: str, part: str = "") -> Cut:
        """Return a cut of this window."""
        return Cut(population, self.since, self.until, self.as_of, part, light=self.light)


@dataclass(frozen=True)
class Counts:
    """Numerators and totals of one rate for many groups, in the order that was asked for."""

    name: str
    numerators: Ints
    totals: Ints
    received: Ints

    def rates(self) -> list[Rate]:
        """Return the rates, with their intervals."""
        return make_rates(self.name, self.numerators, self.totals, received=self.received)


@dataclass(eq=False)
class Figures:
    """Counts one question over one state of the columns; masks that several figures need are made once."""

    columns: CaseColumns
    actor: Actor
    question: Question
    _base: Bools = field(init=False, repr=False)
    _masks: dict[tuple[str, str], Bools] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        asked = self.question
        wanted = CaseFilter(
            category=asked.category,
            channels=asked.channels,
            area_id=asked.area_id,
            include_historic=asked.include_historic,
        )
        self._base = visible_mask(self.columns, self.actor) & filter_mask(self.columns, wanted, asked.as_of)

    # -- masks

    def population(self, name: str) -> Bools:
        """Return which cases are in a population of the window, of those that are asked about."""
        return self._mask("population", name)

    def part(self, population: str, name: str) -> Bools:
        """Return which cases of a population are in a part of it."""
        members = self.population(population)
        if name == "recurred":
            return self._recurred(members)
        return members & self._mask("part", name)

    def _mask(self, kind: str, name: str) -> Bools:
        found = self._masks.get((kind, name))
        if found is None:
            if kind == "population":
                found = self._base & population_mask(self.columns, self.question.cut(name))
            else:
                found = part_mask(self.columns, self.question.cut("received", name))
            self._masks[kind, name] = found
        return found

    def _recurred(self, members: Bools) -> Bools:
        """Return which of the members came again; seen over all cases, whoever asks and whatever is filtered."""
        columns = self.columns
        if not columns.placed or not members.any():
            return np.zeros(len(columns), np.bool_)
        placed = slice(0, columns.placed)
        middle = LocalFrame(float(columns.lon[placed].mean()), float(columns.lat[placed].mean()))
        x_m, y_m = middle.to_metres(columns.lon, columns.lat)
        known = columns.received_at < int(self.question.as_of.timestamp())
        standing = members & self._mask("part", "mended")
        return recurred(standing, columns.fixed_at, np.where(known, columns.received_at, 0), columns.category, x_m, y_m)

    # -- figures of the whole

    def tally(self) -> Tally:
        """Return what became of what came in within the window."""
        parts = [int(self.part("received", name).sum()) for name in TALLY_PARTS]
        return Tally(int(self.population("received").sum()), *parts)

    def rate(self, name: str) -> Rate:
        """Return one rate of the whole scope."""
        return self.group(name, np.zeros(len(self.columns), np.intp), 1).rates()[0]

    def summary(self, names: Iterable[str] = SUMMARY) -> tuple[Rate, ...]:
        """Return the rates of the summary, each followed by those that stand beside it."""
        return tuple(self.rate(each) for name in names for each in (name, *get_formula(name).beside))

    def cases_of(self, name: str) -> tuple[Ints, Ints]:
        """Return the ids of the cases that a rate was counted from, and of those among them that count; ascending."""
        formula = FORMULAS[name]
        members, counting = self.population(formula.population), self.part(formula.population, formula.part)
        return np.sort(self.columns.id[members]), np.sort(self.columns.id[counting])

    # -- figures of groups

    def group(self, name: str, groups: NDArray[np.intp], size: int) -> Counts:
        """Return the counts of a rate for `size` groups; `groups` has the group of each case, below 0 for none."""
        formula = get_formula(name)
        members = self.population(formula.population)
        return Counts(
            name,
            _count(groups, self.part(formula.population, formula.part), size),
            _count(groups, members, size),
            _count(groups, self.population("received"), size),
        )

    def by_area(self, name: str, level: str, area_ids: Sequence[int]) -> Counts:
        """Return the counts of a rate for areas of a level, in their order."""
        return self.group(name, area_groups(self.columns, level, area_ids), len(area_ids))

    def count_by_area(self, level: str, area_ids: Sequence[int], population: str = "received") -> Ints:
        """Return how many cases of a population lie in each area of a level."""
        return _count(area_groups(self.columns, level, area_ids), self.population(population), len(area_ids))

    def by_code(self, name: str, column: str) -> tuple[tuple[str, ...], Counts]:
        """Return the values of a coded column (`category`, `channel`) and the counts of a rate for each."""
        codes = self.columns.names[column]
        groups: NDArray[np.intp] = getattr(self.columns, column).astype(np.intp)
        return codes, self.group(name, groups, len(codes))

    def by_window(self, name: str, windows: Sequence[Window]) -> Counts:
        """Return the counts of a rate for windows that follow each other without a gap, the earliest first."""
        return self.by_window_and_group(name, windows, np.zeros(len(self.columns), np.intp), 1)

    def by_window_and_group(self, name: str, windows: Sequence[Window], groups: NDArray[np.intp], size: int) -> Counts:
        """Return the counts for every window and group (`windows` x `size`, flat): one pass, however many windows."""
        if not windows:
            return Counts(name, *(np.zeros(0, np.int64) for _ in range(3)))
        span = replace(self.question, since=windows[0].since, until=windows[-1].until)
        whole = Figures(self.columns, self.actor, span)
        edges = np.array([int(window.since.timestamp()) for window in windows], np.int64)
        formula = get_formula(name)

        def count(rows: Bools, population: str) -> Ints:
            moments = getattr(self.columns, MOMENT_OF.get(population, "received_at"))[rows]
            at, inside = np.searchsorted(edges, moments, side="right") - 1, groups[rows]
            places = np.where((at >= 0) & (inside >= 0), at * size + inside, -1)
            return np.bincount(places[places >= 0], minlength=len(windows) * size).astype(np.int64)

        return Counts(
            name,
            count(whole.part(formula.population, formula.part), formula.population),
            count(whole.population(formula.population), formula.population),
            count(whole.population("received"), "received"),
        )


def area_groups(columns: CaseColumns, level: str, area_ids: Sequence[int]) -> NDArray[np.intp]:
    """Return for each case the place of its area of a level in `area_ids`; -1 where it lies in none of them."""
    held = columns.areas.get(level)
    wanted = np.asarray(area_ids, np.int64)
    if held is None or not len(wanted):
        return np.full(len(columns), -1, np.intp)
    order = np.argsort(wanted)
    places = np.searchsorted(wanted[order], held)
    places = np.minimum(places, len(wanted) - 1)
    found: NDArray[np.intp] = np.where(wanted[order][places] == held, order[places], -1)
    return found


def _count(groups: NDArray[np.intp], rows: Bools, size: int) -> Ints:
    chosen = groups[rows]
    return np.bincount(chosen[chosen >= 0], minlength=size).astype(np.int64)
