"""Points grouped per tile: one group for each cell of 64 pixels, single points where a cell holds one.

Points come sorted by Morton number, so a cell is a run of them and no group is ever looked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapsvc.geo.tiles.mercator import MORTON_BITS, Tile

PIXELS = 256
CELLS_SHIFT = 2
"""A tile is 4 x 4 cells of 64 pixels."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Groups:
    """The groups of a tile, in the order of their cells.

    `starts` and `counts` say which of the points each holds; `x`, `y` is where it is drawn, in pixels of a tile of
    256, the mean of its points but never so near the edge that its bubble would be cut off.
    """

    starts: Ints
    counts: Ints
    x: Floats
    y: Floats
    radius: Floats


def group(morton: NDArray[np.uint64], x: Floats, y: Floats, tile: Tile) -> Groups:
    """Group points of one tile (unit square, ascending by Morton number).

    Examples
    --------
    >>> x, y = np.array([0.0, 0.0, 0.0]), np.array([0.0, 0.0, 0.5])
    >>> found = group(np.array([0, 1, 2**63], np.uint64), x, y, Tile(0, 0, 0))
    >>> found.counts.tolist(), found.starts.tolist()
    ([2, 1], [0, 2])
    """
    if not len(morton):
        none = np.zeros(0)
        return Groups(np.zeros(0, np.int64), np.zeros(0, np.int64), none, none, none)
    cells = morton >> np.uint64(2 * (MORTON_BITS - tile.z - CELLS_SHIFT))
    starts = np.concatenate([[0], np.flatnonzero(cells[1:] != cells[:-1]) + 1])
    counts = np.diff(np.append(starts, len(morton)))
    x0, y0, _, _ = tile.box
    scale = PIXELS / tile.side
    radius = bubble_radius(counts)
    places = []
    for origin, values in ((x0, x), (y0, y)):
        mean = (np.add.reduceat(values, starts) / counts - origin) * scale
        places.append(np.where(counts > 1, np.clip(mean, radius, PIXELS - radius), mean))
    return Groups(starts, counts, places[0], places[1], radius)


def bubble_radius(counts: Ints) -> Floats:
    """Return the radius in pixels in which a group is drawn: 0 for one point, then 12 to 30 by the number of digits.

    Examples
    --------
    >>> bubble_radius(np.array([1, 10, 10**4])).tolist()
    [0.0, 16.0, 28.0]
    """
    return np.where(counts > 1, np.clip(12.0 + 4.0 * np.log10(np.maximum(counts, 1)), 12.0, 30.0), 0.0)
