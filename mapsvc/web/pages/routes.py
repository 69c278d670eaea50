"""All pages, put into the app."""

from __future__ import annotations

from flask import Flask

from mapsvc.web.pages import (
    account,
    areas,
    cases,
    city,
    frame,
    ground,
    guide,
    insight,
    mapfile,
    nearby,
    office,
    patch,
    report,
    steps,
    track,
    unit,
)
from mapsvc.web.pages.blueprint import pages

VIEWS = (
    account,
    areas,
    cases,
    city,
    ground,
    guide,
    insight,
    mapfile,
    nearby,
    office,
    patch,
    report,
    steps,
    track,
    unit,
)
"""Importing these modules put their views on the blueprint."""


def install(app: Flask) -> None:
    """Give the app its pages."""
    frame.install(app)
    app.register_blueprint(pages)
