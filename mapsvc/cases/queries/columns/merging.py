"""Putting rows in order: the first columns from all chunks, later ones from the last columns and what changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapsvc.cases.queries.columns.loading import Rows
from mapsvc.cases.queries.columns.table import CODED, NONE_ID, ROW_COLUMNS, CaseColumns
from mapsvc.geo.tiles.mercator import NOWHERE

Names = Mapping[str, tuple[str, ...]]
Column = Callable[[Rows], NDArray[Any]]


def make_columns(chunks: Iterable[Rows], names: Callable[[], Names]) -> CaseColumns:
    """Return the columns of all rows; `names` is asked once the last chunk was read."""
    found = [chunk for chunk in chunks if len(chunk)] or [empty_rows()]
    levels = sorted({level for chunk in found for level in chunk.areas})
    numbers = _join([chunk.columns["morton"] for chunk in found])
    order = np.lexsort((_join([chunk.columns["id"] for chunk in found]), numbers))
    columns: dict[str, Any] = {}
    for name in ROW_COLUMNS:
        # One column after the other, so that the whole never stands in memory twice.
        columns[name] = _join([chunk.columns[name] for chunk in found])[order]
    areas = {level: _join([_area(chunk, level) for chunk in found])[order] for level in levels}
    return _frozen(columns, areas, names())


def merge(known: CaseColumns, changed: Sequence[Rows], names: Names) -> CaseColumns:
    """Return new columns in which the changed rows stand instead of those with the same ids, or beside them."""
    fresh = join_rows(changed)
    if not len(fresh):
        return known
    ids, numbers = fresh.columns["id"], fresh.columns["morton"]
    kept = ~np.isin(known.id, ids)
    order = np.lexsort((ids, numbers))
    # Where each changed row goes among those that are kept: both are in order, so this is a merge, not a sort.
    kept_numbers, kept_ids = known.morton[kept], known.id[kept]
    places = _places(kept_numbers, kept_ids, numbers[order], ids[order])
    columns = {name: _insert(getattr(known, name)[kept], places, fresh.columns[name][order]) for name in ROW_COLUMNS}
    areas = {}
    for level in sorted({*known.areas, *fresh.areas}):
        before = known.areas.get(level)
        old = np.full(len(kept_ids), NONE_ID, np.int32) if before is None else before[kept]
        areas[level] = _insert(old, places, _area(fresh, level)[order])
    return _frozen(columns, areas, names)


def join_rows(chunks: Sequence[Rows]) -> Rows:
    """Return chunks as one; of a case that stands in several, the last."""
    found = [chunk for chunk in chunks if len(chunk)]
    if not found:
        return empty_rows()
    ids = _join([chunk.columns["id"] for chunk in found])
    _, last = np.unique(ids[::-1], return_index=True)
    rows = len(ids) - 1 - last
    columns = {name: _join([chunk.columns[name] for chunk in found])[rows] for name in ROW_COLUMNS}
    levels = sorted({level for chunk in found for level in chunk.areas})
    return Rows(columns, {level: _join([_area(chunk, level) for chunk in found])[rows] for level in levels})


def empty_rows() -> Rows:
    """Return no cases at all."""
    hints = {"morton": np.uint64, "lon": np.float64, "lat": np.float64, "x": np.float64, "y": np.float64}
    flags = dict.fromkeys(("historic", "unplaced", "edge", "instant_fix", "on_time", "filed", "dispatched"), np.bool_)
    coded = dict.fromkeys((*CODED, "reworks", "extensions"), np.int16)
    ids = dict.fromkeys(("version", "owner_area_id", "handover_area_id", "unit_id", "opened_by"), np.int32)
    types: dict[str, Any] = {**hints, **flags, **coded, **ids}
    return Rows({name: np.zeros(0, types.get(name, np.int64)) for name in ROW_COLUMNS}, {})


def key_of(ids: NDArray[np.int64], versions: NDArray[np.int32]) -> str:
    """Return what tells two states of a store apart: rows are only added, and each change counts a version up."""
    return f"{len(ids)}-{int(versions.sum(dtype=np.int64))}"


def _frozen(columns: dict[str, Any], areas: Mapping[str, NDArray[np.int32]], names: Names) -> CaseColumns:
    for column in (*columns.values(), *areas.values()):
        column.setflags(write=False)
    placed = int(np.searchsorted(columns["morton"], NOWHERE, side="left"))
    return CaseColumns(
        key=key_of(columns["id"], columns["version"]), placed=placed, names=names, areas=areas, **columns
    )


def _join(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _area(chunk: Rows, level: str) -> NDArray[np.int32]:
    found = chunk.areas.get(level)
    return np.full(len(chunk), NONE_ID, np.int32) if found is None else found


def _places(
    numbers: NDArray[np.uint64], ids: NDArray[np.int64], new_numbers: NDArray[np.uint64], new_ids: NDArray[np.int64]
) -> NDArray[np.intp]:
    """Return before which of the ordered rows each of the new ones goes; by number, then by id."""
    low = np.searchsorted(numbers, new_numbers, side="left")
    high = np.searchsorted(numbers, new_numbers, side="right")
    ties = np.flatnonzero(high > low)
    for each in ties.tolist():
        low[each] += np.searchsorted(ids[low[each] : high[each]], new_ids[each])
    return low


def _insert(kept: NDArray[Any], places: NDArray[np.intp], new: NDArray[Any]) -> NDArray[Any]:
    return np.insert(kept, places, new)
