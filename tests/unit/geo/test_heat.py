"""Heat: metres in every direction and at every latitude, nothing lost, the same at every zoom; rates and their gaps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

from mapsvc.base.errors import InvalidInput
from mapsvc.geo import heat, heat_classes
from mapsvc.geo.measure import LocalFrame, distance_m
from mapsvc.geo.tiles.mercator import Tile, from_unit, to_unit

TOWN = (118.0, 30.0, 118.06, 30.05)


def points(count: int, seed: int, box: heat.Box = TOWN) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    lon = rng.normal((box[0] + box[2]) / 2, (box[2] - box[0]) / 8, count)
    lat = rng.normal((box[1] + box[3]) / 2, (box[3] - box[1]) / 8, count)
    return np.clip(lon, box[0], box[2]), np.clip(lat, box[1], box[3])


def exact(lon: np.ndarray, lat: np.ndarray, at: tuple[float, float], width_m: float) -> float:
    """Return the density of a Gaussian kernel at a place, from geodesic distances, per km2."""
    far = distance_m(lon, lat, np.full(len(lon), at[0]), np.full(len(lat), at[1]))
    return float(np.exp(-0.5 * (far / width_m) ** 2).sum() / (2 * np.pi * (width_m / 1000) ** 2))


def at(frame: heat.HeatFrame, values: np.ndarray, lon: float, lat: float) -> float:
    place = [[(lat - frame.south) / frame.dlat - 0.5], [(lon - frame.west) / frame.dlon - 0.5]]
    return float(map_coordinates(values, place, order=1, mode="nearest")[0])


def cell(frame: heat.HeatFrame, lon: float, lat: float) -> tuple[int, int]:
    return int((lat - frame.south) / frame.dlat), int((lon - frame.west) / frame.dlon)


def middle_of_cell(frame: heat.HeatFrame, lon: float, lat: float) -> tuple[float, float]:
    column, row = int((lon - frame.west) / frame.dlon), int((lat - frame.south) / frame.dlat)
    return frame.west + (column + 0.5) * frame.dlon, frame.south + (row + 0.5) * frame.dlat


@pytest.mark.parametrize("south", [0.0, 18.2, 31.2, 45.8, 53.0])
@pytest.mark.parametrize("width_m", [100.0, 250.0])
def test_density_is_that_of_geodesic_distances(south: float, width_m: float) -> None:
    box = (118.0, south, 118.06, south + 0.05)
    lon, lat = points(400, 1, box)
    frame = heat.make_frame(box, width_m)
    values = heat.density(frame, lon, lat)
    for where in zip(*points(12, 2, box), strict=True):
        place = middle_of_cell(frame, *where)
        expected = exact(lon, lat, place, width_m)
        assert at(frame, values, *place) == pytest.approx(expected, rel=0.01, abs=0.002 * float(values.max()))


def test_a_region_of_many_degrees_is_measured_row_by_row() -> None:
    """One figure for the metres of a degree would err by 15 % across a province."""
    box = (116.0, 24.0, 118.0, 34.0)
    frame = heat.make_frame(box, 2_000.0)
    for south in (24.5, 29.0, 33.5):
        lon, lat = points(200, 3, (117.0, south, 117.1, south + 0.1))
        values = heat.density(frame, lon, lat)
        place = middle_of_cell(frame, 117.05, south + 0.05)
        assert at(frame, values, *place) == pytest.approx(exact(lon, lat, place, 2_000.0), rel=0.01)


@hypothesis_settings(max_examples=25, deadline=None)
@given(st.integers(1, 300), st.integers(0, 1000), st.floats(40, 600))
def test_nothing_is_lost_and_nothing_is_made(count: int, seed: int, width_m: float) -> None:
    lon, lat = points(count, seed)
    frame = heat.make_frame(TOWN, width_m)
    assert heat.total(frame, heat.density(frame, lon, lat)) == pytest.approx(count, rel=2e-3)
    weights = np.random.default_rng(seed).uniform(0, 3, count)
    assert heat.total(frame, heat.density(frame, lon, lat, weights)) == pytest.approx(weights.sum(), rel=2e-3)


def test_a_circle_stays_a_circle() -> None:
    """In web Mercator metres it would be an ellipse of the ground, or the wrong size."""
    frame = heat.make_frame((118.0, 45.0, 118.05, 45.05), 200.0)
    lon, lat = middle_of_cell(frame, 118.025, 45.025)
    values = heat.density(frame, [lon], [lat])
    local = LocalFrame(lon, lat)
    ring = [local.from_metres([200 * np.cos(a)], [200 * np.sin(a)]) for a in np.linspace(0, 2 * np.pi, 24)]
    around = [at(frame, values, float(x[0]), float(y[0])) for x, y in ring]
    assert np.mean(around) / float(values.max()) == pytest.approx(np.exp(-0.5), rel=0.03)
    assert np.mean(around[::2]) == pytest.approx(np.mean(around[1::2]), rel=0.05)
    assert abs(np.mean([around[0], around[12]]) / np.mean([around[6], around[18]]) - 1) < 0.1


def test_the_zoom_moves_no_number() -> None:
    lon, lat = points(500, 4)
    frame = heat.make_frame(TOWN, 150.0)
    values = heat.density(frame, lon, lat)
    place = 118.031, 30.027
    x, y = to_unit([place[0]], [place[1]])
    seen = []
    for z in (12, 14, 16, 18, 20):
        tile = Tile(z, int(x[0] * 2**z), int(y[0] * 2**z))
        pixel = [int((value * 2**z - origin) * 256) for value, origin in ((x[0], tile.x), (y[0], tile.y))]
        drawn = heat.sample(frame, values, tile, 256)
        middle = from_unit((tile.x + (pixel[0] + 0.5) / 256) / 2**z, (tile.y + (pixel[1] + 0.5) / 256) / 2**z)
        off_m = float(distance_m(*place, *(float(v) for v in middle))[()])
        seen.append((float(drawn[pixel[1], pixel[0]]), off_m))
    for value, off_m in seen[1:]:
        assert value == pytest.approx(seen[-1][0], rel=0.02 + off_m / 150)


def test_what_lies_outside_is_left_out_and_told() -> None:
    frame = heat.make_frame(TOWN, 150.0)
    lon, lat = np.array([118.03, 121.0, np.nan]), np.array([30.02, 31.0, np.nan])
    assert heat.inside(frame, lon, lat).tolist() == [True, False, False]
    assert heat.total(frame, heat.density(frame, lon, lat)) == pytest.approx(1, rel=1e-3)
    assert heat.density(frame, [], []).max() == 0
    far = heat.sample(frame, heat.density(frame, lon, lat), Tile(10, 0, 0), 64)
    assert (far == 0).all()


@pytest.mark.parametrize(
    ("box", "width_m", "code"),
    [(TOWN, 5.0, "bad_width"), (TOWN, 1e6, "bad_width"), ((100.0, 20.0, 120.0, 40.0), 150.0, "width_too_fine")],
)
def test_widths_that_cannot_be_drawn(box: heat.Box, width_m: float, code: str) -> None:
    with pytest.raises(InvalidInput) as told:
        heat.make_frame(box, width_m)
    assert told.value.code == code
    assert told.value.hint


def test_a_large_region_gets_the_finest_width_it_can_bear() -> None:
    assert heat.fitting_width_m(TOWN, 150.0) == 150.0
    region = (114.0, 26.0, 118.0, 30.0)
    width = heat.fitting_width_m(region, 150.0)
    assert max(heat.make_frame(region, width).columns, heat.make_frame(region, width).rows) <= heat.MOST_CELLS
    with pytest.raises(InvalidInput):
        heat.make_frame(region, width * 0.8)


def test_kilometres_of_lines_are_kept() -> None:
    frame = heat.make_frame(TOWN, 120.0)
    lon = np.array([118.01, 118.02, 118.03, 118.02, 118.05])
    lat = np.array([30.01, 30.02, 30.01, 30.03, 30.03])
    line = np.array([1, 1, 1, 2, 2])
    length = distance_m(lon[[0, 1, 3]], lat[[0, 1, 3]], lon[[1, 2, 4]], lat[[1, 2, 4]]).sum() / 1000
    assert heat.total(frame, heat.line_density(frame, lon, lat, line)) == pytest.approx(length, rel=2e-3)
    assert heat.line_density(frame, [118.01], [30.01], [1]).max() == 0
    split = heat.line_density(frame, lon[[0, 1, 1, 2, 3, 4]], lat[[0, 1, 1, 2, 3, 4]], [1, 1, 2, 2, 3, 3])
    np.testing.assert_allclose(split, heat.line_density(frame, lon, lat, line), rtol=1e-4, atol=1e-4)


def test_walking_more_where_nothing_is_found_raises_no_rate() -> None:
    frame = heat.make_frame(TOWN, 150.0)
    found = heat.density(frame, *points(50, 6))
    walked = heat.line_density(frame, [118.01, 118.05], [30.025, 30.025], [1, 1])
    twice = heat.line_density(frame, [118.01, 118.05, 118.01, 118.05], [30.025] * 4, [1, 1, 2, 2])
    once_rate, twice_rate = heat.ratio(found, walked, 0.5), heat.ratio(found, twice, 0.5)
    both = ~np.isnan(once_rate)
    np.testing.assert_allclose(twice_rate[both], once_rate[both] / 2, rtol=1e-3)


def test_never_walked_ground_is_a_state_of_its_own() -> None:
    frame = heat.make_frame(TOWN, 150.0)
    found = heat.density(frame, [118.05], [30.045])
    walked = heat.line_density(frame, [118.005, 118.02], [30.005, 30.005], [1, 1])
    rate = heat.ratio(found, walked, 0.5)
    classes = heat_classes.classify(rate, 1.0)
    assert np.isnan(at(frame, rate, 118.05, 30.045))  # found, and yet no rate: it was never walked
    assert classes[cell(frame, 118.05, 30.045)] == heat_classes.UNKNOWN
    assert classes[cell(frame, 118.012, 30.005)] == 0  # walked and clean
    drawn = heat_classes.classify(heat.sample(frame, rate, Tile(0, 0, 0), 8), 1.0)
    assert set(np.unique(drawn).tolist()) <= {0, heat_classes.UNKNOWN}


@given(st.floats(1e-6, 1e9))
def test_the_highest_value_lies_in_the_last_class(highest: float) -> None:
    step = heat_classes.step_for(highest)
    assert heat_classes.classify(np.array([highest]), step)[0] == heat_classes.CLASSES
    assert step * 2**heat_classes.CLASSES >= highest * (1 - 1e-6)


def test_classes_begin_where_the_legend_says() -> None:
    limits = heat_classes.limits(2.5)
    values = np.array([limit + off for limit in limits for off in (-0.001, 0.0)])
    assert heat_classes.classify(values, 2.5).tolist() == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5]
    assert heat_classes.classify(values, 0.0).tolist() == [0] * 10
