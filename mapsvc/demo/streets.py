"""The streets of a demo town and the ground between them: avenues, streets, lanes, blocks.

The avenues of the plan enclose quarters; each quarter is cut by streets into as many grids as it has
people for, and each grid by lanes into compounds. A cut is a street, so every border of a grid runs along
the middle of a street, a river or a railway.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import shapely
from shapely.geometry import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry

from mapsvc.demo.cutting import Ends, cut, faces, smooth
from mapsvc.demo.profiles import Plan, Profile

WIDTH_M = {"arterial": 34.0, "secondary": 24.0, "promenade": 14.0, "tertiary": 15.0, "street": 10.0, "lane": 6.0}
"""Kinds of roads, the widest first, with their widths from wall to wall."""

SMALLEST_QUARTER_M2 = 14_000
EMPTY = {"park", "station", "works", "stadium"}
"""Landmarks that hardly anybody lives in."""
COURTYARDS_M2 = {"old": 5_500.0, "mid": 11_000.0, "new": 19_000.0}


@dataclass(frozen=True)
class Road:
    """A street as drawn: its middle line in metres, its kind, and the direction by which it is named."""

    line: LineString
    kind: str
    name: str = ""


@dataclass(frozen=True)
class Block:
    """One compound's ground, up to the middle of the streets round it. `use` is empty for housing."""

    ground: Polygon
    grid: int
    era: str
    use: str


@dataclass(frozen=True, eq=False)
class Net:
    """Roads, blocks and water of a town in metres. `uses` names each grid that is no housing."""

    roads: tuple[Road, ...]
    blocks: tuple[Block, ...]
    outline: Polygon
    water: BaseGeometry
    bank: BaseGeometry
    rail: LineString
    river: LineString
    uses: dict[int, str]


@dataclass
class _Drawing:
    plan: Plan
    rng: np.random.Generator
    ends: Ends = field(default_factory=Ends)
    roads: list[Road] = field(default_factory=list)

    def era(self, x: float, y: float) -> str:
        """Return what was built here: the old town, the years between, or towers."""
        old_x, old_y, old_radius = self.plan.old_town
        if np.hypot(x - old_x, y - old_y) < old_radius:
            return "old"
        if any(np.hypot(x - n[0], y - n[1]) < n[2] for n in self.plan.new_town):
            return "new"
        return "mid"

    def density(self, block: BaseGeometry) -> float:
        """Return the weight of a block: its ground times how many people live on a hectare there."""
        if block.is_empty:
            return 0.0
        x, y = shapely.get_coordinates(block.centroid)[0]
        old_x, old_y, radius = self.plan.old_town
        from_old = np.hypot(x - old_x, y - old_y) / radius
        towers = max((np.exp(-((np.hypot(x - n[0], y - n[1]) / n[2]) ** 2)) for n in self.plan.new_town), default=0.0)
        return float(block.area * (0.6 + 1.3 * np.exp(-(from_old**2)) + 0.3 * towers))


def lay_out(profile: Profile, seed: int) -> Net:
    """Draw the town: the same for the same seed on every machine."""
    plan = profile.plan
    drawing = _Drawing(plan, np.random.default_rng(seed))
    outline = _outline(plan)
    river = smooth(plan.river)
    quarters = _quarters(plan, outline, river, drawing)
    grids = _cut_quarters(quarters, profile.grids, drawing)
    uses = _landmarks(plan, grids)
    blocks = [block for number, ground in enumerate(grids) for block in _cut_grid(number, ground, uses, drawing)]
    blocks = _set_aside(blocks)
    width = plan.river_width_m
    water = river.buffer(width / 2, join_style="round")
    promenades = [smooth(avenue.course) for avenue in plan.avenues if avenue.kind == "promenade"]
    bank = _bank(river, width, promenades)
    roads = tuple(_off_the_river(road, bank, water) for road in drawing.roads)
    return Net(
        roads=tuple(road for road in roads if not road.line.is_empty),
        blocks=tuple(blocks),
        outline=outline,
        water=water,
        bank=bank,
        rail=_railway(plan),
        river=river,
        uses=uses,
    )


def _outline(plan: Plan) -> Polygon:
    sides = [smooth(side.course) for side in plan.outline]
    (whole,) = faces(sides)
    return whole


def _railway(plan: Plan) -> LineString:
    """Return the railway: along the side of the outline that it is, and on beyond both ends."""
    side = next((smooth(each.course) for each in plan.outline if each.kind == "rail"), None)
    if side is None:
        return smooth(plan.railway)
    return LineString([plan.railway[0], *side.coords, plan.railway[-1]])


def _quarters(plan: Plan, outline: Polygon, river: LineString, drawing: _Drawing) -> list[Polygon]:
    """Return the faces between the avenues, the river and the outline; slivers go to a neighbour."""
    lines = [LineString(outline.exterior.coords)]
    for avenue in (*plan.outline, *plan.avenues):
        line = smooth(avenue.course)
        if avenue.kind != "rail":
            drawing.roads.append(Road(line, avenue.kind, avenue.name))
        if avenue in plan.avenues and avenue.kind != "promenade":
            lines.append(line)
    lines.append(river)
    found = [face for face in faces(lines) if outline.contains(face.representative_point())]
    return _join_slivers(found)


def _join_slivers(found: list[Polygon]) -> list[Polygon]:
    while True:
        small = min(range(len(found)), key=lambda n: found[n].area)
        if found[small].area >= SMALLEST_QUARTER_M2:
            return found
        sliver = found.pop(small)
        shared = shapely.length(shapely.intersection(np.array(found), sliver))
        best = int(np.argmax(shared))
        joined = shapely.coverage_union_all([found[best], sliver])
        assert isinstance(joined, Polygon), "a sliver touches its neighbour along an edge"
        found[best] = joined


def _cut_quarters(quarters: list[Polygon], grids: int, drawing: _Drawing) -> list[Polygon]:
    """Cut the quarters into exactly so many grids, each quarter as many as its weight earns."""
    weights = np.array([drawing.density(quarter) for quarter in quarters])
    counts = _shares(weights, grids)
    waiting = list(zip(quarters, counts, strict=True))
    done: list[Polygon] = []
    while waiting:
        block, count = waiting.pop()
        if count == 1:
            done.append(block)
            continue
        less = count // 2
        share = less / count + float(drawing.rng.normal(0, 0.02))
        made = cut(block, share, drawing.density, drawing.rng, drawing.ends)
        assert made is not None, "a quarter of this size can be cut"
        kind = "tertiary" if count >= 4 else "street"
        drawing.roads.append(Road(made.line, kind))
        drawing.ends.add(made.line)
        waiting += [(made.parts[0], less), (made.parts[1], count - less)]
    return sorted(done, key=lambda each: (round(-each.centroid.y, 2), round(each.centroid.x, 2)))


def _shares(weights: np.ndarray, total: int) -> list[int]:
    """Return whole numbers that add up to `total`, each at least one, as near to the weights as can be."""
    ideal = weights / weights.sum() * total
    counts = np.maximum(np.floor(ideal), 1).astype(int)
    while counts.sum() < total:
        counts[int(np.argmax(ideal / (counts + 0.5)))] += 1
    while counts.sum() > total:
        spare = np.where(counts > 1, (counts - 0.5) / ideal, -1)
        counts[int(np.argmax(spare))] -= 1
    return [int(count) for count in counts]


def _landmarks(plan: Plan, grids: list[Polygon]) -> dict[int, str]:
    """Return which grids are landmarks: the one that holds each point, or the nearest that is still free."""
    uses: dict[int, str] = {}
    for x, y, use in plan.landmarks:
        far = shapely.distance(np.array(grids), Point(x, y))
        far[list(uses)] = np.inf
        uses[int(np.argmin(far))] = use
    return uses


def _cut_grid(number: int, ground: Polygon, uses: dict[int, str], drawing: _Drawing) -> list[Block]:
    """Cut a grid by lanes into compounds; a landmark stays whole."""
    use = uses.get(number, "")
    if use:
        return [Block(ground, number, "mid", use)]
    x, y = shapely.get_coordinates(ground.centroid)[0]
    era = drawing.era(x, y)
    parts = max(round(ground.area / COURTYARDS_M2[era]), 2)
    return [Block(each, number, era, "") for each in _cut_evenly(ground, parts, drawing)]


def _ground(block: BaseGeometry) -> float:
    return float(block.area)


def _cut_evenly(ground: Polygon, parts: int, drawing: _Drawing) -> list[Polygon]:
    if parts == 1:
        return [ground]
    less = parts // 2
    made = cut(ground, less / parts, _ground, drawing.rng, drawing.ends, bend=0.012)
    if made is None:
        return [ground]
    drawing.roads.append(Road(made.line, "lane"))
    drawing.ends.add(made.line)
    return [*_cut_evenly(made.parts[0], less, drawing), *_cut_evenly(made.parts[1], parts - less, drawing)]


def _set_aside(blocks: list[Block]) -> list[Block]:
    """Give the largest compound of some grids to a school, and of some others to a garden."""
    changed = list(blocks)
    by_grid: dict[int, list[int]] = {}
    for place, block in enumerate(blocks):
        by_grid.setdefault(block.grid, []).append(place)
    for grid, places in by_grid.items():
        use = {5: "school", 9: "garden"}.get(grid % 13, "")
        if use and len(places) > 2:
            order = sorted(places, key=lambda place: blocks[place].ground.area)
            chosen = order[-1] if use == "school" else order[0]
            changed[chosen] = replace(blocks[chosen], use=use)
    return changed


def _bank(river: LineString, width: float, promenades: list[LineString]) -> BaseGeometry:
    """Return the green along the water: up to the promenade on its side, a strip on the other."""
    strip: BaseGeometry = river.buffer(width / 2 + 26)
    for line in promenades:
        between = Polygon([*line.coords, *reversed(river.coords)])
        strip = shapely.union(strip, shapely.make_valid(between))
    return strip


def _off_the_river(road: Road, bank: BaseGeometry, water: BaseGeometry) -> Road:
    """End small streets before the bank; only avenues cross, by a bridge."""
    if road.kind in ("arterial", "secondary", "promenade"):
        return road
    return Road(_longest(shapely.difference(road.line, bank)), road.kind, road.name)


def _longest(geometry: BaseGeometry) -> LineString:
    pieces = [each for each in shapely.get_parts(geometry) if each.geom_type == "LineString" and each.length > 12]
    return max(pieces, key=lambda each: each.length) if pieces else LineString()
