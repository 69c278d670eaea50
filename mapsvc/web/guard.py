"""Refused unless declared: every route names its permission, or the app does not start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, g, request

from mapsvc.base.errors import Forbidden, Misconfigured
from mapsvc.people.rules.permissions import get_permission, require

View = TypeVar("View", bound=Callable[..., Any])

ATTRIBUTE = "mapsvc_permission"


def permission(name: str) -> Callable[[View], View]:
    """Declare what a view asks for; stands directly under the route, above every other decorator.

    The web refuses early by it; the service decides again on the object itself.
    """
    get_permission(name)  # a misspelt one stops the start

    def declare(view: View) -> View:
        setattr(view, ATTRIBUTE, name)
        return view

    return declare


def declared(app: Flask, endpoint: str) -> str | None:
    """Return the permission that an endpoint declares; None when it declares none."""
    return getattr(app.view_functions.get(endpoint), ATTRIBUTE, None)


def undeclared_routes(app: Flask) -> list[str]:
    """Return the rules whose views declare no permission."""
    return sorted({str(rule) for rule in app.url_map.iter_rules() if declared(app, rule.endpoint) is None})


def check_routes(app: Flask) -> None:
    """Refuse to start with a route that declares no permission."""
    missing = undeclared_routes(app)
    if missing:
        raise Misconfigured(
            "route_without_permission",
            f"These routes declare no permission: {', '.join(missing)}.",
            hint="Put @permission(...) on the view.",
        )


def require_declared() -> None:
    """Refuse the request when the actor lacks what its route asks for."""
    if request.url_rule is None:
        return  # 404 and 405 answer for themselves
    name = declared(current_app, request.url_rule.endpoint)
    if name is None:
        raise Forbidden("not_declared", "This address is not open to anybody.")
    require(g.actor, name)
