"""Tiles of the ground: what lies in a tile, where, and that nothing is lost between tiles."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from mapsvc.geo.groundtiles import EXTENT, LINE, MARGIN, POINT, POLYGON, GroundTiles, Piece, to_world

LON, LAT, Z = 121.6, 38.9, 15


def tiles_of(*shapes: object, from_zooms: list[int] | None = None) -> GroundTiles:
    array = np.empty(len(shapes), dtype=object)
    array[:] = shapes
    return GroundTiles(array, from_zooms or [0] * len(shapes))


def tile_at(lon: float, lat: float, z: int = Z) -> tuple[int, int, int]:
    x, y = (to_world(np.array([[lon, lat]]))[0] * 2**z).astype(int).tolist()
    return z, x, y


def points(steps: tuple[int, ...]) -> list[tuple[int, int]]:
    return [tuple(point) for point in np.cumsum(np.reshape(steps, (-1, 2)), axis=0).tolist()]


def test_a_point_lies_where_it_lies() -> None:
    z, x, y = tile_at(LON, LAT)
    [piece] = tiles_of(shapely.Point(LON, LAT)).cut(z, x, y)
    expected = (to_world(np.array([[LON, LAT]]))[0] * 2**z - (x, y)) * EXTENT
    assert piece == Piece(0, POINT, (tuple(np.rint(expected).astype(int).tolist()),))


def test_y_grows_to_the_south() -> None:
    z, x, y = tile_at(LON, LAT)
    north, south = (tiles_of(shapely.Point(LON, lat)).cut(z, x, y) for lat in (LAT, LAT - 0.0005))
    assert south[0].lines[0][1] > north[0].lines[0][1]


def test_a_ring_leaves_out_its_last_point_and_keeps_its_holes() -> None:
    outer = shapely.box(LON, LAT, LON + 0.002, LAT + 0.002)
    court = shapely.box(LON + 0.0005, LAT + 0.0005, LON + 0.0015, LAT + 0.0015)
    [piece] = tiles_of(outer.difference(court)).cut(*tile_at(LON, LAT))
    assert piece.shape == POLYGON
    assert [len(points(line)) for line in piece.lines] == [4, 4]


def test_a_street_is_cut_with_a_margin() -> None:
    z, x, y = tile_at(LON, LAT)
    [piece] = tiles_of(shapely.LineString([(LON - 1, LAT), (LON + 1, LAT)])).cut(z, x, y)
    xs = sorted(point[0] for point in points(piece.lines[0]))
    assert piece.shape == LINE
    assert (xs[0], xs[-1]) == (-MARGIN, EXTENT + MARGIN)


def test_things_come_in_the_order_of_their_rows_and_from_their_zoom() -> None:
    boxes = [shapely.box(LON, LAT, LON + size, LAT + size) for size in (0.003, 0.002, 0.001)]
    tiles = tiles_of(*boxes, from_zooms=[14, 15, 15])
    assert [piece.row for piece in tiles.cut(*tile_at(LON, LAT))] == [0, 1, 2]
    assert [piece.row for piece in tiles.cut(*tile_at(LON, LAT, 14))] == [0]
    assert tiles.cut(*tile_at(LON, LAT, 13)) == []


def test_what_is_too_small_to_see_is_left_out() -> None:
    shed = shapely.box(LON, LAT, LON + 0.00002, LAT + 0.00002)
    assert tiles_of(shed).cut(*tile_at(LON, LAT, 12)) == []


@pytest.mark.parametrize("empty", [shapely.Polygon(), None])
def test_nothing_is_drawn_of_nothing(empty: object) -> None:
    assert tiles_of(empty, shapely.Point(LON, LAT)).cut(*tile_at(LON, LAT))[0].row == 1


@given(st.floats(73, 135), st.floats(18, 53), st.integers(8, 15))
def test_each_point_is_in_exactly_one_tile_without_its_margin(lon: float, lat: float, z: int) -> None:
    tiles = tiles_of(shapely.Point(lon, lat))
    _, x, y = tile_at(lon, lat, z)
    holding = 0
    for dx in (-1, 0, 1):
        for dy in (-1, 0, 1):
            for piece in tiles.cut(z, x + dx, y + dy):
                px, py = piece.lines[0]
                holding += 0 <= px < EXTENT and 0 <= py < EXTENT
    # A point within half a unit of an edge may be rounded onto it, and then belongs to the next tile or to both.
    assert holding in (0, 1, 2)
    exact = (to_world(np.array([[lon, lat]]))[0] * 2**z % 1) * EXTENT
    if (np.abs(exact - np.rint(exact / EXTENT) * EXTENT) > 1).all():
        assert holding == 1
