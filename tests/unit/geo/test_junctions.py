"""Junctions and rings: vertices inserted on both sides alike, and nothing else touched."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, Polygon

from mapsvc.geo.densify import Bow, densify
from mapsvc.geo.junctions import insert_junctions
from mapsvc.geo.rings import RingTable, equal_points, point_hashes
from tests.coverages import array, grid

WEST = shapely.box(0, 0, 10, 10)
SOUTH_EAST = shapely.box(10, 0, 20, 4)
NORTH_EAST = shapely.box(10, 4, 20, 10)


def test_a_vertex_on_an_edge_is_inserted_there() -> None:
    got = insert_junctions(array(WEST, SOUTH_EAST, NORTH_EAST), 1e-6)
    assert shapely.coverage_is_valid(got)
    assert shapely.get_num_coordinates(got).tolist() == [6, 5, 5]
    assert got[1] is SOUTH_EAST
    assert got[0].equals(WEST)


def test_several_on_one_edge_come_in_order_both_ways_round() -> None:
    steps = [shapely.box(10, k, 20, k + 1) for k in range(10)]
    for west in (WEST, shapely.reverse(WEST)):
        got = insert_junctions(array(west, *steps), 1e-6)
        assert shapely.coverage_is_valid(got)
        assert got[0].is_valid
        assert shapely.get_num_coordinates(got[0]) == 14


def test_a_vertex_near_an_edge_is_taken_as_it_is() -> None:
    low = Polygon([(10, 0), (20, 0), (20, 4), (10.0005, 4)])
    high = Polygon([(10.0005, 4), (20, 4), (20, 10), (10, 10)])
    got = insert_junctions(array(WEST, low, high), 1e-3)
    assert shapely.coverage_is_valid(got)
    assert (10.0005, 4.0) in got[0].exterior.coords
    unchanged = insert_junctions(array(WEST, low, high), 1e-4)
    assert unchanged[0] is WEST
    # The sliver that the vertex closes: ten long, half a thousandth wide at its middle.
    closed = shapely.union_all(got).area - shapely.union_all(unchanged).area
    assert abs(closed - 0.0025) < 1e-9


def test_ends_of_an_edge_are_left_alone() -> None:
    near = Polygon([(10, 1e-7), (20, 0), (20, 10), (10, 10)])
    got = insert_junctions(array(WEST, near), 1e-6)
    assert shapely.get_num_coordinates(got).tolist() == [5, 5]


@settings(deadline=None)
@given(seed=st.integers(0, 500))
def test_a_clean_coverage_is_left_alone(seed: int) -> None:
    cells, _ = grid(4, 3, seed=seed)
    assert all(new is old for new, old in zip(insert_junctions(cells, 1e-8), cells, strict=True))


def test_holes_parts_and_rows_without_ground_keep_their_place() -> None:
    ring = Polygon(shapely.box(0, 0, 30, 30).exterior, [shapely.box(10, 10, 20, 20).exterior])
    low, high = shapely.box(10, 10, 20, 15), shapely.box(10, 15, 20, 20)
    point = shapely.Point(1, 1)
    got = insert_junctions(
        array(None, MultiPolygon([ring, shapely.box(50, 0, 60, 10)]), Polygon(), low, point, high), 1e-6
    )
    assert got[0] is None
    assert got[4] is point
    assert got[2].is_empty
    assert [len(part.interiors) for part in got[1].geoms] == [1, 0]
    assert shapely.get_num_coordinates(got[1]) == 17
    assert shapely.coverage_is_valid(got[[1, 3, 5]])


def test_nothing_given_nothing_done() -> None:
    assert len(insert_junctions(array(), 1e-6)) == 0


def test_a_table_without_additions_gives_the_same_objects() -> None:
    cells, _ = grid(2, 2)
    table = RingTable.of(cells)
    none = np.empty(0, dtype=np.int64)
    assert all(new is old for new, old in zip(table.with_points(none, np.empty((0, 2))), cells, strict=True))
    assert len(table.edges()) == len(table.points) - 4


@given(st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), min_size=2, max_size=20, unique=True))
def test_hashes_tell_points_apart(points: list[tuple[float, float]]) -> None:
    table = np.array(points)
    assert len(np.unique(point_hashes(table))) == len(np.unique(table, axis=0))
    assert (point_hashes(table) == point_hashes(table.copy())).all()
    every = np.arange(len(table))
    assert equal_points(table, every, every).all()


def test_zero_and_minus_zero_are_one_point() -> None:
    assert len(np.unique(point_hashes(np.array([[0.0, 1.0], [-0.0, 1.0]])))) == 1


def test_a_plane_that_does_not_bend_gains_no_vertex() -> None:
    shape = shapely.box(0, 0, 1000, 1000)
    bow = Bow(look=10, piece=100, deviation_m=0.01)
    got = densify(array(shape), lambda points: points * 2 + 5, bow, to_degrees=False)
    assert shapely.get_num_coordinates(got[0]) == 5


def test_a_bow_is_cut_until_it_is_flat_enough() -> None:
    # A parabola of known height: y gains x squared / 2R.
    radius = 6_371_000.0
    line = Polygon([(0, 0), (10_000, 0), (10_000, 5_000), (0, 5_000)])
    bow = Bow(look=100, piece=20_000, deviation_m=0.01)
    got = densify(
        array(line), lambda p: np.column_stack([p[:, 0], p[:, 1] + p[:, 0] ** 2 / (2 * radius)]), bow, to_degrees=False
    )
    points = shapely.get_coordinates(got[0])
    steps = np.diff(np.sort(points[points[:, 1] == 0][:, 0]))
    assert steps.max() ** 2 / (8 * radius) <= 0.01
    assert steps.max() ** 2 / (8 * radius) > 0.006, "and no more vertices than it takes"
