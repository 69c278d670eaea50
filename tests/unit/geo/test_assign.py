"""Points to areas of any kind: the quick way and the slow one give the same, and dirt is answered and counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mapsvc.base.errors import InvalidInput
from mapsvc.geo.assign import (
    CleanAreas,
    UncleanAreas,
    assign_points,
    assign_unclean,
    make_assigner,
    open_assigner,
)
from mapsvc.geo.lattice import from_lattice
from tests.unit.geo.lattice_towns import Geometries, as_array, degrees, interesting_points, town

BOWTIE = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
SLOW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def boxes(*corners: tuple[float, float, float, float]) -> Geometries:
    return as_array([shapely.box(*corner) for corner in corners])


@SLOW
@given(st.integers(0, 2**20), st.sampled_from([100, 5_000, 10**6]))
def test_both_ways_agree_inside_of_a_coverage(seed: int, cell: int) -> None:
    rng = np.random.default_rng(seed)
    steps = town(rng, 5, 6, cell, cell // 5, (0, 0), thin=False)
    if len(steps) == 0:
        return
    areas = degrees(steps)
    codes = [f"{n:02d}" for n in rng.permutation(len(areas))]
    lonlat = from_lattice(interesting_points(rng, steps, 300))
    quick, slow = (way(areas, codes, lonlat[:, 0], lonlat[:, 1]) for way in (assign_points, assign_unclean))
    assert (quick.way, slow.way) == ("index", "tree")
    edges = shapely.union_all(shapely.boundary(areas))
    apart = shapely.distance(edges, shapely.points(lonlat)) > 2e-8
    np.testing.assert_array_equal(quick.answers.numbers[apart], slow.answers.numbers[apart])
    assert slow.answers.overlaps == 0
    assert quick.repaired_rows == slow.repaired_rows == ()


def test_numbers_are_rows_as_given_and_the_smallest_code_owns_a_border() -> None:
    roof = shapely.Polygon([(0, 1), (1, 1), (2, 1), (2, 2), (0, 2)])
    areas = as_array([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1), roof])
    found = assign_points(areas, ["c", "b", "a"], [0.5, 1.5, 1.0, 1.0, 0.5, 5.0], [0.5, 0.5, 0.5, 1.0, 1.5, 5.0])
    assert found.way == "index"
    assert found.answers.numbers.tolist() == [0, 1, 1, 2, 2, -1]
    assert found.answers.on_border == 2
    assert found.answers.inside == 5


@pytest.mark.parametrize("codes", [["a", "b"], ["b", "a"]])
def test_an_overlap_belongs_to_the_smallest_code(codes: list[str]) -> None:
    areas = boxes((0, 0, 2, 1), (1, 0, 3, 1))
    found = assign_points(areas, codes, [0.5, 1.5, 2.5, 1.0, 2.0, 9.0], [0.5] * 6)
    first = codes.index("a")
    assert found.way == "tree"
    assert found.answers.numbers.tolist() == [0, first, 1, first, first, -1]
    assert found.answers.overlaps == 3
    assert found.answers.on_border == 0


def test_codes_are_compared_as_text_and_equal_ones_by_row() -> None:
    areas = boxes((0, 0, 2, 1), (1, 0, 3, 1), (1, 0, 3, 1))
    assert assign_points(areas, ["9", "10", "10"], [1.5], [0.5]).answers.numbers.tolist() == [1]


def test_touching_and_outer_borders_are_counted_by_the_slow_way_too() -> None:
    areas = boxes((0, 0, 1, 1), (1, 0, 2, 1))
    answers = assign_unclean(areas, ["a", "b"], [1.0, 0.0, 0.5, 1.0, 3.0], [0.5, 0.5, 0.5, 1.0, 0.0]).answers
    assert answers.numbers.tolist() == [0, 0, 0, 0, -1]
    assert (answers.on_border, answers.overlaps, answers.repaired) == (3, 0, 0)


def test_a_ring_that_crosses_itself_is_mended_for_answering() -> None:
    areas = as_array([BOWTIE, shapely.box(10, 0, 11, 1)])
    found = assign_points(areas, ["bow", "box"], [0.2, 1.8, 1.0, 10.5], [1.0, 1.0, 1.9, 0.5])
    assert found.way == "tree"
    assert found.repaired_rows == (0,)
    assert found.answers.numbers.tolist() == [0, 0, -1, 1]
    assert found.answers.repaired == 2
    assert not shapely.is_valid(areas[0]), "what was given is not changed"


def test_slivers_and_gaps() -> None:
    left, right = shapely.box(0, 0, 1, 1), shapely.Polygon([(1, 0), (2, 0), (2, 1), (1, 1), (0.9999, 0.5)])
    found = assign_points(as_array([left, right]), ["l", "r"], [0.99995, 0.5, 1.5], [0.5, 0.5, 0.5])
    assert found.way == "tree"
    assert found.answers.numbers.tolist() == [0, 0, 1]
    assert found.answers.overlaps == 1


@pytest.mark.parametrize("nothing", [None, shapely.Polygon(), shapely.LineString([(0, 0), (1, 1)])])
def test_rows_without_ground_answer_for_nothing(nothing: shapely.Geometry | None) -> None:
    found = assign_points(as_array([nothing, shapely.box(0, 0, 1, 1)]), ["a", "b"], [0.5], [0.5])
    assert found.empty_rows == (0,)
    assert found.answers.numbers.tolist() == [1]


def test_no_areas_and_no_points() -> None:
    assert assign_points(as_array([]), [], [1.0], [2.0]).answers.numbers.tolist() == [-1]
    assert assign_points(boxes((0, 0, 1, 1)), ["a"], [], []).answers.numbers.tolist() == []
    assert assign_unclean(boxes((0, 0, 1, 1)), ["a"], [], []).answers.numbers.tolist() == []


def test_positions_that_are_nowhere() -> None:
    areas = boxes((0, 0, 2, 1), (1, 0, 3, 1))
    assert assign_unclean(areas, ["a", "b"], [np.nan, np.inf, 1e300], [0.5] * 3).answers.numbers.tolist() == [-1] * 3


def test_points_are_rounded_to_the_lattice_on_the_slow_way_too() -> None:
    answers = assign_unclean(boxes((0, 0, 1, 1)), ["a"], [1 + 0.4e-8, 1 + 0.6e-8], [0.5, 0.5]).answers
    assert answers.numbers.tolist() == [0, -1]


def test_one_code_for_each_area() -> None:
    with pytest.raises(InvalidInput) as caught:
        make_assigner(boxes((0, 0, 1, 1)), [])
    assert caught.value.code == "codes_missing"


def test_projected_coordinates_are_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        make_assigner(boxes((500_000, 3_000_000, 500_100, 3_000_100)), ["a"])
    assert caught.value.code == "out_of_range"


def test_an_edge_too_long_for_the_index_takes_the_slow_way() -> None:
    found = assign_points(boxes((0, 0, 30, 1), (30, 0, 60, 1)), ["a", "b"], [15.0, 45.0], [0.5, 0.5])
    assert (found.way, found.answers.numbers.tolist()) == ("tree", [0, 1])


@pytest.mark.parametrize("dirty", [False, True], ids=["index", "tree"])
def test_other_processes_get_the_same_answers_from_the_folder(tmp_path: Path, dirty: bool) -> None:
    areas = boxes((0, 0, 1, 1), (1, 0, 2, 1), (5, 5, 6, 6))
    if dirty:
        areas = np.append(areas, as_array([BOWTIE, None]))
    codes = ["c", "b", "a", "0", "z"][: len(areas)]
    assigner = make_assigner(areas, codes)
    assigner.save(tmp_path / "areas")
    opened = open_assigner(tmp_path / "areas")
    assert type(opened) is type(assigner) is (UncleanAreas if dirty else CleanAreas)
    assert (opened.repaired_rows, opened.empty_rows) == (assigner.repaired_rows, assigner.empty_rows)
    lon, lat = np.meshgrid(np.linspace(-0.5, 6.5, 57), np.linspace(-0.5, 6.5, 57))
    one, other = (each.answer(lon.ravel(), lat.ravel()) for each in (assigner, opened))
    np.testing.assert_array_equal(one.numbers, other.numbers)
    assert (one.on_border, one.overlaps, one.repaired) == (other.on_border, other.overlaps, other.repaired)
    assert (one.overlaps > 0, one.repaired > 0) == (dirty, dirty)
