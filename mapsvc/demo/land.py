"""The ground of a demo town in WGS 84: grids, compounds with houses and households, roads, water, green.

From the plan in metres (`streets`, `houses`) to borders on the 1e-8 degree lattice. What two grids share is
drawn once: all lines are noded together before anything is made of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import LineString, Polygon
from shapely.geometry.base import BaseGeometry

from mapsvc.demo import naming
from mapsvc.demo.houses import FLATS_PER_FLOOR, House, build_compound, build_landmark
from mapsvc.demo.profiles import Profile
from mapsvc.demo.streets import WIDTH_M, Block, Net, Road, lay_out
from mapsvc.geo.lattice import snap_geometries
from mapsvc.geo.measure import LocalFrame

Geometries = NDArray[np.object_]

NODED_M = 0.05
SETBACK_M = 2.5
WALL_M = 1.0
RAIL_M = 22.0
BAND = (312, 492)
"""Households of a grid: planners keep to 300 to 500, and so do nearly all grids here."""
TOO_LARGE = {31: 538, 76: 521}
"""Two grids have outgrown the band, so that a planner finds something to split."""
GREEN = ("park", "garden", "square")
MARGIN_M = 1_500.0
"""So far beyond the outline roads, water and green are drawn, for the look of the map."""
PARTING = {"water": 0.03, "rail": 0.03, "arterial": 0.1, "secondary": 0.35, "tertiary": 0.8}
"""What it costs to part two grids along a metre of such a street; along any other one."""


@dataclass(frozen=True)
class Group:
    """A residents' group: some stairwells of one building."""

    name: str
    border: BaseGeometry
    households: int


@dataclass(frozen=True)
class Building:
    """A building with its households; `groups` is empty where nobody lives."""

    border: BaseGeometry
    kind: str
    floors: int
    households: int
    groups: tuple[Group, ...] = ()


@dataclass(frozen=True)
class Compound:
    """A compound (小区, 楼院): its wall, and its houses numbered from the north-west."""

    name: str
    grid: int
    era: str
    border: BaseGeometry
    houses: tuple[Building, ...]


@dataclass(frozen=True)
class Drawn:
    """One thing of the base map: a line or polygon in WGS 84 with its name and kind."""

    layer: str
    kind: str
    name: str
    geometry: BaseGeometry
    households: int = 0


@dataclass(frozen=True, eq=False)
class Land:
    """Everything that lies on the ground of a town; grids in the order of `streets.lay_out`.

    `centres_m` are metres in `frame`, for neighbourhood only; `ties` the cost of parting each grid from its
    neighbours. `landmarks` are buildings outside compounds.
    """

    frame: LocalFrame
    grids: Geometries
    centres_m: NDArray[np.float64]
    ties: Sequence[Mapping[int, float]]
    households: NDArray[np.int64]
    uses: Mapping[int, str]
    compounds: tuple[Compound, ...]
    roads: tuple[Drawn, ...]
    backdrop: tuple[Drawn, ...]
    landmarks: tuple[Drawn, ...]


def make_land(profile: Profile, seed: int) -> Land:
    """Draw the ground of a town."""
    net = lay_out(profile, seed)
    rng = np.random.default_rng(seed + 1)
    frame = LocalFrame(*profile.centre)
    roads = _name_roads(net, rng)
    blocks, owner = _noded(net)
    grounds = np.array([shapely.coverage_union_all(blocks[owner == n]) for n in range(int(owner.max()) + 1)])
    grids = snap_geometries(_to_wgs84(shapely.coverage_simplify(grounds, 0.8), frame))
    built = _build(net, rng)
    compounds, households = _people(profile, net, built, frame, rng)
    uses = {int(grid): "bank" for grid in np.flatnonzero(households == 0)} | net.uses
    return Land(
        frame=frame,
        grids=grids,
        centres_m=shapely.get_coordinates(shapely.centroid(grounds)),
        ties=_ties(grounds, net),
        households=households,
        uses=uses,
        compounds=compounds,
        roads=_drawn([("road", road.kind, road.name, road.line) for road in roads], frame),
        backdrop=_backdrop(net, profile.plan.river_name, frame),
        landmarks=_landmarks(net, built, frame),
    )


def _noded(net: Net) -> tuple[Geometries, NDArray[np.int64]]:
    """Return the blocks with every vertex that a neighbour has on their edge, and the grid of each.

    Cut at different times, the two sides of a street may differ by a centimetre: the slivers between them
    belong to the neighbour along which they lie.
    """
    rings = [LineString(block.ground.exterior.coords) for block in net.blocks]
    noded = shapely.union_all(np.array(rings, dtype=object), grid_size=NODED_M)
    found = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    seeds = shapely.point_on_surface(np.array([block.ground for block in net.blocks], dtype=object))
    block, face = shapely.STRtree(found).query(seeds, predicate="within")
    grid = np.full(len(found), -1)
    grid[face] = [net.blocks[int(n)].grid for n in block]
    for sliver in np.flatnonzero(grid < 0):
        shared = shapely.length(shapely.intersection(found, found[sliver]))
        shared[grid < 0] = 0
        grid[sliver] = grid[int(np.argmax(shared))]
    return found, grid


def _to_wgs84(geometries: Geometries, frame: LocalFrame) -> Geometries:
    moved: Geometries = shapely.transform(geometries, lambda c: np.column_stack(frame.from_metres(c[:, 0], c[:, 1])))
    return moved


Sketch = tuple[str, str, str, BaseGeometry]


def _drawn(sketches: Sequence[Sketch], frame: LocalFrame) -> tuple[Drawn, ...]:
    """Bring (layer, kind, name, geometry in metres) to the lattice."""
    if not sketches:
        return ()
    moved = snap_geometries(_to_wgs84(np.array([sketch[3] for sketch in sketches], dtype=object), frame))
    return tuple(
        Drawn(layer, kind, name, geometry) for (layer, kind, name, _), geometry in zip(sketches, moved, strict=True)
    )


def _ties(grounds: Geometries, net: Net) -> tuple[dict[int, float], ...]:
    """Return for each grid what parting it from each neighbour costs: metres of common border by their street."""
    a, b = shapely.STRtree(grounds).query(grounds, predicate="touches")
    shared = shapely.intersection(grounds[a], grounds[b])
    length = shapely.length(shared)
    named = [road for road in net.roads if road.kind in PARTING]
    lines = [*(road.line for road in named), net.river, net.rail]
    price = [*(PARTING[road.kind] for road in named), PARTING["water"], PARTING["rail"]]
    middle = shapely.line_interpolate_point(shapely.line_merge(shared), 0.5, normalized=True)
    ties: list[dict[int, float]] = [{} for _ in grounds]
    tree = shapely.STRtree(lines)
    for i, j, metres, point in zip(a.tolist(), b.tolist(), length.tolist(), middle, strict=True):
        if metres <= 0:
            continue
        factor = 1.0
        if point is not None and not shapely.is_empty(point):
            near = tree.query(point, predicate="dwithin", distance=6.0)
            factor = min((price[int(n)] for n in near), default=1.0)
        ties[i][j] = metres * factor
    return tuple(ties)


# -- streets


def _name_roads(net: Net, rng: np.random.Generator) -> list[Road]:
    """Name every street; one that goes on across a junction in the same direction keeps its name."""
    north, east = naming.street_names(rng, [road.name for road in net.roads if road.name])
    known: dict[tuple[float, float], list[tuple[float, str]]] = {}
    named: list[Road] = []
    for road in net.roads:
        name = road.name
        bearing = _bearing(road.line)
        ends = [(point[0], point[1]) for point in (road.line.coords[0], road.line.coords[-1])]
        if not name and road.kind in ("tertiary", "street"):
            on = [found for end in ends for turn, found in known.get(end, ()) if _turned(turn, bearing) < 0.35]
            name = on[0] if on else next(north if 0.25 * np.pi < bearing < 0.75 * np.pi else east)
        if name:
            for end in ends:
                known.setdefault(end, []).append((bearing, name))
        named.append(Road(road.line, road.kind, name))
    return named


def _bearing(line: LineString) -> float:
    (ax, ay), (bx, by) = line.coords[0][:2], line.coords[-1][:2]
    return float(np.arctan2(by - ay, bx - ax) % np.pi)


def _turned(one: float, other: float) -> float:
    return min(abs(one - other), np.pi - abs(one - other))


# -- houses and who lives in them


def _build(net: Net, rng: np.random.Generator) -> list[list[House]]:
    """Return the houses of each block, clear of streets, water and railway."""
    taken: list[BaseGeometry] = [
        road.line.buffer(WIDTH_M[road.kind] / 2 + SETBACK_M, quad_segs=2) for road in net.roads
    ]
    taken += [net.bank, net.rail.buffer(RAIL_M)]
    tree = shapely.STRtree(taken)
    found: list[list[House]] = []
    for block in net.blocks:
        near = [taken[int(n)] for n in tree.query(block.ground, predicate="intersects")]
        free = _largest(shapely.difference(block.ground, shapely.union_all(near)))
        free = _largest(free.buffer(-1.5))
        if block.use == "garden":
            found.append([])
        elif block.use:
            found.append(build_landmark(free, block.use, rng))
        else:
            found.append(build_compound(free, block.era, rng))
    return found


def _largest(geometry: BaseGeometry) -> BaseGeometry:
    parts = [part for part in shapely.get_parts(geometry) if isinstance(part, Polygon)]
    return max(parts, key=lambda part: part.area) if parts else Polygon()


def _people(
    profile: Profile, net: Net, built: list[list[House]], frame: LocalFrame, rng: np.random.Generator
) -> tuple[tuple[Compound, ...], NDArray[np.int64]]:
    """Fill the houses: each grid gets its households, spread over its flats; stairwells make groups."""
    names = naming.compound_names(rng)
    homes = [
        (block, houses)
        for block, houses in zip(net.blocks, built, strict=True)
        if not block.use and any(house.stairs for house in houses)
    ]
    grids = max(block.grid for block in net.blocks) + 1
    flats = np.zeros(grids)
    for block, houses in homes:
        flats[block.grid] += sum(len(house.stairs) * house.floors * FLATS_PER_FLOOR for house in houses)
    wanted = np.clip(rng.normal(398, 44, grids), *BAND).astype(np.int64)
    for grid, households in TOO_LARGE.items():
        wanted[grid % grids] = households
    wanted[flats == 0] = 0
    filled = _fill(homes, wanted)
    groups = _group(profile, homes, filled)
    plans = [
        _Plan(next(names[block.era]), block, houses, each, ours)
        for (block, houses), each, ours in zip(homes, filled, groups, strict=True)
    ]
    return _compounds(plans, frame), wanted


Homes = Sequence[tuple[Block, Sequence[House]]]


def _fill(homes: Homes, wanted: NDArray[np.int64]) -> list[list[list[int]]]:
    """Return the households of every stairwell: by its flats, adding up to what each grid wants."""
    flats: list[list[tuple[int, int, int, float]]] = [[] for _ in wanted]
    filled = [[[0] * len(house.stairs) for house in houses] for _, houses in homes]
    for c, (block, houses) in enumerate(homes):
        for h, house in enumerate(houses):
            for s in range(len(house.stairs)):
                flats[block.grid].append((c, h, s, float(house.floors * FLATS_PER_FLOOR)))
    for grid, places in enumerate(flats):
        if not places:
            continue
        sizes = np.array([place[3] for place in places])
        ideal = sizes / sizes.sum() * wanted[grid]
        whole = np.floor(ideal).astype(int)
        rest = int(wanted[grid] - whole.sum())
        whole[np.argsort(whole - ideal, kind="stable")[:rest]] += 1
        for (c, h, s, _), households in zip(places, whole.tolist(), strict=True):
            filled[c][h][s] = households
    return filled


def _group(profile: Profile, homes: Homes, filled: list[list[list[int]]]) -> list[list[list[tuple[int, int]]]]:
    """Return for each house the runs of stairwells that are one group: exactly as many groups as there are heads.

    Where a town tells of no heads it has no groups either. Heads above the groups are those of streets, communities,
    patches (but one), grids, compounds, buildings.
    """
    houses = [(c, h, len(stairs)) for c, each in enumerate(filled) for h, stairs in enumerate(each)]
    above = len(profile.street_names) + profile.communities + profile.patches - 1 + profile.grids
    wanted = profile.heads - above - len(homes) - len(houses)
    runs = [[[(s, s + 1) for s in range(len(stairs))] for stairs in each] for each in filled]
    if not profile.heads:
        return [[[] for _ in each] for each in filled]
    total = sum(count for _, _, count in houses)
    assert len(houses) <= wanted <= total, "the houses have stairwells enough for so many groups, and not too few"
    # The smallest stairwells of a house are joined first, house by house, until the number is right.
    order = sorted(
        (filled[c][h][s] + filled[c][h][s + 1], c, h, s) for c, h, count in houses for s in range(0, count - 1, 2)
    )
    for _, c, h, s in order[: total - wanted]:
        runs[c][h] = [run for run in runs[c][h] if run[0] not in (s, s + 1)] + [(s, s + 2)]
        runs[c][h].sort()
    assert sum(len(each) for compound in runs for each in compound) == wanted, "as many groups as heads"
    return runs


@dataclass(frozen=True)
class _Plan:
    """A compound before its borders are in degrees: households by stairwell, and the runs that are groups."""

    name: str
    block: Block
    houses: Sequence[House]
    filled: Sequence[Sequence[int]]
    groups: Sequence[Sequence[tuple[int, int]]]


def _compounds(plans: Sequence[_Plan], frame: LocalFrame) -> tuple[Compound, ...]:
    """Bring all compounds to the lattice at once, each with its houses and their groups."""
    parts: list[BaseGeometry] = []
    for plan in plans:
        parts.append(_largest(plan.block.ground.buffer(-SETBACK_M - WALL_M, join_style="mitre")))
        for house, runs in zip(plan.houses, plan.groups, strict=True):
            parts.append(house.footprint)
            parts += [_run(house.stairs[a:b]) for a, b in runs]
    moved = iter(snap_geometries(_to_wgs84(np.array(parts, dtype=object), frame)))
    compounds = []
    for plan in plans:
        wall = next(moved)
        buildings = []
        for house, stairs, runs in zip(plan.houses, plan.filled, plan.groups, strict=True):
            footprint = next(moved)
            found = tuple(Group(_stairs_name(a, b, len(stairs)), next(moved), sum(stairs[a:b])) for a, b in runs)
            buildings.append(Building(footprint, house.kind, house.floors, sum(stairs), found))
        compounds.append(Compound(plan.name, plan.block.grid, plan.block.era, wall, tuple(buildings)))
    return tuple(compounds)


def _run(stairs: Sequence[Polygon]) -> Polygon:
    """Return the ground of stairwells that follow each other, each a rectangle (low left, low right, up, up)."""
    first, last = stairs[0].exterior.coords, stairs[-1].exterior.coords
    return Polygon((first[0], last[1], last[2], first[3]))


def _stairs_name(first: int, end: int, of: int) -> str:
    if of == 1:
        return ""
    return f"{first + 1}单元" if end == first + 1 else f"{first + 1}至{end}单元"


# -- the rest of the base map


def _backdrop(net: Net, river: str, frame: LocalFrame) -> tuple[Drawn, ...]:
    view = shapely.box(*net.outline.bounds).buffer(MARGIN_M)
    green = shapely.difference(shapely.intersection(net.bank, view), net.water)
    found: list[Sketch] = [("water", "river", river, shapely.intersection(net.water, view))]
    found += [("green", "bank", "滨河绿地", part) for part in shapely.get_parts(green) if part.area > 50]
    for block in net.blocks:
        inset = _largest(block.ground.buffer(-8.0, join_style="mitre"))
        if block.use == "park":
            inset = _largest(shapely.difference(inset, net.bank))
        if inset.is_empty or not block.use:
            continue
        found.append(("green" if block.use in GREEN else "site", block.use, naming.LANDMARKS[block.use], inset))
    found.append(("rail", "rail", "铁路", shapely.intersection(net.rail, view)))
    return _drawn(found, frame)


def _landmarks(net: Net, built: list[list[House]], frame: LocalFrame) -> tuple[Drawn, ...]:
    found = [
        ("building", house.kind, naming.LANDMARKS[block.use], house.footprint)
        for block, houses in zip(net.blocks, built, strict=True)
        if block.use
        for house in houses
    ]
    return _drawn(found, frame)
