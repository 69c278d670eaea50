"""Coverages for tests: seeded towns of odd shapes on the lattice, and the slow, plain answer to compare with.

Coordinates here are whole lattice steps in doubles, on which shapely's predicates are exact; `degrees` turns them into
what the program stores.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from mapsvc.geo.lattice import from_lattice

Geometries = NDArray[np.object_]
Steps = NDArray[np.int64]


def town(
    rng: np.random.Generator, side: int, labels: int, cell: int, jitter: int, origin: tuple[int, int], thin: bool
) -> Geometries:
    """Make up to `labels` areas of random blocks of a crooked grid: holes, exclaves, islands, gaps, shared corners.

    With `thin` vertices in the middle of straight borders are dropped, each area for itself, which leaves a
    neighbour's vertex on the line of an edge wherever the grid is straight.
    """
    x, y = np.meshgrid(np.arange(side + 1) * cell, np.arange(side + 1) * cell)
    at = np.stack([x, y], axis=-1) + rng.integers(-jitter, jitter + 1, (side + 1, side + 1, 2)) + np.array(origin)
    owners = rng.integers(-1, labels, (side, side))
    areas: list[BaseGeometry] = []
    for label in range(labels):
        blocks = [
            shapely.Polygon([at[r, c], at[r, c + 1], at[r + 1, c + 1], at[r + 1, c]])
            for r, c in zip(*np.nonzero(owners == label), strict=True)
        ]
        if blocks:
            area = shapely.coverage_union_all(blocks)
            areas.append(shapely.simplify(area, 0.0) if thin else area)
    return as_array(areas)


def as_array(geometries: list[BaseGeometry]) -> Geometries:
    array = np.empty(len(geometries), dtype=object)
    array[:] = geometries
    return array


def degrees(steps: Geometries) -> Geometries:
    """Return geometries in lattice steps as geometries in degrees on the lattice."""
    return shapely.transform(steps, lambda c: from_lattice(np.rint(c).astype(np.int64)))


def interesting_points(rng: np.random.Generator, areas: Geometries, count: int) -> Steps:
    """Return lattice points: all vertices, points exactly on edges, those one step beside them, and random ones."""
    rings = shapely.get_rings(areas)
    vertices = shapely.get_coordinates(areas).astype(np.int64)
    on_edges: list[Steps] = []
    for ring in rings:
        c = shapely.get_coordinates(ring).astype(np.int64)
        d = np.diff(c, axis=0)
        parts = np.gcd(np.abs(d[:, 0]), np.abs(d[:, 1]))
        k = (rng.random(len(d)) * parts).astype(np.int64)
        on_edges.append(c[:-1] + d // np.maximum(parts, 1)[:, None] * k[:, None])
    close = np.vstack([vertices, *on_edges])
    beside = close + rng.integers(-2, 3, close.shape)
    low, high = vertices.min(axis=0) - 3, vertices.max(axis=0) + 4
    return np.vstack([close, beside, rng.integers(low, high, (count, 2))])


def owners_by_shapely(areas: Geometries, points: Steps) -> NDArray[np.int32]:
    """Return the smallest row of all areas that touch each point, -1 for none."""
    rows, numbers = shapely.STRtree(areas).query(shapely.points(points.astype(np.float64)), predicate="intersects")
    answer = np.full(len(points), np.iinfo(np.int32).max, np.int32)
    np.minimum.at(answer, rows, numbers.astype(np.int32))
    answer[answer == np.iinfo(np.int32).max] = -1
    return answer
