"""Check the borders in force: gaps, overlaps, unmatched edges, nesting; where and how large."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from mapsvc.areas.queries import state as queries
from mapsvc.areas.queries.state import AreaTable
from mapsvc.areas.rules.ground import check_unions
from mapsvc.areas.service.prepared import Geometries, Progress, no_progress
from mapsvc.catalog import Level, Levels
from mapsvc.geo.coverage import CheckOptions, Finding, Parents, check_coverage
from mapsvc.people.rules.actor import Actor
from mapsvc.people.rules.permissions import require
from mapsvc.storage.work import Store, Work


@dataclass(frozen=True)
class LevelCheck:
    """What a check of one level found; `read_from` is the level whose index answers for it."""

    level: str
    areas: int
    read_from: str
    findings: tuple[Finding, ...]

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong; warnings do not count."""
        return all(finding.severity != "error" for finding in self.findings)


def check_areas(
    store: Store,
    levels: Levels,
    actor: Actor,
    moment: datetime,
    wanted: Sequence[str] = (),
    *,
    households: tuple[int, int] | None = None,
    progress: Progress = no_progress,
) -> tuple[LevelCheck, ...]:
    """Check the levels named (all that must be a coverage by default) as they are in force at a moment.

    `households` is the band (lowest, highest) in which each area's number should lie, where known.
    """
    require(actor, "area.check")
    for code in wanted:
        levels.get(code)
    with store.read() as work:
        state = queries.load_borders_state(work, moment)
        chosen = [
            level
            for level in levels
            if level.code in state.tables and (level.code in wanted if wanted else level.coverage)
        ]
        found = []
        for n, level in enumerate(chosen):
            progress("check", n, len(chosen))
            findings = _check(work, level, state.tables, households)
            read_from = state.answers[level.code]
            found.append(LevelCheck(level.code, len(state.tables[level.code]), read_from, findings))
    progress("check", len(chosen), len(chosen))
    return tuple(found)


def _check(
    work: Work, level: Level, tables: Mapping[str, AreaTable], households: tuple[int, int] | None
) -> tuple[Finding, ...]:
    table = tables[level.code]
    geometries = queries.load_geometries(work, table)
    options = CheckOptions(households=table.households if households else None, household_band=households)
    above = [_parents(work, table, tables[code]) for code in level.nests_in if code in table.parents]
    findings = check_coverage(geometries, table.codes, parents=above[0] if above else None, options=options)
    seen = {(finding.kind, finding.codes, finding.message): finding for finding in findings}
    for parents in above[1:]:
        # Where children add up to their parents nothing can be wrong between them: a look at the unions is enough.
        unions = check_unions(parents.codes, np.asarray(parents.geometries, dtype=object), parents.of, geometries)
        if not unions.adds_up:
            more = check_coverage(geometries, table.codes, parents=parents, options=options)
            for finding in more:
                seen.setdefault((finding.kind, finding.codes, finding.message), finding)
    return tuple(seen.values())


def _parents(work: Work, table: AreaTable, above: AreaTable) -> Parents:
    geometries: Geometries = queries.load_geometries(work, above)
    of = [above.codes[row] if row >= 0 else "" for row in table.parents[above.level].tolist()]
    return Parents(above.codes, geometries, of)
