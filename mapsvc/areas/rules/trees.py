"""Which level answers a point by an index of its own, and which is read from the parents of a finer one.

Design, invariant 1: the finest coverage of a tree answers; a level above it whose borders are the
union of its children's is read from the parents, so that answers nest. A level that no finer one
adds up to is declared independent and answers by its own index. Two trees may meet in one level
(a grid lies in a community and in a patch).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mapsvc.catalog import Levels

Nesting = Mapping[str, Sequence[str]]
"""For each level the levels it lies in directly; in the order of the file, which is coarsest first."""


@dataclass(frozen=True)
class PairCheck:
    """Whether the areas of `upper` are the unions of their children at `finer`; `reason` says why not."""

    upper: str
    finer: str
    adds_up: bool
    reason: str = ""


@dataclass(frozen=True)
class TreeDecision:
    """For each level present the one it is read from (itself: its own index), and which stand alone."""

    answers: Mapping[str, str]
    independent: tuple[str, ...]
    reasons: tuple[str, ...]


def nesting_of(levels: Levels) -> dict[str, tuple[str, ...]]:
    """Return the nesting of the configured levels."""
    return {level.code: level.nests_in for level in levels}


def list_ancestors(nesting: Nesting, level: str) -> tuple[str, ...]:
    """Return all levels that hold a level, directly or not, nearest first."""
    found: set[str] = set()
    queue = list(nesting[level])
    while queue:
        above = queue.pop()
        if above not in found:
            found.add(above)
            queue.extend(nesting[above])
    return tuple(code for code in reversed(list(nesting)) if code in found)


def nearest_above(nesting: Nesting, level: str, present: Container[str]) -> tuple[str, ...]:
    """Return the levels in which an area of this one is looked for, nearest first.

    Those it nests in; where one of these is not present, what stands above that one instead.
    """
    found: set[str] = set()
    queue = list(nesting[level])
    while queue:
        above = queue.pop()
        if above in present:
            found.add(above)
        else:
            queue.extend(nesting[above])
    return tuple(code for code in list_ancestors(nesting, level) if code in found)


def list_pairs(nesting: Nesting, present: Iterable[str], able: Container[str]) -> tuple[tuple[str, str], ...]:
    """Return the pairs (upper, finer) of levels present that could add up.

    `able` are the levels that may answer for those above: coverages that are not declared independent.
    """
    there = set(present)
    finer_levels = [level for level in nesting if level in there and level in able]
    return tuple((upper, finer) for finer in finer_levels for upper in list_ancestors(nesting, finer) if upper in there)


def decide_trees(nesting: Nesting, present: Iterable[str], checks: Iterable[PairCheck]) -> TreeDecision:
    """Decide for every level present how it answers.

    Of several finer levels that add up to one, the nearest one answers for it: the first below it in the file.
    """
    there = [level for level in nesting if level in set(present)]
    order = list(nesting)
    checks = tuple(checks)
    answers: dict[str, str] = {}
    for upper in there:
        finer = [c.finer for c in checks if c.upper == upper and c.adds_up]
        finer.sort(key=order.index)
        answers[upper] = finer[0] if finer else upper
    used = {source for level, source in answers.items() if level != source}
    alone = tuple(level for level in there if answers[level] == level and level not in used)
    reasons = tuple(f"{c.upper}: {c.reason}" for c in checks if not c.adds_up and answers[c.upper] == c.upper)
    return TreeDecision(answers, alone, reasons)
