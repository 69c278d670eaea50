"""Behind proxies: whose address is counted, and how log-ins and photos of one address are bounded."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from mapsvc.base.errors import Misconfigured
from mapsvc.base.settings import load_settings
from tests.contract.test_permissions import picture
from tests.town import Town
from tests.unit.web.test_sessions import csrf_of


def report(town: Town, forwarded: str = "", peer: str = "10.0.0.1") -> int:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    path, body = f"/api/v1/cases/{uuid.uuid4()}", {"category": "E0107", "place_text": "at the gate"}
    answer = town.client().put(path, json=body, headers=headers, environ_base={"REMOTE_ADDR": peer})
    return answer.status_code


def test_no_proxy_is_believed_unless_it_is_named(make_town: Callable[..., Town]) -> None:
    town = make_town(public_reports_per_hour=2)
    assert [report(town, f"198.51.100.{n}") for n in range(3)] == [201, 201, 429]


def test_behind_a_proxy_each_client_has_a_share(make_town: Callable[..., Town]) -> None:
    town = make_town(public_reports_per_hour=1, trusted_proxies=1)
    assert [report(town, f"198.51.100.{n}") for n in range(3)] == [201, 201, 201]
    assert report(town, "198.51.100.0") == 429
    assert report(town, "203.0.113.7, 198.51.100.0") == 429, "what the client wrote himself stands before"


def test_two_proxies_in_a_row(make_town: Callable[..., Town]) -> None:
    town = make_town(public_reports_per_hour=1, trusted_proxies=2)
    assert report(town, "198.51.100.1, 10.0.0.2") == 201
    assert report(town, "9.9.9.9, 198.51.100.1, 10.0.0.2") == 429
    assert report(town, "198.51.100.2, 10.0.0.2") == 201


def test_the_number_of_proxies_is_bounded() -> None:
    for text in ("-1", "11", "x"):
        with pytest.raises(Misconfigured):
            load_settings({"MAPSVC_TRUSTED_PROXIES": text})


def test_neighbours_in_ipv6_share(make_town: Callable[..., Town]) -> None:
    town = make_town(public_reports_per_hour=1)
    assert [report(town, peer=f"2001:db8:1:2::{n}") for n in (1, 2)] == [201, 429]
    assert report(town, peer="2001:db8:1:3::1") == 201
    assert [report(town, peer=peer) for peer in ("192.0.2.1", "::ffff:192.0.2.1")] == [201, 429]


def log_in(client: FlaskClient, name: str, password: str = "wrong password", peer: str = "10.0.0.1") -> Any:
    client.get("/login")
    form = {"name": name, "password": password, "csrf_token": csrf_of(client)}
    return client.post("/login", data=form, environ_base={"REMOTE_ADDR": peer})


def test_an_address_may_fail_so_often_and_waits_minutes(make_town: Callable[..., Town]) -> None:
    town = make_town(login_failures_per_address=3)
    client = town.client()
    assert [log_in(client, f"user {n}").status_code for n in range(4)] == [401, 401, 401, 429]
    refused = log_in(client, "chief_0")
    assert 0 < int(refused.headers["Retry-After"]) <= 300
    assert "5 分钟" in refused.text or "5 min" in refused.text
    assert log_in(client, "user 1", peer="10.0.0.2").status_code == 401, "others are not held up"
    town.clock.move_to(town.clock.now() + timedelta(minutes=5))
    assert log_in(client, "user 1").status_code == 401


def test_photos_of_one_address_are_bounded_in_bytes(make_town: Callable[..., Town]) -> None:
    content = picture()
    town = make_town(public_bytes_per_hour=2 * len(content) + 10)

    def put(who: str = "") -> int:
        path = f"/api/v1/photos/{uuid.uuid4()}"
        return town.client().put(path, data=content, content_type="image/jpeg", headers=town.headers(who)).status_code

    assert [put() for _ in range(4)] == [201, 201, 429, 429]
    assert put("chief_0") == 201
    chunk = {"Upload-Offset": "0", "Upload-Length": str(len(content)), "Content-SHA256": "0" * 64}
    path = f"/api/v1/photos/{uuid.uuid4()}"
    sent = town.client().patch(path, data=content, content_type="application/offset+octet-stream", headers=chunk)
    assert (sent.status_code, sent.json["code"]) == (429, "too_many_bytes")
    assert town.report()[1].status_code == 201, "a report without photos is still taken"
