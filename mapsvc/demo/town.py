"""A demo town whole: its areas from the district down to the stairwell, and the ground under them.

Streets are drawn first (`streets`), compounds and houses stand between them (`houses`), people live in the
houses, and grids, communities, streets and patches are gathered from what the streets enclose
(`dividing`), patches without regard for communities, as in real districts. All borders lie on the 1e-8
degree lattice in WGS 84, and each shared edge is drawn once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from mapsvc.demo import land
from mapsvc.demo.dividing import Pieces, divide, gather
from mapsvc.demo.land import Land
from mapsvc.demo.naming import COMMUNITIES, LANDMARKS, NUMERALS
from mapsvc.demo.profiles import PROFILES, SUZHOU, Profile

SEED = SUZHOU.seed
MOST_KEPT = 4
UNPEOPLED = 120.0
"""Ground without people is work for a chief as well: it counts as so many households when patches are made."""


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


@dataclass(frozen=True, eq=False)
class Town:
    """All areas, level by level from the district down, and the ground they lie on.

    The same for the same profile and seed on every machine.
    """

    profile: Profile
    areas: tuple[DemoArea, ...]
    land: Land

    @cached_property
    def _levels(self) -> dict[str, tuple[DemoArea, ...]]:
        levels: dict[str, list[DemoArea]] = {}
        for area in self.areas:
            levels.setdefault(area.level, []).append(area)
        return {level: tuple(areas) for level, areas in levels.items()}

    def at(self, level: str) -> tuple[DemoArea, ...]:
        """Return the areas of one level in the order of their codes."""
        return self._levels.get(level, ())

    def grids_of(self, patch: str) -> tuple[DemoArea, ...]:
        """Return the grids of a patch."""
        return tuple(grid for grid in self.at("grid") if grid.parents["patch"] == patch)


def make_town(seed: int | None = None, profile: str = SUZHOU.name) -> Town:
    """Make one of the towns; another seed than its own gives other streets between the same avenues."""
    chosen = PROFILES[profile]
    return make_kept(chosen, chosen.seed if seed is None else seed)


@lru_cache(maxsize=MOST_KEPT)
def make_kept(profile: Profile, seed: int) -> Town:
    """Make a town, or return it where this process made it before: drawing one takes seconds."""
    ground = land.make_land(profile, seed)
    community, street, patch = _gather(profile, ground)
    return Town(profile, tuple(_Naming(profile, ground, community, street, patch).areas()), ground)


def _gather(profile: Profile, ground: Land) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return for each grid the numbers of its community, its street and its patch."""
    pieces = Pieces(ground.centres_m, np.ones(len(ground.grids)), ground.ties)
    community = divide(pieces, profile.communities)
    whole = gather(pieces, community)
    of_community = divide(whole, len(profile.street_names))
    people = Pieces(ground.centres_m, ground.households.astype(np.float64) + UNPEOPLED, ground.ties)
    patch = divide(people, profile.patches, slack=0, tilt=0.1)
    return (*_in_order(ground, community, len(profile.street_names), of_community), _snake(ground, patch))


def _in_order(
    ground: Land, community: NDArray[np.int64], streets: int, of_community: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number streets, and within each its communities, from north to south."""
    count = int(community.max()) + 1
    north = np.array([ground.centres_m[community == c, 1].mean() for c in range(count)])
    street_north = [north[of_community == s].mean() for s in range(streets)]
    rank = np.empty(streets, dtype=np.int64)
    rank[np.argsort(street_north)[::-1]] = np.arange(streets)
    of_community = rank[of_community]
    order = np.lexsort((-north, of_community))
    number = np.empty(count, dtype=np.int64)
    number[order] = np.arange(count)
    renumbered = number[community]
    return renumbered, of_community[order][renumbered]


def _snake(ground: Land, patch: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number patches in bands from north to south, every second band from east to west, so that neighbours follow."""
    count = int(patch.max()) + 1
    centres = np.array([ground.centres_m[patch == p].mean(axis=0) for p in range(count)])
    bands = max(round(np.sqrt(count)), 1)
    order: list[int] = []
    for number, band in enumerate(np.array_split(np.argsort(-centres[:, 1], kind="stable"), bands)):
        along = band[np.argsort(centres[band, 0], kind="stable")]
        order += [int(p) for p in (along if number % 2 == 0 else along[::-1])]
    rank = np.empty(count, dtype=np.int64)
    rank[order] = np.arange(count)
    return rank[patch]


@dataclass
class _Naming:
    """Gives every area its code and name: grids are numbered from north to south in their community."""

    profile: Profile
    ground: Land
    community: NDArray[np.int64]
    street: NDArray[np.int64]
    patch: NDArray[np.int64]

    def areas(self) -> list[DemoArea]:
        """Return all areas, from the district down to the stairwell."""
        code, name = self.profile.district
        grids = self.ground.grids
        found = [DemoArea("district", code, name, _union(grids), {}, households=int(self.ground.households.sum()))]
        for s, street_name in enumerate(self.profile.street_names):
            found.append(self._made("street", self._street_code(s), street_name, self.street == s, {"district": code}))
        communities = []
        for c in range(self.profile.communities):
            inside = self.community == c
            parent = self._street_code(int(self.street[inside][0]))
            communities.append(
                self._made("community", self._community_code(c), f"{COMMUNITIES[c]}社区", inside, {"street": parent})
            )
        found += communities
        for p in range(self.profile.patches):
            inside = self.patch == p
            found.append(self._made("patch", f"P{p + 1:02d}", f"{p + 1:02d}片区", inside, {"district": code}))
        codes = self._grid_codes()
        found += self._grids(codes)
        return found + self._within(codes)

    def _made(
        self, level: str, code: str, name: str, inside: NDArray[np.bool_], parents: Mapping[str, str]
    ) -> DemoArea:
        households = int(self.ground.households[inside].sum())
        return DemoArea(level, code, name, _union(self.ground.grids[inside]), parents, households=households)

    def _street_code(self, street: int) -> str:
        return f"{self.profile.district[0]}{street + 1:03d}"

    def _community_code(self, community: int) -> str:
        street = int(self.street[self.community == community][0])
        first = int(self.community[self.street == street].min())
        return f"{self._street_code(street)}{community - first + 1:03d}"

    def _grid_codes(self) -> list[str]:
        codes = [""] * len(self.ground.grids)
        for c in range(self.profile.communities):
            members = np.flatnonzero(self.community == c)
            for place, member in enumerate(members, start=1):
                codes[int(member)] = f"{self._community_code(c)}{place:03d}"
        return codes

    def _grids(self, codes: Sequence[str]) -> list[DemoArea]:
        grids, seen = [], dict[str, int]()
        for number, code in enumerate(codes):
            use = self.ground.uses.get(number, "")
            name = f"{COMMUNITIES[int(self.community[number])]}{code[-2:]}网格"
            if use:
                seen[use] = seen.get(use, 0) + 1
                name = f"{LANDMARKS[use]}{NUMERALS[seen[use] - 1] if seen[use] > 1 else ''}专属网格"
            grids.append(
                DemoArea(
                    "grid",
                    code,
                    name,
                    self.ground.grids[number],
                    {"community": code[:12], "patch": f"P{int(self.patch[number]) + 1:02d}"},
                    kind="专属" if use else "综合",
                    households=int(self.ground.households[number]),
                )
            )
        return sorted(grids, key=lambda grid: grid.code)

    def _within(self, codes: Sequence[str]) -> list[DemoArea]:
        """Return compounds, buildings and residents' groups, each under the codes of what holds it; all have heads."""
        if not self.profile.heads:
            return []
        compounds, buildings, groups = [], [], []
        numbers: dict[str, int] = {}
        for compound in self.ground.compounds:
            grid = codes[compound.grid]
            community = grid[:12]
            numbers[community] = numbers.get(community, 0) + 1
            code = f"{community}X{numbers[community]:03d}"
            households = sum(house.households for house in compound.houses)
            compounds.append(
                DemoArea("compound", code, compound.name, compound.border, {"community": community},
                         households=households)
            )  # fmt: skip
            for n, house in enumerate(compound.houses, start=1):
                building = f"{code}B{n:02d}"
                name = f"{compound.name}{n}号楼"
                buildings.append(
                    DemoArea("building", building, name, house.border, {"grid": grid, "compound": code},
                             households=house.households)
                )  # fmt: skip
                for g, group in enumerate(house.groups, start=1):
                    groups.append(
                        DemoArea("resident_group", f"{building}G{g}", f"{name}{group.name}居民小组", group.border,
                                 {"community": community}, households=group.households)
                    )  # fmt: skip
        return [area for areas in (compounds, buildings, groups) for area in sorted(areas, key=lambda each: each.code)]


def _union(blocks: NDArray[np.object_]) -> BaseGeometry:
    return shapely.coverage_union_all(blocks)
