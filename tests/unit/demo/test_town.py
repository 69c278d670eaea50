"""The demo town is ground that the service itself would accept without a finding."""

from __future__ import annotations

import numpy as np
import shapely

from mapsvc.demo.town import make_town
from mapsvc.geo.lattice import snap_geometries


def test_grids_are_a_clean_coverage_on_the_lattice() -> None:
    grids = np.array([area.border for area in make_town().at("grid")])
    assert shapely.is_valid(grids).all()
    assert shapely.coverage_is_valid(grids)
    assert shapely.equals_exact(snap_geometries(grids), grids, 0).all()
    assert 200 <= len(grids) <= 500


def test_every_grid_lies_in_one_community_and_one_patch() -> None:
    town = make_town()
    codes = {level: {area.code for area in town.at(level)} for level in ("community", "patch", "street", "district")}
    for grid in town.at("grid"):
        assert grid.parents["community"] in codes["community"]
        assert grid.parents["patch"] in codes["patch"]
    assert all(area.parents["street"] in codes["street"] for area in town.at("community"))
    assert all(area.parents["district"] in codes["district"] for area in town.at("street"))


def test_levels_above_are_unions_of_their_grids_in_one_piece() -> None:
    town = make_town()
    for level in ("community", "patch"):
        for area in town.at(level):
            inside = [grid.border for grid in town.at("grid") if grid.parents[level] == area.code]
            assert shapely.equals(shapely.coverage_union_all(inside), area.border)
            assert area.border.geom_type == "Polygon", f"{area.code} lies in pieces"


def test_codes_are_unique_and_have_the_length_that_the_field_uses() -> None:
    town = make_town()
    for level, length in (("district", 6), ("street", 9), ("community", 12), ("grid", 15)):
        codes = [area.code for area in town.at(level)]
        assert len(set(codes)) == len(codes)
        assert {len(code) for code in codes} == {length}
        assert codes == sorted(codes)


def test_a_patch_may_cut_a_community() -> None:
    town = make_town()
    patches_of: dict[str, set[str]] = {}
    for grid in town.at("grid"):
        patches_of.setdefault(grid.parents["community"], set()).add(grid.parents["patch"])
    assert any(len(patches) > 1 for patches in patches_of.values())


def test_households_lie_near_the_band_that_planners_use() -> None:
    households = np.array([grid.households for grid in make_town().at("grid")])
    assert 0.8 < np.mean((households >= 300) & (households <= 500)) < 1


def test_the_same_seed_gives_the_same_town() -> None:
    one, other = make_town(7), make_town(7)
    assert [area.border.wkb for area in one.areas] == [area.border.wkb for area in other.areas]
    assert [area.border.wkb for area in make_town(8).areas] != [area.border.wkb for area in one.areas]
