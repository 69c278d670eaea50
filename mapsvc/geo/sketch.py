"""Outlines for a picture: simplified as a whole, so that neighbours keep one border, and written as whole numbers.

A coverage is simplified edge by edge, each shared edge once (Visvalingam and Whyatt, by GEOS): neither gaps nor
overlaps arise. What is put together from simplified areas afterwards shares its borders with them as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.errors import GEOSException
from shapely.geometry.base import BaseGeometry

from mapsvc.geo.measure import WGS84_A_M

Geometries = NDArray[np.object_]

DIGITS = 6
"""Decimals of a degree that a sketch keeps: a tenth of a metre, far below what its simplification moves."""

Ring = list[int]


def simplify_together(geometries: Iterable[BaseGeometry | None], tolerance_m: float) -> Geometries:
    """Return areas with fewer vertices; shared borders stay shared.

    Degrees in and out, WGS 84. A corner goes whose triangle with its neighbours is smaller than the square of
    `tolerance_m` (Visvalingam and Whyatt 1993, as GEOS does for coverages). `None` and empty areas stay as they are.
    Areas that are no coverage (they overlap) are simplified each by itself, to `tolerance_m` of distance (Douglas and
    Peucker 1973).

    Examples
    --------
    >>> left = shapely.Polygon([(0, 0), (0.01, 0), (0.0100001, 0.005), (0.01, 0.01), (0, 0.01)])
    >>> right = shapely.Polygon([(0.01, 0), (0.02, 0), (0.02, 0.01), (0.01, 0.01), (0.0100001, 0.005)])
    >>> [shapely.get_num_coordinates(one).item() for one in simplify_together([left, right], 5.0)]
    [5, 5]
    """
    found: Geometries = np.array([*geometries, None], dtype=object)[:-1]
    there = np.flatnonzero(~(shapely.is_missing(found) | shapely.is_empty(found)))
    if not len(there) or tolerance_m <= 0:
        return found
    # A degree of longitude is made as long as one of latitude: a tolerance has no direction.
    _, south, _, north = shapely.total_bounds(found[there])
    narrow = float(np.cos(np.radians((south + north) / 2)))
    plane = shapely.transform(shapely.force_2d(found[there]), lambda c: c * (narrow, 1.0))
    tolerance = tolerance_m / float(np.radians(1) * WGS84_A_M)
    if shapely.coverage_is_valid(plane):
        simple = shapely.coverage_simplify(plane, tolerance)
    else:
        simple = shapely.simplify(plane, tolerance, preserve_topology=True)
    found[there] = shapely.transform(simple, lambda c: c / (narrow, 1.0))
    return found


def join_areas(geometries: Iterable[BaseGeometry]) -> BaseGeometry:
    """Return the union of areas; of a coverage by leaving out the edges that two of them share."""
    parts = np.array([*geometries, None], dtype=object)[:-1]
    try:
        if shapely.coverage_is_valid(parts):
            joined: BaseGeometry = shapely.coverage_union_all(parts)
            return joined
    except GEOSException:
        pass
    whole: BaseGeometry = shapely.union_all(shapely.make_valid(parts))
    return whole


def encode_rings(geometry: BaseGeometry | None) -> list[list[Ring]]:
    """Return polygons as whole numbers: for each part its rings, each the first vertex, then the steps to the next.

    Units are 10 ** -DIGITS degree, longitude before latitude; the closing vertex and steps of nothing are left out,
    and so are rings of which fewer than three vertices are left. Equal vertices stay equal whatever ring they are in.

    Examples
    --------
    >>> encode_rings(shapely.box(118.0, 30.0, 118.00002, 30.00001))
    [[[118000020, 30000000, 0, 10, -20, 0, 0, -10]]]
    """
    if geometry is None or geometry.is_empty:
        return []
    found = []
    for part in shapely.get_parts(geometry):
        if part.geom_type != "Polygon":
            continue
        rings = [_encode(ring) for ring in (part.exterior, *part.interiors)]
        if rings[0]:
            found.append([ring for ring in rings if ring])
    return found


def _encode(ring: Any) -> Ring:
    at = np.rint(shapely.get_coordinates(ring) * 10**DIGITS).astype(np.int64)[:-1]
    kept = at[(at != np.roll(at, 1, axis=0)).any(axis=1)] if len(at) > 1 else at
    if len(kept) < 3:
        return []
    steps = np.vstack([kept[:1], np.diff(kept, axis=0)])
    numbers: Ring = steps.ravel().tolist()
    return numbers


def decode_rings(parts: list[list[Ring]]) -> BaseGeometry:
    """Return the polygons that `encode_rings` wrote; what `static/js/export/shapes.js` does for the browser."""
    polygons = [
        shapely.Polygon(rings[0], rings[1:])
        for rings in ([np.cumsum(np.reshape(ring, (-1, 2)), axis=0) / 10**DIGITS for ring in part] for part in parts)
    ]
    return shapely.MultiPolygon(polygons)
