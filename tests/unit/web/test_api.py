"""Look-ups, areas and lists over HTTP: the same answers by every way in, and every input told what is wrong with it."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from mapsvc.geo.datums import from_wgs84
from tests import squares
from tests.town import Town

CENTRES = [squares.middle(column, row) for row in range(4) for column in range(4)]
OUTSIDE_NEAR = (squares.WEST - 0.0003, squares.SOUTH + 0.0005)
OUTSIDE_FAR = (squares.WEST - 0.1, squares.SOUTH + 0.0005)
POINTS = [*CENTRES, (squares.WEST + 0.001, squares.SOUTH + 0.001), OUTSIDE_NEAR, OUTSIDE_FAR]


def post(town: Town, path: str, **more: Any) -> Any:
    """Ask for many points, as an account: the public may not."""
    return town.client().post(path, headers=town.headers("chief_0"), **more)


def codes_of(answer: Any) -> dict[str, str]:
    return {area["level"]: area["code"] for area in answer["areas"]}


def one_by_one(town: Town) -> list[dict[str, str]]:
    return [codes_of(town.get(f"/api/v1/locate?lon={lon!r}&lat={lat!r}", "chief_0").json) for lon, lat in POINTS]


def test_a_point_has_an_area_at_every_level_and_its_chiefs(town: Town) -> None:
    lon, lat = squares.middle(0, 0)
    answer = town.get(f"/api/v1/locate?lon={lon}&lat={lat}", "chief_1").json
    assert codes_of(answer) == {"grid": "G0000", "patch": "P0", "community": "C00", "street": "S0", "district": "D"}
    assert (answer["rule"], answer["certainty"], answer["owner_level"]) == ("inside", 1.0, "patch")
    by_level = {area["level"]: area for area in answer["areas"]}
    assert by_level["patch"]["chief"] == {"name": "chief P0", "role": "chief", "stand_in": ""}
    assert (by_level["community"]["vacant"], by_level["community"]["chief"]) == (True, None)


def test_json_of_many_points_says_the_same_as_one_by_one(town: Town) -> None:
    many = post(town, "/api/v1/locate", json={"points": POINTS}).json
    assert many["count"] == len(POINTS)
    for place, one in enumerate(one_by_one(town)):
        assert {level: codes[place] for level, codes in many["levels"].items() if codes[place]} == one
    assert many["nearest"] == [len(POINTS) - 2]
    assert {area["code"] for area in many["areas"] if area["level"] == "patch"} == {"P0", "P1"}


def test_float64_says_the_same_as_one_by_one(town: Town) -> None:
    raw = np.array(POINTS, dtype="<f8").tobytes()
    expected = one_by_one(town)
    for level in ("", "grid", "patch", "community", "street", "district"):
        query = f"?level={level}" if level else ""
        answer = post(town, f"/api/v1/locate{query}", data=raw, content_type="application/octet-stream")
        assert answer.content_type == "application/octet-stream"
        named = answer.headers["Mapsvc-Level"]
        assert named == (level or "grid")
        table = town.get(f"/api/v1/area-codes?level={named}").json
        codes = dict(zip(table["ids"], table["codes"], strict=True))
        ids = np.frombuffer(answer.data, dtype="<i4").tolist()
        assert [codes.get(area) for area in ids] == [one.get(named) for one in expected]
        assert int(answer.headers["Mapsvc-Generation"]) == table["generation"]


def test_without_the_nearest_rule_what_is_outside_has_none(town: Town) -> None:
    raw = np.array(POINTS, dtype="<f8").tobytes()
    answer = post(town, "/api/v1/locate?nearest=false", data=raw, content_type="application/octet-stream")
    ids = np.frombuffer(answer.data, dtype="<i4")
    assert (ids[-2:] == 0).all()
    assert (ids[:-2] > 0).all()


@pytest.mark.parametrize("datum", ["gcj02", "bd09", "cgcs2000"])
def test_every_datum_comes_to_the_same_ground(town: Town, datum: str) -> None:
    lon, lat = (np.array(values) for values in zip(*POINTS, strict=True))
    there = np.column_stack(from_wgs84(lon, lat, datum))
    expected = one_by_one(town)
    many = post(town, "/api/v1/locate", json={"points": there.tolist(), "datum": datum}).json
    raw = there.astype("<f8").tobytes()
    answer = post(town, f"/api/v1/locate?datum={datum}", data=raw, content_type="application/octet-stream")
    ids = np.frombuffer(answer.data, dtype="<i4")
    for place in range(len(CENTRES)):
        x, y = there[place].tolist()
        one = town.get(f"/api/v1/locate?lon={x!r}&lat={y!r}&datum={datum}", "chief_0")
        assert codes_of(one.json) == expected[place]
        assert many["levels"]["grid"][place] == expected[place]["grid"]
        assert ids[place] == town.areas["grid", expected[place]["grid"]]


def test_no_points_is_an_answer_too(town: Town) -> None:
    assert post(town, "/api/v1/locate", json={"points": []}).json["count"] == 0
    empty = post(town, "/api/v1/locate", data=b"", content_type="application/octet-stream")
    assert (empty.status_code, empty.data) == (200, b"")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("lon=123", "invalid_input"),
        ("lon=123&lat=x", "invalid_input"),
        ("lon=nan&lat=41", "invalid_input"),
        ("lon=inf&lat=41", "invalid_input"),
        ("lon=181&lat=41", "invalid_input"),
        ("lon=41.8005&lat=123.0005", "lon_lat_swapped"),
        ("lon=10&lat=95", "position_out_of_range"),
        ("lon=123&lat=41&datum=mars", "invalid_input"),
        ("lon=123&lat=41&accuracy=-1", "invalid_input"),
        ("lon=123&lat=41&accuracy=1e9", "invalid_input"),
        ("lon=123&lat=41&lon=124", "repeated_parameter"),
        ("lon=123&lat=41&more=1", "invalid_input"),
        ("lon=123&lat=41&as_of=yesterday", "invalid_input"),
        ("lon=123&lat=41&as_of=2026-05-03T10:00:00", "invalid_input"),
        ("lon=123&lat=41&as_of=0001-01-01", "date_out_of_range"),
        ("lon=123&lat=41&as_of=9999-12-31", "date_out_of_range"),
    ],
)
def test_a_look_up_that_makes_no_sense(town: Town, query: str, code: str) -> None:
    answer = town.get(f"/api/v1/locate?{query}")
    assert (answer.status_code, answer.json["code"]) == (400, code), answer.json
    assert answer.json["hint"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_input"),
        ({"points": [[1]]}, "invalid_input"),
        ({"points": [[1, 2, 3]]}, "invalid_input"),
        ({"points": [["1", "2"]]}, "invalid_input"),
        ({"points": [[True, 2]]}, "invalid_input"),
        ({"points": [[None, 2]]}, "invalid_input"),
        ({"points": [[123, 41], [500, 2]]}, "bad_point"),
        ({"points": [[41.8005, 123.0005]]}, "lon_lat_swapped"),
        ({"points": [], "datum": "mars"}, "invalid_input"),
        ({"points": [], "more": 1}, "invalid_input"),
    ],
)
def test_points_that_make_no_sense(town: Town, body: Any, code: str) -> None:
    answer = post(town, "/api/v1/locate", json=body)
    assert (answer.status_code, answer.json["code"]) == (400, code), answer.json


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b'{"points": [], "points": [[1, 2]]}', "bad_json"),
        (b'{"points": [[123, 41]], "datum": "wgs84", "datum": "gcj02"}', "bad_json"),
        (b'{"points": [[NaN, 2]]}', "bad_json"),
        (b'{"points": [[1, 2]', "bad_json"),
        (b'{"points": ' + b"[" * 50 + b"]" * 50 + b"}", "too_deep"),
        (b"", "empty_body"),
    ],
)
def test_points_that_are_not_clear_json(town: Town, raw: bytes, code: str) -> None:
    answer = post(town, "/api/v1/locate", data=raw, content_type="application/json")
    assert (answer.status_code, answer.json["code"]) == (400, code), answer.json


def test_floats_that_make_no_sense(town: Town) -> None:
    def send(raw: bytes, query: str = "") -> tuple[int, str]:
        answer = post(town, f"/api/v1/locate{query}", data=raw, content_type="application/octet-stream")
        return answer.status_code, answer.json["code"]

    assert send(b"1234567") == (400, "not_pairs")
    bad = np.array([[123.0, 41.8], [np.nan, 1.0], [1.0, np.inf]], dtype="<f8").tobytes()
    assert send(bad) == (400, "bad_point")
    good = np.array([[123.0, 41.8]], dtype="<f8").tobytes()
    assert send(good, "?level=galaxy") == (400, "unknown_level")
    assert post(town, "/api/v1/locate", data=good, content_type="text/csv").status_code == 415
    assert post(town, "/api/v1/locate?level=grid", json={"points": []}).json["code"] == "parameter_not_for_json"


def test_areas_page_through_in_order_of_code(town: Town) -> None:
    seen, cursor = [], ""
    while True:
        page = town.get(f"/api/v1/areas?level=grid&limit=5&cursor={cursor}", "chief_0").json
        seen += [one["properties"]["code"] for one in page["features"]]
        if page["cursor"] is None:
            break
        cursor = page["cursor"]
    assert seen == sorted(code for level, code in town.areas if level == "grid")


@pytest.mark.parametrize("level", ["grid", "patch", "community", "street", "district"])
def test_a_box_keeps_what_it_meets(town: Town, level: str) -> None:
    lon, lat = squares.middle(0, 0)
    box = f"{lon - 1e-5},{lat - 1e-5},{lon + 1e-5},{lat + 1e-5}"
    found = town.get(f"/api/v1/areas?level={level}&bbox={box}", "chief_0").json["features"]
    expected = codes_of(town.get(f"/api/v1/locate?lon={lon}&lat={lat}").json)[level]
    assert [one["properties"]["code"] for one in found] == [expected]
    assert found[0]["geometry"]["type"] == "Polygon"


def test_areas_say_whether_they_changed(town: Town) -> None:
    first = town.get("/api/v1/areas?level=grid", "chief_0")
    headers = {**town.headers("chief_0"), "If-None-Match": first.headers["ETag"]}
    assert town.client().get("/api/v1/areas?level=grid", headers=headers).status_code == 304
    # Another reader has other rights, so the tag must not fit.
    assert (
        town.client().get("/api/v1/areas?level=grid", headers={"If-None-Match": first.headers["ETag"]}).status_code
        == 200
    )


@pytest.mark.parametrize("bbox", ["1,2,3", "a,b,c,d", "3,1,1,2", "1,3,2,1", "-190,0,1,1", "0,0,0,0", "1,2,3,4,5"])
def test_a_box_that_is_none(town: Town, bbox: str) -> None:
    assert town.get(f"/api/v1/areas?level=grid&bbox={bbox}", "chief_0").status_code == 400


def test_cases_are_listed_page_by_page_and_filtered(town: Town) -> None:
    made = [str(town.report(column=n % 4, row=n // 4)[0]) for n in range(9)]
    seen, path = [], "/api/v1/cases?limit=4&sort=newest"
    while path:
        page = town.get(path, "duty_officer").json
        seen += [one["id"] for one in page["features"]]
        path = next((link["href"] for link in page["links"] if link["rel"] == "next"), "")
    assert sorted(seen) == sorted(made)
    count = len(town.get("/api/v1/cases?area=patch:P1", "duty_officer").json["features"])
    assert count == sum(1 for n in range(9) if n % 4 >= 2)
    assert len(town.get("/api/v1/cases?area=P1", "duty_officer").json["features"]) == count
    lon, lat = squares.middle(0, 0)
    box = f"{lon - 1e-5},{lat - 1e-5},{lon + 1e-5},{lat + 1e-5}"
    assert [one["id"] for one in town.get(f"/api/v1/cases?bbox={box}", "duty_officer").json["features"]] == [made[0]]
    assert town.get("/api/v1/cases?status=closed", "duty_officer").json["features"] == []
    assert len(town.get("/api/v1/cases?status=open", "duty_officer").json["features"]) == 9
    later = (town.clock.now() + timedelta(days=1)).date()
    assert town.get(f"/api/v1/cases?since={later}", "duty_officer").json["features"] == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("status=happy", "unknown_status"),
        ("area=nowhere", "unknown_area"),
        ("area=galaxy:1", "unknown_level"),
        ("limit=0", "invalid_input"),
        ("limit=9999", "invalid_input"),
        ("sort=size", "invalid_input"),
        ("text=%00", "invalid_input"),
    ],
)
def test_a_list_that_makes_no_sense(town: Town, query: str, code: str) -> None:
    answer = town.get(f"/api/v1/cases?{query}", "duty_officer")
    assert (answer.status_code, answer.json["code"]) == (400, code)


def test_the_public_sends_so_many_reports_and_no_more_and_again_is_not_more(make_town: object) -> None:
    town = make_town(public_reports_per_hour=2)  # type: ignore[operator]
    path, body = f"/api/v1/cases/{uuid.uuid4()}", {"category": "E0107", "place_text": "at the gate"}
    assert [town.put_json(path, body).status_code for _ in range(6)] == [201, 200, 200, 200, 200, 200]
    assert [town.report()[1].status_code for _ in range(3)] == [201, 429, 429]
    assert town.report("intake")[1].status_code == 201


def test_what_is_held_and_what_is_not(town: Town) -> None:
    """Only for the account that sent it, or for who shows that he has the bytes."""
    public, answer = town.report()
    own, of_chief = town.report("chief_0", channel="staff")
    missing = "00000000-0000-4000-8000-000000000000"
    said = {str(public): answer.json["sha256"], str(own): of_chief.json["sha256"]}
    held = {who: receipts(town, who, {"ids": [*said, missing]}) for who in ("", "chief_0", "chief_1", "intake")}
    assert held["chief_0"] == {str(own): said[str(own)]}
    assert (held[""], held["chief_1"], held["intake"]) == ({}, {}, {})
    assert receipts(town, "", {"hashes": said}) == said
    assert receipts(town, "chief_1", {"hashes": {str(own): "0" * 64}}) == {}
    told = town.client().post("/api/v1/receipts", json={"ids": [missing], "hashes": said}).json
    assert told["missing"] == [missing]


def receipts(town: Town, who: str, body: Any) -> Any:
    return town.client().post("/api/v1/receipts", json=body, headers=town.headers(who)).json["held"]
