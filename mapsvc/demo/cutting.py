"""Ground divided by streets: smooth courses, faces between lines, and blocks cut in two again and again.

All in a plane of metres. Every point is rounded to the centimetre and lines are noded by snap-rounding, so
that a street which ends on another one meets it exactly and each edge is drawn once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import LineString, Polygon
from shapely.geometry.base import BaseGeometry

Floats = NDArray[np.float64]

GRID_M = 0.01
STEP_M = 45.0
NEAR_JUNCTION_M = 38.0
"""A new street that would end this near to the end of another one on the far side runs into it: a crossing."""


def smooth(course: Sequence[tuple[float, float]], step_m: float = STEP_M) -> LineString:
    """Return the smooth line through the points (Catmull-Rom), with a vertex about every `step_m`."""
    points = np.asarray(course, dtype=float)
    if len(points) == 2:
        return LineString(points)
    padded = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    drawn = [points[0]]
    for a, b, c, d in zip(padded[:-3], padded[1:-2], padded[2:-1], padded[3:], strict=True):
        count = max(int(np.hypot(*(c - b)) / step_m), 1)
        t = (np.arange(1, count + 1) / count)[:, None]
        drawn.extend(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    return LineString(np.round(np.array(drawn), 2))


def node(lines: Sequence[LineString]) -> BaseGeometry:
    """Return the lines as one set in which they meet only at vertices."""
    return shapely.union_all(np.array(lines, dtype=object), grid_size=GRID_M)


def faces(lines: Sequence[LineString]) -> list[Polygon]:
    """Return the faces that lines enclose."""
    noded = shapely.get_parts(node(lines))
    return list(shapely.get_parts(shapely.polygonize(noded)))


@dataclass(frozen=True)
class Cut:
    """A block in two parts and the street between them."""

    parts: tuple[Polygon, Polygon]
    line: LineString


class Ends:
    """The junctions made so far: where streets ended, so that later ones meet them."""

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int], list[tuple[float, float]]] = {}

    def add(self, line: LineString) -> None:
        """Remember both ends of a street."""
        for x, y in (line.coords[0][:2], line.coords[-1][:2]):
            self._cells.setdefault(_cell(x, y), []).append((x, y))

    def near(self, point: tuple[float, float], ring: LineString) -> tuple[float, float] | None:
        """Return the junction on the ring next to the point, within `NEAR_JUNCTION_M`; None for none."""
        column, row = _cell(*point)
        around = [
            known
            for i in (column - 1, column, column + 1)
            for j in (row - 1, row, row + 1)
            for known in self._cells.get((i, j), ())
        ]
        around.sort(key=lambda known: math.dist(known, point))
        for known in around[:4]:
            if math.dist(known, point) > NEAR_JUNCTION_M:
                return None
            if shapely.distance(ring, shapely.Point(known)) < 2 * GRID_M:
                return known
        return None


def _cell(x: float, y: float) -> tuple[int, int]:
    return int(x // NEAR_JUNCTION_M), int(y // NEAR_JUNCTION_M)


def cut(
    block: Polygon,
    share: float,
    weigh: Callable[[BaseGeometry], float],
    rng: np.random.Generator,
    ends: Ends | None = None,
    bend: float = 0.02,
) -> Cut | None:
    """Cut a block by a street across its longer side so that the first part weighs about `share` of it.

    The street is slanted and bent a little, and runs into junctions nearby. None where no such street can be
    drawn, which the caller takes as "leave it whole".
    """
    angle = _long_side(block) + float(rng.normal(0, 0.035))
    place = _balance(block, angle, share, weigh)
    for attempt in range(4):
        line = _street(block, angle, place, rng, ends if attempt < 2 else None, bend if attempt == 0 else 0.0)
        if line is not None:
            parts = _parts(block, line)
            if parts is not None and (attempt == 3 or all(_compact(part) for part in parts)):
                along = np.array([np.cos(angle), np.sin(angle)])
                parts.sort(key=lambda part: float(np.dot(shapely.get_coordinates(part.centroid)[0], along)))
                return Cut((parts[0], parts[1]), line)
        angle += float(rng.normal(0, 0.05))
        place = _balance(block, angle, share, weigh)
    return None


def _compact(block: Polygon) -> bool:
    """Whether a block fills most of the rectangle round it: no hook, no thin wedge."""
    around = shapely.oriented_envelope(block)
    return float(block.area) > 0.62 * float(around.area)


def _long_side(block: Polygon) -> float:
    """Return the direction of the longer side of the smallest rectangle round a block, in radians."""
    corners = shapely.get_coordinates(shapely.oriented_envelope(block))
    sides = np.diff(corners[:3], axis=0)
    longer = sides[int(np.argmax(np.hypot(*sides.T)))]
    return float(np.arctan2(longer[1], longer[0]) % np.pi)


def _balance(block: Polygon, angle: float, share: float, weigh: Callable[[BaseGeometry], float]) -> float:
    """Return the offset along `angle` at which a straight cut leaves `share` of the weight before it."""
    turned = _turn(block, -angle)
    west, south, east, north = turned.bounds
    total = weigh(block)
    low, high = west, east
    for _ in range(9):
        middle = (low + high) / 2
        before = shapely.clip_by_rect(turned, west - 1, south - 1, middle, north + 1)
        if before.is_empty or weigh(_turn(before, angle)) < share * total:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _turn(block: BaseGeometry, angle: float) -> BaseGeometry:
    matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    turned: BaseGeometry = shapely.transform(block, lambda c: c @ matrix)
    return turned


def _street(
    block: Polygon, angle: float, place: float, rng: np.random.Generator, ends: Ends | None, bend: float
) -> LineString | None:
    """Return the street across a block at an offset along `angle`, from edge to edge."""
    along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    reach = float(np.hypot(*np.ptp(shapely.get_coordinates(block), axis=0)))
    middle = across * float(np.dot(across, shapely.get_coordinates(block.centroid)[0]))
    straight = LineString([along * place + middle - across * reach, along * place + middle + across * reach])
    pieces = [p for p in shapely.get_parts(shapely.intersection(block, straight)) if isinstance(p, LineString)]
    if not pieces:
        return None
    longest = max(pieces, key=lambda piece: piece.length)
    first, last = ((float(point[0]), float(point[1])) for point in (longest.coords[0], longest.coords[-1]))
    ring = LineString(block.exterior.coords)
    if ends is not None:
        first, last = ends.near(first, ring) or first, ends.near(last, ring) or last
    a, b = np.array(first), np.array(last)
    length = float(np.hypot(*(b - a)))
    if length < 15:
        return None
    count = max(int(length / 70), 1)
    share = np.linspace(0, 1, count + 1)[1:-1, None]
    bow = float(rng.normal(0, bend)) * length * np.sin(np.pi * share)
    bow = bow + float(rng.normal(0, bend / 3)) * length * np.sin(2 * np.pi * share)
    normal = np.array([-(b - a)[1], (b - a)[0]]) / length
    return LineString(np.round(np.vstack([a, a + share * (b - a) + bow * normal, b]), 2))


def _parts(block: Polygon, line: LineString) -> list[Polygon] | None:
    """Return both sides of a street, or None where it does not make exactly two."""
    # The ends are lengthened by a few centimetres: rounded, they may stop short of the edge.
    coords = np.array(line.coords)
    for end, inner in ((0, 1), (-1, -2)):
        out = coords[end] - coords[inner]
        coords[end] = coords[end] + out / np.hypot(*out) * 0.05
    noded = shapely.get_parts(
        shapely.union_all([LineString(block.exterior.coords), LineString(coords)], grid_size=GRID_M)
    )
    found = [part for part in shapely.get_parts(shapely.polygonize(noded)) if part.area > 1]
    inside = [
        part for part in found if shapely.contains_xy(block, *shapely.get_coordinates(part.point_on_surface())[0])
    ]
    if len(inside) != 2 or abs(sum(part.area for part in inside) - block.area) > 0.002 * block.area:
        return None
    return inside
