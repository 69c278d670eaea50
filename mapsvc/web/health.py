"""/healthz says that the process lives, /readyz that it can serve, /metrics how it fares."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

import orjson
from flask import Blueprint, Flask, Response, g, request

from mapsvc.base.errors import Forbidden, MapsvcError
from mapsvc.people.rules.permissions import allows
from mapsvc.storage import migrate
from mapsvc.web.guard import permission
from mapsvc.web.meter import Meter
from mapsvc.web.parts import actor, now, parts

log = logging.getLogger("mapsvc.web")

health = Blueprint("health", __name__)

LOOPBACK = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})


@dataclass(frozen=True)
class Readiness:
    """What was looked at, and whether each part serves."""

    status: str
    store: bool
    borders: bool


def install(app: Flask, meter: Meter) -> None:
    """Count every answer of the app; the watch starts with `g.started`."""
    app.register_blueprint(health)

    @app.after_request
    def stop_watch(response: Response) -> Response:
        started = g.get("started")
        if started is not None:
            method = request.method if request.method in _METHODS else "OTHER"
            meter.note(request.endpoint or "none", method, response.status_code, time.perf_counter() - started)
        return response


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@health.get("/healthz")
@permission("public")
def healthz() -> Response:
    return Response(b'{"status":"ok"}', content_type="application/json")


@health.get("/readyz")
@permission("public")
def readyz() -> Response:
    try:
        migrate.require_current(parts().store.engine)
        store = True
    except MapsvcError as error:
        log.warning("not ready: %s", error)
        store = False
    borders = False
    if store:
        try:
            borders = parts().snapshots.current(now()).generation >= 0
        except MapsvcError as error:
            log.warning("not ready: %s", error)
    ready = Readiness("ready" if store and borders else "not ready", store, borders)
    return Response(orjson.dumps(ready), 200 if store and borders else 503, content_type="application/json")


@health.get("/metrics")
@permission("public")
def metrics() -> Response:
    """Open to this machine itself (what came through a proxy does not count), else to those who may read metrics."""
    forwarded = any(name in request.headers for name in ("Forwarded", "X-Forwarded-For", "X-Real-IP"))
    if (request.remote_addr not in LOOPBACK or forwarded) and not allows(actor(), "metrics.view"):
        raise Forbidden("not_permitted", "Metrics are read on the machine itself, or by an administrator.")
    return Response("\n".join([*parts().meter.lines(), ""]), content_type="text/plain; version=0.0.4; charset=utf-8")
