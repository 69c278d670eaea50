"""From borders as they come in to areas ready to be stored: checked, repaired where asked, with parents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from mapsvc.areas.queries import state as queries
from mapsvc.areas.queries.state import AreaTable
from mapsvc.areas.rules.changes import AreaFacts, Changes, compare_areas
from mapsvc.areas.rules.ground import (
    INSIDE_SHARE,
    find_datum_doubt,
    is_same_ground,
    parents_by_overlap,
    polygons_of,
    union_of,
)
from mapsvc.areas.rules.trees import list_ancestors, nesting_of
from mapsvc.areas.service.prepared import (
    MENDABLE,
    BorderRows,
    Geometries,
    ImportOptions,
    ImportReport,
    LevelReport,
    MadeColumn,
    ParentMismatch,
    PreparedLevel,
    Progress,
    RefusedRow,
    Remark,
)
from mapsvc.base.errors import InvalidInput
from mapsvc.catalog import Levels
from mapsvc.geo.coverage import Finding, check_coverage, repair_coverage
from mapsvc.geo.lattice import lattice_hash, snap
from mapsvc.geo.problems import geometry_problems
from mapsvc.storage.work import Store, Work

LISTED = 20
"""Codes named in one message; the rest is counted."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """All levels that an import writes, coarsest first, and what the store holds of them now."""

    level: str
    levels: tuple[PreparedLevel, ...]
    stored_versions: Mapping[str, Mapping[str, int]]
    report: ImportReport


def prepare(
    store: Store,
    levels: Levels,
    level: str,
    rows: BorderRows,
    options: ImportOptions,
    progress: Progress,
    *,
    reading: ImportReport | None = None,
) -> Prepared:
    """Check, repair and complete borders; touches nothing in the store."""
    report = reading or ImportReport(level=level, source=rows.source, read=len(rows), accepted=0)
    progress("check", 0, len(rows))
    with store.read() as work:
        tables = queries.load_tables(work, queries.open_versions())
        rows = _make_again(work, levels, tables, level, rows)
        rows, report = _merge_rows(rows, options, report)
        rows, report = _accept_rows(rows, options, report)
        report = _doubt_datum(work, tables, level, rows, report)
        rows, report = _check_borders(levels, level, rows, options, report)
        progress("check", len(rows), len(rows))
        if _stopped(report, options):
            return Prepared(level, (), {}, report)
        made = _make_levels(work, levels, tables, level, rows)
        main, report = _link(work, levels, level, rows, made, tables, report, progress)
        parts = (*made.values(), main)
        changes = {part.level: _compare(work, tables, part) for part in parts}
    ordered = tuple(sorted(parts, key=lambda part: levels.get(part.level).order))
    stored = {
        part.level: dict(zip(tables[part.level].codes, tables[part.level].version_ids.tolist(), strict=True))
        for part in parts
        if part.level in tables
    }
    done = tuple(LevelReport(part.level, changes[part.level]) for part in ordered)
    return Prepared(level, ordered, stored, replace(report, accepted=len(main), levels=done))


def _stopped(report: ImportReport, options: ImportOptions) -> bool:
    return bool(report.refused and not options.skip_refused) or any(remark.blocking for remark in report.remarks)


# -- datum


def _doubt_datum(
    work: Work, tables: Mapping[str, AreaTable], level: str, rows: BorderRows, report: ImportReport
) -> ImportReport:
    """Compare the borders with those in the store: GCJ-02 called WGS 84 lies some hundred metres off."""
    if rows.source in ("gcj02", "bd09") or not len(rows) or not tables:
        return report
    compared = level if level in tables else min(tables, key=lambda code: len(tables[code]))
    doubt = find_datum_doubt(rows.geometries, queries.load_geometries(work, tables[compared]))
    if doubt is None:
        return report
    message = (
        f"These borders look like GCJ-02: {doubt.share_as_is:.1%} of their ground lies in that of the stored ones "
        f"as they stand, {doubt.share_as_gcj02:.1%} once read as GCJ-02."
    )
    if not rows.datum_stated:
        raise InvalidInput(
            "looks_like_gcj02",
            message,
            hint="Give --crs gcj02 if they are, or --crs wgs84 (or EPSG:n) if you are sure that they are not.",
            detail={"share_as_is": doubt.share_as_is, "share_as_gcj02": doubt.share_as_gcj02},
        )
    return replace(report, warnings=(*report.warnings, f"{message} Imported as {rows.source}, as --crs says."))


# -- rows


def _accept_rows(rows: BorderRows, options: ImportOptions, report: ImportReport) -> tuple[BorderRows, ImportReport]:
    """Refuse rows that cannot be areas, bring the others onto the lattice and into the order of their codes."""
    refused = list(report.refused)
    repaired = list(report.repaired)
    warnings = list(report.warnings)
    if shapely.has_z(rows.geometries).any():
        warnings.append("Heights were dropped: borders are flat.")
    geometries: Geometries = shapely.force_2d(rows.geometries)
    seen: dict[str, int] = {}
    faults: dict[int, tuple[str, str]] = {}
    for n, code in enumerate(rows.codes):
        if not code:
            faults[n] = "no_code", "The row has no code."
        elif code in seen:
            faults[n] = "duplicate_code", f"The code {code} stands in row {seen[code]} already."
        seen.setdefault(code, rows.rows[n])
    for problem in geometry_problems(geometries):
        code = rows.codes[problem.row]
        mended = _mend(geometries[problem.row]) if options.repair and problem.code in MENDABLE else None
        if mended is not None:
            geometries[problem.row] = mended
            repaired.append(f"{code}: {problem.message}")
        else:
            faults.setdefault(problem.row, (problem.code, f"{code}: {problem.message}"))
    refused += [RefusedRow(rows.rows[n], rows.codes[n], *faults[n]) for n in sorted(faults)]
    keep = sorted((n for n in range(len(rows)) if n not in faults), key=lambda n: rows.codes[n])
    kept, gone = _to_lattice(replace(rows, geometries=geometries).take(keep))
    refused += gone
    done = replace(report, refused=tuple(refused), repaired=tuple(repaired), warnings=tuple(warnings))
    return kept, done


def _merge_rows(rows: BorderRows, options: ImportOptions, report: ImportReport) -> tuple[BorderRows, ImportReport]:
    """Join rows that carry the same code to one area of several parts, where asked; the first row gives the rest."""
    members: dict[str, list[int]] = {}
    for n, code in enumerate(rows.codes):
        if code:
            members.setdefault(code, []).append(n)
    several = {code: found for code, found in members.items() if len(found) > 1}
    if not options.merge or not several:
        return rows, report
    geometries = rows.geometries.copy()
    gone: set[int] = set()
    for found in several.values():
        parts = [n for n in found if not (shapely.is_missing(geometries[n]) or shapely.is_empty(geometries[n]))]
        if parts and shapely.is_valid(geometries[parts]).all():
            geometries[found[0]] = union_of(geometries[parts])
            gone.update(found[1:])
    words = f"{len(several)} areas were joined from {sum(map(len, several.values()))} rows: {', '.join(several)}."
    kept = replace(rows, geometries=geometries).take([n for n in range(len(rows)) if n not in gone])
    return kept, replace(report, warnings=(*report.warnings, words))


def _mend(geometry: BaseGeometry) -> BaseGeometry | None:
    """Return the ground of a polygon that crosses itself; None when nothing is left of it."""
    mended = polygons_of(shapely.make_valid(geometry))
    return None if mended.is_empty else mended


def _to_lattice(rows: BorderRows) -> tuple[BorderRows, list[RefusedRow]]:
    snapped = snap(rows.geometries)
    empty = {n for n in snapped.collapsed if shapely.is_empty(snapped.geometries[n])}
    gone = [
        RefusedRow(rows.rows[n], rows.codes[n], "too_small", f"{rows.codes[n]} is smaller than a square millimetre.")
        for n in sorted(empty)
    ]
    rows = replace(rows, geometries=snapped.geometries)
    if empty:
        rows = rows.take([n for n in range(len(rows)) if n not in empty])
    return rows, gone


# -- borders against each other


def _check_borders(
    levels: Levels, level: str, rows: BorderRows, options: ImportOptions, report: ImportReport
) -> tuple[BorderRows, ImportReport]:
    """Check a level that must be a coverage, and repair it where asked."""
    if not levels.get(level).coverage or len(rows) == 0:
        return rows, report
    findings = check_coverage(rows.geometries, rows.codes)
    if findings and options.repair:
        rows, report = _repair(rows, options, report)
        findings = check_coverage(rows.geometries, rows.codes)
    remarks = tuple(Remark(f.kind, f.codes, f.lon, f.lat, f.message, blocking=_blocks(f, options)) for f in findings)
    return rows, replace(report, remarks=(*report.remarks, *remarks))


def _repair(rows: BorderRows, options: ImportOptions, report: ImportReport) -> tuple[BorderRows, ImportReport]:
    """Repair borders as previewed: what changed, whose ground moved, how far, and which rows it had to refuse."""
    preview = repair_coverage(rows.geometries, rows.codes, snapping_m=options.snapping_m, gap_m=options.gap_m)
    refused = tuple(
        RefusedRow(rows.rows[refusal.row], refusal.code, refusal.reason, refusal.message) for refusal in preview.refused
    )
    moved = tuple(
        Remark(
            "moved",
            tuple(code for code in (piece.from_code, piece.to_code) if code),
            piece.lon,
            piece.lat,
            f"{piece.area_m2:,.1f} m2 go from {piece.from_code or 'nobody'} to {piece.to_code or 'nobody'}.",
        )
        for piece in preview.moved
    )
    warnings = report.warnings
    if preview.changes:
        warnings = (*warnings, f"The repair moves borders by up to {preview.max_shift_m:.2f} m.")
    done = replace(
        report,
        refused=(*report.refused, *refused),
        remarks=(*report.remarks, *moved),
        warnings=warnings,
        repaired=(*report.repaired, *(f"{change.code}: {change.message}" for change in preview.changes)),
    )
    gone = {refusal.row for refusal in preview.refused}
    kept = replace(rows, geometries=preview.geometries).take([n for n in range(len(rows)) if n not in gone])
    return kept, done


def _blocks(finding: Finding, options: ImportOptions) -> bool:
    """Say whether a finding stops the import: overlaps and unmatched edges do, gaps unless they are meant."""
    if finding.kind in ("gap", "inlet", "hole"):
        return finding.severity == "error" and not options.allow_gaps
    return finding.severity == "error"


# -- levels made as unions


def _make_levels(
    work: Work, levels: Levels, tables: Mapping[str, AreaTable], level: str, rows: BorderRows
) -> dict[str, PreparedLevel]:
    """Make the areas of levels above as unions of the imported ones; each made area lies in one made parent."""
    above = list_ancestors(nesting_of(levels), level)
    for column in rows.made:
        levels.get(column.level)
        if column.level not in above:
            raise InvalidInput(
                "not_above",
                f"A {level} does not lie in a {column.level}.",
                hint=f"Levels above it: {', '.join(above)}.",
            )
    made = {column.level: _make_level(levels, column, rows) for column in rows.made}
    for name in made:
        for parent_level in levels.get(name).nests_in:
            there = None if parent_level in made[name].parents else _find_parents(work, parent_level, made, tables)
            if there is not None:
                overlap, _ = parents_by_overlap(made[name].geometries, there.codes, there.geometries)
                made[name] = replace(made[name], parents={**made[name].parents, parent_level: overlap})
    return made


def _make_again(
    work: Work, levels: Levels, tables: Mapping[str, AreaTable], level: str, rows: BorderRows
) -> BorderRows:
    """Make the levels again that the last import of this level made: their borders are nothing but its unions.

    Their codes come from the rows where these name them, else from the parents that a finer made level has in
    the store. A code that is new needs its name, and so --make-parents.
    """
    columns = {column.level: column for column in rows.made}
    made = queries.find_made_levels(work, level)
    for made_level in sorted(made, key=lambda code: -levels.get(code).order):
        table = tables.get(made_level)
        if table is None or made_level in columns:
            continue
        codes = rows.parents.get(made_level) or _codes_by_store(levels, tables, columns, made_level)
        if codes is None:
            continue
        names = dict(zip(table.codes, table.names, strict=True))
        unknown = sorted(set(codes) - names.keys() - {""})
        if unknown:
            raise _unknown_parents(level, made_level, unknown)
        columns[made_level] = MadeColumn(made_level, codes, tuple(names.get(code, "") for code in codes))
    return replace(rows, made=tuple(columns.values()))


def _codes_by_store(
    levels: Levels, tables: Mapping[str, AreaTable], columns: Mapping[str, MadeColumn], made_level: str
) -> tuple[str, ...] | None:
    """Return the codes of a made level by way of a finer made one, whose areas lie in it by the store."""
    for column in columns.values():
        finer = tables.get(column.level)
        if finer is None or made_level not in levels.get(column.level).nests_in or made_level not in finer.parents:
            continue
        above = tables[made_level]
        parent_rows = finer.parents[made_level].tolist()
        parents = {code: above.codes[row] for code, row in zip(finer.codes, parent_rows, strict=True) if row >= 0}
        if all(code in parents for code in column.codes):
            return tuple(parents[code] for code in column.codes)
    return None


def _make_level(levels: Levels, column: MadeColumn, rows: BorderRows) -> PreparedLevel:
    members: dict[str, list[int]] = {}
    for n, code in enumerate(column.codes):
        if not code:
            raise InvalidInput(
                "no_parent_code", f"Row {rows.rows[n]} ({rows.codes[n]}) names no {column.level} to be made."
            )
        members.setdefault(code, []).append(n)
    codes = tuple(sorted(members))
    geometries = np.empty(len(codes), dtype=object)
    for n, code in enumerate(codes):
        geometries[n] = polygons_of(union_of(rows.geometries[members[code]]))
    geometries = snap(geometries).geometries
    return PreparedLevel(
        level=column.level,
        codes=codes,
        names=tuple(
            _one_value(column.level, code, {column.names[n] for n in members[code]}, "names") for code in codes
        ),
        kinds=("",) * len(codes),
        households=(None,) * len(codes),
        geometries=geometries,
        hashes=tuple(lattice_hash(geometry) for geometry in geometries),
        parents=_parents_of_made(levels, column, rows, codes, members),
    )


def _parents_of_made(
    levels: Levels, column: MadeColumn, rows: BorderRows, codes: tuple[str, ...], members: Mapping[str, list[int]]
) -> dict[str, tuple[str, ...]]:
    """Take the parents of made areas from the rows: from a column that makes them too, or one that names them."""
    found: dict[str, tuple[str, ...]] = {}
    named = {other.level: other.codes for other in rows.made} | dict(rows.parents)
    for parent_level in levels.get(column.level).nests_in:
        values = named.get(parent_level)
        if values is not None:
            found[parent_level] = tuple(
                _one_value(column.level, code, {values[n] for n in members[code]}, f"{parent_level} codes")
                for code in codes
            )
    return found


def _one_value(level: str, code: str, values: set[str], what: str) -> str:
    if len(values) > 1:
        raise InvalidInput(
            "made_area_contradicts",
            f"The {level} {code} has several {what}: {', '.join(sorted(values)[:5])}.",
            hint="Correct the rows, so that all of one area say the same.",
        )
    return values.pop()


# -- parents


@dataclass(frozen=True, eq=False)
class _ParentLevel:
    codes: tuple[str, ...]
    geometries: Geometries


def _link(
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
    mismatches = list(report.mismatches)
    warnings = list(report.warnings)
    for parent_level in _parent_levels(levels, level, rows, made, tables):
        progress(f"find the {parent_level} of each", 0, len(rows))
        stated = next((m.codes for m in rows.made if m.level == parent_level), rows.parents.get(parent_level))
        there = _find_parents(work, parent_level, made, tables)
        if there is None:
            raise _unknown_parents(level, parent_level, sorted(set(stated or ())))
        if stated is not None:
            unknown = sorted(set(stated) - set(there.codes) - {""})
            if unknown:
                raise _unknown_parents(level, parent_level, unknown)
        if parent_level in made:
            parents[parent_level] = tuple(stated or ())
            continue
        overlap, share = parents_by_overlap(rows.geometries, there.codes, there.geometries)
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
        hashes=tuple(lattice_hash(geometry) for geometry in rows.geometries),
        parents=parents,
    )
    return main, replace(report, mismatches=tuple(mismatches), warnings=tuple(warnings))


def _parent_levels(
    levels: Levels,
    level: str,
    rows: BorderRows,
    made: Mapping[str, PreparedLevel],
    tables: Mapping[str, AreaTable],
) -> tuple[str, ...]:
    """Return the levels in which to look for parents: those it nests in, or what stands above an absent one."""
    nesting = nesting_of(levels)
    wanted: set[str] = set(rows.parents)
    queue = list(nesting[level])
    while queue:
        above = queue.pop()
        if above in made or above in tables or above in rows.parents:
            wanted.add(above)
        else:
            queue.extend(nesting[above])
    allowed = list_ancestors(nesting, level)
    strange = sorted(wanted - set(allowed))
    if strange:
        raise InvalidInput(
            "not_above", f"A {level} does not lie in a {strange[0]}.", hint=f"Levels above it: {', '.join(allowed)}."
        )
    return tuple(code for code in allowed if code in wanted)


def _find_parents(
    work: Work, parent_level: str, made: Mapping[str, PreparedLevel], tables: Mapping[str, AreaTable]
) -> _ParentLevel | None:
    if parent_level in made:
        return _ParentLevel(made[parent_level].codes, made[parent_level].geometries)
    table = tables.get(parent_level)
    if table is None:
        return None
    return _ParentLevel(table.codes, queries.load_geometries(work, table))


def _unknown_parents(level: str, parent_level: str, codes: list[str]) -> InvalidInput:
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


# -- what changes


def _compare(work: Work, tables: Mapping[str, AreaTable], part: PreparedLevel) -> Changes:
    table = tables.get(part.level)
    new = {
        code: AreaFacts(
            code,
            part.hashes[n],
            part.names[n],
            part.kinds[n],
            part.households[n],
            tuple(sorted((level, codes[n]) for level, codes in part.parents.items() if codes[n])),
        )
        for n, code in enumerate(part.codes)
    }
    old = {} if table is None else _stored_facts(tables, table)
    row_of = {code: n for n, code in enumerate(part.codes)}
    border_of = {} if table is None else dict(zip(table.codes, table.border_ids, strict=True))

    def same_ground(code: str) -> bool:
        stored = [geometry for _, found in queries.iter_borders(work, border_of[code].reshape(1)) for geometry in found]
        return bool(stored) and is_same_ground(stored[0], part.geometries[row_of[code]])

    return compare_areas(old, new, same_ground)


def _stored_facts(tables: Mapping[str, AreaTable], table: AreaTable) -> dict[str, AreaFacts]:
    parents: list[list[tuple[str, str]]] = [[] for _ in table.codes]
    for level, rows in table.parents.items():
        for n, row in enumerate(rows.tolist()):
            if row >= 0:
                parents[n].append((level, tables[level].codes[row]))
    return {
        code: AreaFacts(
            code, table.hashes[n], table.names[n], table.kinds[n], table.households[n], tuple(sorted(parents[n]))
        )
        for n, code in enumerate(table.codes)
    }
