"""Levels of areas drawn together: all from the same simplified areas of the finest one, so that their borders meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapsvc.areas.index import Snapshot
from mapsvc.areas.queries.state import Int32s, load_geometries
from mapsvc.geo.sketch import Geometries, join_areas, simplify_together
from mapsvc.storage.work import Work

Rows = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class _Source:
    """The areas of an answering level of which something is wanted, and the row above each for each wanted level."""

    geometries: Geometries
    above: Mapping[str, Int32s]


@dataclass(frozen=True, eq=False)
class Sketches:
    """The borders of some rows of some levels, as they are stored."""

    rows: Mapping[str, Rows]
    sources: tuple[_Source, ...]

    def draw(self, tolerance_m: float) -> dict[str, Geometries]:
        """Return the simplified borders of each level, in the order of its rows; WGS 84 degrees."""
        found: dict[str, Geometries] = {}
        for source in self.sources:
            simple = simplify_together(source.geometries, tolerance_m)
            for level, above in source.above.items():
                found[level] = _together(simple, above, self.rows[level])
        return found


def load_sketches(work: Work, snapshot: Snapshot, rows: Mapping[str, Rows]) -> Sketches:
    """Read what is needed to draw these rows of each level's table."""
    borders, sources = snapshot.borders, []
    for name in dict.fromkeys(borders.answers[level] for level in rows):
        lineage = borders.lineage[name]
        levels = [level for level in rows if borders.answers[level] == name]
        needed = np.zeros(len(snapshot.tables[name]), np.bool_)
        for level in levels:
            needed |= np.isin(lineage[level], rows[level])
        geometries = load_geometries(work, snapshot.tables[name])[needed]
        sources.append(_Source(geometries, {level: lineage[level][needed] for level in levels}))
    return Sketches(dict(rows), tuple(sources))


def _together(geometries: Geometries, above: Int32s, rows: Rows) -> Geometries:
    found: Geometries = np.full(len(rows), None, dtype=object)
    order = np.argsort(above, kind="stable")
    starts = np.searchsorted(above[order], rows, side="left")
    ends = np.searchsorted(above[order], rows, side="right")
    for at, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        parts = [geometry for geometry in geometries[order[start:end]] if geometry is not None]
        if parts:
            found[at] = parts[0] if len(parts) == 1 else join_areas(parts)
    return found
