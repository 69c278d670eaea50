"""One chunk of points through the areas, and what is counted on the way; the same for both engines."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from mapsvc.geo.assign import Assigner
from mapsvc.geo.datums import to_wgs84


@dataclass(frozen=True)
class Totals:
    """Rows counted: `inside`, `on_border`, `outside` and `unreadable` add up to `rows`.

    `overlaps` and `repaired` are among them; `exchanged` are those whose latitude is out of range where the two numbers
    would make a position the other way round.
    """

    rows: int = 0
    inside: int = 0
    on_border: int = 0
    outside: int = 0
    overlaps: int = 0
    unreadable: int = 0
    repaired: int = 0
    exchanged: int = 0

    def __add__(self, other: Totals) -> Totals:
        return Totals(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(Totals)))


def assign_chunk(
    assigner: Assigner, lon: NDArray[np.float64], lat: NDArray[np.float64], datum: str
) -> tuple[NDArray[np.int32], Totals]:
    """Return the row of the area of each point, -1 for none, and what was counted; positions are in `datum`."""
    readable = np.isfinite(lon) & np.isfinite(lat)
    sane = readable & (np.abs(lon) <= 180.0) & (np.abs(lat) <= 90.0)
    exchanged = readable & ~sane & (np.abs(lon) <= 90.0) & (np.abs(lat) <= 180.0)
    numbers = np.full(len(lon), -1, np.int32)
    lons, lats = lon[sane], lat[sane]
    if datum != "wgs84":
        lons, lats = to_wgs84(lons, lats, datum)
    answers = assigner.answer(lons, lats)
    numbers[sane] = answers.numbers
    unreadable = int((~readable).sum())
    return numbers, Totals(
        rows=len(lon),
        inside=answers.inside - answers.on_border,
        on_border=answers.on_border,
        outside=len(lon) - unreadable - answers.inside,
        overlaps=answers.overlaps,
        unreadable=unreadable,
        repaired=answers.repaired,
        exchanged=int(exchanged.sum()),
    )
