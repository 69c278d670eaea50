"""The index against shapely: every lattice point has the answer that plain predicates give, borders included."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import affinity

from mapsvc.base.errors import InvalidInput
from mapsvc.geo.lattice import from_lattice
from mapsvc.geo.locate.index import AreaIndex
from tests.unit.geo.lattice_towns import (
    Geometries,
    Steps,
    as_array,
    degrees,
    interesting_points,
    owners_by_shapely,
    town,
)

RELAXED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

towns = st.builds(
    lambda seed, side, labels, cell, share, thin: town(
        np.random.default_rng(seed), side, labels, cell, cell // share if share else 0, (seed % 997, 31 * seed), thin
    ),
    seed=st.integers(0, 2**20),
    side=st.integers(1, 9),
    labels=st.integers(1, 9),
    cell=st.sampled_from([3, 17, 100, 2_000, 10**6, 10**8]),
    share=st.sampled_from([0, 3, 7]),
    thin=st.booleans(),
).filter(len)


def check(areas: Geometries, points: Steps) -> None:
    """Compare all three ways of asking with shapely."""
    index = AreaIndex.build(degrees(areas))
    wanted = owners_by_shapely(areas, points)
    lonlat = from_lattice(points)
    np.testing.assert_array_equal(index.locate(lonlat[:, 0].copy(), lonlat[:, 1].copy()), wanted)
    np.testing.assert_array_equal(index.locate_points(lonlat), wanted)
    assert [index.locate_one(lon, lat) for lon, lat in lonlat.tolist()] == wanted.tolist()


@RELAXED
@given(towns)
def test_every_interesting_point_has_the_answer_of_shapely(areas: Geometries) -> None:
    check(areas, interesting_points(np.random.default_rng(1), areas, 200))


@RELAXED
@given(towns)
def test_points_on_the_border_are_known(areas: Geometries) -> None:
    points = interesting_points(np.random.default_rng(2), areas, 50)
    lonlat = from_lattice(points)
    edges = shapely.union_all(shapely.boundary(areas)) if len(areas) < 2 else shapely.boundary(areas)
    near = shapely.STRtree(np.atleast_1d(edges)).query(shapely.points(points.astype(float)), predicate="intersects")[0]
    wanted = np.isin(np.arange(len(points)), near)
    index = AreaIndex.build(degrees(areas))
    np.testing.assert_array_equal(index.on_border(lonlat[:, 0], lonlat[:, 1]), wanted)


@RELAXED
@given(towns, st.integers(0, 2**20))
def test_the_answer_depends_on_the_ground_alone(areas: Geometries, seed: int) -> None:
    rng = np.random.default_rng(seed)
    lonlat = from_lattice(interesting_points(rng, areas, 100))
    turned = as_array([turn(rng, area) for area in areas])
    one = AreaIndex.build(degrees(areas)).locate_points(lonlat)
    other = AreaIndex.build(degrees(turned)).locate_points(lonlat)
    np.testing.assert_array_equal(one, other)


def turn(rng: np.random.Generator, area: shapely.Polygon | shapely.MultiPolygon) -> shapely.MultiPolygon:
    """Return the area with rings begun elsewhere, run the other way, and parts and holes in another order."""

    def ring(source: shapely.LinearRing) -> np.ndarray:
        c = np.roll(shapely.get_coordinates(source)[:-1], rng.integers(0, 50), axis=0)
        return c[::-1] if rng.integers(2) else c

    parts = [
        shapely.Polygon(ring(part.exterior), [ring(hole) for hole in part.interiors][:: rng.choice([-1, 1])])
        for part in shapely.get_parts(area)
    ]
    return shapely.MultiPolygon(parts[:: rng.choice([-1, 1])])


def test_every_lattice_point_of_a_tiny_town() -> None:
    areas = town(np.random.default_rng(5), 7, 5, 5, 1, (-20, 10), thin=False)
    x, y = np.meshgrid(np.arange(-25, 25), np.arange(5, 55))
    check(areas, np.column_stack([x.ravel(), y.ravel()]))


def test_a_corner_of_many_areas_belongs_to_the_first() -> None:
    angles = np.linspace(0, 2 * np.pi, 721)[:-1]
    rim = np.rint(np.column_stack([np.cos(angles), np.sin(angles)]) * 4e6).astype(np.int64)
    slices = as_array([shapely.Polygon([(0, 0), rim[i], rim[(i + 1) % 720]]) for i in range(720)])
    rng = np.random.default_rng(3)
    near = rng.integers(-60, 60, (500, 2))
    check(slices, np.vstack([interesting_points(rng, slices, 2_000), near, [[0, 0]]]))
    assert AreaIndex.build(degrees(slices)).locate_one(0.0, 0.0) == 0


def test_a_kiosk_beside_a_forest() -> None:
    """10 m2 beside 100 km2, with a second one as an enclave, and a hole that is nobody's."""
    side, kiosk = 10_000_000, 3_000
    enclave = shapely.box(5_000_000, 5_000_000, 5_000_000 + kiosk, 5_000_000 + kiosk)
    pond = shapely.box(7_000_000, 2_000_000, 7_001_000, 2_001_000)
    forest = shapely.Polygon(
        shapely.box(0, 0, side, side).exterior.coords, [enclave.exterior.coords, pond.exterior.coords]
    )
    beside = shapely.box(-kiosk, 0, 0, kiosk)
    # The kiosk has a vertex on the forest's long western edge that the forest lacks.
    areas = as_array([forest, enclave, beside])
    check(areas, interesting_points(np.random.default_rng(4), areas, 5_000))


@pytest.mark.parametrize("length", [1_999_999_999, 2_000_000_000])
def test_edges_up_to_twenty_degrees_are_exact(length: int) -> None:
    flat = shapely.Polygon([(0, 0), (length, 3), (length, 7), (1, 5)])
    below = shapely.Polygon([(0, 0), (length, 3), (5, 10 - length)])
    points = np.array([[x, round(3 * x / length) + d] for x in range(0, length, length // 101) for d in (-1, 0, 1, 2)])
    check(as_array([flat, below]), np.vstack([points, interesting_points(np.random.default_rng(6), flat, 300)]))


def test_a_longer_edge_is_refused_with_its_row() -> None:
    with pytest.raises(InvalidInput, match="longer than 20 degrees") as caught:
        AreaIndex.build([shapely.box(30, 0, 31, 1), shapely.box(0, 0, 22, 1)])
    assert caught.value.code == "edge_too_long"
    assert caught.value.detail == {"row": 1}


def test_wherever_on_earth() -> None:
    corners = [(-180, -90), (179, -90), (-180, 89), (179, 89), (0, 0), (116, 39)]
    index = AreaIndex.build([shapely.box(lon, lat, lon + 1, lat + 1) for lon, lat in corners])
    assert [index.locate_one(lon + 0.5, lat + 0.5) for lon, lat in corners] == list(range(6))
    assert index.locate([180.0, -180.0, 60.0], [90.0, -90.0, 45.0]).tolist() == [3, 0, -1]


def test_positions_that_are_nowhere() -> None:
    index = AreaIndex.build([shapely.box(0, 0, 1, 1)])
    lons = [np.nan, np.inf, -np.inf, 0.5, 1e300, -1e19, 200.0, 0.5]
    lats = [0.5, 0.5, 0.5, np.nan, 0.5, 0.5, 0.5, -100.0]
    assert index.locate(lons, lats).tolist() == [-1] * 8
    assert [index.locate_one(lon, lat) for lon, lat in zip(lons, lats, strict=True)] == [-1] * 8
    assert not index.on_border(lons, lats).any()


def test_points_are_rounded_to_the_lattice_halves_to_even() -> None:
    index = AreaIndex.build([shapely.box(0, 0, 1, 1)])
    assert index.locate([1 + 0.4e-8, 1 + 0.6e-8], [0.5, 0.5]).tolist() == [0, -1]
    assert index.locate_one(1 + 0.4e-8, 0.5) == 0
    assert index.locate_one(1 + 0.6e-8, 0.5) == -1
    # -0.5 and 0.5 steps are halves: both go to 0, which is on the border.
    assert index.locate([-0.5e-8], [0.5]).tolist() == [0]
    assert index.locate_one(-0.5e-8, 0.5) == 0


def test_an_index_of_nothing_answers_nothing() -> None:
    index = AreaIndex.build([])
    assert len(index) == 0
    assert index.locate([1.0], [2.0]).tolist() == [-1]
    assert index.locate_one(1.0, 2.0) == -1
    assert index.nearest(1.0, 2.0, 1e6) is None
    assert index.candidates(1.0, 2.0, 30.0) == [(-1, 1.0)]


def test_no_points_no_answers() -> None:
    index = AreaIndex.build([shapely.box(0, 0, 1, 1)])
    assert index.locate([], []).tolist() == []
    assert index.locate_points(np.empty((0, 2))).shape == (0,)


@pytest.mark.parametrize(("lon", "lat"), [([1.0], [1.0, 2.0]), ([[1.0]], [[1.0]]), (1.0, 1.0)])
def test_points_of_a_wrong_shape_are_refused(lon: object, lat: object) -> None:
    index = AreaIndex.build([shapely.box(0, 0, 1, 1)])
    with pytest.raises(InvalidInput) as caught:
        index.locate(lon, lat)  # type: ignore[arg-type]
    assert caught.value.code == "bad_shape"


def test_pairs_of_a_wrong_shape_are_refused() -> None:
    with pytest.raises(InvalidInput, match="no pairs"):
        AreaIndex.build([]).locate_points(np.zeros((3, 3)))


@pytest.mark.parametrize(
    ("geometry", "code"),
    [
        (None, "not_an_area"),
        (shapely.Polygon(), "not_an_area"),
        (shapely.Point(1, 2), "not_an_area"),
        (shapely.GeometryCollection([shapely.box(0, 0, 1, 1)]), "not_an_area"),
        (shapely.box(500_000, 3_000_000, 500_100, 3_000_100), "out_of_range"),
        (shapely.box(30, 118, 31, 119), "out_of_range"),
        (shapely.Polygon([(0, 0), (1, 0), (1, np.inf)]), "not_finite"),
    ],
)
def test_what_is_no_area_is_refused(geometry: shapely.Geometry | None, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        AreaIndex.build([shapely.box(0, 0, 1, 1), geometry])
    assert caught.value.code == code
    if code != "not_finite":
        assert caught.value.detail["row"] == 1


UNIT = shapely.box(0, 0, 1, 1)


@pytest.mark.parametrize(
    "other",
    [
        UNIT,
        shapely.box(0.5, 0.5, 1.5, 1.5),
        shapely.box(0.25, 0.25, 0.75, 0.75),
        shapely.box(0.5, 0, 1, 1),
        shapely.Polygon([(0, 0), (1, 0), (1, 1)]),
        affinity.rotate(UNIT, 45),
        shapely.Polygon([(0.99999, -1), (2, -1), (2, 2), (0.99999, 2)]),
    ],
    ids=["the same", "across", "within", "half", "triangle", "turned", "sliver"],
)
def test_overlaps_are_refused(other: shapely.Polygon) -> None:
    for pair in ([UNIT, other], [other, UNIT]):
        with pytest.raises(InvalidInput, match="overlap") as caught:
            AreaIndex.build(pair)
        assert caught.value.code == "not_a_coverage"
        assert caught.value.detail


def test_many_threads_may_ask_at_once() -> None:
    areas = town(np.random.default_rng(8), 12, 20, 50_000, 9_000, (0, 0), thin=False)
    lonlat = from_lattice(interesting_points(np.random.default_rng(9), areas, 20_000))
    index = AreaIndex.build(degrees(areas))
    wanted = index.locate_points(lonlat)
    answers: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: answers.append(index.locate_points(lonlat))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    assert all((answer == wanted).all() for answer in answers)
