"""Tiles: where they lie, what a foreign decoder reads in them, groups of points, id rasters."""

from __future__ import annotations

from typing import Any

import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from mapsvc.base.errors import NotFound
from mapsvc.geo.tiles import clusters, mercator, mvt, raster
from mapsvc.geo.tiles.areas import AREA_LAYER, FULL_ZOOM, LABEL_LAYER, Areas, to_unit_square
from mapsvc.geo.tiles.mercator import Tile, from_unit, get_tile, morton, morton_range, to_unit
from tests import coverages

CITY = (118.0 + 0.006, 30.0 + 0.004)


def tile_at(lon: float, lat: float, z: int) -> Tile:
    x, y = to_unit([lon], [lat])
    return Tile(z, int(x[0] * 2**z), int(y[0] * 2**z))


def city(columns: int = 12, rows: int = 8, **more: Any) -> tuple[Areas, np.ndarray]:
    geometries, codes = coverages.grid(columns, rows, seed=3)
    points = shapely.get_coordinates(shapely.point_on_surface(geometries))
    return Areas(geometries, points, [f"网格{code}" for code in codes], codes, **more), geometries


def decoded(content: bytes) -> dict[str, Any]:
    """Read a tile by somebody else's decoder, y down."""
    options = {"y_coord_down": True}
    return dict(mapbox_vector_tile.decode(content, default_options=options))


def shapes(layer: Any) -> dict[int, Any]:
    return {one["id"]: shapely.geometry.shape(one["geometry"]) for one in layer["features"]}


# -- where tiles lie


@given(st.floats(-180, 180), st.floats(-85, 85))
def test_there_and_back(lon: float, lat: float) -> None:
    x, y = to_unit([lon], [lat])
    back = from_unit(x, y)
    assert back[0][0] == pytest.approx(lon, abs=1e-9)
    assert back[1][0] == pytest.approx(lat, abs=1e-9)


@given(st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_max=True), st.integers(0, 22))
def test_a_tile_is_a_range_of_morton_numbers(x: float, y: float, z: int) -> None:
    number = int(morton([x], [y])[0])
    tile = Tile(z, int(x * 2**z), int(y * 2**z))
    low, high = morton_range(tile)
    assert low <= number <= high
    neighbour = morton_range(Tile(z, (tile.x + 1) % 2**z, tile.y)) if z else (low, high)
    assert z == 0 or not neighbour[0] <= number <= neighbour[1]


def test_what_has_no_place_sorts_behind_everything() -> None:
    numbers = morton([np.nan, 1.0, 0.3], [0.2, 1.0, np.nan])
    assert numbers[0] == numbers[2] == mercator.NOWHERE
    assert numbers[1] < mercator.NOWHERE  # the very corner of the world is a place


@pytest.mark.parametrize(("z", "x", "y"), [(-1, 0, 0), (23, 0, 0), (3, 8, 0), (3, 0, 8), (3, -1, 0), (0, 10**30, 0)])
def test_a_tile_that_there_is_not(z: int, x: int, y: int) -> None:
    with pytest.raises(NotFound) as told:
        get_tile(z, x, y)
    assert told.value.code == "no_such_tile"


# -- vector tiles


@pytest.mark.parametrize("z", [13, 14, 15, 16])
def test_a_tile_holds_what_shapely_says_it_holds(z: int) -> None:
    areas, geometries = city()
    areas.prepare(z)
    tile = tile_at(*CITY, z)
    layers = decoded(areas.encode(tile))
    assert layers[AREA_LAYER]["extent"] == mvt.EXTENT
    assert layers[AREA_LAYER]["version"] == 2
    read = shapes(layers[AREA_LAYER])
    x0, y0, x1, y1 = tile.box
    frame = shapely.box(x0, y0, x1, y1)
    square = to_unit_square(geometries)
    seen = 0
    for number, geometry in read.items():
        placed = shapely.transform(geometry, lambda c: c * tile.side / mvt.EXTENT + (x0, y0))
        assert placed.is_valid
        cut = shapely.intersection(placed, frame)
        expected = shapely.intersection(square[number - 1], frame)
        tolerance = tile.side / mvt.EXTENT * (1 if z >= FULL_ZOOM else 8)
        assert shapely.area(shapely.symmetric_difference(cut, expected)) <= tolerance * (expected.length + tolerance)
        seen += not expected.is_empty
    expected_numbers = set((np.flatnonzero(shapely.area(shapely.intersection(square, frame)) > 0) + 1).tolist())
    assert expected_numbers <= set(read)
    assert seen == len(expected_numbers) > 0


@pytest.mark.parametrize("z", [8, 11, 13, 15])
def test_neighbours_share_their_border_after_simplifying(z: int) -> None:
    areas, _ = city(20, 15)
    areas.prepare(z)
    tile = tile_at(*CITY, z)
    geometries, _ = (areas._by_zoom.get(z) or areas._full).within(tile)
    assert len(geometries) > 0
    assert shapely.coverage_is_valid(geometries)
    united = shapely.coverage_union_all(geometries)
    assert shapely.area(united) == pytest.approx(shapely.area(geometries).sum(), rel=1e-9)


def test_lower_zooms_hold_fewer_vertices() -> None:
    areas, _ = city(20, 15)
    areas.prepare(6)
    vertices = {z: int(shapely.get_num_coordinates(drawn.geometries).sum()) for z, drawn in areas._by_zoom.items()}
    assert vertices[14] >= vertices[12] > vertices[10] >= vertices[6]


def test_before_a_zoom_is_simplified_half_pixels_do() -> None:
    areas, _ = city()
    tile = tile_at(*CITY, 12)
    assert not areas.is_ready(12)
    early = shapes(decoded(areas.encode(tile))[AREA_LAYER])
    for geometry in early.values():
        assert (shapely.get_coordinates(geometry) % 4 == 0).all()
    areas.prepare(12)
    assert areas.is_ready(12)
    assert set(shapes(decoded(areas.encode(tile))[AREA_LAYER])) == set(early)


def test_rings_run_as_the_standard_wants_them() -> None:
    """Outer rings have a positive surveyor's area in tile coordinates, holes a negative one, right behind them."""
    outer = shapely.box(118.0, 30.0, 118.01, 30.01)
    holed = shapely.difference(outer, shapely.box(118.003, 30.003, 118.006, 30.006))
    islands = shapely.MultiPolygon([holed, shapely.box(118.012, 30.0, 118.014, 30.002)])
    for given_rings in (islands, shapely.reverse(islands)):
        tile = tile_at(118.007, 30.005, 12)
        rings = mvt.make_rings(to_unit_square(np.array([given_rings], dtype=object)), tile)
        areas = mvt._doubled_areas(rings.x, rings.y, rings.size)
        assert (areas > 0).tolist() == [True, False, True]
        read = shapes(
            decoded(
                mvt.encode_polygons("a", to_unit_square(np.array([given_rings], dtype=object)), np.array([7]), tile)
            )["a"]
        )
        assert len(shapely.get_parts(read[7])) == 2
        assert shapely.get_num_interior_rings(shapely.get_parts(read[7])).sum() == 1


def test_what_shrinks_to_nothing_is_left_out() -> None:
    tiny = to_unit_square(
        np.array([shapely.box(118.0, 30.0, 118.0000001, 30.0000001), None, shapely.Polygon()], dtype=object)
    )
    assert mvt.encode_polygons("a", tiny[:1], np.array([1]), tile_at(118, 30, 5)) == b""
    assert mvt.encode_polygons("a", tiny[:0], np.zeros(0, np.int64), tile_at(118, 30, 5)) == b""


def test_areas_without_a_border_keep_their_numbers() -> None:
    geometries, codes = coverages.grid(4, 3)
    geometries[2] = None
    geometries[5] = shapely.Polygon()
    points = np.tile([118.002, 30.001], (12, 1))
    areas = Areas(geometries, points, codes, codes)
    areas.prepare(12)
    read = shapes(decoded(areas.encode(tile_at(118.002, 30.0015, 12)))[AREA_LAYER])
    assert set(read) == set(range(1, 13)) - {3, 6}


def test_each_label_is_in_exactly_one_tile() -> None:
    areas, _ = city()
    areas.prepare(14)
    middle = tile_at(*CITY, 14)
    found: list[str] = []
    for dx in (-1, 0, 1):
        for dy in (-1, 0, 1):
            layers = decoded(areas.encode(Tile(14, middle.x + dx, middle.y + dy)))
            for one in layers.get(LABEL_LAYER, {"features": []})["features"]:
                found.append(one["properties"]["code"])
                assert one["properties"]["name"] == f"网格{one['properties']['code']}"
                assert areas.codes[one["id"] - 1] == one["properties"]["code"]
                assert all(0 <= value < mvt.EXTENT for value in one["geometry"]["coordinates"])
    assert sorted(found) == sorted(areas.codes)


@given(st.lists(st.integers(0, 2**35 - 1), max_size=30))
def test_varints(numbers: list[int]) -> None:
    packed, begins = mvt._varints(np.array(numbers, np.int64))
    assert packed == b"".join(mvt._varint(number) for number in numbers)
    assert begins.tolist() == np.cumsum([0, *(len(mvt._varint(n)) for n in numbers[:-1])]).tolist()[: len(numbers)]


# -- id rasters


def test_pixels_bear_the_number_of_their_area() -> None:
    tile = tile_at(*CITY, 14)
    lon, lat = raster.pixel_centres(tile)
    x0, y0, x1, y1 = tile.box
    x, y = to_unit(lon, lat)
    places = (np.arange(256) + 0.5) / 256
    np.testing.assert_allclose(x.reshape(256, 256)[7], x0 + places * (x1 - x0), atol=1e-12)
    np.testing.assert_allclose(y.reshape(256, 256)[:, 7], y0 + places * (y1 - y0), atol=1e-12)
    numbers = np.frombuffer(raster.encode_numbers(np.array([-1, 0, 99_999])), "<u4")
    assert numbers.tolist() == [0, 1, 100_000]


# -- groups


def test_groups_hold_every_point_of_the_tile_once() -> None:
    rng = np.random.default_rng(5)
    tile = tile_at(*CITY, 13)
    x0, y0, x1, y1 = tile.box
    x, y = rng.uniform(x0, x1, 3000), rng.uniform(y0, y1, 3000)
    x[:1000], y[:1000] = x[0], y[0]
    order = np.argsort(morton(x, y), kind="stable")
    x, y = x[order], y[order]
    found = clusters.group(morton(x, y), x, y, tile)
    assert found.counts.sum() == 3000
    assert len(found.counts) <= 16
    for start, count, px, py, radius in zip(found.starts, found.counts, found.x, found.y, found.radius, strict=True):
        cells = {
            (int((a - x0) / tile.side * 4), int((b - y0) / tile.side * 4))
            for a, b in zip(x[start : start + count], y[start : start + count], strict=True)
        }
        assert len(cells) == 1
        assert count == 1 or (radius <= px <= 256 - radius and radius <= py <= 256 - radius)


def test_points_on_one_place_stay_together_at_every_zoom() -> None:
    x, y = to_unit(np.full(10_000, CITY[0]), np.full(10_000, CITY[1]))
    for z in range(23):
        found = clusters.group(morton(x, y), x, y, tile_at(*CITY, z))
        assert found.counts.tolist() == [10_000]


def test_a_single_point_stays_where_it_is() -> None:
    tile = tile_at(*CITY, 10)
    x0, y0, _, _ = tile.box
    x, y = np.array([x0 + tile.side * 0.001]), np.array([y0 + tile.side * 0.999])
    found = clusters.group(morton(x, y), x, y, tile)
    assert (found.x[0], found.y[0]) == (pytest.approx(0.256), pytest.approx(255.744))
    assert found.radius[0] == 0
    assert not len(clusters.group(morton(x, y)[:0], x[:0], y[:0], tile).counts)
