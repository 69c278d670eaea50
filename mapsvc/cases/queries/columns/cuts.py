"""The cuts of figures over the columns in memory: the same rows as `cases.queries.cuts` finds in SQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from mapsvc.cases.queries.columns.masks import coded_mask, open_mask, overdue_mask
from mapsvc.cases.queries.columns.table import NONE_SECONDS, CaseColumns
from mapsvc.cases.rules.cuts import NOT_FILED_OUTCOMES, Cut
from mapsvc.cases.rules.workflow import QUICK, QUICK_CHANNELS, STANDARD

Bools = NDArray[np.bool_]
Mask = Callable[[CaseColumns, Cut], Bools]


def population_mask(columns: CaseColumns, cut: Cut) -> Bools:
    """Return which rows are in the population of a cut."""
    return _POPULATIONS[cut.population](columns, cut)


def part_mask(columns: CaseColumns, cut: Cut) -> Bools:
    """Return which rows are in the part of a cut that counts, whether in its population or not."""
    return _PARTS[cut.part](columns, cut)


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _is(columns: CaseColumns, column: str, name: str) -> Bools:
    return coded_mask(columns, column, lambda found: found == name)


def _within(column: NDArray[np.int64], since: datetime, until: datetime) -> Bools:
    found: Bools = (column >= _seconds(since)) & (column < _seconds(until))
    return found


def _received(columns: CaseColumns, cut: Cut) -> Bools:
    return _within(columns.received_at, cut.since, cut.end)


def _due(columns: CaseColumns, cut: Cut) -> Bools:
    left_out = coded_mask(columns, "outcome", lambda name: name in NOT_FILED_OUTCOMES)
    return _within(columns.due_at, cut.since, cut.end) & ~left_out & ~_is(columns, "state", "suspended")


def _findings(columns: CaseColumns, _cut: Cut) -> Bools:
    return coded_mask(columns, "channel", lambda name: name in QUICK_CHANNELS)


def _own_power(columns: CaseColumns, cut: Cut) -> Bools:
    categories, conditions = columns.names["category"], columns.names["condition"]
    table = np.zeros((max(len(categories), 1), max(len(conditions), 1)), np.bool_)
    for row, category in enumerate(categories):
        for column, condition in enumerate(conditions):
            table[row, column] = (category, condition) in cut.light
    light: Bools = table[columns.category, columns.condition]
    return light & _is(columns, "workflow", QUICK)


def _standard(columns: CaseColumns, cut: Cut) -> Bools:
    standard = _is(columns, "workflow", STANDARD)
    return _received(columns, cut) & standard & ~_is(columns, "channel", "import")


def _instant(columns: CaseColumns, cut: Cut) -> Bools:
    return _received(columns, cut) & _findings(columns, cut) & columns.instant_fix


_POPULATIONS: dict[str, Mask] = {
    "received": _received,
    "due": _due,
    "findings": lambda columns, cut: _received(columns, cut) & _findings(columns, cut),
    "own_power": lambda columns, cut: _received(columns, cut) & _findings(columns, cut) & _own_power(columns, cut),
    "due_findings": lambda columns, cut: _due(columns, cut) & _findings(columns, cut),
    "due_hotline": lambda columns, cut: _due(columns, cut) & _is(columns, "channel", "hotline"),
    "standard": _standard,
    "filed": lambda columns, cut: _standard(columns, cut) & columns.filed,
    "instant": _instant,
    "instant_checked": lambda columns, cut: (
        _instant(columns, cut) & coded_mask(columns, "check_result", lambda name: name != "")
    ),
    "mended": lambda columns, cut: _within(columns.fixed_at, cut.since, cut.end),
}


def _closed(columns: CaseColumns, _cut: Cut) -> Bools:
    return ~open_mask(columns)


def _solved(columns: CaseColumns, _cut: Cut) -> Bools:
    return ~open_mask(columns) & _is(columns, "outcome", "solved")


_PARTS: dict[str, Mask] = {
    "closed": _closed,
    "on_time": lambda columns, _cut: columns.on_time,
    "in_time": lambda columns, cut: open_mask(columns) & ~overdue_mask(columns, cut.as_of),
    "overdue": lambda columns, cut: overdue_mask(columns, cut.as_of),
    "mended": lambda columns, cut: (columns.fixed_at != NONE_SECONDS) | _solved(columns, cut),
    "solved": lambda columns, cut: _solved(columns, cut) & (columns.reworks == 0),
    "filed": lambda columns, _cut: columns.filed,
    "dispatched": lambda columns, _cut: columns.dispatched,
    "reworked": lambda columns, _cut: columns.reworks > 0,
    "extended": lambda columns, _cut: columns.extensions > 0,
    "instant": lambda columns, _cut: columns.instant_fix & (columns.reworks == 0),
    "own_power": _own_power,
    "passed": lambda columns, _cut: _is(columns, "check_result", "passed"),
    "recurred": lambda columns, cut: np.isin(columns.id, np.array(cut.recurred, np.int64)),
}
