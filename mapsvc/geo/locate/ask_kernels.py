"""The compiled loops that answer points from a cell index. Import this late: it loads numba.

See `layout` for the words they read. Nothing here depends on rounding, apart from bringing a point onto the lattice.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np

from mapsvc.geo.locate.layout import EDGE_WORDS, LEAF_HEAD, LINE_WORDS, MAX_SHIFT, SPLIT_BITS, SPLIT_CELLS, SPLIT_HEAD

# What the loops see is decided when they are compiled; numba's own scalars are not those that mypy knows.
Array = Any
Whole = Any
Real = Any

_PER_DEGREE = 1e8
_BLOCK = 2048

NOBODY = 2**31


@nb.njit(cache=True, nogil=True)
def _leaf(words: Array, at: Whole, x: Whole, y: Whole) -> Whole:
    """Go down split records to the leaf that holds a point of the top cell."""
    while words[at] < 0:
        column = (x >> words[at + 1]) & ((1 << SPLIT_BITS) - 1)
        row = (y >> words[at + 2]) & ((1 << SPLIT_BITS) - 1)
        value = words[at + SPLIT_HEAD + (row << SPLIT_BITS) + column]
        if value >= 0:
            return ~np.int64(value)
        at = ~np.int64(value)
    return at


@nb.njit(cache=True, nogil=True)
def _smallest_owner_at(words: Array, at: Whole, x: Whole, y: Whole) -> Whole:
    """Return the smallest owner beside the edges of a leaf on which a point lies."""
    x -= words[at + 2]
    y -= words[at + 3]
    best = np.int64(NOBODY)
    p = at + LEAF_HEAD
    for _ in range(words[at]):
        ax, ay = np.int64(words[p]), np.int64(words[p + 1])
        bx, by = np.int64(words[p + 2]), np.int64(words[p + 3])
        qa = x * ay - y * ax
        qb = x * by - y * bx
        if ax * by - ay * bx + qa - qb == 0 and qa <= 0 and qb >= 0:
            for side in (4, 5):
                if words[p + side] > 0:
                    best = min(best, np.int64(words[p + side]))
        p += EDGE_WORDS
    return best


@nb.njit(cache=True, nogil=True)
def _owner_in_leaf(words: Array, at: Whole, px: Whole, py: Whole) -> Whole:
    """Return the owner of a point of a leaf's box: of R, with both owners of every edge crossed on the way XORed.

    With R left of A->B, `c` = A x B > 0, and Q lies beyond the line when `c + Q x A - Q x B` < 0; the path from R
    meets the edge when A lies right of it and B left.
    """
    x = np.int64(px) - words[at + 2]
    y = np.int64(py) - words[at + 3]
    owner = np.int64(words[at + 1])
    on_border = False
    p = at + LEAF_HEAD
    for _ in range(words[at]):
        ax, ay = np.int64(words[p]), np.int64(words[p + 1])
        bx, by = np.int64(words[p + 2]), np.int64(words[p + 3])
        qa = x * ay - y * ax
        qb = x * by - y * bx
        side = ax * by - ay * bx + qa - qb
        both = words[p + 4] ^ words[p + 5]
        owner ^= both * ((side < 0) & (qa <= 0) & (qb > 0))
        on_border |= (side == 0) & (qa <= 0) & (qb >= 0)
        p += EDGE_WORDS
    if on_border:
        owner = _smallest_owner_at(words, at, np.int64(px), np.int64(py))
    return owner


@nb.njit(cache=True, nogil=True)
def cells_of(lon: Array, lat: Array, cells: Array, grid: Any) -> None:
    """Put the table position of each point into `cells`; kept apart so that it compiles to vector instructions."""
    west, south, shift_x, shift_y, nx, ny = grid
    fwest, fsouth = np.float64(west), np.float64(south)
    width, height = np.float64(nx << shift_x), np.float64(ny << shift_y)
    off = nx * ny
    for j in range(len(lon)):
        fx = np.rint(lon[j] * _PER_DEGREE) - fwest
        fy = np.rint(lat[j] * _PER_DEGREE) - fsouth
        inside = (fx >= 0.0) & (fy >= 0.0) & (fx < width) & (fy < height)
        x = np.int64(fx if inside else 0.0)
        y = np.int64(fy if inside else 0.0)
        k = (y >> shift_y) * nx + (x >> shift_x)
        cells[j] = k if inside else off


@nb.njit(cache=True, nogil=True)
def locate(lon: Array, lat: Array, out: Array, table: Array, words: Array, grid: Any) -> Whole:
    """Answer points block by block: a look at the table for all, then the leaves for those in border cells.

    Each stage is a loop of its own over the block, so that many loads from memory are under way at once; the third
    only touches the second cache line of each leaf. What it returns keeps that loop from being optimised away.
    """
    west, south, shift_x, shift_y, _, _ = grid
    fwest, fsouth = np.float64(west), np.float64(south)
    mask_x, mask_y = (1 << shift_x) - 1, (1 << shift_y) - 1
    cells = np.empty(_BLOCK, np.int64)
    rows = np.empty(_BLOCK, np.int32)
    at = np.empty(_BLOCK, np.int64)
    xs = np.empty(_BLOCK, np.int64)
    ys = np.empty(_BLOCK, np.int64)
    touched = 0
    for first in range(0, len(lon), _BLOCK):
        n = min(_BLOCK, len(lon) - first)
        cells_of(lon[first : first + n], lat[first : first + n], cells, grid)
        m = 0
        for j in range(n):
            value = table[cells[j]]
            out[first + j] = value - 1
            rows[m] = j
            m += value < 0
        for j in range(m):
            i = first + rows[j]
            xs[j] = np.int64(np.rint(lon[i] * _PER_DEGREE) - fwest) & mask_x
            ys[j] = np.int64(np.rint(lat[i] * _PER_DEGREE) - fsouth) & mask_y
            at[j] = _leaf(words, ~np.int64(out[i] + 1), xs[j], ys[j])
        for j in range(m):
            touched ^= words[at[j] + LINE_WORDS - 2 if at[j] >= 0 else 0]
        for j in range(m):
            owner = ~at[j] if at[j] < 0 else _owner_in_leaf(words, at[j], xs[j], ys[j])
            out[first + rows[j]] = owner - 1
    return touched


@nb.njit(cache=True, nogil=True)
def on_border(lon: Array, lat: Array, out: Array, table: Array, words: Array, grid: Any) -> None:
    """Say for each point whether it lies on a border."""
    west, south, shift_x, shift_y, _, _ = grid
    cells = np.empty(len(lon), np.int64)
    cells_of(lon, lat, cells, grid)
    for i in range(len(lon)):
        out[i] = False
        value = table[cells[i]]
        if value < 0:
            x = (np.int64(np.rint(lon[i] * _PER_DEGREE)) - west) & ((1 << shift_x) - 1)
            y = (np.int64(np.rint(lat[i] * _PER_DEGREE)) - south) & ((1 << shift_y) - 1)
            at = _leaf(words, ~np.int64(value), x, y)
            out[i] = at >= 0 and _smallest_owner_at(words, at, x, y) < NOBODY


@nb.njit(cache=True, nogil=True)
def _metres(x: Real, y: Real, frame: Any) -> Any:
    """Return metres east and north of the frame's centre for lattice steps from it; see `nearest.frame_at`."""
    east, east_y, east_yy, north, north_y, bend = frame
    x_m = x * (east + y * (east_y + y * east_yy))
    return x_m, y * (north + y * north_y) + x_m * x_m * bend


@nb.njit(cache=True, nogil=True)
def _square_distance(ax: Whole, ay: Whole, bx: Whole, by: Whole, frame: Any) -> Real:
    """Return the square of the distance, in metres, from the frame's centre to the segment A-B given in steps from it.

    The segment is straight in degrees, so the foot is sought on its chord in metres and then taken on the segment. At
    an end the value depends on that vertex alone, so that edges that share it give equal values.
    """
    ax_m, ay_m = _metres(ax, ay, frame)
    bx_m, by_m = _metres(bx, by, frame)
    dx, dy = bx_m - ax_m, by_m - ay_m
    along = -(ax_m * dx + ay_m * dy)
    if along <= 0.0:
        return ax_m * ax_m + ay_m * ay_m
    length = dx * dx + dy * dy
    if along >= length:
        return bx_m * bx_m + by_m * by_m
    part = along / length
    x_m, y_m = _metres(ax + part * (bx - ax), ay + part * (by - ay), frame)
    return x_m * x_m + y_m * y_m


@nb.njit(cache=True, nogil=True)
def _nearest_in_record(words: Array, at: Whole, cx: Whole, cy: Whole, frame: Any, best: Real, owner: Whole) -> Any:
    """Return the square distance and the owner after a look at all edges of a record; (cx, cy) is its cell's corner."""
    stack = np.empty(SPLIT_CELLS * MAX_SHIFT, np.int64)
    stack[0] = at
    depth = 1
    while depth > 0:
        depth -= 1
        at = stack[depth]
        if words[at] < 0:
            for child in range(SPLIT_CELLS):
                value = words[at + SPLIT_HEAD + child]
                if value < 0:
                    stack[depth] = ~np.int64(value)
                    depth += 1
            continue
        rx, ry = cx + words[at + 2], cy + words[at + 3]
        p = at + LEAF_HEAD
        for _ in range(words[at]):
            square = _square_distance(rx + words[p], ry + words[p + 1], rx + words[p + 2], ry + words[p + 3], frame)
            if square <= best * (1 + 1e-12):
                a, b = np.int64(words[p + 4]), np.int64(words[p + 5])
                smaller = min(a, b) if a > 0 and b > 0 else max(a, b)
                owner = smaller if square < best * (1 - 1e-12) else min(owner, smaller)
                best = min(best, square)
            p += EDGE_WORDS
    return best, owner


@nb.njit(cache=True, nogil=True)
def nearest(x: Whole, y: Whole, within_m: Real, table: Array, words: Array, grid: Any, frame: Any) -> Any:
    """Return the distance in metres and the owner of the border nearest to a point, or owner 0 for none within reach.

    The point is given in lattice steps from the grid's corner and may lie off the grid. Cells are looked at ring by
    ring around it until no further ring can hold anything nearer.
    """
    _, _, shift_x, shift_y, nx, ny = grid
    column, row = x >> shift_x, y >> shift_y
    farthest = max(max(abs(column), abs(nx - 1 - column)), max(abs(row), abs(ny - 1 - row)))
    # East-west steps shrink towards the pole; half of them is a safe bound for what can be reached.
    step_m = min((1 << shift_x) * frame[0] * 0.5, (1 << shift_y) * frame[3] * 0.5)
    best = within_m * within_m
    owner = NOBODY
    for ring in range(farthest + 1):
        reach = (ring - 1) * step_m
        if ring > 1 and reach * reach > best:
            break
        for r in range(max(row - ring, 0), min(row + ring, ny - 1) + 1):
            whole = r == row - ring or r == row + ring
            step = 1 if whole or ring == 0 else 2 * ring
            c = column - ring
            if c < 0:
                c = 0 if whole else c + step
            while c <= min(column + ring, nx - 1):
                value = table[r * nx + c]
                if c >= 0 and value < 0:
                    corner_x, corner_y = (c << shift_x) - x, (r << shift_y) - y
                    best, owner = _nearest_in_record(words, ~np.int64(value), corner_x, corner_y, frame, best, owner)
                c += step
    return np.sqrt(best), owner if owner < NOBODY else 0
