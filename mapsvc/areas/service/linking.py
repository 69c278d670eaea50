"""The parents of areas: by a named column, else by the largest overlap; disagreements are listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from mapsvc.areas.queries import state as queries
from mapsvc.areas.queries.state import AreaTable
from mapsvc.areas.rules.ground import (
    INSIDE_SHARE,
    parents_by_overlap,
)
from mapsvc.areas.rules.trees import list_ancestors, nearest_above, nesting_of
from mapsvc.areas.service.prepared import (
    BorderRows,
    Geometries,
    ImportReport,
    ParentMismatch,
    PreparedLevel,
    Progress,
)
from mapsvc.base.errors import InvalidInput
from mapsvc.catalog import Levels
from mapsvc.geo.lattice import lattice_hash
from mapsvc.storage.work import Work

LISTED = 20
"""Codes named in one message; the rest is counted."""


@dataclass(frozen=True, eq=False)
class ParentLevel:
    codes: tuple[str, ...]
    geometries: Geometries


def link_parents(
    work: Work,
    levels: Levels,
    level: str,
    rows: BorderRows,
    made: Mapping[str, PreparedLevel],
    tables: Mapping[str, AreaTable],
    report: ImportReport,
    progress: Progress,
) -> tuple[PreparedLevel, ImportReport]:
    """Give every area its parents: by the named column, else by the largest overlap; disagreements are listed."""
    parents: dict[str, tuple[str, ...]] = {}
    hashes = tuple(lattice_hash(geometry) for geometry in rows.geometries)
    mismatches = list(report.mismatches)
    warnings = list(report.warnings)
    for parent_level in _parent_levels(levels, level, rows, made, tables):
        progress(f"find the {parent_level} of each", 0, len(rows))
        stated = next((m.codes for m in rows.made if m.level == parent_level), rows.parents.get(parent_level))
        there = find_parents(work, parent_level, made, tables)
        if there is None:
            raise unknown_parents(level, parent_level, sorted(set(stated or ())))
        if stated is not None:
            unknown = sorted(set(stated) - set(there.codes) - {""})
            if unknown:
                raise unknown_parents(level, parent_level, unknown)
        if parent_level in made:
            parents[parent_level] = tuple(stated or ())
            continue
        overlap, share = parents_by_overlap(rows.geometries, there.codes, there.geometries)
        if stated is None and parent_level in rows.exported:
            stated = _as_exported(
                rows, rows.exported[parent_level], hashes, overlap, set(there.codes), tables.get(level)
            )
        parents[parent_level] = tuple(stated) if stated is not None else overlap
        mismatches += _mismatches(rows, parent_level, stated, overlap, share)
    missing = {name: sum(1 for code in codes if not code) for name, codes in parents.items()}
    warnings += [f"{n} areas lie in no {name}." for name, n in missing.items() if n]
    main = PreparedLevel(
        level=level,
        codes=rows.codes,
        names=rows.names,
        kinds=rows.kinds or ("",) * len(rows),
        households=rows.households or (None,) * len(rows),
        geometries=rows.geometries,
        hashes=hashes,
        parents=parents,
    )
    return main, replace(report, mismatches=tuple(mismatches), warnings=tuple(warnings))


def _as_exported(
    rows: BorderRows,
    exported: tuple[str, ...],
    hashes: tuple[str, ...],
    overlap: tuple[str, ...],
    known: set[str],
    table: AreaTable | None,
) -> tuple[str, ...]:
    """Return the parents that an export of ours wrote down, for areas that come back with the border they left with.

    An area that was redrawn meanwhile may lie elsewhere: it goes by overlap. Where the store has no areas of this
    level there is nothing to compare with, and the export is believed.
    """
    stored = None if table is None else dict(zip(table.codes, table.hashes, strict=True))
    return tuple(
        named if named in known and (stored is None or stored.get(code) == own_hash) else by_overlap
        for code, own_hash, named, by_overlap in zip(rows.codes, hashes, exported, overlap, strict=True)
    )


def _parent_levels(
    levels: Levels,
    level: str,
    rows: BorderRows,
    made: Mapping[str, PreparedLevel],
    tables: Mapping[str, AreaTable],
) -> tuple[str, ...]:
    """Return the levels in which to look for parents: those it nests in, or what stands above an absent one."""
    nesting = nesting_of(levels)
    wanted = {*rows.parents, *nearest_above(nesting, level, {*made, *tables, *rows.parents})}
    allowed = list_ancestors(nesting, level)
    strange = sorted(wanted - set(allowed))
    if strange:
        raise InvalidInput(
            "not_above", f"A {level} does not lie in a {strange[0]}.", hint=f"Levels above it: {', '.join(allowed)}."
        )
    return tuple(code for code in allowed if code in wanted)


def find_parents(
    work: Work, parent_level: str, made: Mapping[str, PreparedLevel], tables: Mapping[str, AreaTable]
) -> ParentLevel | None:
    if parent_level in made:
        return ParentLevel(made[parent_level].codes, made[parent_level].geometries)
    table = tables.get(parent_level)
    if table is None:
        return None
    return ParentLevel(table.codes, queries.load_geometries(work, table))


def unknown_parents(level: str, parent_level: str, codes: list[str]) -> InvalidInput:
    shown = ", ".join(codes[:LISTED]) + (f" and {len(codes) - LISTED} more" if len(codes) > LISTED else "")
    return InvalidInput(
        "unknown_parents",
        f"There is no {parent_level} with the code {shown}, which areas of the level {level} name as parent.",
        hint=f"Import the level {parent_level} first, or make it: --make-parents {parent_level}=FIELD[,NAMEFIELD].",
        detail={"level": parent_level, "codes": codes},
    )


def _mismatches(
    rows: BorderRows,
    parent_level: str,
    stated: tuple[str, ...] | None,
    overlap: tuple[str, ...],
    share: np.ndarray,
) -> list[ParentMismatch]:
    """List children whose named parent is not the one they lie in, and those that reach into several."""
    found = []
    for n, code in enumerate(rows.codes):
        named = stated[n] if stated is not None else overlap[n]
        if named != overlap[n] or share[n] < INSIDE_SHARE:
            found.append(ParentMismatch(code, parent_level, named, overlap[n], float(share[n])))
    return found
