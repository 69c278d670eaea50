"""Neighbouring pieces of ground gathered into groups: grids into communities and patches, communities into streets.

Halved again and again. Of all the straight lines that leave the right number of pieces on either side the
one is taken that cuts the fewest small streets: borders keep to rivers, railways and avenues where they can.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ANGLES = 16
PARTED = 1e9


@dataclass(frozen=True)
class Pieces:
    """Pieces of ground: their centres in metres, their weights, and for each the cost of parting it from each
    neighbour."""

    centres: NDArray[np.float64]
    weights: NDArray[np.float64]
    ties: Sequence[Mapping[int, float]]


def divide(pieces: Pieces, groups: int, *, slack: int = 1, tilt: float = 0.0) -> NDArray[np.int64]:
    """Return a group number for each piece: connected groups of nearly equal weight.

    `slack` is by how many pieces a cut may miss the middle to follow a better line. `tilt` turns the lines that
    are tried, in radians, so that a second division does not follow the first.
    """
    group = np.zeros(len(pieces.centres), dtype=np.int64)
    waiting = [(np.arange(len(pieces.centres)), 0, groups)]
    while waiting:
        members, first, count = waiting.pop()
        if count == 1:
            group[members] = first
            continue
        less = count // 2
        chosen = _halve(pieces, members, less, count, slack, tilt)
        waiting.append((members[chosen], first, less))
        waiting.append((members[~chosen], first + less, count - less))
    return group


def _halve(
    pieces: Pieces, members: NDArray[np.int64], less: int, count: int, slack: int, tilt: float
) -> NDArray[np.bool_]:
    centres, weights = pieces.centres[members], pieces.weights[members]
    centre = centres.mean(axis=0)
    wanted = weights.sum() * less / count
    unit = weights.mean()
    inside = {int(m): n for n, m in enumerate(members)}
    edges = [
        (inside[int(m)], inside[o], cost) for m in members for o, cost in pieces.ties[int(m)].items() if o in inside
    ]
    a, b, cost = (np.array(column) for column in zip(*edges, strict=True)) if edges else (np.array([], int),) * 3
    best: tuple[float, NDArray[np.bool_]] | None = None
    for turn in range(ANGLES):
        angle = tilt + np.pi * turn / ANGLES
        order = np.argsort((centres - centre) @ [np.cos(angle), np.sin(angle)], kind="stable")
        for way in (order, order[::-1]):
            passed = np.cumsum(weights[way])
            middle = int(np.argmin(np.abs(passed - wanted))) + 1
            for place in range(max(middle - slack, less), min(middle + slack, len(members) - (count - less)) + 1):
                chosen = np.zeros(len(members), dtype=bool)
                chosen[way[:place]] = True
                price = float(cost[chosen[a] != chosen[b]].sum() / 2) if len(a) else 0.0
                price *= 1 + 0.25 * abs(passed[place - 1] - wanted) / unit
                if best is not None and price >= best[0]:
                    continue
                price += PARTED * (_apart(chosen, a, b) + _apart(~chosen, a, b))
                if best is None or price < best[0]:
                    best = (price, chosen)
    assert best is not None
    return best[1]


def _apart(chosen: NDArray[np.bool_], a: NDArray[np.int64], b: NDArray[np.int64]) -> int:
    """Return how many pieces lie apart from the first piece's part."""
    inside = np.flatnonzero(chosen)
    if len(inside) == 0:
        return 1
    reached = np.zeros(len(chosen), dtype=bool)
    reached[inside[0]] = True
    both = chosen[a] & chosen[b]
    from_, to = a[both], b[both]
    while True:
        grown = reached.copy()
        grown[to[reached[from_]]] = True
        if (grown == reached).all():
            return int(len(inside) - reached.sum())
        reached = grown


def gather(pieces: Pieces, group: NDArray[np.int64]) -> Pieces:
    """Return the groups as pieces themselves: their centres, weights, and the ties between them added up."""
    count = int(group.max()) + 1
    weights = np.bincount(group, pieces.weights, count).astype(np.float64)
    centres = np.column_stack([np.bincount(group, pieces.weights * pieces.centres[:, k], count) for k in (0, 1)])
    ties: list[dict[int, float]] = [{} for _ in range(count)]
    for m, around in enumerate(pieces.ties):
        for other, cost in around.items():
            mine, theirs = int(group[m]), int(group[other])
            if mine != theirs:
                ties[mine][theirs] = ties[mine].get(theirs, 0.0) + cost
    return Pieces(centres / weights[:, None], weights, ties)
