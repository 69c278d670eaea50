"""Imports that nobody sees until their last, small transaction.

An import reads and checks its file outside any transaction, then writes batches, each in a short
transaction of its own that also moves the run's cursor; so a batch is written whole or not at all,
one that was committed is never written again, and an import that was killed goes on where it
stopped. Rows carry the id of their run and count as visible only once the run is published, which
is one update of one row: readers and other writers never wait for an import.

The pattern::

    with store.write() as work:
        run = begin_run(work, kind="cases", file_name=path.name, sha256=file_sha256(path))
    run = write_batches(store, run, rows, write_rows)
    with store.write() as work:
        publish_run(work, run.id)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TypeVar

from sqlalchemy import JSON, Select, UniqueConstraint, select, update
from sqlalchemy.orm import Mapped, mapped_column

from mapsvc.base.errors import Conflict, NotFound
from mapsvc.storage.base import Row
from mapsvc.storage.types import UtcDateTime
from mapsvc.storage.work import Store, Work

BATCH_ROWS = 500
"""Rows per batch: large enough that the commit is not the cost, small enough that no other writer notices."""

T = TypeVar("T")


class ImportRun(Row):
    """One import of one file: `cursor` counts the source rows already dealt with, `counts` what became of them.

    `sha256` is of the file and of whatever else decides how it is read; the same again finds its
    run. `abandoned_at` is set when somebody gave the run up; its rows stay invisible.
    """

    __tablename__ = "import_run"
    __table_args__ = (UniqueConstraint("kind", "sha256"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    file_name: Mapped[str]
    sha256: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    abandoned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cursor: Mapped[int] = mapped_column(default=0)
    counts: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)


@dataclass(frozen=True)
class Run:
    """An import run as a value. `published_at` is None while nobody sees its rows."""

    id: int
    kind: str
    file_name: str
    started_at: datetime
    cursor: int
    counts: Mapping[str, int]
    published_at: datetime | None


def published_runs() -> Select[int]:
    """Return the ids of published runs; a row is visible when its `import_run_id` is null or among them."""
    return select(ImportRun.id).where(ImportRun.published_at.is_not(None))


def file_sha256(path: Path, *options: str) -> str:
    """Return the SHA-256 of a file in bounded memory; `options` are whatever else decides how it is read."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    for option in options:
        digest.update(b"\0" + option.encode())
    return digest.hexdigest()


def begin_run(work: Work, *, kind: str, file_name: str, sha256: str) -> Run:
    """Begin an import, or take up the one that this file began earlier.

    The caller looks at `published_at` (this very file was imported already) and `cursor` (rows to skip).
    A run that was given up is taken up again, its rows are still there.
    """
    row = work.session.scalar(
        select(ImportRun).where(ImportRun.kind == kind, ImportRun.sha256 == sha256).with_for_update()
    )
    if row is None:
        row = ImportRun(kind=kind, file_name=file_name, sha256=sha256, started_at=work.now, cursor=0, counts={})
        work.session.add(row)
        work.session.flush()  # the id goes into every row of the batches
    row.abandoned_at = None
    return _as_value(row)


def write_batches(
    store: Store,
    run: Run,
    rows: Iterable[T],
    write: Callable[[Work, Sequence[T]], Mapping[str, int]],
    *,
    size: int = BATCH_ROWS,
    written: Callable[[int], None] | None = None,
) -> Run:
    """Write what the run has not written yet, a batch per transaction; `rows` begins with the file's first row.

    `write` stores one batch and returns what became of its rows, by name. `written` is told the
    number of rows dealt with, after each commit. Publishing is left to the caller.
    """
    for batch in _batches(rows, size, skip=run.cursor):
        with store.write() as work:
            counts = write(work, batch)
            run = advance_run(work, run, rows=len(batch), counts=counts)
        if written is not None:
            written(run.cursor)
    return run


def advance_run(work: Work, run: Run, *, rows: int, counts: Mapping[str, int]) -> Run:
    """Note in the batch's own transaction that it was written; refused when another process imports the same file."""
    total = {name: run.counts.get(name, 0) + counts.get(name, 0) for name in sorted({*run.counts, *counts})}
    moved = work.session.execute(
        update(ImportRun)
        .where(ImportRun.id == run.id, ImportRun.cursor == run.cursor, ImportRun.published_at.is_(None))
        .values(cursor=run.cursor + rows, counts=total)
        .returning(ImportRun.id)
    ).scalar()
    if moved is None:
        raise Conflict(
            "import_elsewhere",
            f"The file {run.file_name} is being imported by another process too.",
            hint="Let the other one finish; importing the file again afterwards is harmless.",
        )
    return Run(run.id, run.kind, run.file_name, run.started_at, run.cursor + rows, total, None)


def publish_run(work: Work, run_id: int) -> None:
    """Make all rows of the run visible, by this one update."""
    row = _get(work, run_id)
    if row.published_at is None:
        row.published_at = work.now
        row.abandoned_at = None


def abandon_run(work: Work, run_id: int) -> None:
    """Give an unpublished run up; what it wrote stays invisible, a published one stays as it is."""
    row = _get(work, run_id)
    if row.published_at is None:
        row.abandoned_at = work.now


def list_unfinished_runs(work: Work) -> tuple[Run, ...]:
    """Return the runs that were begun and neither published nor given up, oldest first."""
    open_runs = select(ImportRun).where(ImportRun.published_at.is_(None), ImportRun.abandoned_at.is_(None))
    return tuple(_as_value(row) for row in work.session.scalars(open_runs.order_by(ImportRun.id)))


def _get(work: Work, run_id: int) -> ImportRun:
    row = work.session.get(ImportRun, run_id, with_for_update=True)
    if row is None:
        raise NotFound("no_such_import", f"There is no import {run_id}.")
    return row


def _as_value(row: ImportRun) -> Run:
    return Run(row.id, row.kind, row.file_name, row.started_at, row.cursor, dict(row.counts), row.published_at)


def _batches(rows: Iterable[T], size: int, *, skip: int) -> Iterator[list[T]]:
    rest = islice(iter(rows), skip, None)
    while batch := list(islice(rest, size)):
        yield batch
