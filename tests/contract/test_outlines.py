"""Without a map review number a stranger cannot draw the borders by asking: not by boxes, labels, or many points."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mapsvc.web.outlines import ROUGH_DIGITS
from tests import squares
from tests.town import Town

REVIEWED = {"map_review_number": "辽S(2026)001号"}
STRANGERS = ("", "bare")
LEVELS = ("grid", "patch", "community", "street", "district")


@pytest.mark.parametrize("level", LEVELS)
def test_what_the_public_is_told_of_areas_does_not_depend_on_where_they_lie(town: Town, level: str) -> None:
    for who in STRANGERS:
        features = town.get(f"/api/v1/areas?level={level}", who).json["features"]
        assert features
        assert all(one["geometry"] is None and one["properties"]["label"] is None for one in features)
        assert not any(ch in json.dumps(features) for ch in ("123.", "41.8"))
        boxed = town.get(f"/api/v1/areas?level={level}&bbox=122,41,124,42", who)
        assert (boxed.status_code, boxed.json["code"]) == (
            (401, "login_required") if not who else (403, "not_permitted")
        )
    assert town.get(f"/api/v1/areas?level={level}&bbox=122,41,124,42", "chief_1").json["features"]


@pytest.mark.parametrize("level", LEVELS)
def test_a_refused_box_says_nothing_of_what_is_in_it(town: Town, level: str) -> None:
    told = [town.get(f"/api/v1/areas?level={level}&bbox={box}").json for box in ("123,41.8,123.001,41.801", "1,1,2,2")]
    assert {**told[0], "instance": ""} == {**told[1], "instance": ""}


def test_with_a_review_number_boxes_and_labels_are_answered(make_town: Callable[..., Town]) -> None:
    town = make_town(**REVIEWED)
    lon, lat = squares.middle(0, 0)
    [feature] = town.get(f"/api/v1/areas?level=grid&bbox={lon},{lat},{lon + 1e-5},{lat + 1e-5}").json["features"]
    assert feature["properties"]["label"] == pytest.approx((lon, lat), abs=1e-6)


@pytest.mark.parametrize("settings_of", [{}, REVIEWED])
def test_many_points_at_once_are_for_those_who_may_see_borders(
    make_town: Callable[..., Town], settings_of: dict[str, str]
) -> None:
    town, points = make_town(**settings_of), [squares.middle(0, 0)]
    raw = {"data": np.array(points, dtype="<f8").tobytes(), "content_type": "application/octet-stream"}
    for who, status in (("", 401), ("bare", 403), ("chief_1", 200), ("leader", 200), ("unit_b", 200)):
        for sent in ({"json": {"points": points}}, raw):
            answer = town.client().post("/api/v1/locate", headers=town.headers(who), **sent)
            assert answer.status_code == status, (who, sent)


def ask(town: Town, lon: float, lat: float, who: str = "", more: str = "") -> Any:
    return town.get(f"/api/v1/locate?lon={lon!r}&lat={lat!r}{more}", who).json


def test_a_single_place_is_answered_on_a_rounded_position(make_town: Callable[..., Town]) -> None:
    town = make_town()
    lon, lat = squares.middle(0, 0)
    border = squares.WEST + squares.SIDE
    for step in np.linspace(-4e-5, 4e-5, 9).tolist():
        told = ask(town, border + step, lat)
        assert (told["lon"], told["lat"]) == (round(border + step, ROUGH_DIGITS), round(lat, ROUGH_DIGITS))
    codes = {ask(town, border + step, lat)["areas"][0]["code"] for step in (-4e-5, 0.0, 4e-5)}
    assert len(codes) == 1, "all three are one place to the public"
    assert ask(town, border + 4e-5, lat, "chief_1")["areas"] != ask(town, border - 4e-5, lat, "chief_1")["areas"]
    assert ask(town, lon, lat)["areas"][0]["code"] == "G0000"


def test_distances_and_probabilities_are_coarse_for_the_public(make_town: Callable[..., Town]) -> None:
    town, lat = make_town(), squares.middle(0, 0)[1]
    for metres in range(1, 40, 4):
        outside = ask(town, squares.WEST - metres / 83_000, lat)
        assert outside["distance_m"] % 10 == 0
        near = ask(town, squares.WEST + squares.SIDE + metres / 83_000, lat, more="&accuracy=30")
        shares = [near["certainty"], *(one["probability"] for one in near["candidates"])]
        assert all(share == round(share, 1) for share in shares)
    exact = ask(town, squares.WEST - 7 / 83_000, lat, "chief_0")
    assert exact["distance_m"] % 10 != 0


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/locate?lon={0}&lat={1}",
        "/api/v1/preview?lon={0}&lat={1}&category=E0107",
        "/report/preview?lon={0}&lat={1}",
    ],
)
def test_an_address_asks_for_so_many_places_in_an_hour(make_town: Callable[..., Town], path: str) -> None:
    town = make_town(public_lookups_per_hour=3)
    address = path.format(*squares.middle(0, 0))
    assert [town.get(address).status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    refused = town.get(address)
    assert int(refused.headers["Retry-After"]) > 3000
    if path.startswith("/api/"):
        assert refused.json["code"] == "too_many_lookups"
    assert town.report()[1].status_code == 201, "a report is still taken"
    assert town.get(address, "chief_0").status_code == 200
    elsewhere = town.client().get(address, environ_base={"REMOTE_ADDR": "10.9.9.9"})
    assert elsewhere.status_code == 200


def test_with_a_review_number_places_are_asked_for_freely(make_town: Callable[..., Town]) -> None:
    town = make_town(public_lookups_per_hour=1, **REVIEWED)
    lon, lat = squares.middle(0, 0)
    assert [town.get(f"/api/v1/locate?lon={lon}&lat={lat}").status_code for _ in range(4)] == [200] * 4
    assert ask(town, lon + 1.23e-6, lat)["lon"] == lon + 1.23e-6


def test_a_link_to_the_form_opens_near_an_area_and_not_at_its_label(make_town: Callable[..., Town]) -> None:
    town = make_town()
    lon, lat = squares.middle(0, 0)
    page = town.get("/report?area=grid:G0000").text
    assert f"{lon:.4f}" not in page
    assert f"{lat:.4f}" not in page
