"""All routes of the API under one blueprint."""

from __future__ import annotations

from flask import Blueprint

from mapsvc.web.api import areas, cases, categories, locate, openapi, photos, receipts


def make_api() -> Blueprint:
    """Return the blueprint of /api; a new one for each app."""
    api = Blueprint("api", __name__, url_prefix="/api")
    for part in (areas, cases, categories, locate, openapi, photos, receipts):
        api.register_blueprint(part.blueprint)
    return api
