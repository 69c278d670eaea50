"""The app of the figures: `mapsvc.app` with one more route that answers a constant: the best the server can do."""

from __future__ import annotations

from flask import Flask, Response

from mapsvc.app import create_app_from_environment
from mapsvc.web.guard import permission

CONSTANT = (
    b'{"lon":114.3,"lat":30.6,"rule":"inside","distance_m":0.0,"certainty":1.0,"generation":1,"owner_level":"patch",'
    b'"areas":[],"candidates":[]}'
)


def make_app() -> Flask:
    """Return the app as the environment sets it, and the constant route."""
    app = create_app_from_environment()

    @app.get("/api/constant")
    @permission("public")
    def constant() -> Response:
        return Response(CONSTANT, content_type="application/json")

    return app
