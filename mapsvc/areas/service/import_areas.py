"""Import borders of one level: read, check, write unseen, publish whole.

The order is: file, WGS 84, lattice, checks, repair, parents, what changes, who answers; then batches
under a generation that is not published, and one small transaction that publishes it. A killed import
leaves nothing that anybody sees; the next one cleans it away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from mapsvc.areas.queries import state as queries
from mapsvc.areas.rules.effective import decide_effective_from
from mapsvc.areas.service import writing
from mapsvc.areas.service.prepared import (
    BorderFile,
    BorderRows,
    ImportOptions,
    ImportReport,
    LevelReport,
    PreparedLevel,
    Progress,
    no_progress,
)
from mapsvc.areas.service.preparing import Prepared, prepare
from mapsvc.areas.service.reading import read_borders
from mapsvc.areas.service.trees import DecisionFrom, decide_all
from mapsvc.base.errors import Conflict, InvalidInput
from mapsvc.base.settings import Settings
from mapsvc.catalog import Levels
from mapsvc.people.rules.actor import Actor
from mapsvc.people.rules.permissions import require
from mapsvc.storage.work import Store, Work

TRIES = 3
LISTED_IN_STORE = 200


def import_areas(
    store: Store,
    settings: Settings,
    levels: Levels,
    actor: Actor,
    level: str,
    source: BorderFile,
    options: ImportOptions | None = None,
    progress: Progress = no_progress,
) -> ImportReport:
    """Import a file of borders for one level and return what was done.

    Raises `InvalidInput` with the code `borders_refused` when rows or borders cannot be taken; the report is then
    in `detail["report"]` and nothing was written.
    """
    require(actor, "area.import")
    levels.get(level)
    rows, reading = read_borders(levels, level, source, settings.max_import_bytes, progress)
    return import_rows(store, settings, levels, actor, level, rows, options, progress, reading=reading)


def import_rows(
    store: Store,
    settings: Settings,
    levels: Levels,
    actor: Actor,
    level: str,
    rows: BorderRows,
    options: ImportOptions | None = None,
    progress: Progress = no_progress,
    *,
    reading: ImportReport | None = None,
) -> ImportReport:
    """Import borders that are in memory already; as `import_areas`."""
    require(actor, "area.import")
    options = options or ImportOptions()
    levels.get(level)
    for attempt in range(TRIES):
        try:
            return _import_once(store, settings, levels, level, rows, options, progress, reading)
        except writing.BordersChangedMeanwhile:
            progress("again", attempt + 1, TRIES)
    raise Conflict(
        "borders_changed_meanwhile",
        "Others kept publishing borders while this import was under way.",
        hint="Nothing was published. Run the import again when they are done.",
    )


def _import_once(
    store: Store,
    settings: Settings,
    levels: Levels,
    level: str,
    rows: BorderRows,
    options: ImportOptions,
    progress: Progress,
    reading: ImportReport | None,
) -> ImportReport:
    with store.read() as work:
        seen = queries.get_revisions(work)
        effective_from = _effective_from(work, settings, level, options)
    prepared = prepare(store, levels, level, rows, options, progress, reading=reading)
    report = replace(prepared.report, effective_from=effective_from, dry_run=options.dry_run)
    if report.refused and not options.skip_refused:
        raise _refused(report)
    if any(remark.blocking for remark in report.remarks):
        raise _refused(report)
    if report.changes_nothing:
        return report
    incoming = {part.level: part for part in prepared.levels}
    decisions = decide_all(store, levels, incoming, effective_from, progress)
    nobody = _warn_unanswered(levels, level, decisions[0])
    report = replace(report, trees=decisions[0].decision, warnings=(*report.warnings, *nobody))
    if options.dry_run:
        return report
    generation = writing.begin_generation(store, level, options.note)
    try:
        return _write(store, settings, prepared, options, report, generation, seen, decisions, progress)
    except BaseException:
        # Whatever stopped it, an operator's Ctrl-C too: nothing was published, and nothing is left lying about.
        writing.abandon_generation(store, generation)
        raise


def _write(
    store: Store,
    settings: Settings,
    prepared: Prepared,
    options: ImportOptions,
    report: ImportReport,
    generation: int,
    seen: queries.Revisions,
    decisions: tuple[DecisionFrom, ...],
    progress: Progress,
) -> ImportReport:
    changes = {entry.level: entry.changes for entry in report.levels}
    ended: list[int] = []
    for part in prepared.levels:
        done = changes[part.level]
        wanted = dict.fromkeys((*done.added, *done.changed), False) | dict.fromkeys(done.technical, True)
        writing.write_level(store, generation, part, wanted, progress)
        old = prepared.stored_versions.get(part.level, {})
        ended += [old[code] for code in (*done.changed, *done.technical, *done.removed)]
    with store.write() as work:
        effective_from = _effective_from(work, settings, prepared.level, options)
        if effective_from != report.effective_from and decisions[0].moment is not None:
            decisions = (replace(decisions[0], moment=effective_from), *decisions[1:])
        writing.publish(
            work,
            generation,
            level=prepared.level,
            effective_from=effective_from,
            ended_versions=ended,
            seen=seen,
            independent=decisions[0].decision.independent,
            report=_stored_report(report, prepared.levels, decisions),
        )
    return replace(report, generation=generation, effective_from=effective_from)


def _effective_from(work: Work, settings: Settings, level: str, options: ImportOptions) -> datetime | None:
    latest = queries.find_latest_effective(work, level)
    return decide_effective_from(
        options.effective_on, work.now, settings.timezone, first=not latest.exists, latest=latest.moment
    )


def _warn_unanswered(levels: Levels, level: str, after: DecisionFrom) -> tuple[str, ...]:
    """Say so where no level that may own a case has areas once these borders are in force."""
    chain = levels.chain()
    if any(answering in after.decision.answers for answering in chain):
        return ()
    upper = next((answering for answering in chain if answering in levels.above(level)), "")
    make = f"make the level {upper} from these areas by --make-parents {upper}=FIELD, or " if upper else ""
    return (
        f"No level that answers for cases ({', '.join(chain)}) has areas after this import: every case would be "
        f"unplaced. To place them, {make}import one of these levels.",
    )


def _refused(report: ImportReport) -> InvalidInput:
    blocking = [remark for remark in report.remarks if remark.blocking]
    parts = []
    if report.refused:
        parts.append(f"{len(report.refused)} of {report.read} rows cannot be areas")
    if blocking:
        parts.append(f"the borders have {len(blocking)} faults")
    first = report.refused[0].message if report.refused else blocking[0].message
    return InvalidInput(
        "borders_refused",
        f"Nothing was imported: {' and '.join(parts)}. The first: {first}",
        hint="Correct the file, or look at what --repair would do, with --dry-run.",
        detail={"report": report},
    )


def _stored_report(
    report: ImportReport, parts: tuple[PreparedLevel, ...], decisions: tuple[DecisionFrom, ...]
) -> Mapping[str, Any]:
    """Return what the generation keeps of the report: counts whole, lists cut short."""
    return {
        "source": report.source,
        "read": report.read,
        "accepted": report.accepted,
        "repaired": list(report.repaired[:LISTED_IN_STORE]),
        "refused": [
            {"row": r.row, "area": r.area_code, "code": r.code, "message": r.message}
            for r in report.refused[:LISTED_IN_STORE]
        ],
        "warnings": list(report.warnings),
        "remarks": [
            {"kind": r.kind, "codes": list(r.codes), "message": r.message} for r in report.remarks[:LISTED_IN_STORE]
        ],
        "mismatches": [
            {"code": m.code, "level": m.level, "by_field": m.by_field, "by_overlap": m.by_overlap}
            for m in report.mismatches[:LISTED_IN_STORE]
        ],
        "changes": {entry.level: _counts(entry) for entry in report.levels},
        "made": [part.level for part in parts if part.level != report.level],
        "trees": [decision.as_json() for decision in decisions],
    }


def _counts(entry: LevelReport) -> dict[str, int]:
    changes = entry.changes
    return {
        "added": len(changes.added),
        "changed": len(changes.changed),
        "technical": len(changes.technical),
        "unchanged": len(changes.unchanged),
        "removed": len(changes.removed),
    }
