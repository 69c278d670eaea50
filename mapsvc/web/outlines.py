"""What keeps the public from drawing administrative borders by asking, where no map review number is set.

A border that may not be shown may not be told by other means either: not by boxes that meet it, not by
label points, not by a million points at once. A single place is answered, because a report needs it:
so many in an hour from one address, on a rounded position, with rounded distances and probabilities.
"""

from __future__ import annotations

from dataclasses import replace

from flask import request

from mapsvc.areas.rules.located import Located
from mapsvc.people.rules.permissions import allows
from mapsvc.web.parts import actor, now, parts

ROUGH_DIGITS = 4
"""Decimals of a degree, some ten metres: finer than a phone's position, coarser than a border."""

ROUGH_LABEL_DIGITS = 3
"""Some hundred metres: where a map opens, not where an area lies."""

ROUGH_DISTANCE_M = 10


def hides_borders() -> bool:
    """Whether the one who asks may see no administrative border."""
    return not parts().settings.map_review_number and not allows(actor(), "area.view")


def count_lookup() -> None:
    """Count a place that is asked for by somebody who may see no border; too many raise `TooManyRequests`."""
    if hides_borders():
        parts().public_lookups.take(request.remote_addr or "", now())


def rough_place(lon: float, lat: float) -> tuple[float, float]:
    """Return the place that is answered in its stead, WGS 84 degrees."""
    return round(lon, ROUGH_DIGITS), round(lat, ROUGH_DIGITS)


def rough_label(lon: float, lat: float) -> tuple[float, float]:
    """Return about where an area lies, WGS 84 degrees; the point itself for those who may see its border."""
    if not hides_borders():
        return lon, lat
    return round(lon, ROUGH_LABEL_DIGITS), round(lat, ROUGH_LABEL_DIGITS)


def rough_answer(located: Located) -> Located:
    """Return an answer whose distance and probabilities do not tell how far the border is."""
    return replace(
        located,
        distance_m=round(located.distance_m / ROUGH_DISTANCE_M) * ROUGH_DISTANCE_M,
        certainty=round(located.certainty, 1),
        candidates=tuple(replace(one, probability=round(one.probability, 1)) for one in located.candidates),
    )
