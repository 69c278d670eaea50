from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from mapsvc.people.rules.actor import PUBLIC, SYSTEM, Actor
from mapsvc.people.rules.passwords import hash_password
from mapsvc.people.service.access import issue_token, revoke_token
from mapsvc.people.service.users import NewGrant, NewUser, add_user, lock_user, log_out_everywhere
from mapsvc.web.csrf import HEADER
from mapsvc.web.sessions import REMEMBERED_S, ActorMemory
from tests.town import Town

PASSWORD = "long enough 片区 7"


@pytest.fixture
def account(town: Town) -> int:
    hashed = hash_password("desk", PASSWORD)
    with town.store.write() as work:
        return add_user(work, SYSTEM, NewUser("desk", password_hash=hashed, grants=(NewGrant("duty_officer"),))).id


def csrf_of(client: FlaskClient) -> str:
    for page in ("/login", "/device"):  # the form to log in, or the one to log out
        client.get(page, headers={"Accept": "text/html"})
    with client.session_transaction() as session:
        return str(session.get("csrf", ""))


def log_in(client: FlaskClient, password: str = PASSWORD) -> int:
    form = {"name": "desk", "password": password, "csrf_token": csrf_of(client)}
    return client.post("/login", data=form, headers={"Accept": "text/html"}).status_code


def test_a_log_in_lasts_until_the_log_out(town: Town, account: int) -> None:
    client = town.client()
    assert client.get("/api/v1/cases").status_code == 401
    assert log_in(client) == 303
    assert client.get("/api/v1/cases").status_code == 200
    assert client.post("/logout", data={"csrf_token": csrf_of(client)}).status_code == 303
    assert client.get("/api/v1/cases").status_code == 401


def test_a_wrong_password_begins_nothing(town: Town, account: int) -> None:
    client = town.client()
    assert log_in(client, "not the password") == 401
    assert client.get("/api/v1/cases").status_code == 401


def test_the_cookie_is_for_http_only_and_for_this_site(town: Town, account: int) -> None:
    client = town.client()
    client.get("/login")
    form = {"name": "desk", "password": PASSWORD, "csrf_token": csrf_of(client)}
    cookie = client.post("/login", data=form).headers["Set-Cookie"]
    assert cookie.startswith("mapsvc=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie.split("; ")
    assert "desk" not in cookie
    assert PASSWORD not in cookie


def test_over_https_the_cookie_says_so(make_town: object) -> None:
    town = make_town(secure_cookies=True)  # type: ignore[operator]
    answer = town.client().get("/login", base_url="https://localhost", headers={"Accept": "text/html"})
    assert "Secure" in answer.headers["Set-Cookie"].split("; ")
    assert answer.headers["Strict-Transport-Security"]


def test_a_forged_cookie_is_nobody(town: Town, account: int) -> None:
    client = town.client()
    client.set_cookie("mapsvc", "eyJ1c2VyIjoxLCJyZXZpc2lvbiI6MX0.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbb")
    assert client.get("/api/v1/cases").status_code == 401
    assert client.get("/api/v1/categories").status_code == 200


def test_another_key_ends_all_sessions(town: Town, account: int) -> None:
    client = town.client()
    log_in(client)
    town.app.secret_key = "another key"
    assert client.get("/api/v1/cases").status_code == 401


def test_a_lock_stops_changes_at_once_and_looks_within_seconds(town: Town, account: int) -> None:
    client = town.client()
    log_in(client)
    case_uuid, _ = town.report()
    assert client.get("/api/v1/cases").status_code == 200
    with town.store.write() as work:
        lock_user(work, SYSTEM, account)
    path = f"/api/v1/cases/{case_uuid}/steps/{case_uuid}"
    changed = client.put(path, json={"step": "comment", "reason": "x"}, headers={HEADER: csrf_of(client)})
    assert changed.status_code == 401
    town.clock.move_to(town.clock.now() + timedelta(seconds=REMEMBERED_S))
    assert client.get("/api/v1/cases").status_code == 401


def test_logging_out_everywhere_ends_every_browser(town: Town, account: int) -> None:
    clients = [town.client(), town.client()]
    for client in clients:
        log_in(client)
    with town.store.write() as work:
        log_out_everywhere(work, SYSTEM, account)
    town.clock.move_to(town.clock.now() + timedelta(seconds=REMEMBERED_S))
    assert [client.get("/api/v1/cases").status_code for client in clients] == [401, 401]


def test_a_token_is_somebody_until_it_is_revoked(town: Town, account: int) -> None:
    with town.store.write() as work:
        token = issue_token(work, SYSTEM, account, "phone")
    headers = {"Authorization": f"Bearer {token.secret}"}
    assert town.client().get("/api/v1/cases", headers=headers).status_code == 200
    with town.store.write() as work:
        revoke_token(work, SYSTEM, token.id)
    town.clock.move_to(town.clock.now() + timedelta(seconds=REMEMBERED_S))
    refused = town.client().get("/api/v1/cases", headers=headers)
    assert (refused.status_code, refused.json["code"]) == (401, "bad_token")
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Basic YTpi", "Bearer wrong", "Bearer 令牌", "bearer\tx", "x"])
def test_what_is_no_token_is_refused_even_where_nobody_may_ask(town: Town, header: str) -> None:
    answer = town.client().get("/api/v1/levels", headers={"Authorization": header.encode().decode("latin-1")})
    assert answer.status_code == 401
    assert answer.json["code"] in {"bad_authorization", "bad_token"}


def test_roles_follow_from_posts(town: Town) -> None:
    case_uuid, _ = town.report()
    assert town.get(f"/api/v1/cases/{case_uuid}", "chief_0").status_code == 200
    assert town.get(f"/api/v1/cases/{case_uuid}", "chief_1").status_code == 404


def test_styles_carry_no_cookie_and_may_be_shared(town: Town, account: int) -> None:
    client = town.client()
    log_in(client)
    answer = client.get("/static/css/base.css")
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert "Cookie" not in answer.headers.get("Vary", "")
    assert "Set-Cookie" in client.get("/api/v1/cases").headers


def test_what_is_remembered_grows_old_and_can_be_forgotten() -> None:
    memory, start = ActorMemory(), datetime(2026, 11, 23, tzinfo=UTC)
    somebody = Actor(7, "somebody")
    memory.keep(("session", 7), somebody, start)
    assert memory.find(("session", 7), start + timedelta(seconds=REMEMBERED_S - 0.1)) is somebody
    assert memory.find(("session", 7), start + timedelta(seconds=REMEMBERED_S)) is None
    assert memory.find(("session", 8), start) is None
    memory.forget()
    assert memory.find(("session", 7), start) is None
    assert PUBLIC.user_id is None


def test_the_signer_is_made_once_for_each_key(town: Town) -> None:
    interface = town.app.session_interface
    first = interface.get_signing_serializer(town.app)  # type: ignore[attr-defined]
    assert first is interface.get_signing_serializer(town.app)  # type: ignore[attr-defined]
    keyless = Flask("keyless", static_folder=None)
    assert interface.get_signing_serializer(keyless) is None  # type: ignore[attr-defined]
