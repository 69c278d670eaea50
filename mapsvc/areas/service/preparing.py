"""From borders as they come in to areas ready to be stored: the order of the stages, and what changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mapsvc.areas.queries import state as queries
from mapsvc.areas.queries.state import AreaTable
from mapsvc.areas.rules.changes import AreaFacts, Changes, compare_areas
from mapsvc.areas.rules.ground import (
    find_datum_doubt,
    is_same_ground,
)
from mapsvc.areas.service.cleaning import accept_rows, check_borders, merge_rows
from mapsvc.areas.service.linking import link_parents
from mapsvc.areas.service.making import make_again, make_levels
from mapsvc.areas.service.prepared import (
    BorderRows,
    Geometries,
    ImportOptions,
    ImportReport,
    LevelReport,
    PreparedLevel,
    Progress,
)
from mapsvc.base.errors import InvalidInput
from mapsvc.catalog import Levels
from mapsvc.storage.work import Store, Work


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
        rows = make_again(work, levels, tables, level, rows)
        rows, report = merge_rows(rows, options, report)
        rows, report = accept_rows(rows, options, report)
        report = _doubt_datum(work, tables, level, rows, report)
        rows, report = check_borders(levels, level, rows, options, report)
        progress("check", len(rows), len(rows))
        if _stopped(report, options):
            return Prepared(level, (), {}, report)
        made = make_levels(work, levels, tables, level, rows)
        main, report = link_parents(work, levels, level, rows, made, tables, report, progress)
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


def _doubt_datum(
    work: Work, tables: Mapping[str, AreaTable], level: str, rows: BorderRows, report: ImportReport
) -> ImportReport:
    warning = doubt_datum(work, tables, level, rows.geometries, rows.source, stated=rows.datum_stated)
    return replace(report, warnings=(*report.warnings, warning)) if warning else report


def doubt_datum(
    work: Work, tables: Mapping[str, AreaTable], level: str, geometries: Geometries, source: str, *, stated: bool
) -> str:
    """Compare borders with those in the store: GCJ-02 called WGS 84 lies some hundred metres off.

    Returns a warning, or an empty text; raises `InvalidInput` (`looks_like_gcj02`) where nobody stated the datum.
    """
    if source in ("gcj02", "bd09") or not len(geometries) or not tables:
        return ""
    compared = level if level in tables else min(tables, key=lambda code: len(tables[code]))
    doubt = find_datum_doubt(geometries, queries.load_geometries(work, tables[compared]))
    if doubt is None:
        return ""
    message = (
        f"These borders look like GCJ-02: {doubt.share_as_is:.1%} of their ground lies in that of the stored ones "
        f"as they stand, {doubt.share_as_gcj02:.1%} once read as GCJ-02."
    )
    if not stated:
        raise InvalidInput(
            "looks_like_gcj02",
            message,
            hint="Give --crs gcj02 if they are, or --crs wgs84 (or EPSG:n) if you are sure that they are not.",
            detail={"share_as_is": doubt.share_as_is, "share_as_gcj02": doubt.share_as_gcj02},
        )
    return f"{message} Imported as {source}, as --crs says."


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
