"""The demo towns: ground that the service itself would accept without a finding, with the figures of districts."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import shapely

from mapsvc.demo import town as made_town
from mapsvc.demo.profiles import PROFILES
from mapsvc.demo.staff import CHIEF_PATCH, NEXT_PATCH, make_posts, own_area, unit_streets
from mapsvc.demo.town import Town, make_town
from mapsvc.geo.lattice import snap_geometries
from mapsvc.geo.measure import LocalFrame, area_m2


@pytest.fixture(scope="module", params=sorted(PROFILES))
def town(request: pytest.FixtureRequest) -> Town:
    return make_town(profile=request.param)


def test_a_town_has_the_counts_of_its_profile(town: Town) -> None:
    profile = town.profile
    counts = Counter(area.level for area in town.areas)
    assert counts["street"] == len(profile.street_names)
    assert (counts["community"], counts["patch"], counts["grid"]) == (
        profile.communities, profile.patches, profile.grids,
    )  # fmt: skip


def test_the_core_of_four_streets_has_its_6550_heads() -> None:
    """G3: 4 streets, 21 communities, 22 patches, 147 courtyard grids, 6,550 heads, some 312 in each community."""
    town = make_town(profile="suzhou")
    assert [len(town.at(level)) for level in ("street", "community", "patch", "grid")] == [4, 21, 22, 147]
    posts = make_posts(town)
    assert len(posts) == 6_550
    assert round(len(posts) / len(town.at("community"))) == 312
    held = Counter(post.level for post in posts)
    assert held["resident_group"] + held["compound"] + held["building"] > 0.9 * len(posts)
    assert all(post.valid_from and post.document for post in posts)


def test_grids_are_a_clean_coverage_on_the_lattice(town: Town) -> None:
    grids = np.array([area.border for area in town.at("grid")])
    assert shapely.is_valid(grids).all()
    assert shapely.coverage_is_valid(grids)
    assert shapely.equals_exact(snap_geometries(grids), grids, 0).all()


def test_every_area_lies_in_those_it_names(town: Town) -> None:
    codes = {level: {area.code for area in town.at(level)} for level in {area.level for area in town.areas}}
    for area in town.areas:
        assert all(code in codes[level] for level, code in area.parents.items()), area.code
    assert all(set(grid.parents) == {"community", "patch"} for grid in town.at("grid"))


def test_levels_above_are_unions_of_their_grids_in_one_piece(town: Town) -> None:
    for level in ("community", "patch"):
        for area in town.at(level):
            inside = [grid.border for grid in town.at("grid") if grid.parents[level] == area.code]
            assert shapely.equals(shapely.coverage_union_all(inside), area.border)
            assert area.border.geom_type == "Polygon", f"{area.code} lies in pieces"


def test_codes_are_unique_and_have_the_length_that_the_field_uses(town: Town) -> None:
    for level, length in (("district", 6), ("street", 9), ("community", 12), ("grid", 15)):
        codes = [area.code for area in town.at(level)]
        assert len(set(codes)) == len(codes)
        assert {len(code) for code in codes} == {length}
        assert codes == sorted(codes)
    for level in ("compound", "building", "resident_group"):
        codes = [area.code for area in town.at(level)]
        assert len(set(codes)) == len(codes)


def test_patches_do_not_follow_the_communities(town: Town) -> None:
    patches_of: dict[str, set[str]] = {}
    for grid in town.at("grid"):
        patches_of.setdefault(grid.parents["community"], set()).add(grid.parents["patch"])
    assert np.mean([len(patches) > 1 for patches in patches_of.values()]) > 0.5


def test_the_patches_of_the_two_chiefs_touch_along_a_street(town: Town) -> None:
    borders = {area.code: area.border for area in town.at("patch")}
    shared = shapely.length(shapely.intersection(borders[CHIEF_PATCH], borders[NEXT_PATCH]))
    assert shared > 0.001
    assert own_area(town, "grid") in {grid.code for grid in town.grids_of(CHIEF_PATCH)}
    near, far = unit_streets(town, "near"), unit_streets(town, "far")
    assert near
    assert far
    assert sorted((*near, *far)) == [street.code for street in town.at("street")]


def test_households_lie_in_the_band_that_planners_use(town: Town) -> None:
    general = [grid.households or 0 for grid in town.at("grid") if grid.kind == "综合"]
    assert sum(households > 500 for households in general) == 2, "two have outgrown the band"
    assert all(300 <= households <= 540 for households in general)
    dedicated = [grid for grid in town.at("grid") if grid.kind == "专属"]
    assert dedicated
    assert all(grid.households == 0 for grid in dedicated)


def test_households_add_up_from_the_stairwell_to_the_district(town: Town) -> None:
    total = sum(area.households or 0 for area in town.at("district"))
    for level in {area.level for area in town.areas}:
        assert sum(area.households or 0 for area in town.at(level)) == total, level


def test_buildings_stand_in_their_compound_and_off_the_streets(town: Town) -> None:
    homes = [(compound.border, house.border) for compound in town.land.compounds for house in compound.houses]
    walls, footprints = (np.array(column) for column in zip(*homes, strict=True))
    tolerance = 3e-7  # degrees: a wall and the houses behind it were put on the lattice each by itself
    assert shapely.contains(shapely.buffer(walls, tolerance), footprints).all()
    grids = {area.code: area.border for area in town.at("grid")}
    houses = town.at("building")
    held = dict(zip(grids, shapely.buffer(list(grids.values()), tolerance), strict=True))
    shapely.prepare(list(held.values()))
    assert shapely.contains([held[house.parents["grid"]] for house in houses], [house.border for house in houses]).all()
    streets = shapely.union_all([road.geometry for road in town.land.roads])
    shapely.prepare(streets)
    assert not shapely.intersects(streets, footprints).any()


def test_borders_of_grids_run_along_streets_water_or_railway(town: Town) -> None:
    """Within two metres of the middle line, for all but a few: lanes end at the bank, borders go on to the middle."""
    frame = LocalFrame(*town.profile.centre)
    lines = [road.geometry for road in town.land.roads]
    lines += [drawn.geometry for drawn in town.land.backdrop if drawn.layer in ("water", "rail")]
    near = shapely.union_all(shapely.buffer(frame.geometries_to_metres(lines), 2.0))
    edges = shapely.union_all(shapely.boundary(frame.geometries_to_metres([g.border for g in town.at("grid")])))
    assert shapely.intersection(edges, near).length > 0.93 * edges.length


def test_blocks_are_no_checkerboard(town: Town) -> None:
    """Grids differ in size by more than threefold, in the old town they are smaller, and streets bend and slant."""
    sizes = area_m2([grid.border for grid in town.at("grid")])
    assert np.percentile(sizes, 95) > 2.5 * np.percentile(sizes, 5)
    frame = LocalFrame(*town.profile.centre)
    edges = []
    for grid in frame.geometries_to_metres([grid.border for grid in town.at("grid")]):
        steps = np.diff(shapely.get_coordinates(grid), axis=0)
        edges.append(np.column_stack([np.arctan2(steps[:, 1], steps[:, 0]) % (np.pi / 2), np.hypot(*steps.T)]))
    turn, length = np.concatenate(edges).T
    share, _ = np.histogram(turn, bins=9, range=(0, np.pi / 2), weights=length)
    assert share.max() / share.sum() < 0.6


def test_the_same_seed_gives_the_same_town() -> None:
    one = [area.border.wkb for area in make_town(7).areas]
    made_town.make_kept.cache_clear()
    assert [area.border.wkb for area in make_town(7).areas] == one
    assert [area.border.wkb for area in make_town(8).areas] != one
