"""An index for areas that may overlap or touch loosely (compounds, buildings): a tree in memory.

A point in several areas belongs to the one with the smallest code, as on a border.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from mapsvc.geo.lattice import snap_coordinates
from mapsvc.geo.locate.candidates import cloud, shares, sigma_m
from mapsvc.geo.measure import LocalFrame

METRES_PER_DEGREE = 110_000.0
"""Less than a degree of latitude has anywhere, so that a box made with it is large enough."""


class LooseIndex:
    """Answers like `geo.locate.index.AreaIndex` over geometries in ascending order of code, overlapping or not."""

    def __init__(self, geometries: NDArray[np.object_]) -> None:
        self._geometries = geometries
        shapely.prepare(geometries)
        self._tree = shapely.STRtree(geometries)

    def locate(self, lon: ArrayLike, lat: ArrayLike) -> NDArray[np.int32]:
        """Return for each point (degrees, WGS 84) the smallest row that holds it, or -1."""
        lonlat = np.column_stack([np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)])
        finite = np.isfinite(lonlat).all(axis=1)
        found = np.full(len(lonlat), -1, dtype=np.int32)
        points = np.asarray(shapely.points(snap_coordinates(lonlat[finite])), dtype=object)
        at, rows = self._tree.query(points, predicate="intersects")
        best = np.full(len(points), len(self._geometries), dtype=np.int64)
        np.minimum.at(best, at, rows)
        found[finite] = np.where(best < len(self._geometries), best, -1)
        return found

    def locate_one(self, lon: float, lat: float) -> int:
        """Return the smallest row that holds a point, or -1."""
        return int(self.locate([lon], [lat])[0])

    def candidates(self, lon: float, lat: float, accuracy_m: float, level: float = 0.95) -> list[tuple[int, float]]:
        """Return rows with their probabilities, the likeliest first; see `AreaIndex.candidates`."""
        sigma = sigma_m(accuracy_m, level)
        if sigma == 0.0:
            return [(self.locate_one(lon, lat), 1.0)]
        return shares(self.locate(*cloud(lon, lat, sigma)))

    def nearest(self, lon: float, lat: float, within_m: float) -> tuple[int, float] | None:
        """Return the nearest row and its distance in metres, or None when none is within `within_m`."""
        inside = self.locate_one(lon, lat)
        if inside >= 0:
            return inside, 0.0
        high = within_m / METRES_PER_DEGREE
        wide = high / max(np.cos(np.radians(lat)), 0.01)
        near = np.sort(self._tree.query(shapely.box(lon - wide, lat - high, lon + wide, lat + high)))
        if len(near) == 0:
            return None
        # In metres of the point's own plane the distance to the origin is the distance on the ground.
        moved = LocalFrame(lon, lat).geometries_to_metres(self._geometries[near])
        distances = shapely.distance(moved, shapely.Point(0.0, 0.0))
        best = int(np.argmin(distances))
        return (int(near[best]), float(distances[best])) if distances[best] <= within_m else None


def has_overlaps(geometries: NDArray[np.object_]) -> bool:
    """Whether any two areas share ground; borders and corners in common do not count."""
    one, other = shapely.STRtree(geometries).query(geometries, predicate="intersects")
    pairs = one < other
    if not pairs.any():
        return False
    # The interiors meet exactly when this DE-9IM pattern holds; no overlay, so no rounding.
    return bool(shapely.relate_pattern(geometries[one[pairs]], geometries[other[pairs]], "T********").any())
