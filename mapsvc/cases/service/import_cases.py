"""A table of cases comes in: good rows into the store, bad rows into a file with their reasons.

Batches are written under a run that nobody sees and become visible by one small transaction. An
import that was killed goes on where it stopped; the same file again, or one that holds rows
imported before, adds nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import insert, select

from mapsvc.areas.index import Snapshot
from mapsvc.base.errors import InvalidInput, TooLarge
from mapsvc.base.events import CaseOpened
from mapsvc.base.settings import Settings
from mapsvc.base.tables.reading import Limits, open_table
from mapsvc.base.tables.rows import CellProblem
from mapsvc.base.tables.writing import write_error_workbook
from mapsvc.cases.models import Case
from mapsvc.cases.rules.rulebook import Rulebook
from mapsvc.cases.rules.tickets import COLUMNS
from mapsvc.cases.service.import_rows import CHUNK, ImportOptions, Preparation
from mapsvc.cases.service.import_writing import Writer
from mapsvc.geo.crs import Source, parse_crs
from mapsvc.people.queries import unit_ids
from mapsvc.people.rules.actor import Actor
from mapsvc.people.rules.permissions import require
from mapsvc.storage.imports import Run, begin_run, file_sha256, publish_run, write_batches
from mapsvc.storage.outbox import OutboxRow
from mapsvc.storage.work import Store, Work

KIND = "cases"
MAX_LIVE_ROWS = 5_000
"""Live rows notify their chiefs when the import is published, in that one transaction."""


@dataclass(frozen=True)
class CasesReport:
    """What an import did. Row numbers are lines of a CSV file or rows of a sheet, from 1.

    `already` were imported before. `nearest` lay outside every area, within the set distance of one.
    `without_position` lists the rows that went into the tray of unplaced cases for want of a position;
    `bad_file` holds the refused rows.
    """

    run_id: int
    total: int
    imported: int
    already: int
    bad: int
    inside: int
    nearest: int
    unplaced: int
    flagged: int
    without_position: tuple[int, ...]
    problems: tuple[CellProblem, ...]
    bad_file: Path | None
    same_file: bool = False


def import_cases(
    store: Store,
    settings: Settings,
    snapshot: Snapshot,
    book: Rulebook,
    actor: Actor,
    path: Path,
    options: ImportOptions,
    *,
    bad_file: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> CasesReport:
    """Import a CSV or xlsx file. `progress` is told how many rows were dealt with, after each batch."""
    require(actor, "case.import")
    source = _check(options)
    sha256 = file_sha256(path, repr(options))
    with store.write() as work:
        run = begin_run(work, kind=KIND, file_name=path.name, sha256=sha256)
        now = work.now
        units = unit_ids(work)
    preparation = Preparation(snapshot, book, options, source, now, units)
    with open_table(
        path,
        COLUMNS,
        chosen=options.columns,
        sheet=options.sheet,
        limits=Limits(unpacked_bytes=settings.max_import_bytes),
    ) as table:
        ready = preparation.rows(table.rows)
        if run.published_at is not None:
            return _again(run)
        writer = Writer(run, book, options, actor)
        run = write_batches(store, run, ready, writer.write, size=CHUNK, written=progress)
        for _ in ready:  # a resumed run may end before its table does: nothing is left unread
            pass
        header = table.header.names
    if options.live and run.counts.get("imported", 0) > MAX_LIVE_ROWS:
        raise TooLarge(
            "too_many_live_rows",
            f"At most {MAX_LIVE_ROWS} rows are taken as live work at once; nothing is visible yet.",
            hint="Divide the file, or import it as history.",
            detail={"limit": MAX_LIVE_ROWS},
        )
    notes = preparation.notes
    written_to = None
    if notes.bad_rows:
        written_to = bad_file or path.with_name(f"{path.stem}.bad.xlsx")
        in_order = sorted(notes.bad_rows, key=lambda row: row.number)
        write_error_workbook(written_to, header, in_order, notes.problems)
    with store.write() as work:
        publish_run(work, run.id)
        if options.live:
            _tell(work, run, book)
    problems = tuple(problem for found in notes.problems.values() for problem in found)
    return _report(run, tuple(notes.without_position), problems, written_to)


def _check(options: ImportOptions) -> Source:
    if not options.source.strip():
        raise InvalidInput("needs_source", "An import names its source.", hint="For example --source 12345.")
    if options.own and options.live:
        raise InvalidInput(
            "live_or_own",
            "Rows are either work that begins now or the office's own cases with their past.",
            hint="Give --live or --own, not both.",
        )
    return parse_crs(options.crs)


def _again(run: Run) -> CasesReport:
    counts = run.counts
    total = counts.get("imported", 0) + counts.get("already", 0)
    return CasesReport(
        run.id, total + counts.get("bad", 0), 0, total, counts.get("bad", 0), 0, 0, 0, 0, (), (), None, same_file=True
    )


def _report(
    run: Run, without_position: tuple[int, ...], problems: tuple[CellProblem, ...], bad_file: Path | None
) -> CasesReport:
    counts = run.counts
    return CasesReport(
        run_id=run.id,
        total=run.cursor,
        imported=counts.get("imported", 0),
        already=counts.get("already", 0),
        bad=counts.get("bad", 0),
        inside=counts.get("inside", 0),
        nearest=counts.get("nearest", 0),
        unplaced=counts.get("unplaced", 0),
        flagged=counts.get("flagged", 0),
        without_position=without_position,
        problems=problems,
        bad_file=bad_file,
    )


def _tell(work: Work, run: Run, book: Rulebook) -> None:
    """Notify of the open cases of a live import, in the transaction that makes them visible."""
    rows = work.session.execute(
        select(Case.id, Case.category, Case.condition)
        .where(Case.import_run_id == run.id, Case.state != "closed")
        .order_by(Case.id)  # told in the order of the file, whatever way the store finds them
    )
    events = []
    for case_id, category_code, condition_code in rows:
        category = book.categories.get(category_code)
        events.append(CaseOpened(case_id=case_id, emergency=category.get_condition(condition_code).emergency))
    if events:
        work.session.execute(
            insert(OutboxRow),
            [
                {
                    "kind": event.kind,
                    "payload": event.payload(),
                    "created_at": work.now,
                    "due_at": work.now,
                    "tries": 0,
                    "error": "",
                }
                for event in events
            ],
        )
