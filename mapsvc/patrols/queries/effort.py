"""What ground was walked, by everybody together: by area, and by cell for a heat map. No person is named here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from mapsvc.areas.index import Snapshot
from mapsvc.base.errors import InvalidInput
from mapsvc.geo.tracks import cell_centre
from mapsvc.patrols.models import EffortCell, Patrol
from mapsvc.people.rules.actor import Actor
from mapsvc.people.rules.permissions import require
from mapsvc.storage.work import Work

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class EffortCells:
    """Cells of 25 m that were walked in a window: number, middle (WGS 84 degrees), metres, minutes; by number."""

    cell: Ints
    lon: Floats
    lat: Floats
    metres: Floats
    minutes: Floats

    def __len__(self) -> int:
        return len(self.cell)


@dataclass(frozen=True, eq=False)
class AreaEffort:
    """Metres and minutes for each area of a level, in the order of the snapshot's table; zero where never walked.

    `elsewhere_metres` and `elsewhere_minutes` were walked outside every area of the level.
    """

    level: str
    area_ids: Ints
    codes: tuple[str, ...]
    names: tuple[str, ...]
    metres: Floats
    minutes: Floats
    elsewhere_metres: float
    elsewhere_minutes: float


def effort_cells(work: Work, actor: Actor, begin: date, end: date, *, modes: Sequence[str] = ()) -> EffortCells:
    """Return the cells walked from one local day to another, both included; of some modes, or of all.

    One query. Never-walked ground is what is not in it: that is no zero of anybody.
    """
    require(actor, "effort.view")
    if end < begin:
        raise InvalidInput("bad_window", f"The window ends on {end}, before it begins on {begin}.")
    query = (
        select(EffortCell.cell, func.sum(EffortCell.metres), func.sum(EffortCell.seconds))
        .where(EffortCell.day.between(begin, end))
        .group_by(EffortCell.cell)
        .order_by(EffortCell.cell)
    )
    if modes:
        query = query.where(EffortCell.mode.in_(list(modes)))
    rows = work.session.execute(query).all()
    cell = np.array([row[0] for row in rows], dtype=np.int64)
    lon, lat = cell_centre(cell)
    metres = np.array([row[1] for row in rows], dtype=np.float64)
    minutes = np.array([row[2] for row in rows], dtype=np.float64) / 60
    return EffortCells(cell, lon, lat, metres, minutes)


def effort_state(work: Work, actor: Actor) -> tuple[int, int]:
    """Return a value that changes with whatever is walked: the number of patrols and the last one; one query."""
    require(actor, "effort.view")
    count, last = work.session.execute(select(func.count(Patrol.id), func.max(Patrol.id))).one()
    return int(count), int(last or 0)


def effort_by_area(
    work: Work, actor: Actor, snapshot: Snapshot, level: str, begin: date, end: date, *, modes: Sequence[str] = ()
) -> AreaEffort:
    """Return what was walked in each area of a level from one local day to another, both included.

    Cells are credited to the area of the snapshot that holds their middle, so that the same days can be asked for
    under other borders. A level without areas raises `InvalidInput` (`unknown_level`).
    """
    cells = effort_cells(work, actor, begin, end, modes=modes)
    return credit_areas(snapshot, level, cells)


def credit_areas(snapshot: Snapshot, level: str, cells: EffortCells) -> AreaEffort:
    """Credit cells to the areas of a level; for several levels of the same window without asking again."""
    table = snapshot.tables.get(level)
    if table is None:
        raise InvalidInput("unknown_level", f"There are no areas of the level {level[:40]!r}.")
    count = len(table)
    rows = snapshot.locate_rows(cells.lon, cells.lat)[level] if len(cells) else np.zeros(0, np.int32)
    place = np.where(rows >= 0, rows, count)  # the last one is outside
    metres: Floats = np.bincount(place, weights=cells.metres, minlength=count + 1).astype(np.float64)
    minutes: Floats = np.bincount(place, weights=cells.minutes, minlength=count + 1).astype(np.float64)
    return AreaEffort(
        level,
        table.area_ids.astype(np.int64),
        tuple(table.codes),
        tuple(table.names),
        metres[:count],
        minutes[:count],
        float(metres[count]),
        float(minutes[count]),
    )
