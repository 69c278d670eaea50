"""Where tiles lie: web Mercator as the unit square, and Morton numbers that put neighbours beside each other.

The unit square has its origin in the north-west corner: x grows to the east, y to the south, as tile numbers do.
It is for drawing only. Lengths in metres are never measured here: web Mercator stretches them by 1 / cos(latitude).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mapsvc.base.errors import NotFound

Floats = NDArray[np.float64]
Numbers = NDArray[np.uint64]

MAX_LATITUDE = 85.0511287798066
"""Where web Mercator ends, in degrees; what lies beyond is drawn at the edge."""

MAX_ZOOM = 22
MORTON_BITS = 32
"""Bits of each axis in a Morton number: under one centimetre of ground."""

NOWHERE = np.uint64(2**64 - 1)
"""The Morton number of what has no position; it sorts behind everything else."""


def to_unit(lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
    """Return the places of points (degrees, WGS 84) in the unit square; NaN stays NaN.

    Examples
    --------
    >>> x, y = to_unit([0.0, 180.0], [0.0, -89.0])
    >>> x.tolist(), y.round(6).tolist()
    ([0.5, 1.0], [0.5, 1.0])
    """
    x = np.asarray(lon, dtype=np.float64) / 360.0 + 0.5
    phi = np.radians(np.clip(np.asarray(lat, dtype=np.float64), -MAX_LATITUDE, MAX_LATITUDE))
    y = 0.5 - np.arcsinh(np.tan(phi)) / (2 * np.pi)
    return x, y


def from_unit(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    """Return longitude and latitude in degrees (WGS 84) of places in the unit square.

    Examples
    --------
    >>> lon, lat = from_unit([0.5], [0.25])
    >>> lon.round(4).tolist(), lat.round(4).tolist()
    ([0.0], [66.5133])
    """
    lon = (np.asarray(x, dtype=np.float64) - 0.5) * 360.0
    lat = np.degrees(np.arctan(np.sinh((0.5 - np.asarray(y, dtype=np.float64)) * 2 * np.pi)))
    return lon, lat


@dataclass(frozen=True)
class Tile:
    """One tile of the XYZ scheme: `x` counts from 180 degrees west, `y` from the north."""

    z: int
    x: int
    y: int

    @property
    def side(self) -> float:
        """The length of its side in the unit square."""
        return 1.0 / (1 << self.z)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Its west, north, east and south in the unit square, in the order x0, y0, x1, y1."""
        return self.x * self.side, self.y * self.side, (self.x + 1) * self.side, (self.y + 1) * self.side

    @property
    def box_lonlat(self) -> tuple[float, float, float, float]:
        """Its west, south, east and north in degrees."""
        x0, y0, x1, y1 = self.box
        lon, lat = from_unit([x0, x1], [y1, y0])
        return float(lon[0]), float(lat[0]), float(lon[1]), float(lat[1])


def get_tile(z: int, x: int, y: int, max_zoom: int = MAX_ZOOM) -> Tile:
    """Return a tile; one that there is not raises `NotFound`.

    Examples
    --------
    >>> get_tile(1, 0, 1).box
    (0.0, 0.5, 0.5, 1.0)
    """
    if not 0 <= z <= max_zoom:
        raise NotFound("no_such_tile", f"There are no tiles of zoom {z}.", hint=f"Zooms are 0 to {max_zoom}.")
    if not (0 <= x < 1 << z and 0 <= y < 1 << z):
        raise NotFound(
            "no_such_tile",
            f"There is no tile {x}, {y} at zoom {z}.",
            hint=f"At zoom {z} columns and rows are 0 to {(1 << z) - 1}; the row counts from the north.",
        )
    return Tile(z, x, y)


def morton(x: ArrayLike, y: ArrayLike) -> Numbers:
    """Return the Morton numbers of places in the unit square; `NOWHERE` for NaN.

    Every tile of every zoom is one range of these numbers (`morton_range`).

    Examples
    --------
    >>> [hex(int(number)) for number in morton([0.75, 0.25], [0.25, 0.75])]
    ['0x7000000000000000', '0xb000000000000000']
    """
    there = np.isfinite(np.asarray(x)) & np.isfinite(np.asarray(y))
    last = 2.0**MORTON_BITS - 1
    # One less than the last column, so that no place bears the number of those that have none.
    column = np.clip(np.where(there, x, 0.0) * 2.0**MORTON_BITS, 0.0, last - 1).astype(np.uint64)
    row = np.clip(np.where(there, y, 0.0) * 2.0**MORTON_BITS, 0.0, last).astype(np.uint64)
    return np.where(there, _spread(column) | (_spread(row) << np.uint64(1)), NOWHERE)


def _spread(number: Numbers) -> Numbers:
    """Put a zero between any two bits of 32-bit numbers."""
    for shift, mask in (
        (16, 0x0000FFFF0000FFFF),
        (8, 0x00FF00FF00FF00FF),
        (4, 0x0F0F0F0F0F0F0F0F),
        (2, 0x3333333333333333),
        (1, 0x5555555555555555),
    ):
        number = (number | (number << np.uint64(shift))) & np.uint64(mask)
    return number


def morton_range(tile: Tile) -> tuple[int, int]:
    """Return the first Morton number of a tile and the last one.

    Examples
    --------
    >>> [hex(number) for number in morton_range(Tile(1, 1, 0))]
    ['0x4000000000000000', '0x7fffffffffffffff']
    """
    shift = 2 * (MORTON_BITS - tile.z)
    number = int(_spread(np.array([tile.x], np.uint64))[0]) | int(_spread(np.array([tile.y], np.uint64))[0]) << 1
    return number << shift, ((number + 1) << shift) - 1
