"""Every route: its permission is kept by the web itself, its errors have one shape, its answers all headers."""

from __future__ import annotations

import re

import pytest

from mapsvc.people.rules.permissions import ACCOUNT, EVERYBODY, get_permission
from mapsvc.web.errors import PROBLEM_TYPE
from mapsvc.web.security import STEADY_HEADERS
from tests.contract.routes import Route, all_routes, ask
from tests.town import Town

HTML = {"Accept": "text/html,*/*;q=0.8"}
LEAKS = re.compile(rb"Traceback|sqlalchemy|SELECT |/tmp/|/home/|\.py\b", re.IGNORECASE)


def _is_problem(route: Route, answer: object) -> None:
    assert answer.content_type == PROBLEM_TYPE, route  # type: ignore[attr-defined]
    told = answer.json  # type: ignore[attr-defined]
    assert told["status"] == answer.status_code, route  # type: ignore[attr-defined]
    assert re.fullmatch(r"[a-z0-9_]+", told["code"]), route
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", told["instance"]), route
    assert told["title"], route
    assert told["detail"], route
    assert "hint" in told, route


def test_the_walk_sees_pages_api_and_files(town: Town) -> None:
    paths = {route.path for route in all_routes(town.app)}
    assert {"/", "/login", "/healthz", "/api/v1/locate", "/api/openapi.json"} <= paths
    assert len(paths) > 25


def test_no_route_fails_for_want_of_sense_in_what_it_is_sent(town: Town) -> None:
    for who in ("", "duty_officer", "chief_0", "admin"):
        for route in all_routes(town.app):
            for sent in ({}, {"data": b"\xff\xfe{", "content_type": "application/json"}, {"query_string": "x=%00&x=2"}):
                answer = ask(town.app, route, headers=town.headers(who), **sent)
                assert answer.status_code < 500, (who, route, sent, answer.data[:300])
                assert not LEAKS.search(answer.data) or answer.status_code < 400, (route, answer.data[:300])


def test_every_error_has_the_one_shape(town: Town) -> None:
    seen = 0
    for who in ("", "bare", "duty_officer"):
        for route in all_routes(town.app):
            answer = ask(town.app, route, headers=town.headers(who))
            if answer.status_code >= 400 and route.path not in ("/readyz",) and answer.mimetype != "text/html":
                _is_problem(route, answer)
                seen += 1
    assert seen > 40


def test_a_person_gets_pages_for_errors_outside_the_api(town: Town) -> None:
    for route in all_routes(town.app):
        answer = ask(town.app, route, headers=HTML)
        if answer.status_code >= 400:
            expected = PROBLEM_TYPE if route.path.startswith("/api/") else "text/html"
            assert answer.content_type.startswith(expected), (route, answer.content_type)


def test_every_answer_bears_the_headers_once(town: Town) -> None:
    for who in ("", "duty_officer"):
        for route in all_routes(town.app):
            answer = ask(town.app, route, headers={**town.headers(who), **HTML})
            for name, value in STEADY_HEADERS.items():
                assert answer.headers.getlist(name) == [value], (route, name)
            policy = answer.headers.getlist("Content-Security-Policy")
            assert len(policy) == 1, route
            assert "unsafe" not in policy[0], route
            assert "frame-ancestors 'none'" in policy[0], route
            assert len(answer.headers.getlist("Cache-Control")) == 1, route


def test_the_web_keeps_each_permission_before_the_service_is_asked(town: Town) -> None:
    for route in all_routes(town.app):
        who = get_permission(route.permission).who
        if who is EVERYBODY:
            continue
        nobody = ask(town.app, route)
        # A page's form is refused for its missing token first or for the missing log-in: never let in.
        assert nobody.status_code in (401, 403), (route, nobody.status_code)
        bare = ask(town.app, route, headers=town.headers("bare"))
        if who is not ACCOUNT:
            assert bare.status_code == 403, (route, bare.status_code)


def test_head_and_options_are_no_way_around(town: Town) -> None:
    routes = list(all_routes(town.app))
    # An address whose GET is for everybody answers HEAD alike, whatever its other methods ask for.
    public = {route.path for route in routes if get_permission(route.permission).who is EVERYBODY}
    for route in (route for route in routes if route.path not in public):
        head = town.app.test_client().head(route.path)
        assert head.status_code in (401, 403, 404, 405), (route, head.status_code)
        options = town.app.test_client().options(route.path)  # names methods, and nothing else
        assert not options.data or options.content_type == PROBLEM_TYPE, route


@pytest.mark.parametrize(
    "path", ["/api/v1/cases/not-a-uuid", "/api/v2/locate", "/api/", "/static/../app.py", "/static/%2e%2e/x"]
)
def test_addresses_that_are_none(town: Town, path: str) -> None:
    answer = town.get(path)
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")


def test_a_body_over_the_limit_is_refused_before_it_is_read(town: Town) -> None:
    limit = town.settings.max_body_bytes
    for path, method in (("/api/v1/locate", "POST"), ("/api/v1/cases/00000000-0000-4000-8000-000000000000", "PUT")):
        answer = town.client().open(
            path,
            method=method,
            headers=town.headers("intake"),
            data=b"x",
            content_type="application/json",
            environ_overrides={"CONTENT_LENGTH": str(limit + 1)},
        )
        assert (answer.status_code, answer.json["code"]) == (413, "body_too_large")
        assert answer.json["values"]["limit"] == limit


def test_an_upload_cut_short_writes_nothing(town: Town) -> None:
    path = "/api/v1/cases/00000000-0000-4000-8000-000000000000"
    cut = {"CONTENT_LENGTH": "500", "wsgi.input_terminated": True}
    answer = town.client().put(path, data=b'{"category":', content_type="application/json", environ_overrides=cut)
    assert (answer.status_code, answer.json["code"]) == (400, "truncated")
    assert town.get(path, "duty_officer").status_code == 404
