"""The columns of one process, kept up to date: one small question a second, and what changed is put in beside.

How nothing is missed. A change of a case sets `updated_at` to the moment of its transaction, which is read after the
transaction began. On SQLite writers stand in line; on PostgreSQL one that began earlier may become visible later.
So every question asks for all that was changed since `OVERLAP_S` before the last one, and compares versions:
whoever takes less than that to commit is seen. An import writes rows that bear old moments and shows them all at
once: the published runs are compared as a set. Should a transaction take longer, or two machines differ by more in
their clocks, a look over everything (number of cases, sum of versions) finds it every `COMPARE_EVERY_S`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import func, select

from mapsvc.cases.models import Case
from mapsvc.cases.queries.columns import loading
from mapsvc.cases.queries.columns.loading import Source, Vocabulary
from mapsvc.cases.queries.columns.merging import make_columns, merge
from mapsvc.cases.queries.columns.table import CaseColumns, Int64s
from mapsvc.storage.imports import ImportRun, published_runs
from mapsvc.storage.work import Store, Work

log = logging.getLogger(__name__)

OVERLAP_S = 60.0
COMPARE_EVERY_S = 1800.0
PATIENCE_S = 0.25
"""How long a request waits for a refresh under way; a town's is done by then, a large city's goes on behind it."""

REST = 10.0
"""After a refresh that took a while, the next one waits ten times as long: keeping up costs a tenth of one core."""


@dataclass(frozen=True)
class Known:
    """The columns, and when and at which published imports they were read."""

    columns: CaseColumns
    asked_at: datetime
    runs: frozenset[int]


class ColumnsMemory:
    """The columns of the cases in one process; see the module for how they follow the store.

    The first who asks waits until everything is read. Afterwards nobody waits longer than `PATIENCE_S`, unless he
    asks for `fresh` ones.
    """

    def __init__(self, store: Store, *, check_every_s: float = 1.0, overlap_s: float = OVERLAP_S) -> None:
        self.store = store
        self.check_every_s = check_every_s
        self.overlap = timedelta(seconds=overlap_s)
        self._lock = threading.Lock()
        self._behind: threading.Thread | None = None
        self._known: Known | None = None
        self._vocabulary = Vocabulary()
        self._next_at = float("-inf")
        self._compare_at = float("inf")

    def current(self, *, fresh: bool = False) -> CaseColumns:
        """Return the columns as they are now; `fresh`: with all that was committed before the call."""
        known = self._known
        if known is None or fresh:
            with self._lock:
                if self._known is None or fresh:
                    self._refresh()
                assert self._known is not None
                return self._known.columns
        if time.monotonic() >= self._next_at and self._lock.acquire(blocking=False):
            # The thread gives the lock back; whoever comes meanwhile goes on with what is known.
            self._start().join(PATIENCE_S)
        return self._known.columns if self._known is not None else known.columns

    def begin(self) -> None:
        """Read everything in a thread, so that nobody waits for it as the first one."""
        if self._lock.acquire(blocking=False):
            self._start()

    def wait(self) -> None:
        """Wait for a refresh under way: before the store is closed."""
        if self._behind is not None:
            self._behind.join()

    def _start(self) -> threading.Thread:
        self._behind = threading.Thread(target=self._refresh_behind, name="case-columns", daemon=True)
        self._behind.start()
        return self._behind

    def _refresh_behind(self) -> None:
        try:
            self._refresh()
        except Exception as error:  # noqa: BLE001 - the edge of a thread: what is known goes on being answered from
            self._next_at = time.monotonic() + self.check_every_s
            log.warning("The cases in memory could not be brought up to date: %s", error)
        finally:
            self._lock.release()

    def _refresh(self) -> None:
        began = time.monotonic()
        with self.store.read() as work:
            if self._known is None:
                self._known = self._load(work)
                self._compare_at = began + COMPARE_EVERY_S
            else:
                self._known = self._follow(work, self._known)
                if began >= self._compare_at:
                    self._compare(work)
                    self._compare_at = began + COMPARE_EVERY_S
        ended = time.monotonic()
        self._next_at = ended + max(self.check_every_s, REST * (ended - began) if self.check_every_s else 0.0)

    def _load(self, work: Work) -> Known:
        began = time.monotonic()
        runs = frozenset(work.session.scalars(published_runs()))
        columns = make_columns(loading.iter_rows(self._source(work, runs)), self._vocabulary.names)
        log.info("%s cases are in memory after %.1f s.", len(columns), time.monotonic() - began)
        return Known(columns, work.now, runs)

    def _follow(self, work: Work, known: Known) -> Known:
        runs = frozenset(work.session.scalars(published_runs()))
        statement = select(Case.id, Case.version, Case.import_run_id).where(
            Case.updated_at >= known.asked_at - self.overlap
        )
        touched = work.session.connection().execute(statement).all()
        changed = _changed(
            known.columns, [(case, version) for case, version, run in touched if run is None or run in runs]
        )
        columns = known.columns
        if len(changed) or runs != known.runs:
            source = self._source(work, runs)
            rows = list(loading.iter_rows_by_id(source, changed))
            for run in sorted(runs - known.runs):
                rows += loading.iter_rows(source, Case.import_run_id == run)
            columns = merge(columns, rows, self._vocabulary.names())
        return Known(columns, work.now, runs)

    def _source(self, work: Work, runs: frozenset[int]) -> Source:
        return Source(work, self._vocabulary, loading.list_area_levels(work), runs)

    def _compare(self, work: Work) -> None:
        """Look over everything, and read all of it again where it differs."""
        assert self._known is not None
        totals = select(func.count(), func.coalesce(func.sum(Case.version), 0)).select_from(Case)
        hidden = totals.where(Case.import_run_id.in_(select(ImportRun.id).where(ImportRun.published_at.is_(None))))
        count, versions = work.session.execute(totals).one()
        hidden_count, hidden_versions = work.session.execute(hidden).one()
        if f"{count - hidden_count}-{versions - hidden_versions}" != self._known.columns.key:
            log.warning("The cases in memory had fallen behind the store; they are read again.")
            self._known = self._load(work)


def _changed(columns: CaseColumns, touched: Sequence[Any]) -> Int64s:
    """Return the ids of those touched that are not known, or known with another version."""
    if not touched:
        return np.zeros(0, np.int64)
    ids, versions = np.array(touched, np.int64).T
    rows = columns.rows_of(ids)
    known = set(zip(columns.id[rows].tolist(), columns.version[rows].tolist(), strict=True))
    return np.array(
        [case for case, version in zip(ids.tolist(), versions.tolist(), strict=True) if (case, version) not in known],
        np.int64,
    )
