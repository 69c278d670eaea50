"""复发: the same kind of problem at the same place within days of being mended."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

WITHIN_DAYS = 7
WITHIN_M = 30.0
"""What a phone's fix may be off: two reports of one place seldom lie further apart."""

ROWS_AT_ONCE = 500
"""Compared at once: with ten thousand cases on one point, that is five million pairs and not a hundred."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Rows = NDArray[np.intp]


def recurred(
    mended: Bools,
    fixed_at: Ints,
    received_at: Ints,
    category: NDArray[np.int16],
    x_m: Floats,
    y_m: Floats,
    *,
    within_days: float = WITHIN_DAYS,
    within_m: float = WITHIN_M,
) -> Bools:
    """Return for each case whether it was mended and the same came again.

    All arrays have one row per case; `mended` are those that are asked about. Another case of the same category counts
    if it was received after `fixed_at` and at most `within_days` later (unix seconds), at most `within_m` away. Cases
    without a position (NaN) neither recur nor are recurrences.
    """
    found = np.zeros(len(mended), np.bool_)
    placed = np.isfinite(x_m) & np.isfinite(y_m)
    asked = np.flatnonzero(mended & placed)
    if not len(asked):
        return found
    span = int(within_days * 86_400)
    first = int(fixed_at[asked].min())
    later = np.flatnonzero(placed & (received_at > first) & (received_at <= int(fixed_at[asked].max()) + span))
    # Sorted by kind and span of days, so that only the same and the next span need be looked at.
    ones = _by_span(asked, category, (fixed_at[asked] - first) // span)
    others = _by_span(later, category, (received_at[later] - first) // span)
    place = np.c_[x_m, y_m]
    for (code, number), rows in ones.items():
        near = [others[key] for key in ((code, number), (code, number + 1)) if key in others]
        if not near:
            continue
        candidates = np.concatenate(near)
        tree = cKDTree(place[candidates])
        for start in range(0, len(rows), ROWS_AT_ONCE):
            some = rows[start : start + ROWS_AT_ONCE]
            pairs = cKDTree(place[some]).sparse_distance_matrix(tree, within_m, output_type="ndarray")
            one, other = some[pairs["i"]], candidates[pairs["j"]]
            gap = received_at[other] - fixed_at[one]
            found[one[(gap > 0) & (gap <= span) & (one != other)]] = True
    return found


def _by_span(
    rows: NDArray[np.intp], category: NDArray[np.int16], span: Ints
) -> dict[tuple[int, int], NDArray[np.intp]]:
    """Return rows by category and number of their span of days."""
    order = np.lexsort((span, category[rows]))
    keys = np.c_[category[rows], span][order]
    if not len(keys):
        return {}
    starts = np.flatnonzero(np.r_[True, np.any(keys[1:] != keys[:-1], axis=1)])
    groups = np.split(rows[order], starts[1:])
    return {(int(keys[start, 0]), int(keys[start, 1])): group for start, group in zip(starts, groups, strict=True)}
