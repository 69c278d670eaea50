"""Id rasters: the number of the area at each pixel of a tile, for areas that are only a few pixels wide."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapsvc.geo.tiles.mercator import Tile, from_unit

PIXELS = 256
"""Width and height of a raster tile in pixels."""

CONTENT_TYPE = "application/octet-stream"


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
