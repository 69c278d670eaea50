"""Vertices that lie on a neighbour's edge, inserted there, so that both sides hold the same line.

Such a junction without a vertex on one side is no gap where it was drawn; after any rounding or
projection it is one.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from mapsvc.geo.rings import Geometries, RingTable, equal_points, point_hashes

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

_CHUNK = 50_000


def insert_junctions(geometries: Geometries, tolerance: float) -> Geometries:
    """Return the polygons with each vertex of another polygon, lying within `tolerance` of an edge, inserted there.

    No vertex moves; an edge gains a kink of at most `tolerance`, in units of the coordinates. Only edges
    that are not shared as they are get looked at, so that a clean coverage costs one sort. Vertices nearer
    than `tolerance` to an end of the edge are left alone: such ends are a matter for `repair_coverage`.
    """
    table = RingTable.of(geometries)
    edges = table.edges()
    plane = table.points[:, :2]
    hashes = point_hashes(plane)
    loose = edges[_unshared(plane, hashes, edges)]
    if len(loose) == 0:
        return table.geometries
    candidates = np.unique(np.concatenate([loose, loose + 1]))
    _, first = np.unique(hashes[candidates], return_index=True)
    edge, point = _near(plane, loose, candidates[first], tolerance)
    kept = ~_own_points(table.row, hashes, edge, point)
    edge, point = edge[kept], point[kept]
    share = _share_along(plane, edge, point)
    order = np.lexsort((share, edge))
    edge, point = edge[order], point[order]
    return table.with_points(edge, table.points[point])


def _unshared(points: Floats, hashes: NDArray[np.uint64], edges: Ints) -> NDArray[np.bool_]:
    """Return which edges occur once only, whatever their direction."""
    order = np.argsort(hashes[edges] + hashes[edges + 1], kind="stable")
    one, other = edges[order][:-1], edges[order][1:]
    same = equal_points(points, one, other) & equal_points(points, one + 1, other + 1)
    same |= equal_points(points, one, other + 1) & equal_points(points, one + 1, other)
    alone = np.ones(len(edges), dtype=np.bool_)
    alone[order[1:][same]] = False
    alone[order[:-1][same]] = False
    return alone


def _near(points: Floats, edges: Ints, candidates: Ints, tolerance: float) -> tuple[Ints, Ints]:
    """Return pairs of edge and candidate point within the tolerance, but not near the edge's ends.

    Edges go from west to east in chunks, each with the points in its strip, to bound the memory.
    """
    west = np.minimum(points[edges, 0], points[edges + 1, 0])
    edges = edges[np.argsort(west, kind="stable")]
    candidates = candidates[np.argsort(points[candidates, 0], kind="stable")]
    xs = points[candidates, 0]
    found_edges, found_points = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for k in range(0, len(edges), _CHUNK):
        some = edges[k : k + _CHUNK]
        ends = np.stack([points[some], points[some + 1]], axis=1)
        low, high = ends[:, :, 0].min() - tolerance, ends[:, :, 0].max() + tolerance
        strip = candidates[np.searchsorted(xs, low) : np.searchsorted(xs, high, side="right")]
        lines: Any = shapely.linestrings(ends)
        tree = shapely.STRtree(lines)
        which, line = tree.query(shapely.points(points[strip]), predicate="dwithin", distance=tolerance)
        edge, point = some[line], strip[which]
        away = np.minimum(_distance(points, edge, point), _distance(points, edge + 1, point)) > tolerance
        found_edges.append(edge[away])
        found_points.append(point[away])
    return np.concatenate(found_edges), np.concatenate(found_points)


def _distance(points: Floats, one: Ints, other: Ints) -> Floats:
    difference = points[one] - points[other]
    return np.hypot(difference[:, 0], difference[:, 1])


def _own_points(row: Ints, hashes: NDArray[np.uint64], edge: Ints, point: Ints) -> NDArray[np.bool_]:
    """Return which pairs would insert into a polygon a vertex that it has already: its ring would touch itself."""
    mine = np.isin(row, np.unique(row[edge]))
    spread = np.uint64(0x9E3779B97F4A7C15)
    has = hashes[mine] + row[mine].astype(np.uint64) * spread
    return np.isin(hashes[point] + row[edge].astype(np.uint64) * spread, has)


def _share_along(points: Floats, edge: Ints, point: Ints) -> Floats:
    along = points[edge + 1] - points[edge]
    across = points[point] - points[edge]
    answer: Floats = (across * along).sum(axis=1) / (along * along).sum(axis=1)
    return answer
