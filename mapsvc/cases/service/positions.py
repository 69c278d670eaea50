"""A position as it came in, made into the one that is stored: WGS 84 on the lattice, or a clear refusal."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mapsvc.areas.index import Snapshot
from mapsvc.areas.rules.positions import check_position
from mapsvc.base.errors import InvalidInput
from mapsvc.cases.rules.values import POSITION_SOURCES, Position
from mapsvc.geo.datums import belt_warning, check_datum, to_wgs84
from mapsvc.geo.lattice import from_lattice, to_lattice

MAX_ACCURACY_M = 100_000.0


@dataclass(frozen=True)
class Placed:
    """Degrees in WGS 84 on the 1e-8 degree lattice, as stored; `belt` where the conversion is uncertain."""

    lon: float
    lat: float
    accuracy_m: float | None
    source: str
    datum: str
    belt: bool = False


def place(position: Position, snapshot: Snapshot) -> Placed:
    """Convert and check a position; raises `InvalidInput` for one that cannot be."""
    datum = check_datum(position.datum)
    if position.source not in POSITION_SOURCES:
        raise InvalidInput(
            "unknown_position_source",
            f"{position.source!r} is no source of a position.",
            hint=f"Use {', '.join(POSITION_SOURCES)}.",
        )
    accuracy = position.accuracy_m
    if accuracy is not None and not (math.isfinite(accuracy) and 0 <= accuracy <= MAX_ACCURACY_M):
        raise InvalidInput(
            "bad_accuracy", f"An accuracy of {accuracy} m cannot be used.", hint="Send a radius in metres, or none."
        )
    check_position(position.lon, position.lat, snapshot.bounds)  # before the datum: it may be exchanged
    lons, lats = to_wgs84(position.lon, position.lat, datum)
    lon, lat = (float(value) for value in from_lattice(to_lattice((float(lons), float(lats)))))
    check_position(lon, lat, snapshot.bounds)
    belt = datum in {"gcj02", "bd09"} and belt_warning(lon, lat) is not None
    return Placed(lon, lat, accuracy or None, position.source, datum, belt)
