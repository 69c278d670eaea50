"""The compiled loops that build a cell index. Import this late: it loads numba.

All coordinates are int64 lattice steps. An edge is a row `[x1, y1, x2, y2]` with `(x1, y1) < (x2, y2)`; its
owners are on its left and on its right, number + 1, 0 for nobody.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np

from mapsvc.geo.locate.layout import (
    EDGE_WORDS,
    LEAF_HEAD,
    LINE_WORDS,
    LONGEST_EDGE,
    MIN_CHILD_SHIFT,
    SPLIT_BITS,
    SPLIT_CELLS,
    SPLIT_HEAD,
)

# What the loops see is decided when they are compiled; numba's own scalars are not those that mypy knows.
Array = Any
Whole = Any
Flag = Any

FINE = 0
EDGE_TOO_LONG = 1
OVERLAP = 2
TOO_CROWDED = 3
TOO_LARGE = 4

_TRIES = 256
_CHECKED = 2**30
_FULL = 2**31 - 2**26


@nb.njit(cache=True, nogil=True)
def ring_turn(xy: Array, first: Whole, last: Whole) -> Whole:
    """Return 1 for a ring running counter-clockwise, -1 for clockwise, 0 for one without area.

    Decided at its lowest leftmost vertex, where a ring that does not cross itself must turn the way it runs.
    """
    low = first
    for i in range(first, last):
        if xy[i, 0] < xy[low, 0] or (xy[i, 0] == xy[low, 0] and xy[i, 1] < xy[low, 1]):
            low = i
    n = last - first
    before = low
    after = low
    for _ in range(n):
        before = first + (before - first + n - 1) % n
        if xy[before, 0] != xy[low, 0] or xy[before, 1] != xy[low, 1]:
            break
    for _ in range(n):
        after = first + (after - first + 1) % n
        if xy[after, 0] != xy[low, 0] or xy[after, 1] != xy[low, 1]:
            break
    turn = (xy[low, 0] - xy[before, 0]) * (xy[after, 1] - xy[low, 1]) - (xy[low, 1] - xy[before, 1]) * (
        xy[after, 0] - xy[low, 0]
    )
    return 1 if turn > 0 else (-1 if turn < 0 else 0)


@nb.njit(cache=True, nogil=True)
def match_edges(xy: Array, rings: Array, owners: Array, holes: Array) -> Any:
    """Return every border edge once, with the owners on its two sides.

    `rings` are offsets into `xy`, `owners` and `holes` tell for each ring its area and whether it is a hole. The
    answer is `(edges, left, right, status, owner, owner)`; status OVERLAP names two areas that lie on the same side
    of one edge, EDGE_TOO_LONG one area. An edge with one area on both sides is no border and is left out.
    """
    total = len(xy)
    size = 16
    while size < 2 * total:
        size *= 2
    slots = np.full(size, -1, np.int32)
    mask = np.uint64(size - 1)
    edges = np.empty((total, 4), np.int64)
    left = np.zeros(total, np.int32)
    right = np.zeros(total, np.int32)
    m = 0
    for r in range(len(owners)):
        first = rings[r]
        last = rings[r + 1] - 1
        owner = owners[r]
        inside_left = (ring_turn(xy, first, last) >= 0) != holes[r]
        for i in range(first, last):
            x1, y1, x2, y2 = xy[i, 0], xy[i, 1], xy[i + 1, 0], xy[i + 1, 1]
            if x1 == x2 and y1 == y2:
                continue
            if abs(x2 - x1) > LONGEST_EDGE or abs(y2 - y1) > LONGEST_EDGE:
                return edges[:0], left[:0], right[:0], EDGE_TOO_LONG, owner, owner
            on_left = inside_left
            if x1 > x2 or (x1 == x2 and y1 > y2):
                x1, y1, x2, y2 = x2, y2, x1, y1
                on_left = not inside_left
            h = np.uint64(x1) * np.uint64(0x9E3779B97F4A7C15) ^ np.uint64(y1) * np.uint64(0xC2B2AE3D27D4EB4F)
            h ^= h >> np.uint64(29)
            h += np.uint64(x2) * np.uint64(0x165667B19E3779F9) ^ np.uint64(y2) * np.uint64(0x27D4EB2F165667C5)
            h ^= h >> np.uint64(32)
            h *= np.uint64(0xBF58476D1CE4E5B9)
            h ^= h >> np.uint64(29)
            k = np.int64(h & mask)
            e = slots[k]
            while e >= 0 and not (edges[e, 0] == x1 and edges[e, 1] == y1 and edges[e, 2] == x2 and edges[e, 3] == y2):
                k = (k + 1) & np.int64(mask)
                e = slots[k]
            if e < 0:
                e = m
                slots[k] = e
                edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3] = x1, y1, x2, y2
                m += 1
            side = left if on_left else right
            if side[e] != 0:
                return edges[:0], left[:0], right[:0], OVERLAP, side[e], owner
            side[e] = owner
    kept = 0
    for e in range(m):
        if left[e] != right[e]:
            edges[kept] = edges[e]
            left[kept] = left[e]
            right[kept] = right[e]
            kept += 1
    return edges[:kept].copy(), left[:kept].copy(), right[:kept].copy(), FINE, 0, 0


@nb.njit(cache=True, nogil=True)
def _row_span(edges: Array, e: Whole, south: Whole, shift_y: Whole) -> Any:
    """Return the first and last row of cells that an edge touches, one step of margin added."""
    y1 = edges[e, 1] - south
    y2 = edges[e, 3] - south
    return (min(y1, y2) - 1) >> shift_y, (max(y1, y2) + 1) >> shift_y


@nb.njit(cache=True, nogil=True)
def rows_of_edges(edges: Array, west: Whole, south: Whole, shift_x: Whole, shift_y: Whole, nx: Whole, ny: Whole) -> Any:
    """Return which columns each edge touches in each row of cells, sorted by row, then by edge.

    `(offsets, spans)`: the entries of row r are `spans[offsets[r]:offsets[r + 1]]`, each `[edge, first column, last
    column]`. A touch is counted with a margin of one lattice step, which also covers the rounding of the
    division here: an edge too many in a list does no harm, one too few would.
    """
    offsets = np.zeros(ny + 1, np.int64)
    for e in range(len(edges)):
        r0, r1 = _row_span(edges, e, south, shift_y)
        for r in range(max(r0, 0), min(r1, ny - 1) + 1):
            offsets[r + 1] += 1
    for r in range(ny):
        offsets[r + 1] += offsets[r]
    at = offsets[:-1].copy()
    spans = np.empty((offsets[ny], 3), np.int32)
    for e in range(len(edges)):
        r0, r1 = _row_span(edges, e, south, shift_y)
        x1, y1 = edges[e, 0] - west, edges[e, 1] - south
        x2, y2 = edges[e, 2] - west, edges[e, 3] - south
        slope = 0.0 if y1 == y2 else (x2 - x1) / (y2 - y1)
        for r in range(max(r0, 0), min(r1, ny - 1) + 1):
            xa, xb = np.float64(x1), np.float64(x2)
            if r0 != r1 and y1 != y2:
                low = max(min(y1, y2), (r << shift_y) - 1)
                high = min(max(y1, y2), ((r + 1) << shift_y) + 1)
                xa = x1 + (low - y1) * slope
                xb = x1 + (high - y1) * slope
            if xa > xb:
                xa, xb = xb, xa
            k = at[r]
            spans[k, 0] = e
            spans[k, 1] = max((np.int64(np.floor(xa)) - 1) >> shift_x, 0)
            spans[k, 2] = min((np.int64(np.ceil(xb)) + 1) >> shift_x, nx - 1)
            at[r] = k + 1
    return offsets, spans


@nb.njit(cache=True, nogil=True)
def _side(ax: Whole, ay: Whole, bx: Whole, by: Whole, qx: Whole, qy: Whole) -> Whole:
    """Return > 0 for Q left of A->B, < 0 right of it, 0 on its line; exact."""
    return (bx - ax) * (qy - ay) - (by - ay) * (qx - ax)


@nb.njit(cache=True, nogil=True)
def _crosses(edges: Array, e: Whole, rx: Whole, ry: Whole, qx: Whole, qy: Whole) -> Flag:
    """Say whether the path R->Q crosses the edge; R and Q do not lie on it.

    A vertex exactly on the path counts as right of it, for all edges at that vertex alike, as if the path were moved
    a little to its left: so the count is right whatever the path runs through.
    """
    ax, ay, bx, by = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
    if (_side(rx, ry, qx, qy, ax, ay) > 0) == (_side(rx, ry, qx, qy, bx, by) > 0):
        return False
    return (_side(ax, ay, bx, by, rx, ry) > 0) != (_side(ax, ay, bx, by, qx, qy) > 0)


@nb.njit(cache=True, nogil=True)
def _reference(
    edges: Array, near: Array, first: Whole, last: Whole, x: Whole, y: Whole, shift_x: Whole, shift_y: Whole
) -> Any:
    """Return a lattice point of the box at (x, y) on the line of none of its edges, and whether there is one.

    The middle is tried first, then points spread over the box; a box of up to 64 x 64 points is searched whole.
    """
    wide = np.int64(1) << shift_x
    high = np.int64(1) << shift_y
    tries = _TRIES if shift_x + shift_y > 12 else wide * high
    px = wide >> 1
    py = high >> 1
    for k in range(tries):
        free = True
        for i in range(first, last):
            e = near[i]
            if _side(edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3], x + px, y + py) == 0:
                free = False
                break
        if free:
            return x + px, y + py, True
        if shift_x + shift_y > 12:
            # Weyl steps of two irrationals fill the box evenly.
            px = (np.int64(0x9E3779B9) * (k + 1) >> 3) & (wide - 1)
            py = (np.int64(0x7F4A7C15) * (k + 1) >> 5) & (high - 1)
        else:
            px = k & (wide - 1)
            py = k >> shift_x
    return x, y, False


@nb.njit(cache=True, nogil=True)
def _touches(edges: Array, e: Whole, x: Whole, y: Whole, wide: Whole, high: Whole) -> Flag:
    """Say whether the edge meets the closed box at (x, y); exact."""
    ax, ay, bx, by = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
    if max(ax, bx) < x or min(ax, bx) > x + wide or max(ay, by) < y or min(ay, by) > y + high:
        return False
    a = _side(ax, ay, bx, by, x, y)
    b = _side(ax, ay, bx, by, x + wide, y)
    c = _side(ax, ay, bx, by, x, y + high)
    d = _side(ax, ay, bx, by, x + wide, y + high)
    return not ((a > 0 and b > 0 and c > 0 and d > 0) or (a < 0 and b < 0 and c < 0 and d < 0))


@nb.njit(cache=True, nogil=True)
def _grown(array: Array, used: Whole, wanted: Whole) -> Array:
    """Return the array, or a larger copy of it when `wanted` more items do not fit."""
    if used + wanted <= len(array):
        return array
    larger = np.empty(max(2 * len(array), used + wanted), array.dtype)
    larger[:used] = array[:used]
    return larger


@nb.njit(cache=True, nogil=True)
def _write_leaf(
    words: Array,
    at: Whole,
    edges: Array,
    left: Array,
    right: Array,
    near: Array,
    first: Whole,
    last: Whole,
    rx: Whole,
    ry: Whole,
    owner: Whole,
    x: Whole,
    y: Whole,
) -> Whole:
    """Write a leaf at `at` and return the position behind it; (x, y) is the corner of the top cell."""
    words[at] = last - first
    words[at + 1] = owner
    words[at + 2] = rx - x
    words[at + 3] = ry - y
    p = at + LEAF_HEAD
    for i in range(first, last):
        e = near[i]
        ax, ay, bx, by = edges[e, 0] - rx, edges[e, 1] - ry, edges[e, 2] - rx, edges[e, 3] - ry
        if ax * by - ay * bx < 0:
            ax, ay, bx, by = bx, by, ax, ay
        words[p], words[p + 1], words[p + 2], words[p + 3] = ax, ay, bx, by
        words[p + 4] = left[e]
        words[p + 5] = right[e]
        p += EDGE_WORDS
    return p


@nb.njit(cache=True, nogil=True)
def _walk(
    edges: Array,
    left: Array,
    right: Array,
    near: Array,
    a: Whole,
    a1: Whole,
    b: Whole,
    b1: Whole,
    path: Any,
    owner: Whole,
) -> Any:
    """Return the owner at the end of a path through two neighbouring boxes, and how many edges it crosses.

    `near[a:a1]` and `near[b:b1]` are the edges of the two boxes in ascending order; an edge of both is counted once.
    """
    rx, ry, qx, qy = path
    crossed = 0
    while a < a1 or b < b1:
        if b >= b1 or (a < a1 and near[a] <= near[b]):
            e = near[a]
            if b < b1 and near[b] == e:
                b += 1
            a += 1
        else:
            e = near[b]
            b += 1
        if _crosses(edges, e, rx, ry, qx, qy):
            owner ^= left[e] ^ right[e]
            crossed += 1
    return owner, crossed


@nb.njit(cache=True, nogil=True)
def _beside(edges: Array, left: Array, right: Array, near: Array, first: Whole, last: Whole, owner: Whole) -> Flag:
    """Say whether an owner stands beside any of these edges."""
    for i in range(first, last):
        e = near[i]
        if left[e] == owner or right[e] == owner:
            return True
    return False


@nb.njit(cache=True, nogil=True)
def _first_crossing(edges: Array, near: Array, first: Whole, last: Whole) -> Whole:
    """Return an edge of the list that another one crosses between their ends, or -1.

    In a coverage edges meet at vertices only. Edges so long that the test could overflow are left out.
    """
    for i in range(first, last):
        e = near[i]
        ax, ay, bx, by = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
        if bx - ax > _CHECKED or abs(by - ay) > _CHECKED:
            continue
        for j in range(i + 1, last):
            f = near[j]
            cx, cy, dx, dy = edges[f, 0], edges[f, 1], edges[f, 2], edges[f, 3]
            if (ax == cx and ay == cy) or (bx == dx and by == dy) or (ax == dx and ay == dy) or (bx == cx and by == cy):
                continue
            if dx - cx > _CHECKED or abs(dy - cy) > _CHECKED:
                continue
            c = _side(ax, ay, bx, by, cx, cy)
            d = _side(ax, ay, bx, by, dx, dy)
            if (c > 0 and d < 0) or (c < 0 and d > 0):
                a = _side(cx, cy, dx, dy, ax, ay)
                b = _side(cx, cy, dx, dy, bx, by)
                if (a > 0 and b < 0) or (a < 0 and b > 0):
                    return e
    return -1


@nb.njit(cache=True, nogil=True)
def pack_rows(
    edges: Array,
    left: Array,
    right: Array,
    offsets: Array,
    spans: Array,
    west: Whole,
    south: Whole,
    shift_x: Whole,
    shift_y: Whole,
    nx: Whole,
    ny: Whole,
    cap: Whole,
    table: Array,
    words: Array,
) -> Any:
    """Fill `table` and `words`; return `(words, status, x, y)`: the records, or what is wrong and where.

    `words` may be too short, then a longer array comes back. Goes along each row from its first column, which lies
    outside every area, and so finds the owner of every reference point without asking any polygon. Cells with more
    than `cap` edges are split.
    """
    table[nx * ny] = 0
    used = 0
    near = np.empty(1024, np.int32)
    off = np.empty(nx + 1, np.int64)
    wide = np.int64(1) << shift_x
    high = np.int64(1) << shift_y
    pieces = np.empty((64, 9), np.int64)
    for r in range(ny):
        off[:] = 0
        for i in range(offsets[r], offsets[r + 1]):
            for c in range(spans[i, 1], spans[i, 2] + 1):
                off[c + 1] += 1
        for c in range(nx):
            off[c + 1] += off[c]
        near = _grown(near, 0, off[nx])
        for i in range(offsets[r], offsets[r + 1]):
            for c in range(spans[i, 1], spans[i, 2] + 1):
                near[off[c]] = spans[i, 0]
                off[c] += 1
        # Filling moved each offset to the end of its cell, so the begin of c is the end of c - 1.
        y = south + r * high
        owner = 0
        begin = np.int64(0)
        before = np.int64(0)
        px = west + (wide >> 1)
        py = y + (high >> 1)
        for c in range(nx):
            end = off[c]
            x = west + c * wide
            k = r * nx + c
            if end == begin:
                rx, ry = x + (wide >> 1), y + (high >> 1)
            else:
                rx, ry, found = _reference(edges, near, begin, end, x, y, shift_x, shift_y)
                if not found:
                    return words[:0], TOO_CROWDED, x, y
            if end > before:
                last = owner
                owner, crossed = _walk(edges, left, right, near, before, begin, begin, end, (px, py, rx, ry), owner)
                fits = owner == last or (crossed > 0 and _beside(edges, left, right, near, before, end, owner))
                if not fits:
                    return words[:0], OVERLAP, rx, ry
            if end == begin:
                table[k] = owner
            elif end - begin <= cap and used + LEAF_HEAD + EDGE_WORDS * cap <= len(words):
                # The common case of `_pack_cell`, which costs more to call than to do.
                if _first_crossing(edges, near, begin, end) >= 0:
                    return words[:0], OVERLAP, rx, ry
                table[k] = ~used
                used = _write_leaf(words, used, edges, left, right, near, begin, end, rx, ry, owner, x, y)
            else:
                words, used, near, pieces, value, crossing = _pack_cell(
                    words,
                    used,
                    edges,
                    left,
                    right,
                    near,
                    off[nx - 1],
                    begin,
                    end,
                    x,
                    y,
                    rx,
                    ry,
                    shift_x,
                    shift_y,
                    owner,
                    cap,
                    pieces,
                )
                table[k] = value
                if crossing >= 0:
                    return words[:0], OVERLAP, edges[crossing, 0], edges[crossing, 1]
                if used > _FULL:
                    return words[:0], TOO_LARGE, x, y
            px, py = rx, ry
            before = begin
            begin = end
    words = _grown(words, used, LINE_WORDS)
    words[used : used + LINE_WORDS] = 0
    return words[: used + LINE_WORDS], FINE, 0, 0


@nb.njit(cache=True, nogil=True)
def _pack_cell(
    words: Array,
    used: Whole,
    edges: Array,
    left: Array,
    right: Array,
    near: Array,
    near_used: Whole,
    first: Whole,
    last: Whole,
    x: Whole,
    y: Whole,
    rx: Whole,
    ry: Whole,
    shift_x: Whole,
    shift_y: Whole,
    owner: Whole,
    cap: Whole,
    pieces: Array,
) -> Any:
    """Write the record of one top cell, with those nested in it.

    Returns the arrays, which may have grown, the cell's value, and an edge that another one crosses or -1. `pieces`
    is a stack of boxes still to be written: `[slot, first, last, x, y, R east, R north, shifts, owner]`; a slot is
    where in `words` the value goes, -1 for the cell's own.
    """
    value = np.int32(0)
    depth = 1
    pieces[0, 0] = -1
    pieces[0, 1], pieces[0, 2], pieces[0, 3], pieces[0, 4] = first, last, x, y
    pieces[0, 5], pieces[0, 6], pieces[0, 7], pieces[0, 8] = rx, ry, shift_x * 64 + shift_y, owner
    crossing = np.int64(-1)
    while depth > 0:
        depth -= 1
        slot, a, b = pieces[depth, 0], pieces[depth, 1], pieces[depth, 2]
        bx, by, qx, qy = pieces[depth, 3], pieces[depth, 4], pieces[depth, 5], pieces[depth, 6]
        sx, sy, own = pieces[depth, 7] >> 6, pieces[depth, 7] & 63, pieces[depth, 8]
        record = np.int32(~used)
        if slot < 0:
            value = record
        else:
            words[slot] = record
        split = b - a > cap and min(sx, sy) - SPLIT_BITS >= MIN_CHILD_SHIFT
        if split:
            words = _grown(words, used, SPLIT_HEAD + SPLIT_CELLS)
            near = _grown(near, near_used, SPLIT_CELLS * (b - a))
            while depth + SPLIT_CELLS > len(pieces):
                more = np.empty((2 * len(pieces), 9), np.int64)
                more[: len(pieces)] = pieces
                pieces = more
            sx -= SPLIT_BITS
            sy -= SPLIT_BITS
            mark_depth, mark_near = depth, near_used
            words[used], words[used + 1], words[used + 2] = -1, sx, sy
            for child in range(SPLIT_CELLS):
                cx = bx + ((child & ((1 << SPLIT_BITS) - 1)) << sx)
                cy = by + ((child >> SPLIT_BITS) << sy)
                begin = near_used
                for i in range(a, b):
                    if _touches(edges, near[i], cx, cy, np.int64(1) << sx, np.int64(1) << sy):
                        near[near_used] = near[i]
                        near_used += 1
                ox, oy, found = _reference(edges, near, begin, near_used, cx, cy, sx, sy)
                if not found:
                    split = False
                    break
                theirs = own
                for i in range(a, b):
                    if _crosses(edges, near[i], qx, qy, ox, oy):
                        theirs ^= left[near[i]] ^ right[near[i]]
                here = used + SPLIT_HEAD + child
                if begin == near_used:
                    words[here] = theirs
                else:
                    pieces[depth, 0] = here
                    pieces[depth, 1], pieces[depth, 2], pieces[depth, 3], pieces[depth, 4] = begin, near_used, cx, cy
                    pieces[depth, 5], pieces[depth, 6] = ox, oy
                    pieces[depth, 7], pieces[depth, 8] = sx * 64 + sy, theirs
                    depth += 1
            if split:
                used += SPLIT_HEAD + SPLIT_CELLS
            else:
                depth, near_used = mark_depth, mark_near
        if not split:
            crossing = max(crossing, _first_crossing(edges, near, a, b))
            words = _grown(words, used, LEAF_HEAD + EDGE_WORDS * (b - a))
            used = _write_leaf(words, used, edges, left, right, near, a, b, qx, qy, own, x, y)
    return words, used, near, pieces, value, crossing
