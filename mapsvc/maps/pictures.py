"""Heat as pictures: tiles of it, and one picture of a whole region for a file."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mapsvc.geo import heat, heat_classes
from mapsvc.geo.heat import Box, Floats, HeatFrame
from mapsvc.geo.tiles.mercator import MAX_ZOOM, Tile, from_unit, to_unit

MOST_TILES = 5
"""Along one side of a picture; of 256 pixels each."""

PIXELS = 256


@dataclass(frozen=True)
class Picture:
    """A PNG in web Mercator and where it lies: west, south, east, north in degrees."""

    png: bytes
    box: Box


def draw_region(frame: HeatFrame, values: Floats, box: Box, step: float) -> Picture:
    """Return the classes of a heat raster over a box (degrees), as fine as `MOST_TILES` allow."""
    (x0, x1), (y1, y0) = to_unit([box[0], box[2]], [box[1], box[3]])
    side = max(x1 - x0, y1 - y0, 1e-9)
    zoom = max(0, min(MAX_ZOOM, math.floor(math.log2((MOST_TILES - 1) / side))))
    count = 1 << zoom
    columns = range(int(x0 * count), min(int(x1 * count), count - 1) + 1)
    rows = range(int(y0 * count), min(int(y1 * count), count - 1) + 1)
    values_at = np.vstack(
        [np.hstack([heat.sample(frame, values, Tile(zoom, x, y), PIXELS) for x in columns]) for y in rows]
    )
    lon, lat = from_unit([columns[0] / count, (columns[-1] + 1) / count], [(rows[-1] + 1) / count, rows[0] / count])
    png = encode_png(heat_classes.classify(values_at, step))
    return Picture(png, (float(lon[0]), float(lat[0]), float(lon[1]), float(lat[1])))


def encode_png(classes: NDArray[np.uint8]) -> bytes:
    """Return a picture of classes: transparent, five colours, and a hatch of grey for what cannot be told."""
    shown = classes.copy()
    y, x = np.indices(shown.shape)
    shown[(classes == heat_classes.UNKNOWN) & ((x + y) % 8 > 1)] = 0
    colours = ("#000000", *heat_classes.COLOURS, heat_classes.UNKNOWN_COLOUR)
    opacities = (0.0, *heat_classes.OPACITIES, heat_classes.UNKNOWN_OPACITY)
    picture = Image.fromarray(shown, mode="P")
    picture.putpalette([value for colour in colours for value in bytes.fromhex(colour[1:])])
    out = io.BytesIO()
    picture.save(out, "PNG", transparency=bytes(round(opacity * 255) for opacity in opacities))
    return out.getvalue()
