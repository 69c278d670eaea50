"""GeoJSON by RFC 7946: what goes out reads back as the same ground."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import Polygon

from mapsvc.base.errors import InvalidInput
from mapsvc.geo import geojson
from mapsvc.geo.lattice import lattice_hash
from tests.coverages import grid


@given(seed=st.integers(0, 200))
def test_borders_come_back_exactly(seed: int) -> None:
    cells, codes = grid(2, 2, seed=seed)
    found = json.loads(geojson.encode_features(cells, [{"code": code} for code in codes]))
    for feature, cell, code in zip(found["features"], cells, codes, strict=True):
        assert feature["properties"] == {"code": code}
        back = geojson.decode_geometry(json.dumps(feature["geometry"]))
        assert lattice_hash(back) == lattice_hash(cell)


def test_shells_run_counter_clockwise_and_holes_the_other_way() -> None:
    clockwise = shapely.box(0, 0, 9, 9, ccw=False)
    shape = Polygon(clockwise.exterior, [shapely.box(1, 1, 2, 2, ccw=True).exterior])
    [feature] = json.loads(geojson.encode_features([shape], [{}]))["features"]
    shell, hole = feature["geometry"]["coordinates"]
    assert shapely.is_ccw(shapely.linearrings(shell))
    assert not shapely.is_ccw(shapely.linearrings(hole))


def test_digits_are_bounded_and_there_is_no_minus_zero() -> None:
    text = geojson.encode_features([shapely.Point(118.123456789123, -1e-12)], [{}], digits=geojson.SCREEN_DIGITS)
    assert b"118.1234568" in text
    assert b"118.12345678" not in text
    assert b"-0" not in text


def test_none_and_empty_are_null_and_heights_are_dropped() -> None:
    shapes: list[Any] = [None, Polygon(), shapely.Point(1, 2, 3)]
    features = json.loads(geojson.encode_features(shapes, [{}, {}, {}]))["features"]
    assert [feature["geometry"] for feature in features] == [None, None, {"type": "Point", "coordinates": [1.0, 2.0]}]


def test_ids_members_and_values() -> None:
    when = datetime(2026, 3, 1, 8, tzinfo=UTC)
    text = geojson.encode_features(
        [shapely.Point(1, 2)], [{"at": when, "name": "东风"}], ids=["a"], members={"numberReturned": 1, "next": None}
    )
    found = json.loads(text)
    assert found["type"] == "FeatureCollection"
    assert (found["numberReturned"], found["next"]) == (1, None)
    assert found["features"][0]["id"] == "a"
    assert found["features"][0]["properties"] == {"at": "2026-03-01T08:00:00+00:00", "name": "东风"}


def test_a_property_for_each_geometry() -> None:
    with pytest.raises(ValueError, match="shorter"):
        geojson.encode_features([shapely.Point(1, 2)], [])


def test_pieces_make_one_collection() -> None:
    cells, codes = grid(3, 2)
    batches = [(cells[k : k + 2], [{"code": code} for code in codes[k : k + 2]]) for k in (0, 2, 4)]
    found = json.loads(b"".join(geojson.iter_features([([], []), *batches, ([], [])])))
    assert [feature["properties"]["code"] for feature in found["features"]] == codes
    assert json.loads(b"".join(geojson.iter_features([])))["features"] == []


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"type":"Blob"}', '{"type":"Point"}', b"\xff\xfe"])
def test_what_is_no_geojson_is_refused(text: str | bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        geojson.decode_geometry(text)
    assert caught.value.code == "bad_geojson"


def test_nan_does_not_leave_the_house_as_a_number() -> None:
    with np.errstate(invalid="ignore"):
        bad = Polygon([(0, 0), (1, float("nan")), (1, 1)])
        text = geojson.encode_features([bad], [{}])
    assert b"NaN" not in text
