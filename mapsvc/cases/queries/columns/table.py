"""The cases as numpy columns: one immutable object for one state of the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapsvc.geo.tiles.mercator import Tile, morton_range

NONE_SECONDS = np.iinfo(np.int64).max
"""A moment that a case has not: no due time, not closed. It lies behind every moment."""

NONE_ID = 0
"""No area, no unit, no account; ids of the store begin at 1."""

CODED = ("category", "condition", "channel", "state", "outcome", "workflow", "check_result")
"""Columns of small numbers; `names` says what they mean."""

Int64s = NDArray[np.int64]
Int32s = NDArray[np.int32]
Int16s = NDArray[np.int16]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class CaseColumns:
    """Every case that is published, a column each; nobody may write to any of them.

    Rows with a position come first, `placed` of them, sorted by the Morton number of their place in the unit square
    of web Mercator (`x`, `y`, see `geo.tiles.mercator`), so that a tile is one slice; then those without one
    (`lon`, `lat`, `x`, `y` are NaN), by id. Moments are unix seconds, rounded down, `NONE_SECONDS` for none. Ids are
    `NONE_ID` for none. `areas` gives for each level the area that holds the case. `names[column]` are the values of a
    coded column by their number. `key` differs between any two states of one store and is the same in all processes.
    """

    key: str
    placed: int
    names: Mapping[str, tuple[str, ...]]
    areas: Mapping[str, Int32s]

    id: Int64s
    version: Int32s
    morton: NDArray[np.uint64]
    lon: Floats
    lat: Floats
    x: Floats
    y: Floats
    category: Int16s
    condition: Int16s
    channel: Int16s
    state: Int16s
    outcome: Int16s
    workflow: Int16s
    check_result: Int16s
    received_at: Int64s
    due_at: Int64s
    closed_at: Int64s
    updated_at: Int64s
    fixed_at: Int64s
    owner_area_id: Int32s
    handover_area_id: Int32s
    unit_id: Int32s
    opened_by: Int32s
    reworks: Int16s
    extensions: Int16s
    historic: Bools
    unplaced: Bools
    edge: Bools
    on_time: Bools
    """Whether it was closed by its deadline, to the microsecond."""
    filed: Bools
    dispatched: Bools
    instant_fix: Bools
    """Whether the case was ever fixed on the spot (即查即改): it has such a step, whatever came later."""

    remembered: dict[Any, Any] = field(default_factory=dict, repr=False)
    """Masks that were asked for, see `masks.py`; they hold as long as the object does."""

    def __len__(self) -> int:
        return len(self.id)

    def code_of(self, column: str, name: str) -> int:
        """Return the number of a value in a coded column; -1 where no case bears it."""
        known = self.names[column]
        return known.index(name) if name in known else -1

    def rows_in(self, tile: Tile) -> slice:
        """Return the rows whose positions lie in a tile."""
        first, last = morton_range(tile)
        low, high = np.searchsorted(self.morton[: self.placed], np.array([first, last], np.uint64), side="left")
        high = int(np.searchsorted(self.morton[: self.placed], np.uint64(last), side="right"))
        return slice(int(low), high)

    def rows_of(self, ids: Int64s) -> NDArray[np.intp]:
        """Return the rows of cases by their ids, ascending; ids that are not there are left out."""
        return np.flatnonzero(np.isin(self.id, ids))


ROW_COLUMNS = tuple(
    found.name for found in fields(CaseColumns) if found.name not in {"key", "placed", "names", "areas", "remembered"}
)
"""The columns that have one value for each case, `areas` apart."""
