"""Id rasters: the number of the area at each pixel of a tile, for areas that are only a few pixels wide."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mapsvc.geo.tiles.mercator import Tile, from_unit

PIXELS = 256
"""Width and height of a raster tile in pixels."""

CONTENT_TYPE = "application/octet-stream"

PIXELS_PER_AREA = 4.0
"""Areas whose mean side is shorter than this on the screen are better drawn from id rasters."""

FINEST_ZOOM = 16
EQUATOR_M_PER_PIXEL = 156_543.034
"""Ground of one pixel at zoom 0 in tiles of 256, on the equator."""


def pixel_centres(tile: Tile, pixels: int = PIXELS) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return longitude and latitude (degrees, WGS 84) of all pixels, row by row from the north-west.

    Examples
    --------
    >>> lon, lat = pixel_centres(Tile(0, 0, 0), 2)
    >>> lon.tolist(), lat.round(4).tolist()
    ([-90.0, 90.0, -90.0, 90.0], [66.5133, 66.5133, -66.5133, -66.5133])
    """
    x0, y0, _, _ = tile.box
    steps = (np.arange(pixels) + 0.5) / pixels * tile.side
    lon, lat = from_unit(x0 + steps, y0 + steps)
    return np.tile(lon, pixels), np.repeat(lat, pixels)


def encode_numbers(rows: NDArray[np.integer]) -> bytes:
    """Return rows of areas (-1 for none) as numbers: little-endian uint32, row plus one, 0 for no area.

    Examples
    --------
    >>> encode_numbers(np.array([-1, 0])).hex()
    '0000000001000000'
    """
    return (rows.astype(np.int64) + 1).astype("<u4").tobytes()


def last_small_zoom(side_m: float, lat: float) -> int:
    """Return the last zoom at which a mean area, a square of `side_m` metres, is narrower than `PIXELS_PER_AREA`.

    -1 where there is none, or no area.

    Examples
    --------
    >>> last_small_zoom(100.0, 30.0), last_small_zoom(20_000.0, 30.0), last_small_zoom(0.0, 30.0)
    (12, 4, -1)
    """
    if side_m <= 0:
        return -1
    zoom = math.log2(PIXELS_PER_AREA * EQUATOR_M_PER_PIXEL * math.cos(math.radians(lat)) / side_m)
    return max(-1, min(FINEST_ZOOM, math.ceil(zoom) - 1))
