"""The ground of the demo town: an invented district as a clean coverage of a few hundred grids.

Street blocks on a bent and turned net, every border drawn once and used by both neighbours, so that
no gap or overlap can arise; communities, streets and patches are grown over the blocks as
neighbourhoods, patches without regard for communities, as in real districts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from mapsvc.geo.lattice import snap_geometries
from mapsvc.geo.measure import LocalFrame

CENTRE_LON, CENTRE_LAT = 123.062, 41.914
SEED = 20_261_123
NET = 21
BLOCK_M = (330.0, 285.0)
DISTRICT = ("990101", "青禾区")
STREETS = ("东升街道", "西苑街道", "南湖街道", "北园街道", "中和街道")
COMMUNITY_NAMES = (
    "惠民", "和平", "光明", "新华", "建设", "幸福", "友谊", "团结", "育才", "文化", "春风", "朝阳",
    "清泉", "安居", "永安", "吉祥", "长青", "丰收", "柳林", "松园", "竹苑", "梅园", "兰亭", "杏花",
    "桃源", "枫桥", "梧桐", "银杏", "石桥", "水岸", "河湾", "湖畔", "山前", "坡下", "城南", "城北",
    "东关", "西关", "站前", "市场", "书院", "钟楼", "鼓楼", "粮站", "纺织", "机床",
)  # fmt: skip
GRIDS_PER_COMMUNITY = 7.5
PATCHES = 22


@dataclass(frozen=True)
class DemoArea:
    """One area of the town; `parents` maps a level to the code of the area that holds this one."""

    level: str
    code: str
    name: str
    border: BaseGeometry
    parents: Mapping[str, str]
    kind: str = ""
    households: int | None = None


@dataclass(frozen=True)
class Town:
    """All areas, level by level from the district down to the grid; the same for every seed and machine."""

    areas: tuple[DemoArea, ...]

    def at(self, level: str) -> tuple[DemoArea, ...]:
        """Return the areas of one level in the order of their codes."""
        return tuple(area for area in self.areas if area.level == level)


def make_town(seed: int = SEED) -> Town:
    """Make the town; every border lies on the 1e-8 degree lattice in WGS 84."""
    rng = np.random.default_rng(seed)
    blocks = _blocks(rng)
    neighbours = _neighbours(blocks)
    households = np.clip(rng.normal(395, 62, len(blocks)), 210, 560).astype(int)
    centres = shapely.get_coordinates(shapely.centroid(blocks))
    community = _divide(centres, np.ones(len(blocks)), neighbours, round(len(blocks) / GRIDS_PER_COMMUNITY))
    street = _divide_communities(centres, neighbours, community)
    patch = _divide(centres, households.astype(float), neighbours, PATCHES)
    return Town(_name(blocks, community, street[community], patch, households, rng))


def _blocks(rng: np.random.Generator) -> NDArray[np.object_]:
    """Return the street blocks inside a rounded outline, each edge wiggled once for both its sides."""
    step = np.array(BLOCK_M)
    column, row = np.meshgrid(np.arange(NET + 1), np.arange(NET + 1), indexing="ij")
    nodes = np.stack([column, row], -1).astype(float) - NET / 2
    nodes = (nodes + rng.uniform(-0.16, 0.16, nodes.shape)) * step
    nodes[..., 1] += 150 * np.sin(nodes[..., 0] / 1150)  # the river that the streets follow
    angle = np.deg2rad(9)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    nodes = nodes @ turn.T
    frame = LocalFrame(CENTRE_LON, CENTRE_LAT)

    drawn: dict[tuple[int, int, int, int], NDArray[np.float64]] = {}

    def edge(i: int, j: int, k: int, m: int) -> NDArray[np.float64]:
        if (k, m) < (i, j):
            return edge(k, m, i, j)[::-1]
        if (i, j, k, m) not in drawn:
            a, b = nodes[i, j], nodes[k, m]
            share = np.linspace(0, 1, int(rng.integers(3, 6)))[:, None]
            bend = rng.normal(0, 5, share.shape) * ((share > 0) & (share < 1))
            along = b - a
            across = np.array([-along[1], along[0]]) / np.hypot(*along)
            drawn[i, j, k, m] = a + share * along + bend * across
        return drawn[i, j, k, m]

    rings = []
    for i in range(NET):
        for j in range(NET):
            middle = nodes[i : i + 2, j : j + 2].mean(axis=(0, 1))
            bearing = np.arctan2(middle[1], middle[0])
            reach = 0.47 * NET * step.mean() * (1 + 0.09 * np.sin(3 * bearing) + 0.05 * np.cos(5 * bearing))
            if np.hypot(*middle) > reach:
                continue
            corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)]
            sides = [edge(*corners[n], *corners[(n + 1) % 4])[:-1] for n in range(4)]
            x, y = np.concatenate(sides).T
            rings.append(shapely.Polygon(np.column_stack(frame.from_metres(x, y))))
    return snap_geometries(np.array(rings, dtype=object))


def _neighbours(blocks: NDArray[np.object_]) -> list[list[int]]:
    """Return for each block those that share a stretch of border with it, not only a corner."""
    a, b = shapely.STRtree(blocks).query(blocks, predicate="touches")
    shared = shapely.length(shapely.intersection(blocks[a], blocks[b])) > 0
    found: list[list[int]] = [[] for _ in blocks]
    for i, j in zip(a[shared].tolist(), b[shared].tolist(), strict=True):
        found[i].append(j)
    return [sorted(each) for each in found]


def _divide(
    centres: NDArray[np.float64], weight: NDArray[np.float64], neighbours: Sequence[Sequence[int]], count: int
) -> NDArray[np.int64]:
    """Return a group number per member: `count` connected groups of nearly equal weight.

    Halved again and again across the longer side (recursive bisection); what the cuts leave apart
    from its group joins the neighbour it touches most.
    """
    group = np.zeros(len(centres), dtype=np.int64)
    waiting = deque([(np.arange(len(centres)), 0, count)])
    while waiting:
        members, first, parts = waiting.popleft()
        if parts == 1:
            group[members] = first
            continue
        spread = np.cov(centres[members].T)
        along = centres[members] @ np.linalg.eigh(spread)[1][:, -1]
        order = members[np.argsort(along, kind="stable")]
        less = parts // 2
        cut = int(np.searchsorted(np.cumsum(weight[order]), weight[order].sum() * less / parts))
        waiting.append((order[:cut], first, less))
        waiting.append((order[cut:], first + less, parts - less))
    return _join_strays(group, neighbours)


def _join_strays(group: NDArray[np.int64], neighbours: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """Return the groups with every piece that lies apart from its group's largest piece given away."""
    joined = group.copy()
    for number in range(int(group.max()) + 1):
        pieces = _pieces(set(np.flatnonzero(joined == number).tolist()), neighbours)
        for stray in sorted(pieces, key=len)[:-1]:
            for member in sorted(stray):
                around = [int(joined[n]) for n in neighbours[member] if n not in stray]
                joined[member] = max(set(around), key=lambda g: (around.count(g), -g))
    return joined


def _pieces(members: set[int], neighbours: Sequence[Sequence[int]]) -> list[set[int]]:
    """Return the connected pieces of a set of members."""
    left, pieces = set(members), []
    while left:
        front = {min(left)}
        piece: set[int] = set()
        while front:
            piece |= front
            front = {n for m in front for n in neighbours[m] if n in left} - piece
        pieces.append(piece)
        left -= piece
    return pieces


def _divide_communities(
    centres: NDArray[np.float64], neighbours: Sequence[Sequence[int]], community: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the street number of each community."""
    count = int(community.max()) + 1
    members = [np.flatnonzero(community == c) for c in range(count)]
    middles = np.array([centres[each].mean(axis=0) for each in members])
    touching = [
        sorted({int(community[n]) for m in each for n in neighbours[int(m)]} - {c}) for c, each in enumerate(members)
    ]
    return _divide(middles, np.bincount(community).astype(float), touching, len(STREETS))


def _name(
    blocks: NDArray[np.object_],
    community: NDArray[np.int64],
    street: NDArray[np.int64],
    patch: NDArray[np.int64],
    households: NDArray[np.int64],
    rng: np.random.Generator,
) -> tuple[DemoArea, ...]:
    """Give every area its code and name; grids are numbered west to east, then north to south."""
    district_code, district_name = DISTRICT
    areas = [DemoArea("district", district_code, district_name, _union(blocks), {})]
    for s, name in enumerate(STREETS):
        code = f"{district_code}{s + 1:03d}"
        areas.append(DemoArea("street", code, name, _union(blocks[street == s]), {"district": district_code}))
    for p in range(PATCHES):
        inside = patch == p
        name = f"{p + 1:02d}片区"
        areas.append(
            DemoArea("patch", f"P{p + 1:02d}", name, _union(blocks[inside]), {"district": district_code},
                     households=int(households[inside].sum()))
        )  # fmt: skip
    special = set(rng.choice(len(blocks), size=len(blocks) // 24, replace=False).tolist())
    names = iter(COMMUNITY_NAMES)
    grids: list[DemoArea] = []
    for s in range(len(STREETS)):
        street_code = f"{district_code}{s + 1:03d}"
        for number, c in enumerate(np.unique(community[street == s]), start=1):
            code, members = f"{street_code}{number:03d}", np.flatnonzero(community == c)
            name = next(names)
            areas.append(
                DemoArea("community", code, f"{name}社区", _union(blocks[members]), {"street": street_code},
                         households=int(households[members].sum()))
            )  # fmt: skip
            for place, m in enumerate(_west_to_east(blocks[members]), start=1):
                block = int(members[m])
                exclusive = block in special
                grids.append(
                    DemoArea(
                        "grid",
                        f"{code}{place:03d}",
                        f"{name}{place:02d}{'专属' if exclusive else ''}网格",
                        blocks[block],
                        {"community": code, "patch": f"P{int(patch[block]) + 1:02d}"},
                        kind="专属" if exclusive else "综合",
                        households=int(households[block]),
                    )
                )
    return (*areas, *grids)


def _west_to_east(blocks: NDArray[np.object_]) -> NDArray[np.int64]:
    centre = shapely.get_coordinates(shapely.centroid(blocks))
    return np.lexsort((-centre[:, 1], centre[:, 0]))


def _union(blocks: NDArray[np.object_]) -> BaseGeometry:
    return shapely.coverage_union_all(blocks)
