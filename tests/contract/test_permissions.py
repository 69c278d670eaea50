"""Role x route x somebody else's object: it is not seen, not changed, and not told apart from nothing."""

from __future__ import annotations

import io
import uuid
from collections.abc import Mapping

import pytest
from PIL import Image

from mapsvc.people.rules.actor import ROLES
from tests.contract.routes import all_routes, ask
from tests.town import Town

MARK = "MARK-OF-SOMEBODY-ELSE"
SEES = {"intake", "dispatcher", "duty_officer", "leader", "chief_0", "grid_chief", "street", "patrol"}
"""Accounts that see a case in square 0, 0 of patch P0."""

BLIND = {"chief_1", "unit_a", "unit_b"}
"""Accounts that see cases, and not this one."""

NO_CASES = {"planner", "approver", "admin", "bare"}


def picture() -> bytes:
    """Return a small photo."""
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 30, 30)).save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def theirs(either_town: Town) -> Mapping[str, str]:
    """A case of P0 with a photo, and what its addresses are filled with."""
    town = either_town
    photo = uuid.uuid4()
    sent = town.client().put(f"/api/v1/photos/{photo}", data=picture(), content_type="image/jpeg")
    assert sent.status_code == 201, sent.data
    case_uuid, answer = town.report(description=MARK, place_text=MARK, photos=[str(photo)])
    assert answer.status_code == 201, answer.data
    return {
        "case_uuid": str(case_uuid),
        "uuid": str(photo),
        "photo_uuid": str(photo),
        "step_uuid": str(uuid.uuid4()),
        "number": answer.json["number"],
    }


def test_the_town_has_an_account_for_every_role(either_town: Town) -> None:
    held = set()
    for who in either_town.logins:
        held |= {who} & set(ROLES)
    assert held | {"area_chief", "grid_chief", "unit_staff", "liaison"} == set(ROLES)


def test_who_sees_a_case(either_town: Town, theirs: Mapping[str, str]) -> None:
    path = f"/api/v1/cases/{theirs['case_uuid']}"
    assert set(either_town.logins) == SEES | BLIND | NO_CASES
    for who in either_town.logins:
        one, listed = either_town.get(path, who), either_town.get("/api/v1/cases", who)
        if who in SEES:
            assert one.status_code == 200, (who, one.data)
            assert [case["id"] for case in listed.json["features"]] == [theirs["case_uuid"]], who
        elif who in BLIND:
            assert (one.status_code, one.json["code"]) == (404, "no_such_case"), who
            assert listed.json["features"] == [], who
        else:
            assert (one.status_code, listed.status_code) == (403, 403), who


def test_what_is_somebody_elses_looks_like_nothing(either_town: Town, theirs: Mapping[str, str]) -> None:
    nothing = either_town.get(f"/api/v1/cases/{uuid.uuid4()}", "chief_1")
    not_yours = either_town.get(f"/api/v1/cases/{theirs['case_uuid']}", "chief_1")
    told = [{**answer.json, "instance": ""} for answer in (nothing, not_yours)]
    assert told[0] == told[1]


def test_who_sees_a_photo(either_town: Town, theirs: Mapping[str, str]) -> None:
    path = f"/api/v1/photos/{theirs['photo_uuid']}"
    assert either_town.get(path).status_code == 401
    for who in either_town.logins:
        expected = 200 if who in SEES else 404 if who in BLIND else 403
        assert either_town.get(path, who).status_code == expected, who


def test_no_route_shows_somebody_elses_case(either_town: Town, theirs: Mapping[str, str]) -> None:
    for who in ("", *sorted(BLIND | NO_CASES)):
        for route in all_routes(either_town.app, theirs):
            if route.method == "GET":
                answer = ask(either_town.app, route, headers=either_town.headers(who))
                assert MARK.encode() not in answer.data, (who, route)


def test_the_mark_would_be_found_where_it_may_be_seen(either_town: Town, theirs: Mapping[str, str]) -> None:
    shown = [
        route.path
        for route in all_routes(either_town.app, theirs)
        if route.method == "GET"
        and MARK.encode() in ask(either_town.app, route, headers=either_town.headers("chief_0")).data
    ]
    assert f"/api/v1/cases/{theirs['case_uuid']}" in shown
    assert "/api/v1/cases" in shown


def test_nobody_else_takes_a_step(either_town: Town, theirs: Mapping[str, str]) -> None:
    case_uuid = uuid.UUID(theirs["case_uuid"])
    for who in ("", *sorted(BLIND | NO_CASES | {"leader"})):
        for step in ("accept", "refuse", "assign", "comment", "close", "verify", "no_such_step"):
            answer = either_town.step(case_uuid, step, who, reason="because")
            assert answer.status_code in (400, 401, 403, 404), (who, step, answer.data)
            if who in BLIND:
                assert answer.status_code == 404, (who, step, answer.data)
    seen = either_town.get(f"/api/v1/cases/{case_uuid}", "duty_officer").json
    assert len(seen["events"]) == 1
    assert seen["properties"]["version"] == 1


def test_a_guess_at_a_follow_code_opens_nothing(either_town: Town, theirs: Mapping[str, str]) -> None:
    case_uuid = uuid.UUID(theirs["case_uuid"])
    answer = either_town.step(case_uuid, "reopen", "", track_code="AAAAAAAAAAAA", reason="because")
    assert answer.status_code in (400, 404), answer.data


def test_a_unit_sees_what_was_dispatched_to_it(either_town: Town, theirs: Mapping[str, str]) -> None:
    case_uuid = uuid.UUID(theirs["case_uuid"])
    detail = f"/api/v1/cases/{case_uuid}"
    condition = either_town.get("/api/v1/categories").json
    first = next(one for one in condition["categories"] if one["code"] == "E0107")["conditions"][0]["code"]
    assert either_town.step(case_uuid, "accept", "duty_officer", condition=first).status_code == 201
    sent = either_town.step(case_uuid, "dispatch", "dispatcher", unit_id=either_town.units["A"])
    assert sent.status_code == 201, sent.data
    assert either_town.get(detail, "unit_a").status_code == 200
    assert either_town.get(detail, "unit_b").status_code == 404


def test_a_photo_goes_to_ones_own_case_only(either_town: Town, theirs: Mapping[str, str]) -> None:
    def add(who: str) -> int:
        path = f"/api/v1/photos/{uuid.uuid4()}?case={theirs['case_uuid']}&kind=after"
        sent = {"data": picture(), "content_type": "image/jpeg", "headers": either_town.headers(who)}
        return either_town.client().put(path, **sent).status_code

    assert add("chief_1") == 403
    assert add("bare") == 403
    assert add("chief_0") == 201
