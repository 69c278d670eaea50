"""Which rows of the columns somebody may see, and which a question is about: the same answers as in SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from mapsvc.cases.queries.columns.table import CaseColumns
from mapsvc.people.rules.actor import Actor
from mapsvc.people.rules.permissions import allows, scope

Bools = NDArray[np.bool_]
EVERYTHING = slice(None)
MOST_REMEMBERED = 24


@dataclass(frozen=True)
class CaseFilter:
    """What a map or a rate is about; what is None or empty narrows nothing.

    `category` is a code or the beginning of one, `channels` any of these, `area_id` an area of any level,
    `received_from` and `received_to` moments (aware), the first within, the second not. `overdue` is judged at the
    moment that `filter_mask` is given. History from an import is left out unless `include_historic`.
    """

    received_from: datetime | None = None
    received_to: datetime | None = None
    category: str = ""
    channels: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    outcome: str = ""
    open_only: bool = False
    overdue: bool = False
    area_id: int | None = None
    unit_id: int | None = None
    include_historic: bool = False


def visible_mask(columns: CaseColumns, actor: Actor, permission: str = "case.view", rows: slice = EVERYTHING) -> Bools:
    """Return which rows an actor may see: exactly those of `cases.queries.scope.visible_to`.

    `rows` narrows the answer to a slice, a tile's for instance. Nobody may write to what is returned.
    """
    where = scope(actor, permission)
    size = len(columns.id[rows])
    if where.everywhere:
        return np.ones(size, np.bool_)
    if where.is_empty:
        return np.zeros(size, np.bool_)
    tray = allows(actor, "case.unplaced")

    def make(rows: slice) -> Bools:
        seen = np.zeros(len(columns.id[rows]), np.bool_)
        if where.area_ids:
            ids = np.array(sorted(where.area_ids), np.int32)
            for column in (*columns.areas.values(), columns.handover_area_id):
                seen |= np.isin(column[rows], ids)
        if where.unit_ids:
            seen |= np.isin(columns.unit_id[rows], np.array(sorted(where.unit_ids), np.int32))
        if where.own_user_id is not None:
            seen |= columns.opened_by[rows] == where.own_user_id
        if tray:
            seen |= columns.unplaced[rows]
        return seen

    return _remembered(columns, ("visible", where, tray), make, rows)


def filter_mask(columns: CaseColumns, wanted: CaseFilter, now: datetime, rows: slice = EVERYTHING) -> Bools:
    """Return which rows a filter leaves; nobody may write to what is returned."""

    def make(rows: slice) -> Bools:
        found = np.ones(len(columns.id[rows]), np.bool_)
        for condition in _conditions(columns, wanted, now, rows):
            found &= condition
        return found

    moment = int(now.timestamp()) if wanted.overdue else 0
    return _remembered(columns, ("filter", wanted, moment), make, rows)


def count_in_box(
    columns: CaseColumns, actor: Actor, wanted: CaseFilter, now: datetime, box: tuple[float, float, float, float]
) -> int:
    """Count the cases in a box (west, south, east, north in degrees, WGS 84; its edges belong to it) that one may see.

    The same cases that the circles of a map count, without a limit.
    """
    west, south, east, north = box
    within = (columns.lon >= west) & (columns.lon <= east) & (columns.lat >= south) & (columns.lat <= north)
    rows = within & visible_mask(columns, actor) & filter_mask(columns, wanted, now)
    return int(np.count_nonzero(rows))


def open_mask(columns: CaseColumns, rows: slice = EVERYTHING) -> Bools:
    """Return which cases are not closed."""
    found: Bools = columns.state[rows] != columns.code_of("state", "closed")
    return found


def overdue_mask(columns: CaseColumns, now: datetime, rows: slice = EVERYTHING) -> Bools:
    """Return which cases have run out of time: open, not suspended, no history from an import."""
    state = columns.state[rows]
    running: Bools = (state != columns.code_of("state", "closed")) & (state != columns.code_of("state", "suspended"))
    late = columns.due_at[rows] < int(now.timestamp())
    running &= late & ~columns.historic[rows]
    return running


def coded_mask(columns: CaseColumns, column: str, fits: Callable[[str], bool], rows: slice = EVERYTHING) -> Bools:
    """Return which rows bear a value that fits in a coded column."""
    names = columns.names[column]
    table = np.fromiter(map(fits, names), np.bool_, len(names))
    coded: NDArray[np.int16] = getattr(columns, column)[rows]
    if not table.any():
        return np.zeros(len(coded), np.bool_)
    found: Bools = table[coded]
    return found


def area_mask(columns: CaseColumns, area_id: int, rows: slice = EVERYTHING) -> Bools:
    """Return which cases lie in an area, of whatever level."""
    found = np.zeros(len(columns.id[rows]), np.bool_)
    for column in columns.areas.values():
        found |= column[rows] == area_id
    return found


def _conditions(columns: CaseColumns, wanted: CaseFilter, now: datetime, rows: slice) -> Iterable[Bools]:
    if not wanted.include_historic:
        yield ~columns.historic[rows]
    if wanted.received_from is not None:
        yield columns.received_at[rows] >= int(wanted.received_from.timestamp())
    if wanted.received_to is not None:
        yield columns.received_at[rows] < int(wanted.received_to.timestamp())
    if wanted.category:
        yield coded_mask(columns, "category", lambda code: code.startswith(wanted.category), rows)
    if wanted.channels:
        yield coded_mask(columns, "channel", lambda code: code in wanted.channels, rows)
    if wanted.states:
        yield coded_mask(columns, "state", lambda code: code in wanted.states, rows)
    if wanted.outcome:
        yield coded_mask(columns, "outcome", lambda code: code == wanted.outcome, rows)
    if wanted.open_only:
        yield open_mask(columns, rows)
    if wanted.overdue:
        yield overdue_mask(columns, now, rows)
    if wanted.area_id is not None:
        yield area_mask(columns, wanted.area_id, rows)
    if wanted.unit_id is not None:
        yield columns.unit_id[rows] == wanted.unit_id


SMALL = 50_000
"""Up to this many rows a mask is made anew for the slice; more are masked as a whole once and remembered."""


def _remembered(columns: CaseColumns, key: object, make: Callable[[slice], Bools], rows: slice) -> Bools:
    found = columns.remembered.get(key)
    if found is None:
        if len(columns.id[rows]) <= SMALL:
            return make(rows)
        found = make(EVERYTHING)
        found.setflags(write=False)
        if len(columns.remembered) >= MOST_REMEMBERED:
            columns.remembered.clear()
        columns.remembered[key] = found
    answer: Bools = found[rows]
    return answer
