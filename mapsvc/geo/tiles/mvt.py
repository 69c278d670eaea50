"""Mapbox vector tiles, version 2.1, written for a whole tile at once by numpy.

All rings of a tile become one stream of commands, packed as varints in one go; only the few bytes around each
feature are written one by one. Coordinates come as places in the unit square (see `mercator`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from mapsvc.geo.tiles.mercator import Tile

EXTENT = 4096
BUFFER = 64
"""How far geometry goes on beyond the edge of its tile, in units of the extent, so that outlines meet."""

CONTENT_TYPE = "application/vnd.mapbox-vector-tile"

Ints = NDArray[np.int64]
Geometries = NDArray[np.object_]

_POINT, _POLYGON = 1, 3
_MOVE_TO_ONE, _LINE_TO, _CLOSE = 9, 2, 15


@dataclass(frozen=True, eq=False)
class Rings:
    """The rings of a tile in units of its extent, y down, closing vertices left out.

    `feature` is the position of each ring's feature, ascending, `size` its number of vertices; outer rings run
    clockwise on the screen, as the standard wants it, and each is followed by its holes.
    """

    x: Ints
    y: Ints
    size: Ints
    feature: Ints


def clip(geometries: Geometries, tile: Tile, buffer: int = BUFFER) -> Geometries:
    """Return geometries (unit square) cut to a tile and its buffer; what lies inside is left as it is."""
    x0, y0, x1, y1 = tile.box
    margin = tile.side * buffer / EXTENT
    box = x0 - margin, y0 - margin, x1 + margin, y1 + margin
    bounds = shapely.bounds(geometries)
    cut = (bounds[:, 0] < box[0]) | (bounds[:, 1] < box[1]) | (bounds[:, 2] > box[2]) | (bounds[:, 3] > box[3])
    if not cut.any():
        return geometries
    result = geometries.copy()
    result[cut] = shapely.clip_by_rect(geometries[cut], *box)
    return result


def make_rings(geometries: Geometries, tile: Tile, step: int = 1) -> Rings:
    """Return the rings of polygons (unit square), rounded to multiples of `step` units of the tile's extent.

    Rounding is the same for every vertex, so neighbours still share their border. Rings that shrink to nothing are
    left out, and with an outer ring its holes.
    """
    parts, part_of = shapely.get_parts(geometries, return_index=True)
    polygons = shapely.get_type_id(parts) == _POLYGON
    parts, part_of = parts[polygons], part_of[polygons]
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    coordinates, of = shapely.get_coordinates(rings, return_index=True)
    x0, y0, _, _ = tile.box
    scale = EXTENT / tile.side / step
    x = np.rint((coordinates[:, 0] - x0) * scale).astype(np.int64) * step
    y = np.rint((coordinates[:, 1] - y0) * scale).astype(np.int64) * step
    x, y, of = _without_repeats(x, y, of.astype(np.int64))
    size = np.bincount(of, minlength=len(rings))
    outer = np.ones(len(rings), np.bool_)
    outer[1:] = ring_part[1:] != ring_part[:-1]
    area = _doubled_areas(x, y, size)
    good = (size >= 3) & (area != 0)
    outer_good = np.zeros(len(parts), np.bool_)
    outer_good[ring_part[outer]] = good[outer]
    good &= outer_good[ring_part]
    kept = np.repeat(good, size)
    x, y, size, backwards = x[kept], y[kept], size[good], ((area > 0) != outer)[good]
    turned = _turned(size, backwards)
    return Rings(x[turned], y[turned], size, part_of[ring_part[good]].astype(np.int64))


def _without_repeats(x: Ints, y: Ints, of: Ints) -> tuple[Ints, Ints, Ints]:
    """Leave out vertices that rounded onto the one before them, and the closing vertex of each ring."""
    if not len(x):
        return x, y, of
    fresh = np.ones(len(x), np.bool_)
    fresh[1:] = (of[1:] != of[:-1]) | (x[1:] != x[:-1]) | (y[1:] != y[:-1])
    x, y, of = x[fresh], y[fresh], of[fresh]
    last = np.ones(len(x), np.bool_)
    last[:-1] = of[1:] != of[:-1]
    return x[~last], y[~last], of[~last]


def _doubled_areas(x: Ints, y: Ints, size: Ints) -> Ints:
    """Return twice the signed area of each ring, positive for clockwise on the screen (y down); exact."""
    if not len(x):
        return np.zeros(len(size), np.int64)
    following = np.arange(1, len(x) + 1)
    ends = np.cumsum(size)
    filled = size > 0
    following[ends[filled] - 1] = (ends - size)[filled]
    terms = x * y[following] - x[following] * y
    sums = np.concatenate([[0], np.cumsum(terms)])
    answer: Ints = sums[ends] - sums[ends - size]
    return answer


def _turned(size: Ints, backwards: NDArray[np.bool_]) -> Ints:
    """Return the order of vertices in which the rings marked run the other way round."""
    starts = np.repeat(np.cumsum(size) - size, size)
    positions = np.arange(int(size.sum()))
    mirrored = starts + np.repeat(size, size) - 1 - (positions - starts)
    answer: Ints = np.where(np.repeat(backwards, size), mirrored, positions)
    return answer


def encode_polygons(name: str, geometries: Geometries, ids: Ints, tile: Tile, step: int = 1) -> bytes:
    """Return a layer of polygons with ids and without properties; empty where nothing is left of them."""
    rings = make_rings(clip(geometries, tile), tile, step)
    if not len(rings.size):
        return b""
    commands, offsets = _commands(rings)
    packed, at = _varints(commands)
    first = np.ones(len(rings.feature), np.bool_)
    first[1:] = rings.feature[1:] != rings.feature[:-1]
    begins = at[offsets[first]]
    ends = np.append(begins[1:], len(packed))
    features = [
        _field(2, b"\x08" + _varint(number) + b"\x18\x03" + _field(4, packed[begin:end]))
        for number, begin, end in zip(ids[rings.feature[first]].tolist(), begins.tolist(), ends.tolist(), strict=True)
    ]
    return _layer(name, features, [], [])


def encode_points(
    name: str,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    ids: Ints,
    properties: dict[str, Sequence[str]],
    tile: Tile,
) -> bytes:
    """Return a layer of points (unit square) with ids and texts: those that the tile owns, its west and north edge too.

    So each point is in exactly one tile of a zoom, and a label that is drawn there is drawn once.
    """
    x0, y0, x1, y1 = tile.box
    mine = np.flatnonzero((x >= x0) & (x < x1) & (y >= y0) & (y < y1))
    if not len(mine):
        return b""
    scale = EXTENT / tile.side
    columns = np.floor((x[mine] - x0) * scale).astype(np.int64)
    rows = np.floor((y[mine] - y0) * scale).astype(np.int64)
    keys, features = list(properties), []
    values: dict[str, int] = {}
    for place, column, row in zip(mine.tolist(), columns.tolist(), rows.tolist(), strict=True):
        tags = bytearray()
        for key, name_of in enumerate(keys):
            text = properties[name_of][place]
            if text:
                tags += _varint(key) + _varint(values.setdefault(text, len(values)))
        geometry = _varint(_MOVE_TO_ONE) + _varint(column << 1) + _varint(row << 1)
        body = b"\x08" + _varint(int(ids[place])) + _field(2, bytes(tags)) + b"\x18\x01" + _field(4, geometry)
        features.append(_field(2, body))
    return _layer(name, features, keys, list(values))


def _layer(name: str, features: Sequence[bytes], keys: Sequence[str], values: Sequence[str]) -> bytes:
    body = [b"\x78\x02", _field(1, name.encode()), *features]
    body += [_field(3, key.encode()) for key in keys]
    body += [_field(4, _field(1, value.encode())) for value in values]
    return _field(3, b"".join([*body, b"\x28" + _varint(EXTENT)]))


def _commands(rings: Rings) -> tuple[Ints, Ints]:
    """Return all commands and parameters, and where those of each ring begin: MoveTo, LineTo the rest, ClosePath."""
    size, x, y = rings.size, rings.x, rings.y
    starts = np.cumsum(size) - size
    # ClosePath leaves the cursor at the ring's last vertex, so the way to the next ring's first one is the plain
    # difference; each feature begins at the origin again.
    dx, dy = np.diff(x, prepend=0), np.diff(y, prepend=0)
    first = np.ones(len(size), np.bool_)
    first[1:] = rings.feature[1:] != rings.feature[:-1]
    dx[starts[first]], dy[starts[first]] = x[starts[first]], y[starts[first]]
    lengths = 2 * size + 3
    offsets = np.cumsum(lengths) - lengths
    commands = np.empty(int(lengths.sum()), np.int64)
    within = np.arange(len(x)) - np.repeat(starts, size)
    places = np.repeat(offsets, size) + 1 + 2 * within + (within > 0)
    commands[places], commands[places + 1] = _zigzag(dx), _zigzag(dy)
    commands[offsets] = _MOVE_TO_ONE
    commands[offsets + 3] = ((size - 1) << 3) | _LINE_TO
    commands[offsets + lengths - 1] = _CLOSE
    return commands, offsets


def _zigzag(values: Ints) -> Ints:
    return (values << 1) ^ (values >> 63)


def _varints(values: Ints) -> tuple[bytes, Ints]:
    """Return numbers below 2**35 as varints, and where each begins."""
    lengths = np.ones(len(values), np.int64)
    for bits in (7, 14, 21, 28):
        lengths += (values >> bits) > 0
    ends = np.cumsum(lengths)
    begins = ends - lengths
    packed = np.zeros(int(ends[-1]) if len(ends) else 0, np.uint8)
    for place in range(int(lengths.max(initial=0))):
        there = lengths > place
        more = np.where(lengths[there] > place + 1, 128, 0)
        packed[begins[there] + place] = ((values[there] >> (7 * place)) & 127 | more).astype(np.uint8)
    return packed.tobytes(), begins


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _field(number: int, body: bytes) -> bytes:
    """Return a field of bytes with its length, as protocol buffers write it."""
    return _varint(number << 3 | 2) + _varint(len(body)) + body
