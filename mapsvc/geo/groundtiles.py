"""Cuts things on the ground into map tiles: Web Mercator squares with whole-number coordinates, for drawing only.

Nothing is measured or decided in Web Mercator here; a tile at zoom z is one of 2^z by 2^z squares of the world, its
coordinates run from 0 to `EXTENT` from the north-western corner, y to the south.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

Geometries = NDArray[np.object_]

EXTENT = 4096
MARGIN = EXTENT // 32
"""How far things reach over the edge of their tile, so that wide lines are whole at it."""

TOLERANCE = 4.0
"""Vertices nearer than this to the line without them are left out: half a pixel of a tile drawn on 512 pixels."""

LEAST_POLYGON = 200.0
"""Polygons of less ground are left out: 3 square pixels of a tile drawn on 512 pixels."""

POINT, LINE, POLYGON = 1, 2, 3
_OF_SHAPE = {POINT: ("Point",), LINE: ("LineString", "LinearRing"), POLYGON: ()}
_FURTHEST = 85.0511287798066


@dataclass(frozen=True)
class Piece:
    """What a tile holds of one thing: its row, its kind of shape, its rings or lines as x0, y0, dx, dy, dx, dy ..."""

    row: int
    shape: int
    lines: tuple[tuple[int, ...], ...]


def to_world(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return longitudes and latitudes (an n by 2 array of degrees, WGS 84) as x and y from 0 to 1, y to the south.

    Examples
    --------
    >>> to_world(np.array([[0.0, 0.0], [180.0, 0.0]])).tolist()
    [[0.5, 0.5], [1.0, 0.5]]
    """
    lat = np.radians(np.clip(points[:, 1], -_FURTHEST, _FURTHEST))
    return np.column_stack([points[:, 0] / 360 + 0.5, 0.5 - np.arctanh(np.sin(lat)) / (2 * np.pi)])


def join_lines(geometries: Geometries, keys: Sequence[Hashable | None]) -> Geometries:
    """Return the geometries with lines of one key joined end to end in the first of them, the others empty.

    Streets come in pieces from crossing to crossing; a name fits on the whole of one rather than on a piece.
    Lines whose key is None stay as they are.

    Examples
    --------
    >>> pieces = shapely.from_wkt(["LINESTRING (0 0, 1 0)", "LINESTRING (1 0, 2 0)", "LINESTRING (5 5, 6 6)"])
    >>> [g.wkt for g in join_lines(pieces, ["a", "a", "b"])]
    ['LINESTRING (0 0, 1 0, 2 0)', 'LINESTRING EMPTY', 'LINESTRING (5 5, 6 6)']
    """
    joined = geometries.copy()
    groups: dict[Hashable, list[int]] = {}
    for row in np.flatnonzero(_shapes(geometries) == LINE).tolist():
        if keys[row] is not None:
            groups.setdefault(keys[row], []).append(row)
    for rows in groups.values():
        if len(rows) > 1:
            joined[rows[0]] = shapely.line_merge(shapely.multilinestrings(shapely.get_parts(geometries[rows])))
            joined[rows[1:]] = shapely.LineString()
    return joined


class GroundTiles:
    """Things of one layer, ready to be cut; `from_zooms` are the tile zooms from which each is there."""

    def __init__(self, geometries: Geometries, from_zooms: Sequence[int] | NDArray[np.int64]) -> None:
        self._world: Geometries = shapely.transform(geometries, to_world)
        self._from = np.asarray(from_zooms, dtype=np.int64)
        self._shapes = _shapes(geometries)
        self._tree = shapely.STRtree(self._world)

    def cut(self, z: int, x: int, y: int) -> list[Piece]:
        """Return what lies in a tile, in the order of the rows.

        Examples
        --------
        >>> house = shapely.box(0.001, -0.002, 0.002, -0.001)
        >>> [piece] = GroundTiles(np.array([house]), [0]).cut(15, 16384, 16384)
        >>> piece.row, piece.shape, len(piece.lines)
        (0, 3, 1)
        """
        side = 2.0**-z
        edge = MARGIN / EXTENT * side
        west, north = x * side, y * side
        box = (west - edge, north - edge, west + side + edge, north + side + edge)
        rows = np.sort(self._tree.query(shapely.box(*box)))
        rows = rows[self._from[rows] <= z]
        if len(rows) == 0:
            return []
        scale = EXTENT / side
        cut: Geometries = shapely.clip_by_rect(self._world[rows], *box)
        cut = shapely.transform(cut, lambda c: (c - (west, north)) * scale)
        cut = shapely.simplify(cut, TOLERANCE, preserve_topology=False)
        pieces = []
        for row, geometry in zip(rows.tolist(), cut, strict=True):
            shape = int(self._shapes[row])
            lines = tuple(_lines(geometry, shape))
            if lines:
                pieces.append(Piece(row, shape, lines))
        return pieces


def _shapes(geometries: Geometries) -> NDArray[np.int64]:
    kinds = shapely.get_type_id(geometries)
    return np.where(np.isin(kinds, (0, 4)), POINT, np.where(np.isin(kinds, (3, 6)), POLYGON, LINE))


def _lines(geometry: BaseGeometry, shape: int) -> Iterator[tuple[int, ...]]:
    """Yield the rings or lines of a cut thing; what cutting left of another shape is dropped."""
    for part in shapely.get_parts(geometry):
        if part.is_empty:
            continue
        if part.geom_type == "Polygon":
            if shape == POLYGON and part.area >= LEAST_POLYGON:
                yield _deltas(part.exterior, close=False)
                yield from (_deltas(ring, close=False) for ring in part.interiors)
        elif part.geom_type in _OF_SHAPE[shape]:
            yield _deltas(part, close=True)


def _deltas(line: BaseGeometry, *, close: bool) -> tuple[int, ...]:
    """Return whole coordinates, each after the first as a step from the one before; a ring leaves out its last."""
    points = np.rint(shapely.get_coordinates(line)).astype(np.int64)
    points = points if close else points[:-1]
    return tuple(np.diff(points, axis=0, prepend=0).ravel().tolist())
