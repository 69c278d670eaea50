from __future__ import annotations

import pytest
from flask import Flask

from mapsvc.base.errors import Misconfigured
from mapsvc.people.rules.permissions import PERMISSIONS
from mapsvc.web.guard import check_routes, declared, permission, undeclared_routes
from tests.town import Town


def test_every_route_of_the_app_declares_a_known_permission(town: Town) -> None:
    rules = list(town.app.url_map.iter_rules())
    assert len(rules) > 15
    assert {declared(town.app, rule.endpoint) for rule in rules} <= set(PERMISSIONS)


def test_an_app_with_an_undeclared_route_does_not_start() -> None:
    app = Flask("x", static_folder=None)
    app.add_url_rule("/open", view_func=permission("public")(lambda: "seen"), endpoint="open")
    check_routes(app)
    app.add_url_rule("/hole", view_func=lambda: "seen", endpoint="hole")
    assert undeclared_routes(app) == ["/hole"]
    with pytest.raises(Misconfigured, match="/hole") as caught:
        check_routes(app)
    assert caught.value.code == "route_without_permission"


def test_a_misspelt_permission_stops_the_start() -> None:
    with pytest.raises(Misconfigured, match=r"public\.locat"):
        permission("public.locat")


def test_a_route_added_behind_the_guards_back_answers_nobody(town: Town) -> None:
    town.app.add_url_rule("/hole", view_func=lambda: "seen", endpoint="hole")
    for who in ("", "admin"):
        answer = town.get("/hole", who)
        assert (answer.status_code, answer.json["code"]) == (403, "not_declared")


def test_nobody_is_asked_to_log_in_and_somebody_else_is_refused(town: Town) -> None:
    assert town.get("/api/v1/cases").json["code"] == "login_required"
    refused = town.get("/api/v1/cases", "planner")
    assert (refused.status_code, refused.json["code"]) == (403, "not_permitted")
    assert refused.json["values"]["permission"] == "case.view"
    assert town.get("/api/v1/cases", "chief_0").status_code == 200
