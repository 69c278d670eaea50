"""The OpenAPI page is made from the routes, and the routes keep to it whatever they are sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from mapsvc.web.guard import declared
from tests.town import Town

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
EXAMPLES = 15


@schemathesis.serializer("application/offset+octet-stream", "image/*")
def as_bytes(_context: Any, value: Any) -> bytes:
    """Send a chunk or a picture as the bytes that were made."""
    return value if isinstance(value, bytes) else str(value).encode()


@pytest.fixture
def document(town: Town) -> dict[str, Any]:
    found: dict[str, Any] = town.get("/api/openapi.json").json
    return found


def test_every_route_of_the_api_is_on_the_page(town: Town, document: dict[str, Any]) -> None:
    routes = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(rule)), method.lower())
        for rule in town.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if str(rule).startswith(("/api/v1/", "/tiles/"))
    }
    described = {(path, method) for path, methods in document["paths"].items() for method in methods}
    assert routes == described
    assert len(routes) >= 15


def test_the_page_says_who_may(town: Town, document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    listed = document["paths"]["/api/v1/cases"]["get"]
    assert declared(town.app, "api.cases.list_cases") == "case.view"
    assert "case.view" in listed["description"]
    assert {} not in listed["security"]
    assert {} in document["paths"]["/api/v1/locate"]["get"]["security"]
    ids = [one["operationId"] for methods in document["paths"].values() for one in methods.values()]
    assert len(ids) == len(set(ids))


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    found = set(_references(document))
    assert len(found) > 10
    for reference in found:
        assert reference.removeprefix("#/components/schemas/") in document["components"]["schemas"]


@pytest.mark.parametrize("who", ["", "duty_officer"])
@pytest.mark.slow
def test_the_api_keeps_to_its_page(town: Town, who: str) -> None:
    """Send each operation a bounded number of made requests, valid and not; every answer must be one the page tells."""
    case_uuid, _ = town.report()
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", town.app)
    seen = set()
    for result in schema.get_all_operations():
        operation = result.ok()
        seen.add((operation.method, operation.path))

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def check(case: Any) -> None:
            case.call_and_validate(headers={**town.headers(who), "Accept-Encoding": "identity"}, checks=CHECKS)

        check()
    assert ("put", "/api/v1/cases/{case_uuid}") in seen
    assert town.get(f"/api/v1/cases/{case_uuid}", "duty_officer").status_code == 200
