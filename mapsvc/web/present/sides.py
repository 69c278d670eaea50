"""On which side of a border each possible area lies, as seen from a case: 路北, 路南. Pure but for the snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import cos, radians

import numpy as np

from mapsvc.areas.index import Snapshot
from mapsvc.cases.rules.values import Side
from mapsvc.web.present.speech import Speech

NEAREST_M = 15.0
"""Around an exact point one still looks as far as a street is wide."""

METRES_PER_DEGREE = 111_320.0
_ANGLES = np.radians(np.arange(0, 360, 10))
_RINGS = (0.25, 0.5, 0.75, 1.0, 1.5)


def directions(
    snapshot: Snapshot, lon: float, lat: float, accuracy_m: float | None, sides: Iterable[Side]
) -> dict[int, str]:
    """Return `north`, `east`, `south` or `west` for each possible area, by where its ground lies round the point.

    The ground is asked at points on rings about it; an area that none of them meets has no direction.
    """
    reach = max(accuracy_m or 0.0, NEAREST_M) * np.array(_RINGS)
    east = (reach[:, None] * np.sin(_ANGLES)).ravel()
    north = (reach[:, None] * np.cos(_ANGLES)).ravel()
    scale = METRES_PER_DEGREE * cos(radians(lat))
    held = snapshot.locate_many(lon + east / scale, lat + north / METRES_PER_DEGREE)
    found = {}
    for side in sides:
        here = held.get(side.level)
        if side.area_id is None or here is None or not (inside := here == side.area_id).any():
            continue
        found[side.area_id] = _compass(float(east[inside].mean()), float(north[inside].mean()))
    return found


def _compass(east: float, north: float) -> str:
    if abs(north) >= abs(east):
        return "north" if north >= 0 else "south"
    return "east" if east >= 0 else "west"


def side_text(words: Speech, side: Side, found: Mapping[int, str]) -> str:
    """Return 路北 · 08片区 39 %; without a direction only the area and its share."""
    text = f"{side.name or side.code} {words.share(side.probability)}"
    direction = found.get(side.area_id or 0, "")
    return f"{words.t(f'side.{direction}')} · {text}" if direction else text
