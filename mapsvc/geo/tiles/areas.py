"""The areas of one level, ready to be drawn: in the unit square, simplified for each zoom as one coverage.

`shapely.coverage_simplify` keeps shared borders shared, so no slivers open between neighbours. It takes seconds for
ten thousand areas and half a minute for a hundred thousand: `is_ready` says whether a zoom is there, and until it is,
`Areas.encode` rounds the full borders to half pixels instead, which shows the same and weighs more.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from mapsvc.geo.tiles import mvt
from mapsvc.geo.tiles.mercator import Tile, to_unit

TILE_PIXELS = 512
HALF_PIXEL = mvt.EXTENT // TILE_PIXELS // 2
"""Half a pixel of a tile drawn at 512 pixels, in units of its extent."""

FULL_ZOOM = 15
"""From this zoom on borders are drawn as they are: half a pixel is 0.6 m and less."""

AREA_LAYER, LABEL_LAYER = "areas", "labels"
_LATTICE = 2.0**40
"""Places are rounded to this part of the unit square (36 micrometres), so that equal vertices stay equal."""

Geometries = NDArray[np.object_]
Int64s = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Drawn:
    """Geometries of one zoom, without those that are empty, their numbers, and a tree of their boxes."""

    geometries: Geometries
    numbers: Int64s
    tree: shapely.STRtree

    def within(self, tile: Tile) -> tuple[Geometries, Int64s]:
        """Return what meets a tile and its buffer, ascending by number."""
        x0, y0, x1, y1 = tile.box
        margin = tile.side * mvt.BUFFER / mvt.EXTENT
        found = np.sort(self.tree.query(shapely.box(x0 - margin, y0 - margin, x1 + margin, y1 + margin)))
        return self.geometries[found], self.numbers[found]


class Areas:
    """The areas of one level. An area's number is its place in `geometries` plus one; 0 means no area."""

    def __init__(
        self,
        geometries: Geometries,
        label_lonlat: NDArray[np.float64],
        names: Sequence[str],
        codes: Sequence[str],
        *,
        coverage: bool = True,
    ) -> None:
        """Take borders and label points in degrees (WGS 84); None and empty borders are left out."""
        self.names, self.codes, self.coverage = names, codes, coverage
        self.count = len(geometries)
        self.label_x, self.label_y = to_unit(label_lonlat[:, 0], label_lonlat[:, 1])
        self._lock = threading.Lock()
        self._by_zoom: dict[int, _Drawn] = {}
        self._full = _drawn(to_unit_square(geometries), np.arange(1, self.count + 1))

    def is_ready(self, z: int) -> bool:
        """Whether the borders are simplified for a zoom."""
        return z >= FULL_ZOOM or z in self._by_zoom

    def prepare(self, z: int) -> None:
        """Simplify the borders for a zoom, and for those above it on the way; waits where another does it."""
        for zoom in range(FULL_ZOOM - 1, z - 1, -1):
            if zoom not in self._by_zoom:
                with self._lock:
                    if zoom not in self._by_zoom:
                        self._by_zoom[zoom] = self._simplified(zoom)

    def _simplified(self, z: int) -> _Drawn:
        """Simplify from the next zoom: each halves the detail, so that together they err by one pixel at most."""
        finer = self._by_zoom.get(z + 1, self._full)
        tolerance = 0.5 / TILE_PIXELS / (1 << z)
        if self.coverage:
            simple = shapely.coverage_simplify(finer.geometries, tolerance)
        else:
            simple = shapely.simplify(finer.geometries, tolerance / 2)
        return _drawn(simple, finer.numbers)

    def encode(self, tile: Tile) -> bytes:
        """Return a tile: `areas` with the number of each as its id, `labels` with name and code; not compressed."""
        ready = self.is_ready(tile.z)
        drawn = self._by_zoom[tile.z] if ready and tile.z < FULL_ZOOM else self._full
        geometries, numbers = drawn.within(tile)
        areas = mvt.encode_polygons(AREA_LAYER, geometries, numbers, tile, 1 if ready else HALF_PIXEL)
        texts = {"name": self.names, "code": self.codes}
        every = np.arange(1, self.count + 1)
        return areas + mvt.encode_points(LABEL_LAYER, self.label_x, self.label_y, every, texts, tile)


def to_unit_square(geometries: Geometries) -> Geometries:
    """Return geometries in degrees as geometries in the unit square of web Mercator."""

    def moved(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        places = np.column_stack(to_unit(lonlat[:, 0], lonlat[:, 1]))
        return np.rint(places * _LATTICE) / _LATTICE

    result: Geometries = shapely.transform(geometries, moved)
    return result


def _drawn(geometries: Geometries, numbers: Int64s) -> _Drawn:
    there = ~(shapely.is_missing(geometries) | shapely.is_empty(geometries))
    kept = geometries[there]
    return _Drawn(kept, numbers[there], shapely.STRtree(kept))
