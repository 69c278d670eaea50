"""Datums: the inverse is exact, nothing moves outside the mainland, names are understood."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsvc.base.errors import InvalidInput
from mapsvc.geo import datums
from mapsvc.geo.measure import distance_m

LON = st.floats(80, 130)
LAT = st.floats(20, 52)


@pytest.mark.parametrize("datum", datums.DATUMS)
@given(lon=LON, lat=LAT)
def test_there_and_back(datum: str, lon: float, lat: float) -> None:
    if not datums.in_mainland(lon, lat):
        return
    x, y = datums.to_wgs84(*datums.from_wgs84(lon, lat, datum), datum)
    assert abs(float(x) - lon) <= 1e-9
    assert abs(float(y) - lat) <= 1e-9


@given(lon=LON, lat=LAT)
def test_the_shift_is_some_hundred_metres_inside(lon: float, lat: float) -> None:
    moved = float(distance_m(lon, lat, *datums.wgs84_to_gcj02(lon, lat)))
    if datums.in_mainland(lon, lat):
        assert 20 < moved < 900
    else:
        assert moved == 0


@given(lon=LON, lat=LAT)
def test_by_way_of_gcj02_is_the_same_bd09(lon: float, lat: float) -> None:
    if not datums.in_mainland(lon, lat):
        return
    by_way = datums.gcj02_to_bd09(*datums.wgs84_to_gcj02(lon, lat))
    assert np.allclose(by_way, datums.wgs84_to_bd09(lon, lat), rtol=0, atol=1e-9)
    back = datums.bd09_to_gcj02(*by_way)
    assert np.allclose(back, datums.wgs84_to_gcj02(lon, lat), rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("lon", "lat"), [(2.35, 48.85), (-73.9, 40.7), (139.7, 35.7), (126.98, 37.57), (103.85, 1.29), (0.0, 0.0)]
)
def test_abroad_all_datums_are_wgs84(lon: float, lat: float) -> None:
    for datum in datums.DATUMS:
        assert tuple(map(float, datums.from_wgs84(lon, lat, datum))) == (lon, lat)
        assert tuple(map(float, datums.to_wgs84(lon, lat, datum))) == (lon, lat)
    assert not datums.in_uncertain_belt(lon, lat)


@pytest.mark.parametrize(
    ("lon", "lat"),
    [
        (116.4, 39.9),
        (121.47, 31.23),
        (87.6, 43.8),
        (91.1, 29.65),
        (110.3, 20.0),
        (123.4, 41.8),
        (98.5, 39.7),
        (104.1, 26.2),
    ],
)
def test_cities_are_inside_and_certain(lon: float, lat: float) -> None:
    assert datums.in_mainland(lon, lat)
    assert not datums.in_uncertain_belt(lon, lat)
    assert datums.belt_warning([lon], [lat]) is None


@pytest.mark.parametrize(("lon", "lat"), [(127.5, 50.2), (81.3, 43.9), (97.9, 24.0), (124.4, 40.1), (131.2, 44.4)])
def test_border_towns_are_inside(lon: float, lat: float) -> None:
    assert datums.in_mainland(lon, lat)


def test_the_belt_is_warned_of_with_its_count() -> None:
    warning = datums.belt_warning([127.9, 116.4], [50.6, 39.9])
    assert warning is not None
    assert warning.startswith("1 of 2 positions")


def test_the_belt_lies_along_the_line() -> None:
    # Going north from the interior, the line is crossed once, and inside the belt.
    lat = np.linspace(45, 58, 2000)
    lon = np.full_like(lat, 127.0)
    inside, unsure = datums.in_mainland(lon, lat), datums.in_uncertain_belt(lon, lat)
    crossing = np.flatnonzero(inside[1:] != inside[:-1])
    assert len(crossing) == 1
    assert unsure[crossing[0]]
    assert unsure[crossing[0] + 1]


def test_arrays_of_any_shape_and_empty_ones_keep_their_shape() -> None:
    lon = np.array([[116.0, 117.0], [118.0, 2.0]])
    x, y = datums.wgs84_to_gcj02(lon, 30.0)
    assert x.shape == y.shape == (2, 2)
    assert x[1, 1] == 2.0
    none, _ = datums.wgs84_to_bd09([], [])
    assert none.shape == (0,)


def test_the_arguments_are_not_changed() -> None:
    lon, lat = np.array([116.0]), np.array([39.0])
    for datum in datums.DATUMS:
        datums.from_wgs84(lon, lat, datum)[0][0] = 0.0
        datums.to_wgs84(lon, lat, datum)
    assert (lon[0], lat[0]) == (116.0, 39.0)


def test_what_is_not_finite_stays_so_and_is_outside() -> None:
    x, _ = datums.wgs84_to_gcj02([np.nan], [30.0])
    assert np.isnan(x[0])
    assert not datums.in_mainland([np.nan], [30.0])[0]
    y, _ = datums.gcj02_to_wgs84([np.inf], [30.0])
    assert np.isinf(y[0])


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("GCJ-02", "gcj02"),
        ("gcj02", "gcj02"),
        ("BD-09", "bd09"),
        ("bd09ll", "bd09"),
        ("WGS 84", "wgs84"),
        ("CGCS2000", "cgcs2000"),
    ],
)
def test_spellings(text: str, name: str) -> None:
    assert datums.check_datum(text) == name


def test_an_unknown_datum_is_named() -> None:
    with pytest.raises(InvalidInput) as caught:
        datums.to_wgs84([116.0], [39.0], "xian80")
    assert caught.value.code == "unknown_datum"
    assert "xian80" in caught.value.message


def test_cgcs2000_is_taken_as_wgs84() -> None:
    assert tuple(map(float, datums.to_wgs84(116.123, 39.5, "cgcs2000"))) == (116.123, 39.5)
