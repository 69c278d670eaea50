"""Coverages for tests: seeded, jittered, on the lattice, about 100 m a cell."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from mapsvc.geo.lattice import snap_geometries
from mapsvc.geo.measure import LocalFrame

CELL = 0.001
WEST, SOUTH = 118.0, 30.0


def grid(columns: int, rows: int, *, seed: int = 0, bends: int = 3) -> tuple[NDArray[np.object_], list[str]]:
    """Return columns x rows crooked cells that match edge by edge, with codes like 0203 (row, column)."""
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.arange(columns + 1.0), np.arange(rows + 1.0))
    nodes = np.stack([x, y], axis=-1) + rng.uniform(-0.25, 0.25, (rows + 1, columns + 1, 2))
    across: dict[tuple[int, int], Any] = {}
    upward: dict[tuple[int, int], Any] = {}
    for i in range(rows + 1):
        for j in range(columns + 1):
            if j < columns:
                across[i, j] = _line(nodes[i, j], nodes[i, j + 1], bends, rng)
            if i < rows:
                upward[i, j] = _line(nodes[i, j], nodes[i + 1, j], bends, rng)
    cells, codes = [], []
    for i in range(rows):
        for j in range(columns):
            ring = [across[i, j], upward[i, j + 1], across[i + 1, j][::-1], upward[i, j][::-1]]
            points = np.concatenate([side[:-1] for side in ring])
            cells.append(shapely.Polygon(points * CELL + (WEST, SOUTH)))
            codes.append(f"{i:02d}{j:02d}")
    return snap_geometries(cells), codes


def _line(a: Any, b: Any, bends: int, rng: np.random.Generator) -> Any:
    share = np.linspace(0, 1, bends + 2)[:, None]
    points = a + (b - a) * share
    points[1:-1] += rng.uniform(-0.05, 0.05, (bends, 2))
    return points


def box_m(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    """Return a rectangle given in metres from (118, 30), on the lattice."""
    lon, lat = LocalFrame(WEST, SOUTH).from_metres([west, east, east, west], [south, south, north, north])
    shape: shapely.Polygon = snap_geometries([shapely.Polygon(np.column_stack([lon, lat]))])[0]
    return shape


def array(*geometries: Any) -> NDArray[np.object_]:
    """Return an object array of geometries and `None`s."""
    answer = np.empty(len(geometries), dtype=object)
    answer[:] = geometries
    return answer
