"""Vertices added to long edges, so that a line straight in one system stays on its place in another.

Every edge is looked at from its smaller end, whichever way its ring runs: the two areas that share it
receive the same vertices, to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mapsvc.geo.rings import Geometries, RingTable

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Convert: TypeAlias = Callable[[Floats], Floats]

METRES_PER_DEGREE = 111_320.0

_STATIONS = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
_CHUNK = 100_000


@dataclass(frozen=True)
class Bow:
    """How edges bend: shorter ones than `look` stay as they are, longer ones than `piece` are examined in pieces.

    `look` and `piece` are in units of the source; `deviation_m` is how far an edge may leave its line;
    `unit_m` is the target's unit in metres where the target is a plane.
    """

    look: float
    piece: float
    deviation_m: float
    unit_m: float = 1.0


def densify(geometries: Geometries, convert: Convert, bow: Bow, *, to_degrees: bool) -> Geometries:
    """Return the polygons, still in the source system, with the vertices that `convert` will need.

    Other geometries than polygons stay as they are.
    """
    table = RingTable.of(geometries)
    edges = table.edges()
    start, end = table.points[edges], table.points[edges + 1]
    length = np.sqrt(((end - start) ** 2).sum(axis=1))
    long = np.flatnonzero(length > bow.look)
    if len(long) == 0:
        return table.geometries
    low, high, turned = _from_smaller_end(start[long], end[long])
    spans = np.concatenate(
        [
            _spans(low[k : k + _CHUNK], high[k : k + _CHUNK], length[long[k : k + _CHUNK]], convert, bow, to_degrees)
            for k in range(0, len(long), _CHUNK)
        ]
    )
    inner = spans - 1
    which = np.repeat(np.arange(len(long)), inner)
    order = np.arange(len(which)) - np.repeat(np.cumsum(inner) - inner, inner) + 1
    step = np.where(turned[which], spans[which] - order, order)
    share = (step / spans[which])[:, None]
    return table.with_points(edges[long][which], low[which] + (high[which] - low[which]) * share)


def _from_smaller_end(start: Floats, end: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Return the edges from their smaller end, in dictionary order of coordinates, and which of them were turned."""
    turned = (end[:, 0] < start[:, 0]) | ((end[:, 0] == start[:, 0]) & (end[:, 1] < start[:, 1]))
    return np.where(turned[:, None], end, start), np.where(turned[:, None], start, end), turned


def _spans(low: Floats, high: Floats, length: Floats, convert: Convert, bow: Bow, to_degrees: bool) -> Ints:
    """Return into how many equal spans each edge is divided: a bow's height falls with the square of its length."""
    pieces = np.ceil(length / bow.piece).astype(np.int64)
    edge = np.repeat(np.arange(len(low)), pieces)
    first = np.cumsum(pieces) - pieces
    number = np.arange(len(edge)) - first[edge]
    share = (number[:, None] + _STATIONS[None, :]) / pieces[edge][:, None]
    stations = low[edge][:, None, :] + (high - low)[edge][:, None, :] * share[:, :, None]
    there = convert(stations.reshape(-1, low.shape[1])).reshape(len(edge), len(_STATIONS), 2)
    height = np.maximum.reduceat(_bow_heights_m(there, bow, to_degrees), first)
    spans: Ints = np.ceil(pieces * np.sqrt(height / bow.deviation_m)).astype(np.int64)
    return np.maximum(spans, 1)


def _bow_heights_m(there: Floats, bow: Bow, to_degrees: bool) -> Floats:
    """Return how far the converted stations of each piece lie off its chord, in metres, as a parabola's height."""
    if to_degrees:
        narrow = np.cos(np.radians(there[:, 2, 1]))[:, None]
        east, north = there[:, :, 0] * METRES_PER_DEGREE * narrow, there[:, :, 1] * METRES_PER_DEGREE
    else:
        east, north = there[:, :, 0] * bow.unit_m, there[:, :, 1] * bow.unit_m
    along_x, along_y = east[:, -1] - east[:, 0], north[:, -1] - north[:, 0]
    chord = np.hypot(along_x, along_y)
    across = (east - east[:, :1]) * along_y[:, None] - (north - north[:, :1]) * along_x[:, None]
    off = np.abs(across) / np.where(chord > 0, chord, 1.0)[:, None]
    heights: Floats = np.maximum(off[:, 2], np.maximum(off[:, 1], off[:, 3]) * (4 / 3))
    return heights
