"""Every route of an app with values filled in, for tests that walk all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from mapsvc.web.guard import declared

_VARIABLE = re.compile(r"<(?:(\w+)(?:\([^)]*\))?:)?(\w+)>")
_BY_KIND = {"uuid": "00000000-0000-4000-8000-000000000000", "int": "987654", "path": "css/base.css"}


@dataclass(frozen=True)
class Route:
    """One method at one address."""

    method: str
    path: str
    endpoint: str
    permission: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def all_routes(app: Flask, values: Mapping[str, str] | None = None) -> Iterator[Route]:
    """Yield every route; a variable is filled by its name from `values`, else by its kind with what is not there."""

    def fill(found: re.Match[str]) -> str:
        kind, name = found.groups()
        return (values or {}).get(name) or _BY_KIND.get(kind, "nothing-here")

    for rule in sorted(app.url_map.iter_rules(), key=str):
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield Route(method, _VARIABLE.sub(fill, str(rule)), rule.endpoint, declared(app, rule.endpoint) or "")


def ask(app: Flask, route: Route, **more: Any) -> TestResponse:
    """Send the request of a route."""
    return app.test_client().open(route.path, method=route.method, **more)
