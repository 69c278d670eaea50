"""A reporter's name and phone leave by no GET, whoever asks; names of persons only where they may."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from tests import squares
from tests.contract.routes import all_routes, ask
from tests.town import REPORTER_NAME, REPORTER_PHONE, Town

READS_CONTACTS = {"intake", "duty_officer"}


def test_no_get_tells_who_reported(town: Town) -> None:
    case_uuid, answer = town.report()
    filled = {"case_uuid": str(case_uuid), "number": answer.json["number"], "code": answer.json["track_code"]}
    for who in ("", *town.logins):
        for route in all_routes(town.app, filled):
            if route.method != "GET":
                continue
            for headers in ({}, {"Accept": "text/html"}):
                told = ask(town.app, route, headers={**town.headers(who), **headers}).data
                allowed = who in READS_CONTACTS and not route.path.startswith("/api/")
                assert allowed or REPORTER_PHONE.encode() not in told, (who, route)
                assert allowed or REPORTER_NAME.encode() not in told, (who, route)


def test_no_answer_to_a_report_repeats_who_sent_it(town: Town) -> None:
    for who in ("", "intake"):
        more = {} if not who else {"channel": "hotline"}
        _, answer = town.report(who, **more)
        assert answer.status_code == 201, answer.data
        assert REPORTER_PHONE not in answer.text
        assert REPORTER_NAME not in answer.text


def test_what_was_refused_repeats_nothing_of_it(town: Town) -> None:
    body = {"category": "E0107", "contact": {"name": REPORTER_NAME, "phone": REPORTER_PHONE, "wrong": 1}}
    answer = town.put_json(f"/api/v1/cases/{uuid.uuid4()}", body)
    assert answer.status_code == 400
    assert REPORTER_PHONE not in answer.text
    assert REPORTER_NAME not in answer.text


def test_metrics_hold_no_person_no_place_and_no_id(town: Town) -> None:
    case_uuid, answer = town.report()
    town.get(f"/api/v1/cases/{case_uuid}", "chief_0")
    town.get("/api/v1/locate?lon=123.0005&lat=41.8005")
    told = town.get("/metrics").text
    for secret in (str(case_uuid), answer.json["number"], "chief P0", "123.0005", REPORTER_PHONE, "127.0.0.1"):
        assert secret not in told


@pytest.mark.parametrize(
    "path",
    ["/api/v1/locate?lon={0}&lat={1}", "/api/v1/areas?level=patch", "/api/v1/preview?lon={0}&lat={1}&category=E0107"],
)
def test_without_a_log_in_areas_and_no_persons(town: Town, path: str) -> None:
    address = path.format(*squares.middle(0, 0))
    assert "chief P0" in town.get(address, "chief_1").text
    for who in ("", "bare"):
        told = town.get(address, who)
        assert told.status_code == 200
        assert "chief P0" not in told.text


def test_a_name_that_is_posted_up_is_told_to_everybody(make_town: Callable[..., Town]) -> None:
    town = make_town(public_names=True)
    lon, lat = squares.middle(0, 0)
    assert "chief P0" in town.get(f"/api/v1/locate?lon={lon}&lat={lat}").text


def test_the_public_gets_no_border_without_a_review_number(make_town: Callable[..., Town]) -> None:
    town = make_town()
    for level in ("grid", "patch", "community", "street", "district"):
        for who, shown in (("", False), ("bare", False), ("chief_0", True)):
            found = town.get(f"/api/v1/areas?level={level}", who).json["features"]
            assert found
            assert all((one["geometry"] is not None) is shown for one in found), (level, who)
            assert "coordinates" in town.get(f"/api/v1/areas?level={level}", "chief_0").text


def test_with_a_review_number_borders_come_with_it(make_town: Callable[..., Town]) -> None:
    town = make_town(map_review_number="辽S(2026)001号")
    told = town.get("/api/v1/areas?level=street").json
    assert told["map_review_number"] == "辽S(2026)001号"
    assert all(one["geometry"] is not None for one in told["features"])
