"""All routes of tiles under one blueprint."""

from __future__ import annotations

from flask import Blueprint

from mapsvc.web.tiles import areas, cases, heat, values


def make_tiles() -> Blueprint:
    """Return the blueprint of /tiles; a new one for each app."""
    tiles = Blueprint("tiles", __name__, url_prefix="/tiles")
    for part in (areas, cases, heat, values):
        tiles.register_blueprint(part.blueprint)
    return tiles
