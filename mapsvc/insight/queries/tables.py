"""Figures beside each other: areas of a level with their limits, months, categories and channels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapsvc.areas.index import Snapshot
from mapsvc.areas.queries.state import AreaTable
from mapsvc.insight.queries.figures import Counts, Figures, area_groups
from mapsvc.insight.rules.intervals import NOTHING, Limits, control_limits
from mapsvc.insight.rules.rates import Rate
from mapsvc.insight.rules.windows import Window
from mapsvc.people.rules.actor import Actor
from mapsvc.people.rules.permissions import scope


@dataclass(frozen=True)
class AreaLine:
    """One area: how many cases came in, its rate, and where it stands against the limits (-1, 0, 1; 2 not judged)."""

    area_id: int
    code: str
    name: str
    received: int
    rate: Rate
    standing: int


@dataclass(frozen=True, eq=False)
class AreaFigures:
    """All areas of a level that are shown, in the order of their codes, and their control limits."""

    level: str
    lines: tuple[AreaLine, ...]
    limits: Limits


@dataclass(frozen=True)
class CodeLine:
    """One category or channel: how many cases came in, and its rate."""

    code: str
    received: int
    rate: Rate


@dataclass(frozen=True)
class MonthLine:
    """One window of a trend with its rate; `outside` says that it lies beyond the limits of all months together."""

    window: Window
    rate: Rate
    low: float | None
    high: float | None
    standing: int


def areas_shown(
    snapshot: Snapshot, actor: Actor, level: str, area_id: int | None
) -> tuple[AreaTable, NDArray[np.intp]]:
    """Return the table of a level and the rows to show: within an area and within what the actor may see.

    An area lies in another where the point of its name does: so it also works for levels of two trees.
    """
    table = snapshot.tables[level]
    rows = np.arange(len(table))
    where = scope(actor, "case.view")
    if area_id is not None:
        rows = rows[lies_in(snapshot, table, [area_id])]
    if not where.everywhere:
        kept = np.zeros(len(table), np.bool_)
        kept[lies_in(snapshot, table, where.area_ids)] = True
        rows = rows[kept[rows]]
    return table, rows


def lies_in(snapshot: Snapshot, table: AreaTable, area_ids: Iterable[int]) -> NDArray[np.bool_]:
    """Return which areas of a table are one of `area_ids`, or lie in one of them by the point of their name."""
    found = np.isin(table.area_ids, list(area_ids))
    held = snapshot.locate_rows(table.label_lonlat[:, 0], table.label_lonlat[:, 1])
    for area_id in area_ids:
        at = snapshot.borders.find_row(area_id)
        if at is not None and at[0] in held:
            found |= held[at[0]] == at[1]
    return found


def by_area(figures: Figures, table: AreaTable, rows: NDArray[np.intp], level: str, name: str) -> AreaFigures:
    """Return the figures of a rate for rows of a level's table, with their control limits."""
    return _as_areas(figures.by_area(name, level, table.area_ids[rows].tolist()), table, rows, level)


def _as_areas(counts: Counts, table: AreaTable, rows: NDArray[np.intp], level: str) -> AreaFigures:
    limits = control_limits(counts.numerators, counts.totals)
    lines = tuple(
        AreaLine(
            area_id=int(table.area_ids[row]),
            code=table.codes[row],
            name=table.names[row] or table.codes[row],
            received=int(counts.received[at]),
            rate=rate,
            standing=int(limits.standing[at]),
        )
        for at, (row, rate) in enumerate(zip(rows.tolist(), counts.rates(), strict=True))
    )
    return AreaFigures(level, lines, limits)


def by_code(figures: Figures, name: str, column: str, most: int = 12) -> tuple[CodeLine, ...]:
    """Return the categories or channels with most cases received in the window, the most first."""
    codes, counts = figures.by_code(name, column)
    rates = counts.rates()
    order = sorted(range(len(codes)), key=lambda at: (-int(counts.received[at]), codes[at]))
    lines = [CodeLine(codes[at], int(counts.received[at]), rates[at]) for at in order]
    return tuple(line for line in lines if line.received or line.rate.n)[:most]


def by_month(figures: Figures, name: str, windows: Sequence[Window]) -> tuple[MonthLine, ...]:
    """Return the rate of each window, with the limits that all of them together set (a p chart)."""
    counts: Counts = figures.by_window(name, windows)
    limits = control_limits(counts.numerators, counts.totals)
    found = []
    for at, (window, rate) in enumerate(zip(windows, counts.rates(), strict=True)):
        judged = limits.standing[at] != NOTHING
        low = float(limits.low998[at]) if judged else None
        high = float(limits.high998[at]) if judged else None
        found.append(MonthLine(window, rate, low, high, int(limits.standing[at])))
    return tuple(found)


@dataclass(frozen=True, eq=False)
class Frames:
    """Areas of a level through the months: numerator, total and standing, each `months` x `codes`."""

    windows: tuple[Window, ...]
    codes: tuple[str, ...]
    numerators: NDArray[np.int64]
    totals: NDArray[np.int64]
    standings: NDArray[np.int8]


def areas_by_month(
    figures: Figures, table: AreaTable, rows: NDArray[np.intp], level: str, name: str, windows: Sequence[Window]
) -> Frames:
    """Return the figures of areas for each month: the frames of a map with a time slider."""
    groups = area_groups(figures.columns, level, table.area_ids[rows].tolist())
    counts = figures.by_window_and_group(name, windows, groups, len(rows))
    shape = (len(windows), len(rows))
    numerators, totals = counts.numerators.reshape(shape), counts.totals.reshape(shape)
    standings = [control_limits(k, n).standing for k, n in zip(numerators, totals, strict=True)]
    codes = tuple(table.codes[row] for row in rows.tolist())
    return Frames(tuple(windows), codes, numerators, totals, np.array(standings, np.int8).reshape(shape))
