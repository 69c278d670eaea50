"""Candidates within the accuracy of a position, and the nearest area to a point outside."""

from __future__ import annotations

from math import erf, sqrt

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from mapsvc.base.errors import InvalidInput
from mapsvc.geo.lattice import snap_geometries
from mapsvc.geo.locate.candidates import cloud, sigma_m
from mapsvc.geo.locate.index import AreaIndex
from mapsvc.geo.locate.nearest import frame_at
from mapsvc.geo.measure import LocalFrame, distance_m
from tests.unit.geo.lattice_towns import Geometries, as_array, degrees, town

GEOD = Geod(ellps="WGS84")
LON, LAT = 114.3, 30.6


def squares(side_m: float, count: int) -> AreaIndex:
    """A block of count x count square areas with its south-west corner at (LON, LAT)."""
    lon, lat = LocalFrame(LON, LAT).from_metres(np.arange(count + 1) * side_m, np.arange(count + 1) * side_m)
    areas = [shapely.box(lon[c], lat[r], lon[c + 1], lat[r + 1]) for r in range(count) for c in range(count)]
    return AreaIndex.build(snap_geometries(areas))


def at(x_m: float, y_m: float) -> tuple[float, float]:
    lon, lat = LocalFrame(LON, LAT).from_metres(x_m, y_m)
    return float(lon), float(lat)


@pytest.mark.parametrize(
    ("inside_m", "level", "share"), [(5.0, 0.95, 0.66), (5.0, 0.68, 0.60), (20.0, 0.95, 0.95), (20.0, 0.68, 0.83)]
)
def test_the_shares_are_those_of_the_notes(inside_m: float, level: float, share: float) -> None:
    """Patrol notes 2.8: 100 m cells, 30 m accuracy."""
    found = squares(100.0, 3).candidates(*at(100.0 + inside_m, 150.0), 30.0, level)
    assert found[0][0] == 4
    assert found[0][1] == pytest.approx(share, abs=0.01)


@given(st.floats(100.0, 200.0), st.floats(100.0, 200.0), st.floats(1.0, 40.0))
@settings(max_examples=60, deadline=None)
def test_probabilities_come_near_the_exact_ones(x_m: float, y_m: float, accuracy_m: float) -> None:
    found = squares(100.0, 3).candidates(*at(x_m, y_m), accuracy_m)
    sigma = sigma_m(accuracy_m, 0.95)

    def within(low: float, high: float, value: float) -> float:
        return (erf((high - value) / sigma / sqrt(2)) - erf((low - value) / sigma / sqrt(2))) / 2

    for number in range(9):
        row, column = divmod(number, 3)
        exact = within(100 * column, 100 * column + 100, x_m) * within(100 * row, 100 * row + 100, y_m)
        assert dict(found).get(number, 0.0) == pytest.approx(exact, abs=0.012)
    assert sum(p for _, p in found) == pytest.approx(1.0)
    assert found == sorted(found, key=lambda pair: (-pair[1], pair[0]))


def test_outside_is_a_candidate() -> None:
    found = squares(100.0, 1).candidates(*at(100.0, 50.0), 20.0)
    assert [number for number, _ in found] in ([0, -1], [-1, 0])
    assert found[0][1] == pytest.approx(0.5, abs=0.01)


def test_the_same_question_has_the_same_answer() -> None:
    index = squares(30.0, 4)
    assert index.candidates(*at(61.0, 59.0), 25.0) == index.candidates(*at(61.0, 59.0), 25.0)


@pytest.mark.parametrize("accuracy_m", [0.0, 1e-9])
def test_a_sure_position_has_one_candidate(accuracy_m: float) -> None:
    assert squares(100.0, 2).candidates(*at(50.0, 50.0), accuracy_m) == [(0, 1.0)]


def test_nowhere_is_nobodys() -> None:
    assert squares(100.0, 1).candidates(float("nan"), 30.0, 10.0) == [(-1, 1.0)]
    assert squares(100.0, 1).candidates(10.0, 90.0, 10.0) == [(-1, 1.0)]


@pytest.mark.parametrize("accuracy_m", [-1.0, float("nan"), float("inf")])
def test_an_accuracy_that_is_no_radius_is_refused(accuracy_m: float) -> None:
    with pytest.raises(InvalidInput) as caught:
        squares(100.0, 1).candidates(LON, LAT, accuracy_m)
    assert caught.value.code == "bad_accuracy"


@pytest.mark.parametrize("level", [0.0, 1.0, -0.5, 95.0, float("nan")])
def test_a_level_that_is_no_share_is_refused(level: float) -> None:
    with pytest.raises(InvalidInput) as caught:
        squares(100.0, 1).candidates(LON, LAT, 10.0, level)
    assert caught.value.code == "bad_level"


@pytest.mark.parametrize("lat", [0.0, 30.6, -45.0, 70.0])
def test_the_cloud_is_as_wide_as_it_says(lat: float) -> None:
    lons, lats = cloud(10.0, lat, 12.0)
    metres = distance_m(10.0, lat, lons, lats)
    assert len(metres) == 1024
    assert np.sqrt((metres**2).mean() / 2) == pytest.approx(12.0, rel=0.01)
    assert (metres <= 12.0 * sqrt(-2 * np.log(0.05))).mean() == pytest.approx(0.95, abs=0.002)
    assert abs(lons.mean() - 10.0) < 1e-6
    assert abs(lats.mean() - lat) < 1e-6


@given(st.floats(-60, 60), st.floats(-0.2, 0.2), st.floats(-0.2, 0.2))
@settings(deadline=None)
def test_the_plane_of_nearest_is_that_of_the_ellipsoid(lat: float, dlon: float, dlat: float) -> None:
    east, east_y, east_yy, north, north_y, bend = frame_at(lat)
    dx, dy = dlon * 1e8, dlat * 1e8
    x = dx * (east + dy * (east_y + dy * east_yy))
    y = dy * (north + dy * north_y) + x * x * bend
    true = GEOD.inv(0.0, lat, dlon, lat + dlat)[2]
    assert np.hypot(x, y) == pytest.approx(true, abs=1e-3 + 1e-13 * true**3)


def nearest_by_shapely(areas: Geometries, lon: float, lat: float) -> tuple[int, float]:
    metres = LocalFrame(lon, lat).geometries_to_metres(areas)
    distances = shapely.distance(metres, shapely.Point(0, 0))
    smallest = float(distances.min())
    return int(np.flatnonzero(distances <= smallest + 1e-7)[0]), smallest


@pytest.mark.parametrize("seed", range(6))
def test_the_nearest_area_is_that_of_shapely(seed: int) -> None:
    rng = np.random.default_rng(seed)
    areas = degrees(town(rng, 9, 12, 40_000, 13_000, (11_430_000_000, 3_060_000_000), thin=False))
    index = AreaIndex.build(areas)
    west, south, east, north = shapely.total_bounds(areas)
    points = np.column_stack(
        [rng.uniform(west - 0.003, east + 0.003, 300), rng.uniform(south - 0.003, north + 0.003, 300)]
    )
    for lon, lat in points.tolist():
        number, metres = nearest_by_shapely(areas, lon, lat)
        found = index.nearest(lon, lat, 10_000.0)
        assert found is not None
        if index.locate_one(lon, lat) >= 0:
            assert found == (index.locate_one(lon, lat), 0.0)
        else:
            # The point is brought to the lattice first, which moves it by up to 0.8 mm.
            assert found[1] == pytest.approx(metres, abs=0.002)
            assert found[0] == number or shapely.distance(*areas[[found[0], number]]) == 0.0
        assert index.nearest(lon, lat, max(0.0, found[1] - 0.01)) is None or found[1] <= 0.01


def test_of_areas_equally_near_the_smallest_number() -> None:
    """Both touch the corner that is nearest to a point outside."""
    upper, lower = shapely.Polygon([(1, 1), (2, 2), (1, 2)]), shapely.Polygon([(1, 1), (2, 1), (2, 2)])
    for pair in ([upper, lower], [lower, upper]):
        found = AreaIndex.build(as_array(pair)).nearest(0.9, 0.95, 50_000.0)
        assert found is not None
        assert found[0] == 0
        assert found[1] == pytest.approx(GEOD.inv(0.9, 0.95, 1.0, 1.0)[2], abs=0.01)


@pytest.mark.parametrize(
    ("lon", "lat", "bearing"), [(0.5, -0.1, "south"), (1.1, 0.5, "east"), (0.5, 1.1, "north"), (-0.1, 0.5, "west")]
)
def test_from_every_side(lon: float, lat: float, bearing: str) -> None:
    index = AreaIndex.build([shapely.box(0, 0, 1, 1)])
    metres = 11_057.5 if bearing in {"south", "north"} else 11_131.5
    found = index.nearest(lon, lat, 20_000.0)
    assert found is not None
    assert found[1] == pytest.approx(metres, abs=0.5)
    assert index.nearest(lon, lat, 11_000.0) is None


def test_in_a_gap_between_areas() -> None:
    ring = shapely.Polygon(shapely.box(0, 0, 1, 1).exterior.coords, [shapely.box(0.4, 0.4, 0.6, 0.6).exterior.coords])
    index = AreaIndex.build([ring])
    found = index.nearest(0.5, 0.41, 5_000.0)
    assert found is not None
    assert found[1] == pytest.approx(1_105.7, abs=0.5)


def test_far_away_is_nothing_near() -> None:
    index = AreaIndex.build([shapely.box(0, 0, 1, 1)])
    assert index.nearest(100.0, 50.0, 1_000.0) is None
    assert index.nearest(float("nan"), 0.0, 1_000.0) is None
    assert index.nearest(float("inf"), 0.0, 1_000.0) is None
    assert index.nearest(1e12, 0.0, 1_000.0) is None


@pytest.mark.parametrize("within_m", [-1.0, float("nan")])
def test_a_distance_that_is_none_is_refused(within_m: float) -> None:
    with pytest.raises(InvalidInput) as caught:
        AreaIndex.build([]).nearest(0.0, 0.0, within_m)
    assert caught.value.code == "bad_distance"
