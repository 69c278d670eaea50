"""Which level answers for which, computed from the borders themselves whenever borders are about to change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import shapely

from mapsvc.areas.queries import state as queries
from mapsvc.areas.queries.state import AreaTable
from mapsvc.areas.rules.ground import check_unions
from mapsvc.areas.rules.trees import PairCheck, TreeDecision, decide_trees, list_pairs, nesting_of
from mapsvc.areas.service.prepared import Geometries, PreparedLevel, Progress
from mapsvc.catalog import Levels
from mapsvc.storage.work import Store, Work


@dataclass(frozen=True)
class DecisionFrom:
    """A decision and the moment from which it holds (None: always)."""

    moment: datetime | None
    decision: TreeDecision

    def as_json(self) -> dict[str, Any]:
        """Return what the report of a generation keeps."""
        return {
            "from": self.moment.isoformat() if self.moment else None,
            "answers": dict(self.decision.answers),
            "independent": list(self.decision.independent),
            "reasons": list(self.decision.reasons),
        }


def decide_all(
    store: Store,
    levels: Levels,
    incoming: Mapping[str, PreparedLevel],
    effective_from: datetime | None,
    progress: Progress,
) -> tuple[DecisionFrom, ...]:
    """Decide for the moment at which the incoming levels take effect and for each later change already published."""
    with store.read() as work:
        moments = queries.list_effective_moments(work)
        later = [moment for moment in moments if effective_from is None or moment > effective_from]
        decisions: list[DecisionFrom] = []
        for n, moment in enumerate([effective_from, *later]):
            progress("compare levels", n, 1 + len(later))
            state = _state(work, incoming, moment, moments)
            decisions.append(DecisionFrom(moment, _decide(levels, state)))
    progress("compare levels", 1 + len(later), 1 + len(later))
    return tuple(decisions)


class _LevelState:
    """One level of a state: its codes, parents by level, and its borders, read when they are asked for."""

    def __init__(self, codes: Sequence[str], parents: Mapping[str, Sequence[str]], load: Any) -> None:
        self.codes = codes
        self.parents = parents
        self._load = load
        self._geometries: Geometries | None = None

    @property
    def geometries(self) -> Geometries:
        if self._geometries is None:
            self._geometries = self._load()
        return self._geometries


def _state(
    work: Work, incoming: Mapping[str, PreparedLevel], moment: datetime | None, moments: Sequence[datetime]
) -> dict[str, _LevelState]:
    # "From always" is looked at as the time before the first change.
    at = moment or (moments[0] - timedelta(days=1) if moments else work.now)
    tables = queries.load_tables(work, queries.in_force(at))
    state = {level: _stored(work, tables, table) for level, table in tables.items()}
    for level, prepared in incoming.items():
        state[level] = _LevelState(prepared.codes, prepared.parents, lambda p=prepared: p.geometries)
    return state


def _stored(work: Work, tables: Mapping[str, AreaTable], table: AreaTable) -> _LevelState:
    parents = {
        level: tuple(tables[level].codes[row] if row >= 0 else "" for row in rows.tolist())
        for level, rows in table.parents.items()
    }
    return _LevelState(table.codes, parents, lambda: queries.load_geometries(work, table))


def _decide(levels: Levels, state: Mapping[str, _LevelState]) -> TreeDecision:
    nesting = nesting_of(levels)
    able = {level.code for level in levels if level.coverage and not level.independent}
    checks = [
        _check(state[upper], state[finer], upper, finer)
        for upper, finer in list_pairs(nesting, state, able)
        if upper in state[finer].parents
    ]
    return decide_trees(nesting, state, checks)


def _check(upper: _LevelState, finer: _LevelState, upper_level: str, finer_level: str) -> PairCheck:
    known = set(upper.codes)
    parents = [code if code in known else "" for code in finer.parents[upper_level]]
    if shapely.is_missing(upper.geometries).any() or shapely.is_missing(finer.geometries).any():
        return PairCheck(upper_level, finer_level, False, "a border is missing")
    found = check_unions(upper.codes, upper.geometries, parents, finer.geometries)
    reason = f"not answered by {finer_level}: {found.reason}" if found.reason else ""
    return PairCheck(upper_level, finer_level, found.adds_up, reason)
