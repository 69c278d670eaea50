"""Spots where something may be reported: on streets and in courtyards, each with its place in words.

The words are made as people write them: `解放路与建设街交叉口向西80米路南`, `惠民小区3号楼北侧`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from mapsvc.demo.land import Drawn, Land
from mapsvc.demo.streets import WIDTH_M
from mapsvc.demo.town import Town

AT_CROSSING_M = 25.0
FAR_FROM_CROSSING_M = 320.0
YARD_M = (3.0, 6.5)
"""How far from a house's wall something lies in its yard."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Spots:
    """Places, a row each: WGS 84 degrees, metres in the town's frame, the row of the grid, on a street or in a yard."""

    lon: Floats
    lat: Floats
    x_m: Floats
    y_m: Floats
    grid: NDArray[np.int64]
    on_street: NDArray[np.bool_]
    texts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.texts)


def make_spots(town: Town, seed: int, per_grid: int) -> Spots:
    """Return about `per_grid` spots for each grid, more of them on streets; `grid` are rows of `town.at("grid")`."""
    rng = np.random.default_rng(seed + 2)
    count = per_grid * len(town.at("grid"))
    street, street_texts = _on_streets(town.land, rng, round(count * 0.55))
    yard, yard_texts = _in_yards(town.land, rng, count - round(count * 0.55))
    metres = np.vstack([street, yard])
    lon, lat = town.land.frame.from_metres(metres[:, 0], metres[:, 1])
    borders = np.array([grid.border for grid in town.at("grid")], dtype=object)
    which, grid = shapely.STRtree(borders).query(shapely.points(lon, lat), predicate="intersects")
    inside = np.full(len(metres), -1)
    inside[which] = grid
    kept = np.flatnonzero(inside >= 0)
    texts = [*street_texts, *yard_texts]
    return Spots(
        lon[kept], lat[kept], metres[kept, 0], metres[kept, 1], inside[kept], kept < len(street),
        tuple(texts[int(n)] for n in kept),
    )  # fmt: skip


# -- on streets


def _on_streets(land: Land, rng: np.random.Generator, count: int) -> tuple[Floats, list[str]]:
    """Return points at the kerbs of named streets, with their words."""
    roads = [road for road in land.roads if road.name]
    lines = land.frame.geometries_to_metres([road.geometry for road in roads])
    length = shapely.length(lines) * np.array(
        [2.0 if road.kind in ("arterial", "secondary") else 1.0 for road in roads]
    )
    crossings = _crossings(roads, lines)
    chosen = rng.choice(len(roads), size=count, p=length / length.sum())
    along = rng.random(count)
    side = np.where(rng.random(count) < 0.5, -1.0, 1.0)
    before = shapely.get_coordinates(
        shapely.line_interpolate_point(lines[chosen], np.maximum(along - 0.01, 0), normalized=True)
    )
    after = shapely.get_coordinates(
        shapely.line_interpolate_point(lines[chosen], np.minimum(along + 0.01, 1), normalized=True)
    )
    middle = shapely.get_coordinates(shapely.line_interpolate_point(lines[chosen], along, normalized=True))
    way = (after - before) / np.maximum(np.hypot(*(after - before).T), 1e-9)[:, None]
    reach = np.array([WIDTH_M[road.kind] / 2 - 1.5 for road in roads])[chosen] * rng.uniform(0.8, 1.05, count)
    normal = np.column_stack([-way[:, 1], way[:, 0]]) * (side * reach)[:, None]
    texts = [_street_words(roads[int(n)], middle[row], normal[row], crossings[int(n)]) for row, n in enumerate(chosen)]
    return middle + normal, texts


Crossing = tuple[float, float, str]


def _crossings(roads: Sequence[Drawn], lines: NDArray[np.object_]) -> list[list[Crossing]]:
    """Return for each street where it meets others of another name."""
    found: list[list[Crossing]] = [[] for _ in roads]
    a, b = shapely.STRtree(lines).query(lines, predicate="dwithin", distance=1.0)
    for one, other in zip(a.tolist(), b.tolist(), strict=True):
        if roads[one].name == roads[other].name:
            continue
        near = shapely.shortest_line(lines[one], lines[other])
        x, y = shapely.get_coordinates(near)[0]
        found[one].append((float(x), float(y), roads[other].name))
    return found


def _street_words(road: Drawn, at: Floats, normal: Floats, crossings: Sequence[Crossing]) -> str:
    side = _side(normal)
    if not crossings:
        return f"{road.name}{side}"
    x, y, other = min(crossings, key=lambda crossing: math.hypot(crossing[0] - at[0], crossing[1] - at[1]))
    distance = math.hypot(x - at[0], y - at[1])
    if distance < AT_CROSSING_M:
        return f"{road.name}与{other}交叉口"
    if distance > FAR_FROM_CROSSING_M:
        return f"{road.name}中段{side}"
    return f"{road.name}与{other}交叉口向{_compass(at[0] - x, at[1] - y)}{round(distance, -1):.0f}米{side}"


def _side(normal: Floats) -> str:
    return "路" + _compass(float(normal[0]), float(normal[1]))


def _compass(east: float, north: float) -> str:
    if abs(east) > abs(north):
        return "东" if east > 0 else "西"
    return "北" if north > 0 else "南"


# -- in yards


def _in_yards(land: Land, rng: np.random.Generator, count: int) -> tuple[Floats, list[str]]:
    """Return points before, behind and beside houses, with their words; houses of many households more often."""
    houses = [
        (f"{compound.name}{number}号楼", house)
        for compound in land.compounds
        for number, house in enumerate(compound.houses, start=1)
    ]
    weights = np.array([house.households + 4.0 for _, house in houses])
    chosen = rng.choice(len(houses), size=count, p=weights / weights.sum())
    footprints = land.frame.geometries_to_metres([house.border for _, house in houses])[chosen]
    along = rng.random(count)
    edge = shapely.get_coordinates(
        shapely.line_interpolate_point(shapely.get_exterior_ring(footprints), along, normalized=True)
    )
    centre = shapely.get_coordinates(shapely.centroid(footprints))
    out = edge - centre
    out /= np.maximum(np.hypot(*out.T), 1e-9)[:, None]
    points = edge + out * rng.uniform(*YARD_M, count)[:, None]
    texts = []
    for row, n in enumerate(chosen):
        text, _ = houses[int(n)]
        direction = _compass(float(out[row, 0]), float(out[row, 1]))
        texts.append(text + {"南": "楼前", "北": "楼后", "东": "东侧", "西": "西侧"}[direction])
    return points, [text.replace("号楼楼", "号楼") for text in texts]
