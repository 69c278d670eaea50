"""Heat rasters of cases: the density of marked cases, in a frame that fits the region."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapsvc.cases.queries.columns.table import CaseColumns
from mapsvc.geo import heat
from mapsvc.geo.heat import Box, Floats, HeatFrame

DEFAULT_WIDTH_M = 150.0
"""The width for a town; the policy default of the notes on patrols. A large region gets the finest that it can bear."""


@dataclass(frozen=True, eq=False)
class Heat:
    """One raster: `n` cases are in it, `outside` have no position or lie beyond its frame, `highest` per km2.

    `km` were walked in all, where the values are findings per kilometre walked; None where they are per km2.
    """

    frame: HeatFrame
    values: Floats
    n: int
    outside: int
    highest: float
    km: float | None = None


def make_heat(columns: CaseColumns, shown: NDArray[np.bool_], box: Box | None, width_m: float | None) -> Heat:
    """Make the raster of the marked cases within a box (degrees); without one, within that of the cases."""
    count = int(np.count_nonzero(shown))
    rows = np.flatnonzero(shown[: columns.placed])
    lon, lat = columns.lon[rows], columns.lat[rows]
    around = box or _box_of(lon, lat)
    width = heat.fitting_width_m(around, DEFAULT_WIDTH_M) if width_m is None else width_m
    frame = heat.make_frame(around, width)
    inside = heat.inside(frame, lon, lat)
    values = heat.density(frame, lon, lat)
    values.setflags(write=False)
    n = int(np.count_nonzero(inside))
    return Heat(frame, values, n, count - n, float(values.max(initial=0.0)))


def _box_of(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> Box:
    """Return the box of points, but for the outermost thousandth: one case in another province draws no raster."""
    if not len(lon):
        return 0.0, 0.0, 0.0, 0.0
    west, east = np.quantile(lon, [0.001, 0.999])
    south, north = np.quantile(lat, [0.001, 0.999])
    return float(west), float(south), float(east), float(north)
