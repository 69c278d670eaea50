"""What goes into the services of patrols and what comes back: frozen values."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from mapsvc.geo.tracks import Fixes

SOURCES = ("device", "gpx", "demo")


@dataclass(frozen=True, eq=False)
class PatrolData:
    """One patrol as it comes in: whose (the code of the person), how (`foot`, `ebike`, `car`), and the fixes."""

    uuid: UUID
    person_code: str
    mode: str
    fixes: Fixes
    source: str = "device"


@dataclass(frozen=True)
class PatrolReceipt:
    """What became of a patrol.

    `status`: `created`, `same` (it was here already, also under another UUID), `conflict` (the UUID holds another
    track, or the track is another person's). Figures are what was credited: `overlapping` fixes lie in the time of
    another patrol of the same person, `inaccurate` ones are worse than 50 m, `gaps` and `jumps` were not bridged.
    """

    uuid: UUID
    status: str
    metres: float = 0.0
    seconds: float = 0.0
    fixes: int = 0
    parts: int = 0
    gaps: int = 0
    jumps: int = 0
    inaccurate: int = 0
    overlapping: int = 0


def fixes_sha256(fixes: Fixes) -> str:
    """Return the hash by which a track is known again: of its times (ms) and places (1e-7 degree), in their order."""
    rows = np.column_stack([np.rint(fixes.at * 1e3), np.rint(fixes.lon * 1e7), np.rint(fixes.lat * 1e7), fixes.segment])
    return hashlib.sha256(rows.astype("<i8").tobytes()).hexdigest()
