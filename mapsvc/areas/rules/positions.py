"""Whether a position can be one: finite, in range, and not with longitude and latitude exchanged."""

from __future__ import annotations

import math

from mapsvc.base.errors import InvalidInput

Bounds = tuple[float, float, float, float]
"""West, south, east, north in degrees."""

SWAP_MARGIN_DEGREES = 0.5


def check_position(lon: float, lat: float, bounds: Bounds | None) -> None:
    """Raise `InvalidInput` unless (lon, lat) in degrees can be a position.

    `bounds` are those of all borders: a position far outside them that lies within them when its two
    numbers are exchanged is called exchanged, not outside.
    """
    if not (math.isfinite(lon) and math.isfinite(lat)):
        raise InvalidInput(
            "position_not_finite",
            "The position is not a pair of finite numbers.",
            hint="Send longitude and latitude in degrees.",
        )
    in_range = -180 <= lon <= 180 and -90 <= lat <= 90
    if in_range and (bounds is None or _within(lon, lat, bounds)):
        return
    if -180 <= lat <= 180 and -90 <= lon <= 90 and bounds is not None and _within(lat, lon, bounds):
        raise InvalidInput(
            "lon_lat_swapped",
            f"Longitude and latitude are exchanged: {lon}, {lat}.",
            hint=f"Longitude comes first: {lat}, {lon}.",
            detail={"lon": lat, "lat": lon},
        )
    if not in_range:
        swapped = -180 <= lat <= 180 and -90 <= lon <= 90
        raise InvalidInput(
            "position_out_of_range",
            f"The position {lon}, {lat} is out of range.",
            hint="Longitude (-180 to 180) comes first, then latitude (-90 to 90)."
            + (" They seem to be exchanged." if swapped else ""),
        )


def _within(lon: float, lat: float, bounds: Bounds) -> bool:
    west, south, east, north = bounds
    margin = SWAP_MARGIN_DEGREES
    return west - margin <= lon <= east + margin and south - margin <= lat <= north + margin
