"""Rows that can be areas: refused or mended one by one, then checked and repaired against each other."""

from __future__ import annotations

from dataclasses import replace

import shapely
from shapely.geometry.base import BaseGeometry

from mapsvc.areas.rules.ground import (
    polygons_of,
    union_of,
)
from mapsvc.areas.service.prepared import (
    MENDABLE,
    BorderRows,
    Geometries,
    ImportOptions,
    ImportReport,
    RefusedRow,
    Remark,
)
from mapsvc.catalog import Levels
from mapsvc.geo.coverage import Finding, check_coverage, repair_coverage
from mapsvc.geo.lattice import snap
from mapsvc.geo.problems import geometry_problems


def accept_rows(rows: BorderRows, options: ImportOptions, report: ImportReport) -> tuple[BorderRows, ImportReport]:
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


def merge_rows(rows: BorderRows, options: ImportOptions, report: ImportReport) -> tuple[BorderRows, ImportReport]:
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


def check_borders(
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
