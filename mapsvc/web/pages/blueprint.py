"""The one blueprint of all pages; each module of this package adds its views to it."""

from __future__ import annotations

from flask import Blueprint

pages = Blueprint("pages", "mapsvc.web.pages")
