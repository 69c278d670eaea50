"""`AreaIndex`: which area a point lies in, exactly, for millions of points or for one.

A point is first brought to the lattice of 1e-8 degree (about 1 mm), halves to the even number: within 0.8 mm of a
border it is the lattice point that is answered. From there on nothing is rounded. A point on a border, on a corner
or on the outer edge belongs to the smallest number of all areas that touch it; which number an area has is its row at
building, so rows are given in ascending order of code. Where no area is, and for NaN, infinity and positions off the
map, the answer is -1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from shapely.geometry.base import BaseGeometry

from mapsvc.base.errors import InvalidInput
from mapsvc.geo.locate.build import build_cells
from mapsvc.geo.locate.candidates import cloud, shares, sigma_m
from mapsvc.geo.locate.file import read_cells, write_cells
from mapsvc.geo.locate.kernels import ask_kernels
from mapsvc.geo.locate.layout import Cells
from mapsvc.geo.locate.nearest import nearest_area
from mapsvc.geo.locate.single import finder

Numbers = NDArray[np.int32]


class AreaIndex:
    """An immutable index over a valid coverage; safe to ask from many threads at once.

    Examples
    --------
    >>> import shapely
    >>> index = AreaIndex.build([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)])
    >>> index.locate([0.5, 1.0, 1.5, 2.5], [0.5, 0.5, 0.5, 0.5]).tolist()
    [0, 0, 1, -1]
    >>> index.locate_one(1.5, 0.5)
    1
    """

    locate_one: Callable[[float, float], int]
    """Return the number of the area at one point (lon, lat), or -1: the same answer as `locate`, in about 1 µs."""

    def __init__(self, cells: Cells) -> None:
        grid = cells.grid
        self._cells = cells
        self._grid = (grid.west, grid.south, grid.shift_x, grid.shift_y, grid.nx, grid.ny)
        self.locate_one = finder(cells)

    def __len__(self) -> int:
        return self._cells.areas

    @property
    def nbytes(self) -> int:
        """Bytes of the index, in memory or mapped."""
        return self._cells.nbytes

    @classmethod
    def build(cls, geometries: NDArray[np.object_] | Sequence[BaseGeometry]) -> AreaIndex:
        """Build the index from Polygons and MultiPolygons in ascending order of their codes.

        They must be a coverage: not overlapping, with shared borders equal vertex by vertex, or with further
        vertices exactly on the line of an edge. Gaps, holes, exclaves and islands are fine. Overlaps that come to
        light, which is most but not all, raise `InvalidInput` with code `not_a_coverage`; for the rest of the
        errors see `build_cells`.
        """
        array = np.empty(len(geometries), dtype=object)
        array[:] = geometries
        return cls(build_cells(array))

    @classmethod
    def open(cls, path: Path | str, *, verify: bool = True) -> AreaIndex:
        """Map a saved index into memory, shared between all processes that do so; see `read_cells` for errors."""
        return cls(read_cells(Path(path), verify=verify))

    def save(self, path: Path | str) -> None:
        """Write the index to a file: aside, durably, then renamed into place."""
        write_cells(self._cells, Path(path))

    def locate(self, lon: ArrayLike, lat: ArrayLike) -> Numbers:
        """Return for each point the number of its area, or -1; degrees WGS 84."""
        lons, lats = _points(lon, lat)
        numbers = np.empty(len(lons), np.int32)
        ask_kernels().locate(lons, lats, numbers, self._cells.table, self._cells.words, self._grid)
        return numbers

    def locate_points(self, points: ArrayLike) -> Numbers:
        """Return for each row `[lon, lat]` the number of its area, or -1."""
        array = np.asarray(points, dtype=np.float64)
        if array.ndim != 2 or array.shape[1] != 2:
            raise InvalidInput(
                "bad_shape", f"Points of shape {array.shape} are no pairs.", hint="Give an array of shape (n, 2)."
            )
        return self.locate(array[:, 0], array[:, 1])

    def on_border(self, lon: ArrayLike, lat: ArrayLike) -> NDArray[np.bool_]:
        """Return for each point whether it lies on a border, so that the smallest number decided."""
        lons, lats = _points(lon, lat)
        flags = np.empty(len(lons), np.bool_)
        ask_kernels().on_border(lons, lats, flags, self._cells.table, self._cells.words, self._grid)
        return flags

    def candidates(self, lon: float, lat: float, accuracy_m: float, level: float = 0.95) -> list[tuple[int, float]]:
        """Return the areas in which a position may lie, each with its probability, the likeliest first.

        `accuracy_m` is the radius that holds a share `level` of fixes: 95 % in browsers, 68 % on Android. The error is
        taken as normal and the probabilities as shares of 1,024 fixed points, so they are good to about 0.003, sum to
        1 and are always the same. Number -1 stands for no area.
        """
        sigma = sigma_m(accuracy_m, level)
        if not (isfinite(lon) and isfinite(lat)) or sigma == 0.0:
            return [(self.locate_one(lon, lat), 1.0)]
        return shares(self.locate(*cloud(lon, lat, sigma)))

    def nearest(self, lon: float, lat: float, within_m: float) -> tuple[int, float] | None:
        """Return number and distance in metres of the nearest area, 0 inside one; None for none within `within_m`.

        Distances are those of the ellipsoid in a plane around the point: within 1 mm up to 2 km. Of areas equally
        near the smallest number.
        """
        if not within_m >= 0.0:
            raise InvalidInput("bad_distance", f"{within_m} m is no distance.", hint="Give metres, zero or more.")
        number = self.locate_one(lon, lat)
        if number >= 0:
            return number, 0.0
        return nearest_area(self._cells, lon, lat, within_m)


def _points(lon: ArrayLike, lat: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    lons = np.asarray(lon, dtype=np.float64)
    lats = np.asarray(lat, dtype=np.float64)
    if lons.ndim != 1 or lons.shape != lats.shape:
        raise InvalidInput(
            "bad_shape",
            f"Longitudes of shape {lons.shape} and latitudes of shape {lats.shape} are no list of points.",
            hint="Give two one-dimensional arrays of the same length.",
        )
    return lons, lats
