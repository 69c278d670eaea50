"""Sizes of many small pieces of ground: place, area, width and extent, each in metres of its own neighbourhood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from mapsvc.geo.measure import each_to_metres

Geometries: TypeAlias = NDArray[np.object_]
Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]


SLIVER = 25


@dataclass(frozen=True)
class Pieces:
    """Polygons with their sizes, one entry each; `source` is the row they came from.

    `lon`, `lat` is a point inside; `width_m` is the diameter of the largest circle that fits in (of slivers
    the mean width), `length_m` that of the smallest circle around.
    """

    polygons: Geometries
    source: Ints
    lon: Floats
    lat: Floats
    area_m2: Floats
    width_m: Floats
    length_m: Floats

    def __len__(self) -> int:
        return len(self.polygons)

    def take(self, which: Ints | NDArray[np.bool_]) -> Pieces:
        """Return some of the pieces."""
        return Pieces(
            self.polygons[which], self.source[which], self.lon[which], self.lat[which],
            self.area_m2[which], self.width_m[which], self.length_m[which],
        )  # fmt: skip


def polygon_parts(geometries: Geometries) -> tuple[Geometries, Ints]:
    """Return the polygons within any geometries, lines and points left out, and the row of each."""
    parts, rows = shapely.get_parts(geometries, return_index=True)
    inner, part_rows = shapely.get_parts(parts, return_index=True)
    polygons = (shapely.get_type_id(inner) == 3) & ~shapely.is_empty(inner)
    return inner[polygons], rows[part_rows][polygons].astype(np.int64)


def polygons_only(geometries: Geometries) -> Geometries:
    """Return each geometry reduced to its polygons: a Polygon, a MultiPolygon, or `POLYGON EMPTY`."""
    parts, rows = polygon_parts(geometries)
    answer = np.full(len(geometries), shapely.Polygon(), dtype=object)
    if len(parts):
        answer[np.unique(rows)] = _gathered(parts, rows)
    return answer


def _gathered(parts: Geometries, rows: Ints) -> Geometries:
    wanted, number, counts = np.unique(rows, return_inverse=True, return_counts=True)
    grouped: Any = shapely.multipolygons(parts, indices=number)
    single = counts == 1
    grouped[single] = shapely.get_geometry(grouped[single], 0)
    assert len(grouped) == len(wanted)
    found: Geometries = grouped
    return found


def measure_pieces(geometries: Geometries, *, least_width_m: float = 0.0) -> Pieces:
    """Return the polygons within geometries of degrees that are at least so wide, with their sizes."""
    polygons, rows = polygon_parts(geometries)
    return _measured(polygons, rows, each_to_metres(polygons), least_width_m)


def width_m(metric: Geometries) -> Floats:
    """Return the diameter of the largest circle inside each polygon of a metric plane; of slivers the mean width.

    A sliver is more than `SLIVER` times as long as wide: there the search for the circle takes milliseconds
    and stops short of the answer.
    """
    widths = mean_width_m(metric)
    compact = shapely.length(metric) < 2 * SLIVER * widths
    if compact.any():
        radius = shapely.length(shapely.maximum_inscribed_circle(metric[compact]))
        widths[compact] = np.maximum(widths[compact], 2 * radius)
    return widths


def mean_width_m(metric: Geometries) -> Floats:
    """Return twice the area over the perimeter: never more than the largest circle's diameter."""
    perimeter = shapely.length(metric)
    return np.asarray(2 * shapely.area(metric) / np.where(perimeter > 0, perimeter, 1.0))


def _measured(polygons: Geometries, rows: Ints, metric: Geometries, least_width_m: float) -> Pieces:
    areas = shapely.area(metric)
    solid = areas > 0
    polygons, rows, metric, areas = polygons[solid], rows[solid], metric[solid], areas[solid]
    widths = width_m(metric)
    wide = widths >= least_width_m
    points = shapely.get_coordinates(shapely.point_on_surface(polygons[wide]))
    lengths = 2 * shapely.minimum_bounding_radius(metric[wide])
    return Pieces(polygons[wide], rows[wide], points[:, 0], points[:, 1], areas[wide], widths[wide], lengths)
