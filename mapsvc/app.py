"""The one place where the parts are joined."""

from __future__ import annotations

import gc
import os
import time
from datetime import timedelta
from pathlib import Path

from flask import Flask, g, request
from werkzeug.middleware.proxy_fix import ProxyFix

from mapsvc.areas.ground import GroundFiles
from mapsvc.areas.index import Snapshots
from mapsvc.areas.tiles import AreaTiles
from mapsvc.base.clock import Clock, SystemClock
from mapsvc.base.settings import Settings, load_settings, secret_key
from mapsvc.cases.queries.columns.memory import ColumnsMemory
from mapsvc.cases.service.rulebook import load_calendar, make_rulebook
from mapsvc.catalog import load_catalog
from mapsvc.people.rules.actor import PUBLIC
from mapsvc.storage import migrate
from mapsvc.storage.engine import make_engine
from mapsvc.storage.files import LocalFiles
from mapsvc.storage.work import Store
from mapsvc.web import compress, csrf, errors, guard, health, limits, security, sessions, statics
from mapsvc.web.api.routes import make_api
from mapsvc.web.limits import AddressLimit
from mapsvc.web.meter import Meter
from mapsvc.web.pages import routes as pages
from mapsvc.web.parts import EXTENSION, AppParts, parts
from mapsvc.web.present.areas import Unions
from mapsvc.web.present.ground import Grounds
from mapsvc.web.present.locate import AreaTexts
from mapsvc.web.tiles.heats import Heats
from mapsvc.web.tiles.routes import make_tiles
from mapsvc.web.uploads import Uploads

PHOTOS_PER_REPORT = 12
LOG_IN_WINDOW = timedelta(minutes=5)
"""Short, because a whole office may stand behind one address."""
"""Photos (and tries to send them) that an address may send for each report it may send."""

LOOKS_PER_REPORT = 20
"""Looks for open cases close by that an address may take for each report it may send: one for each tap on the map."""

WORKERS_VARIABLE = "MAPSVC_SERVE_WORKERS"
"""By this `mapsvc serve` tells its processes how many they are; it is no setting."""

LONGEST_FORM_BYTES = 1024 * 1024
"""Largest form without its files; photos have a limit of their own."""


def create_app(settings: Settings, *, clock: Clock | None = None, workers: int = 1) -> Flask:
    """Join the parts and return the app; raises `Misconfigured` for a store that is missing or not migrated.

    `workers` is how many processes serve the same address; the limit on public reports is shared out.
    """
    own = join_parts(settings, clock or SystemClock(), workers=workers)
    app = Flask("mapsvc", template_folder=str(Path(__file__).parent / "web" / "templates"), static_folder=None)
    app.config.update(
        SECRET_KEY=secret_key(settings),
        MAX_CONTENT_LENGTH=settings.max_body_bytes,
        MAX_FORM_MEMORY_SIZE=LONGEST_FORM_BYTES,
        SESSION_COOKIE_NAME=sessions.COOKIE,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=settings.session_hours),
    )
    app.extensions[EXTENSION] = own
    if settings.trusted_proxies:
        # Only so many entries of the header are believed: those before them are the client's own words.
        proxies = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=0)  # type: ignore[method-assign]  # as Flask's guide does it
    app.session_interface = sessions.SignedSessions()

    @app.before_request
    def begin() -> None:
        g.started = time.perf_counter()
        g.now = own.clock.now()
        g.settings = settings
        g.actor = PUBLIC  # so that even the refusal of a bad token has somebody to answer
        if request.endpoint == statics.ENDPOINT:
            return  # open to everybody and the same for everybody: no look at who asks
        g.actor = sessions.find_actor()
        guard.require_declared()
        csrf.require_token()

    install(app, own)
    guard.check_routes(app)
    return app


def install(app: Flask, own: AppParts) -> None:
    """Give the app its fronts and what stands around every answer; of two after-request parts the later runs first."""
    settings = own.settings
    compress.install(app)
    security.install(app, settings.base_map_url, secure=settings.secure_cookies)
    health.install(app, own.meter)
    csrf.install(app)
    errors.install(app)
    statics.install(app)
    app.register_blueprint(make_api())
    app.register_blueprint(make_tiles())
    pages.install(app)


def join_parts(settings: Settings, clock: Clock, *, workers: int = 1) -> AppParts:
    """Open the store and read the catalogues."""
    engine = make_engine(settings.store_url)
    migrate.require_current(engine)
    store = Store(engine, clock)
    catalog = load_catalog(settings)
    return AppParts(
        settings=settings,
        clock=clock,
        store=store,
        snapshots=Snapshots(store, settings, catalog.levels),
        columns=ColumnsMemory(store),
        catalog=catalog,
        rulebook=make_rulebook(settings, catalog.levels, catalog.categories, load_calendar(settings)),
        files=LocalFiles(settings.data_dir / "photos"),
        uploads=Uploads(settings.data_dir / "uploads", settings.max_photo_bytes),
        public_bytes=AddressLimit(settings.public_bytes_per_hour, workers=workers, refusal=limits.UPLOADS),
        public_lookups=AddressLimit(settings.public_lookups_per_hour, workers=workers, refusal=limits.LOOKUPS),
        log_in_failures=AddressLimit(
            settings.login_failures_per_address, workers=workers, refusal=limits.LOG_INS, window=LOG_IN_WINDOW
        ),
        public_reports=AddressLimit(settings.public_reports_per_hour, workers=workers),
        public_photos=AddressLimit(settings.public_reports_per_hour * PHOTOS_PER_REPORT, workers=workers),
        public_looks=AddressLimit(
            settings.public_reports_per_hour * LOOKS_PER_REPORT, workers=workers, refusal=limits.LOOKS
        ),
        wrong_codes=AddressLimit(settings.public_reports_per_hour, workers=workers, refusal=limits.CODES),
        actors=sessions.ActorMemory(),
        area_texts=AreaTexts(),
        unions=Unions(),
        ground=Grounds(GroundFiles(settings.data_dir)),
        heats=Heats(),
        area_tiles=AreaTiles(store, catalog.levels, settings.data_dir / "tiles"),
        meter=Meter(),
    )


def create_app_from_environment() -> Flask:
    """Return the app as the environment sets it; what a worker process of `mapsvc serve` calls."""
    environment = dict(os.environ)
    workers = int(environment.pop(WORKERS_VARIABLE, "1"))
    app = create_app(load_settings(environment), workers=workers)
    with app.app_context():
        own = parts()
        own.snapshots.current(own.clock.now())  # so that nobody waits for it as the first one
        own.columns.begin()
    gc.collect()
    gc.freeze()  # what lives as long as the process is not looked through again and again
    return app
