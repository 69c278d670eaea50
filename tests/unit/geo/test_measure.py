"""Measures: geodesic against pyproj's own, and the local frame within the error that it states."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod
from shapely import MultiPolygon, Polygon

from mapsvc.geo import measure
from tests.coverages import array, box_m

GEOD = Geod(ellps="WGS84")


def test_area_is_geodesic_with_holes_taken_off() -> None:
    outer, hole = shapely.box(118, 30, 118.1, 30.1), shapely.box(118.02, 30.02, 118.03, 30.03)
    shape = Polygon(outer.exterior, [hole.exterior])
    expected = abs(GEOD.geometry_area_perimeter(outer)[0]) - abs(GEOD.geometry_area_perimeter(hole)[0])
    both = measure.area_m2([shape, shapely.reverse(shape), MultiPolygon([shape, shapely.box(119, 30, 119.1, 30.1)])])
    assert both[0] == pytest.approx(expected, rel=1e-12)
    assert both[1] == pytest.approx(expected, rel=1e-12)
    assert both[2] > both[0]


def test_what_has_no_area_has_none() -> None:
    assert (
        measure.area_m2([None, Polygon(), shapely.Point(1, 2), shapely.LineString([(0, 0), (1, 1)])]).tolist()
        == [0] * 4
    )
    assert measure.area_m2([]).shape == (0,)


def test_length_of_lines_and_of_all_rings() -> None:
    line = shapely.LineString([(118, 30), (118.1, 30.1), (118.2, 30.0)])
    ring = shapely.box(118, 30, 118.1, 30.1)
    lengths = measure.length_m([line, ring, None, shapely.MultiLineString([line, line])])
    assert lengths[0] == pytest.approx(GEOD.geometry_length(line))
    assert lengths[1] == pytest.approx(GEOD.geometry_length(ring.exterior))
    assert lengths[2] == 0
    assert lengths[3] == pytest.approx(2 * lengths[0])


def test_distances_broadcast() -> None:
    metres = measure.distance_m([[118.0], [119.0]], 30.0, [118.0, 119.0, 120.0], 30.0)
    assert metres.shape == (2, 3)
    assert metres[0, 0] == metres[1, 1] == 0
    assert metres[0, 1] == pytest.approx(GEOD.inv(118, 30, 119, 30)[2])


@pytest.mark.parametrize(("radius_m", "error"), [(1_000, 2e-8), (10_000, 2.1e-6), (50_000, 6e-5), (100_000, 2e-4)])
@pytest.mark.parametrize("lat0", [3.0, 23.0, 31.0, 42.0, 53.5])
def test_the_frame_is_as_true_as_it_says(lat0: float, radius_m: float, error: float) -> None:
    rng = np.random.default_rng(7)
    frame = measure.LocalFrame(110.0, lat0)
    angle, radius = rng.uniform(0, 2 * np.pi, 600), radius_m * np.sqrt(rng.uniform(0, 1, 600))
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    lon, lat = frame.from_metres(x, y)
    true = measure.distance_m(lon[::2], lat[::2], lon[1::2], lat[1::2])
    plane = np.hypot(x[::2] - x[1::2], y[::2] - y[1::2])
    assert (np.abs(plane - true) <= error * true + 1e-6).all()


@given(lon0=st.floats(70, 140), lat0=st.floats(-55, 55), x=st.floats(-80_000, 80_000), y=st.floats(-80_000, 80_000))
def test_the_frame_goes_there_and_back(lon0: float, lat0: float, x: float, y: float) -> None:
    frame = measure.LocalFrame(lon0, lat0)
    back_x, back_y = frame.to_metres(*frame.from_metres(x, y))
    assert abs(float(back_x) - x) < 1e-7
    assert abs(float(back_y) - y) < 1e-7


def test_axes_are_east_and_north() -> None:
    frame = measure.LocalFrame(118.0, 30.0)
    x, y = frame.to_metres([118.001, 118.0], [30.0, 30.001])
    assert x[0] > 90
    assert abs(y[0]) < 0.01
    assert y[1] > 110
    assert x[1] == 0


def test_shared_vertices_stay_shared_in_the_frame() -> None:
    left, right = shapely.box(118, 30, 118.01, 30.01), shapely.box(118.01, 30, 118.02, 30.01)
    frame = measure.frame_of([left, right])
    metric = frame.geometries_to_metres(array(left, None, right))
    assert metric[1] is None
    assert shapely.coverage_is_valid(metric[[0, 2]])
    back = frame.geometries_from_metres(metric)
    assert shapely.equals_exact(back[0], left, tolerance=1e-12)


def test_each_in_its_own_frame_keeps_its_size() -> None:
    shapes = [shapely.box(80, 45, 80.01, 45.01), None, shapely.box(118, 20, 118.01, 20.01)]
    metric = measure.each_to_metres(shapes)
    assert metric[1] is None
    areas = measure.area_m2(shapes)
    assert shapely.area(metric)[0] == pytest.approx(areas[0], rel=1e-6)
    assert shapely.area(metric)[2] == pytest.approx(areas[2], rel=1e-6)


def test_a_box_of_metres_has_its_metres() -> None:
    assert float(measure.area_m2([box_m(0, 0, 200, 50)])[0]) == pytest.approx(10_000, rel=1e-4)


def test_the_frame_of_nothing_is_at_zero() -> None:
    assert measure.frame_of([None, Polygon()]) == measure.LocalFrame(0.0, 0.0)
