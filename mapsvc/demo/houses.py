"""The buildings of a compound: rows of slabs, towers, courtyards, and what landmarks are made of.

In metres. Rows lie as houses do there, along the compound and facing south as far as its streets let them;
each keeps clear of the streets round it and stands a sun's angle from the one before it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

STAIR_M = 14.0
"""Length of a house along one stairwell (单元)."""
FLATS_PER_FLOOR = 2

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class House:
    """One building: its footprint in metres, its kind, its stairwells from west to east, and its floors.

    `stairs` are the parts of the footprint that one stairwell serves; empty where nobody lives.
    """

    footprint: Polygon
    kind: str
    stairs: tuple[Polygon, ...] = ()
    floors: int = 0


@dataclass(frozen=True)
class _Style:
    depth_m: float
    gap_m: float
    side_gap_m: float
    most_stairs: int
    floors: tuple[int, ...]
    kind: str


STYLES = {
    "old": (
        _Style(8.5, 7.5, 3.5, 2, (1, 2, 2, 3), "terrace"),
        _Style(11.0, 13.0, 6.0, 3, (4, 5, 6), "slab"),
    ),
    "mid": (
        _Style(12.0, 20.0, 9.0, 4, (5, 6, 6, 7), "slab"),
        _Style(12.5, 22.0, 10.0, 3, (6, 6, 7), "slab"),
    ),
    "new": (
        _Style(14.0, 34.0, 14.0, 2, (11, 17, 18), "slab"),
        _Style(21.0, 38.0, 26.0, 1, (18, 24, 26), "tower"),
    ),
}


def build_compound(ground: BaseGeometry, era: str, rng: np.random.Generator) -> list[House]:
    """Return the houses on the free ground of a compound, the north-western one first."""
    if ground.is_empty or ground.area < 250:
        return []
    style = STYLES[era][int(rng.random() < (0.45 if era == "old" else 0.35))]
    angle = _facing(ground)
    turned = _turn(ground, -angle)
    shapely.prepare(turned)
    rows = []
    west, south, east, north = turned.bounds
    top = north - float(rng.uniform(0, 3))
    while top - style.depth_m > south:
        rows += _row(turned, west, east, top, style)
        top -= style.depth_m + style.gap_m
    return _slabs(rows, style, angle, rng.choice(style.floors, len(rows)).tolist())


def build_landmark(ground: BaseGeometry, use: str, rng: np.random.Generator) -> list[House]:
    """Return the buildings of a landmark: halls, wards, stands, sheds."""
    angle = _facing(ground)
    turned = _turn(ground, -angle)
    west, south, east, north = turned.bounds
    width, height = east - west, north - south
    plans = _LANDMARKS.get(use, ())
    found = []
    for left, bottom, right, top in plans:
        box = shapely.box(west + left * width, south + bottom * height, west + right * width, south + top * height)
        if turned.contains(box):
            found.append(House(_turn(box, angle), use))
    if use == "works":
        found += [
            h for h in build_compound(ground, "mid", rng) if not any(h.footprint.intersects(f.footprint) for f in found)
        ][:6]
    return found


_LANDMARKS: dict[str, tuple[tuple[float, float, float, float], ...]] = {
    "station": ((0.2, 0.66, 0.8, 0.8), (0.08, 0.3, 0.3, 0.42), (0.7, 0.3, 0.92, 0.42)),
    "market": ((0.15, 0.55, 0.85, 0.8), (0.15, 0.2, 0.48, 0.45), (0.54, 0.2, 0.85, 0.45)),
    "hospital": ((0.25, 0.62, 0.75, 0.72), (0.25, 0.4, 0.35, 0.6), (0.65, 0.4, 0.75, 0.6), (0.3, 0.2, 0.7, 0.3)),
    "stadium": ((0.66, 0.2, 0.86, 0.75),),
    "college": ((0.15, 0.7, 0.45, 0.78), (0.55, 0.7, 0.85, 0.78), (0.15, 0.45, 0.4, 0.55), (0.6, 0.25, 0.85, 0.35)),
    "school": ((0.16, 0.68, 0.84, 0.8), (0.16, 0.4, 0.28, 0.64)),
    "works": ((0.1, 0.55, 0.45, 0.85), (0.52, 0.55, 0.9, 0.85)),
    "park": ((0.45, 0.45, 0.55, 0.52),),
}


def _row(turned: BaseGeometry, west: float, east: float, top: float, style: _Style) -> list[tuple[float, float, int]]:
    """Return (left, top, stairwells) of the houses that one row holds."""
    lines = shapely.linestrings(
        [[(west - 1, y), (east + 1, y)] for y in (top, top - style.depth_m / 2, top - style.depth_m)]
    )
    spans = shapely.bounds(shapely.intersection(turned, lines))
    left, right = float(np.max(spans[:, 0])), float(np.min(spans[:, 2]))
    if not np.isfinite(left + right) or right - left < 0.9 * STAIR_M * min(style.most_stairs, 1):
        return []
    longest = style.most_stairs * STAIR_M
    count = max(int((right - left + style.side_gap_m) // (longest + style.side_gap_m)), 1)
    room = (right - left - (count - 1) * style.side_gap_m) / count
    stairs = min(int(room // STAIR_M), style.most_stairs)
    if stairs == 0:
        return []
    length = stairs * STAIR_M
    spare = (right - left - count * length) / max(count - 1, 1)
    step = length + min(spare, style.side_gap_m * 2.2)
    start = left + (right - left - (step * (count - 1) + length)) / 2
    found = [(start + n * step, top, stairs) for n in range(count)]
    boxes = shapely.box(
        [x for x, _, _ in found],
        [top - style.depth_m] * count,
        [x + length for x, _, _ in found],
        [top] * count,
    )
    return [each for each, fits in zip(found, shapely.contains(turned, boxes), strict=True) if fits]


def _slabs(rows: list[tuple[float, float, int]], style: _Style, angle: float, floors: list[int]) -> list[House]:
    """Return the houses at (left, top, stairwells), turned into place all at once."""
    shapes: list[Polygon] = []
    for x, y, stairs in rows:
        edges = [x + STAIR_M * n for n in range(stairs + 1)]
        low = y - style.depth_m
        # The corners between two stairwells are corners of the house as well, so that its parts tile it exactly.
        shapes.append(Polygon([*((a, y) for a in edges), *((a, low) for a in edges[::-1])]))
        shapes += [Polygon(((a, low), (b, low), (b, y), (a, y))) for a, b in itertools.pairwise(edges)]
    turned = iter(_turn(np.array(shapes, dtype=object), angle))
    return [
        House(next(turned), style.kind, tuple(next(turned) for _ in range(stairs)), many)
        for (_, _, stairs), many in zip(rows, floors, strict=True)
    ]


def _facing(ground: BaseGeometry) -> float:
    """Return the direction of the rows: along the side of the ground that lies nearest to east and west."""
    corners = shapely.get_coordinates(shapely.oriented_envelope(ground))
    if len(corners) < 4:
        return 0.0
    side = corners[1] - corners[0]
    angle = float(np.arctan2(side[1], side[0]))
    while angle > np.pi / 4:
        angle -= np.pi / 2
    while angle < -np.pi / 4:
        angle += np.pi / 2
    return angle


def _turn(geometry: Any, angle: float) -> Any:
    matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return shapely.transform(geometry, lambda c: c @ matrix)
