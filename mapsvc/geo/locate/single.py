"""One point at a time, in plain Python: about a microsecond, without loading numba."""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct

from mapsvc.geo.locate.layout import EDGE_WORDS, LEAF_HEAD, SPLIT_BITS, SPLIT_HEAD, Cells

_HEAD = Struct(f"={LEAF_HEAD}i").unpack_from
_EDGE = Struct(f"={EDGE_WORDS}i").unpack_from


def finder(cells: Cells) -> Callable[[float, float], int]:
    """Return a function of longitude and latitude that gives the area's number, or -1.

    It keeps what it needs in local names; Python's integers make it exact.
    """
    grid = cells.grid
    west, south, shift_x, shift_y, nx = grid.west, grid.south, grid.shift_x, grid.shift_y, grid.nx
    width, height = nx << shift_x, grid.ny << shift_y
    mask_x, mask_y = (1 << shift_x) - 1, (1 << shift_y) - 1
    table: memoryview[int] = cells.table.data
    words: memoryview[int] = cells.words.data
    head, edge, step = _HEAD, _EDGE, 4 * EDGE_WORDS

    def find(lon: float, lat: float) -> int:
        try:
            # The same as round(), in half the time: this line is a fifth of the whole.
            x = (lon * 1e8).__round__() - west
            y = (lat * 1e8).__round__() - south
        except (ValueError, OverflowError):
            # NaN and infinity are nowhere.
            return -1
        if not (0 <= x < width and 0 <= y < height):
            return -1
        value: int = table[(y >> shift_y) * nx + (x >> shift_x)]
        if value >= 0:
            return value - 1
        x &= mask_x
        y &= mask_y
        count, owner, rx, ry = head(words, ~value * 4)
        while count < 0:
            at = ~value + SPLIT_HEAD + ((y >> rx & 3) << SPLIT_BITS) + (x >> owner & 3)
            value = words[at]
            if value >= 0:
                return value - 1
            count, owner, rx, ry = head(words, ~value * 4)
        x -= rx
        y -= ry
        first = (~value + LEAF_HEAD) * 4
        tied = 0
        for at in range(first, first + count * step, step):
            ax, ay, bx, by, one, other = edge(words, at)
            qa = x * ay - y * ax
            if qa <= 0:
                qb = x * by - y * bx
                if qb >= 0:
                    side = ax * by - ay * bx + qa - qb
                    if side < 0:
                        if qb > 0:
                            owner ^= one ^ other
                    elif side == 0:
                        smaller = min(one, other) or one or other
                        tied = min(tied, smaller) if tied else smaller
        number: int = (tied or owner) - 1
        return number

    return find
