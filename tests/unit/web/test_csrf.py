from __future__ import annotations

import uuid

import pytest
from flask.testing import FlaskClient

from mapsvc.web.csrf import HEADER
from tests.town import Town
from tests.unit.web.test_sessions import account, csrf_of, log_in

__all__ = ["account"]


@pytest.fixture
def logged_in(town: Town, account: int) -> FlaskClient:
    client = town.client()
    assert log_in(client) == 303
    return client


def _comment(town: Town) -> tuple[str, dict[str, str]]:
    case_uuid, _ = town.report()
    return f"/api/v1/cases/{case_uuid}/steps/{uuid.uuid4()}", {"step": "comment", "reason": "seen"}


def test_a_cookie_alone_changes_nothing(town: Town, logged_in: FlaskClient) -> None:
    path, body = _comment(town)
    for headers in ({}, {HEADER: ""}, {HEADER: "wrong"}, {HEADER: "令牌".encode().decode("latin-1")}):
        refused = logged_in.put(path, json=body, headers=headers)
        assert (refused.status_code, refused.json["code"]) == (403, "csrf_failed")
    taken = logged_in.put(path, json=body, headers={HEADER: csrf_of(logged_in)})
    assert taken.status_code == 201, taken.data


def test_the_token_of_another_session_does_not_fit(town: Town, logged_in: FlaskClient) -> None:
    path, body = _comment(town)
    stranger = csrf_of(town.client())
    assert logged_in.put(path, json=body, headers={HEADER: stranger}).status_code == 403


def test_a_bearer_needs_no_token(town: Town) -> None:
    path, body = _comment(town)
    assert town.put_json(path, body, "chief_0").status_code == 201


def test_without_a_log_in_the_api_acts_for_nobody_and_pages_still_ask(town: Town) -> None:
    assert town.report()[1].status_code == 201
    form = {"name": "x", "password": "y"}
    refused = town.client().post("/login", data=form)
    assert (refused.status_code, refused.json["code"]) == (403, "csrf_failed")


def test_reading_needs_no_token(town: Town, logged_in: FlaskClient) -> None:
    assert logged_in.get("/api/v1/cases").status_code == 200
    assert logged_in.head("/api/v1/cases").status_code == 200


def test_the_token_lives_as_long_as_the_session_and_is_new_after_a_log_in(town: Town, account: int) -> None:
    client = town.client()
    before = csrf_of(client)
    assert before == csrf_of(client)
    log_in(client)
    assert csrf_of(client) not in ("", before)
