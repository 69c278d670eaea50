"""Where the files that travel with the program lie, in a checkout and in an installed wheel alike.

In a checkout `layers/`, `static/` and `data/` stand beside the package; in a wheel they are inside
it, under `mapsvc/share/`. Nothing else in the program knows the difference.
"""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent


def share_dir() -> Path:
    """Return the folder that holds `layers/`, `static/` and `data/`."""
    inside = PACKAGE / "share"
    return inside if inside.is_dir() else PACKAGE.parent


def layers_dir() -> Path:
    """Return the folder of the layer files, one TOML per map layer."""
    return share_dir() / "layers"


def static_dir() -> Path:
    """Return the folder of styles and scripts; third-party ones under `vendor/`."""
    return share_dir() / "static"


def data_dir() -> Path:
    """Return the folder of the shipped defaults: levels, categories, calendars, outlines."""
    return share_dir() / "data"


def guide_dir() -> Path:
    """Return the folder of the user guide."""
    return PACKAGE / "guide"
