"""Which ground changes hands between two states of the same areas, in metres of a local frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from mapsvc.geo.measure import LocalFrame
from mapsvc.geo.pieces import mean_width_m, polygon_parts

Geometries: TypeAlias = NDArray[np.object_]
Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

MINOR_M2 = 0.01
"""Smaller pieces are not listed one by one."""

ROUNDING_M = 0.002
"""Thinner pieces come from rounding to the lattice, and move nothing."""


@dataclass(frozen=True)
class MovedPiece:
    """Ground that goes from one area to another; `None` is nobody. The place is WGS 84."""

    from_code: str | None
    to_code: str | None
    area_m2: float
    lon: float
    lat: float


def list_moves(
    before: Geometries, after: Geometries, codes: Sequence[str], frame: LocalFrame, *, ignore: NDArray[np.bool_]
) -> tuple[tuple[MovedPiece, ...], float]:
    """Return the pieces that change hands, largest first, and the area of those too small to list.

    Ground that two areas claimed before moves from the one that loses it to the one that keeps it. What rows marked
    `ignore` lose is not listed.
    """
    changed = np.flatnonzero(~shapely.equals_exact(before, after, tolerance=ROUNDING_M, normalize=True))
    lost = changed[~ignore[changed]]
    away = shapely.difference(before[lost], after[lost])
    gone, source = polygon_parts(away)
    found = [*_taken(gone, lost[source], after), *_from_nobody(before, after, changed)]
    moves, minor = [], 0.0
    for shape, giver, taker in found:
        if float(mean_width_m(np.array([shape], dtype=object))[0]) < ROUNDING_M:
            continue
        if shape.area < MINOR_M2:
            minor += float(shape.area)
            continue
        x, y = shapely.get_coordinates(shapely.point_on_surface(shape))[0].tolist()
        lon, lat = frame.from_metres(x, y)
        names = (None if giver < 0 else codes[giver], None if taker < 0 else codes[taker])
        moves.append(MovedPiece(*names, float(shape.area), float(lon), float(lat)))
    return tuple(sorted(moves, key=lambda move: -move.area_m2)), minor


Found: TypeAlias = list[tuple[shapely.Polygon, int, int]]


def _taken(gone: Geometries, giver: Ints, after: Geometries) -> Found:
    """Return the pieces of lost ground with their giver and taker, -1 for nobody."""
    if len(gone) == 0:
        return []
    tree = shapely.STRtree(after)
    piece, taker = tree.query(gone, predicate="intersects")
    shared = shapely.intersection(gone[piece], after[taker])
    parts, source = polygon_parts(shared)
    found = [(part, int(giver[piece[k]]), int(taker[piece[k]])) for part, k in zip(parts, source, strict=True)]
    covered = np.bincount(piece, weights=shapely.area(shared), minlength=len(gone))
    for k in np.flatnonzero(shapely.area(gone) - covered > MINOR_M2 / 10).tolist():
        rest = shapely.difference(gone[k], shapely.union_all(after[taker[piece == k]]))
        found += [(part, int(giver[k]), -1) for part in polygon_parts(np.array([rest], dtype=object))[0]]
    return found


def _from_nobody(before: Geometries, after: Geometries, changed: Ints) -> Found:
    """Return the pieces that nobody held before."""
    gained, source = polygon_parts(shapely.difference(after[changed], before[changed]))
    if len(gained) == 0:
        return []
    tree = shapely.STRtree(before)
    piece, holder = tree.query(gained, predicate="intersects")
    found: Found = []
    covered = np.bincount(
        piece, weights=shapely.area(shapely.intersection(gained[piece], before[holder])), minlength=len(gained)
    )
    for k in np.flatnonzero(shapely.area(gained) - covered > MINOR_M2 / 10).tolist():
        rest = shapely.difference(gained[k], shapely.union_all(before[holder[piece == k]]))
        found += [(part, -1, int(changed[source[k]])) for part in polygon_parts(np.array([rest], dtype=object))[0]]
    return found


def max_shift_m(before: Geometries, after: Geometries) -> float:
    """Return the furthest that a border moves at any vertex, old or new; 0 when nothing moves."""
    changed = ~shapely.equals_exact(before, after, tolerance=ROUNDING_M / 10, normalize=True) & ~shapely.is_empty(after)
    pairs = zip(before[changed], after[changed], strict=True)
    return max((max(_furthest_m(old, new), _furthest_m(new, old)) for old, new in pairs), default=0.0)


def _furthest_m(border_of: BaseGeometry, vertices_of: BaseGeometry) -> float:
    rim = shapely.boundary(border_of)
    shapely.prepare(rim)
    return float(shapely.distance(rim, shapely.points(shapely.get_coordinates(vertices_of))).max())
