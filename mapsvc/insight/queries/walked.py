"""Findings per kilometre walked: by area with count, kilometres and interval, and as heat.

Where more is walked more is found. Divided by the kilometres a place stands out only where there is more to be found;
where too little was walked nothing is said. Both sides are counted over the same ground: what is not the asker's to
see is neither found nor walked. No person is in either.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mapsvc.areas.index import Snapshot
from mapsvc.areas.queries.state import AreaTable
from mapsvc.cases.queries.columns.table import CaseColumns
from mapsvc.cases.rules.values import CHANNEL_GROUPS
from mapsvc.geo import heat
from mapsvc.geo.heat import Box
from mapsvc.insight.queries.figures import Figures, Question
from mapsvc.insight.queries.heat import Heat, make_heat
from mapsvc.insight.rules.intervals import poisson_exact
from mapsvc.patrols.queries.effort import EffortCells, credit_areas
from mapsvc.people.rules.actor import Actor
from mapsvc.people.rules.permissions import scope

FOUND_BY = CHANNEL_GROUPS["patrol"]
"""The channels whose cases are findings of a patrol."""

LEAST_KM = 1.0
"""With less walked in an area nothing is said of it: a single finding would make a rate of any size."""


@dataclass(frozen=True)
class WalkedLine:
    """One area: findings, kilometres, findings per kilometre with its exact interval; None: too little was walked."""

    code: str
    name: str
    findings: int
    km: float
    per_km: float | None
    low: float | None
    high: float | None


def cells_seen(snapshot: Snapshot, actor: Actor, cells: EffortCells, area_id: int | None) -> EffortCells:
    """Return the cells that lie in an area, and where the actor sees the cases of."""
    kept = np.ones(len(cells), np.bool_)
    where = scope(actor, "case.view")
    if area_id is not None:
        kept &= _lie_in(snapshot, cells, [area_id])
    if not where.everywhere:
        kept &= _lie_in(snapshot, cells, where.area_ids)
    return EffortCells(cells.cell[kept], cells.lon[kept], cells.lat[kept], cells.metres[kept], cells.minutes[kept])


def _lie_in(snapshot: Snapshot, cells: EffortCells, area_ids: Iterable[int]) -> NDArray[np.bool_]:
    found = np.zeros(len(cells), np.bool_)
    held = snapshot.locate_rows(cells.lon, cells.lat) if len(cells) else {}
    for area_id in area_ids:
        at = snapshot.borders.find_row(area_id)
        if at is not None and at[0] in held:
            found |= held[at[0]] == at[1]
    return found


def findings_of(question: Question) -> Question:
    """Return the question narrowed to what patrols found."""
    return replace(question, channels=FOUND_BY)


def walked_by_area(
    columns: CaseColumns,
    actor: Actor,
    snapshot: Snapshot,
    question: Question,
    table: AreaTable,
    rows: NDArray[np.intp],
    cells: EffortCells,
) -> tuple[WalkedLine, ...]:
    """Return the lines of some rows of a level's table, in their order; `cells` are those of the question's days."""
    figures = Figures(columns, actor, findings_of(question))
    counts = figures.count_by_area(table.level, table.area_ids[rows].tolist())
    km = credit_areas(snapshot, table.level, cells_seen(snapshot, actor, cells, question.area_id)).metres[rows] / 1000
    low, high = poisson_exact(counts, km)
    found = []
    for at, row in enumerate(rows.tolist()):
        enough, count, length = bool(km[at] >= LEAST_KM), int(counts[at]), float(km[at])
        found.append(
            WalkedLine(
                code=table.codes[row],
                name=table.names[row] or table.codes[row],
                findings=count,
                km=length,
                per_km=count / length if enough else None,
                low=float(low[at]) if enough else None,
                high=float(high[at]) if enough else None,
            )
        )
    return tuple(found)


def least_density(width_m: float) -> float:
    """Return the least kilometres per km2 at which heat is drawn: `LEAST_KM` on the ground that a kernel averages over.

    A Gaussian of width s averages over 4 pi s2, as a disc of twice its width does.
    """
    return LEAST_KM / (4 * math.pi * (width_m / 1000) ** 2)


@dataclass(frozen=True, eq=False)
class Walked:
    """What is divided by: the cells that were walked, and the ground of which something is said at all."""

    cells: EffortCells
    snapshot: Snapshot


def make_walked_heat(
    columns: CaseColumns, shown: NDArray[np.bool_], walked: Walked, box: Box | None, width_m: float | None
) -> Heat:
    """Make the raster of marked findings per kilometre walked; NaN where too little was walked to tell.

    Beyond the borders it is 0: that ground is nobody's to walk, and a quotient of two edges means nothing.
    """
    found, cells = make_heat(columns, shown, box, width_m), walked.cells
    frame = found.frame
    density = heat.density(frame, cells.lon, cells.lat, cells.metres / 1000)
    values = heat.ratio(found.values, density, least_density(frame.width_m)).astype(np.float32)
    lon = np.tile(frame.west + (np.arange(frame.columns) + 0.5) * frame.dlon, frame.rows)
    lat = np.repeat(frame.row_latitudes(), frame.columns)
    beyond = np.ones(len(lon), np.bool_)
    for rows in walked.snapshot.locate_rows(lon, lat).values():
        beyond &= rows < 0
    values[beyond.reshape(values.shape)] = 0.0
    values.setflags(write=False)
    highest = float(np.nanmax(values)) if np.isfinite(values).any() else 0.0
    return replace(found, values=values, highest=highest, km=float(cells.metres.sum() / 1000))
