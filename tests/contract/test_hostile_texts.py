"""Texts and numbers that one of the two stores cannot hold: a clear refusal on both, never a 500."""

from __future__ import annotations

import uuid

import pytest

from tests.town import Town

ADDRESSES = (
    "/cases/%00",
    "/cases/a%00b",
    "/cases?text=%00",
    "/cases?category=%00&channel=%00&state=%00&outcome=%00",
    "/cases?area=patch:%00",
    "/areas/grid/%00",
    "/patch/%00",
    "/track/%00",
    "/map/figures?level=%00",
    "/cases/cards?ids=999999999999999999",
    "/map/cases?area_id=4294967296",
    "/cases?unit=2147483648",
    "/cases/%ed%a0%80",
    "/cases?text=%ed%a0%80",
)


@pytest.mark.parametrize("path", ADDRESSES)
def test_an_address_that_a_store_cannot_hold_is_refused(either_town: Town, path: str) -> None:
    for who in ("", "duty_officer"):
        assert either_town.get(path, who).status_code in {200, 400, 401, 404}


def test_a_nul_in_a_form_is_refused_and_writes_nothing(either_town: Town) -> None:
    client = either_town.client()
    client.get("/report")
    with client.session_transaction() as session:
        form = {"csrf_token": session["csrf"], "uuid": str(uuid.uuid4()), "place_text": "x", "tile": "other"}
    for field in ("place_text", "description", "contact_name", "contact_phone", "tile", "source"):
        assert client.post("/report", data={**form, field: "a\x00b"}).status_code == 400
    login = {"csrf_token": form["csrf_token"], "name": "a\x00b", "password": "x"}
    assert client.post("/login", data=login).status_code == 400
    assert either_town.get("/api/v1/cases", "duty_officer").json["matched"] == 0
