"""The outbox as a queue: take, finish, retry, park, list. Each function is part of one short transaction.

A job that was taken is leased: its `due_at` moves to the end of the lease. A worker that is killed
leaves it there, and after the lease it is taken again; so delivery is at least once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, delete, func, select, update

from mapsvc.base.errors import Conflict, NotFound
from mapsvc.storage.outbox import OutboxRow
from mapsvc.storage.work import Work

MAX_TRIES = 8
"""With the delays below a job is tried for about an hour before it is parked."""

FIRST_DELAY = timedelta(seconds=10)
LONGEST_DELAY = timedelta(minutes=30)
LEASE = timedelta(minutes=10)
"""No delivery may take longer than this, or a second worker begins it as well."""


@dataclass(frozen=True)
class Job:
    """One event or job: `tries` counts how often it was taken, this time included."""

    id: int
    kind: str
    payload: Mapping[str, Any]
    created_at: datetime
    due_at: datetime
    tries: int
    error: str = ""
    done_at: datetime | None = None
    parked_at: datetime | None = None


def is_any_due(work: Work) -> bool:
    """Return whether there is something to take."""
    return work.session.scalar(_open(work).with_only_columns(OutboxRow.id).limit(1)) is not None


def take_jobs(work: Work, kinds: Collection[str], limit: int, *, lease: timedelta = LEASE) -> tuple[Job, ...]:
    """Take up to `limit` due jobs of these kinds, the longest due first; two workers never take the same one."""
    due = _open(work).where(OutboxRow.kind.in_(sorted(kinds))).order_by(OutboxRow.due_at, OutboxRow.id).limit(limit)
    rows = work.session.scalars(due.with_for_update(skip_locked=True)).all()
    for row in rows:
        row.tries += 1
        row.due_at = work.now + lease
    return tuple(_as_job(row) for row in rows)


def finish_unheard(work: Work, kinds: Collection[str], limit: int) -> int:
    """Mark due jobs that nobody here listens to as done; return how many."""
    unheard = _open(work).where(OutboxRow.kind.not_in(sorted(kinds))).order_by(OutboxRow.id).limit(limit)
    rows = work.session.scalars(unheard.with_for_update(skip_locked=True)).all()
    for row in rows:
        row.done_at = work.now
    return len(rows)


def finish(work: Work, job: Job) -> None:
    """Note that a job was delivered."""
    work.session.execute(update(OutboxRow).where(OutboxRow.id == job.id).values(done_at=work.now, error=""))


def give_back(work: Work, job: Job) -> None:
    """Undo the taking of a job that was not begun, because the worker stops."""
    work.session.execute(
        update(OutboxRow)
        .where(OutboxRow.id == job.id, OutboxRow.done_at.is_(None))
        .values(due_at=work.now, tries=OutboxRow.tries - 1)
    )


def fail(work: Work, job: Job, error: str) -> bool:
    """Note a failure: due again after a delay, or parked after the last try. Returns whether it was parked."""
    parked = job.tries >= MAX_TRIES
    values: dict[str, object] = {"error": error[-4000:]}
    if parked:
        values["parked_at"] = work.now
    else:
        values["due_at"] = work.now + delay_after(job.id, job.tries)
    work.session.execute(update(OutboxRow).where(OutboxRow.id == job.id, OutboxRow.done_at.is_(None)).values(values))
    return parked


def park_exhausted(work: Work) -> int:
    """Park jobs whose last try ended with the worker itself (killed, out of memory); return how many."""
    rows = work.session.scalars(_open(work).where(OutboxRow.tries >= MAX_TRIES).with_for_update(skip_locked=True)).all()
    for row in rows:
        row.parked_at = work.now
        row.error = row.error or "The worker ended during every delivery."
    return len(rows)


def retry(work: Work, job_id: int) -> Job:
    """Make a parked or waiting job due now, with all its tries before it."""
    row = work.session.get(OutboxRow, job_id, with_for_update=True)
    if row is None:
        raise NotFound("no_such_job", f"There is no job {job_id}.", hint="`mapsvc jobs list` shows those there are.")
    if row.done_at is not None:
        raise Conflict("job_done", f"Job {job_id} was delivered already.")
    row.parked_at, row.tries, row.due_at = None, 0, work.now
    return _as_job(row)


def list_jobs(work: Work, *, parked: bool = False, limit: int = 100) -> tuple[Job, ...]:
    """Return jobs that are not delivered, the oldest first; only those that failed for good when `parked`."""
    wanted = select(OutboxRow).where(OutboxRow.done_at.is_(None))
    if parked:
        wanted = wanted.where(OutboxRow.parked_at.is_not(None))
    rows = work.session.scalars(wanted.order_by(OutboxRow.id).limit(limit))
    return tuple(_as_job(row) for row in rows)


def count_parked(work: Work) -> int:
    """Return how many jobs failed for good."""
    counted = select(func.count()).where(OutboxRow.done_at.is_(None), OutboxRow.parked_at.is_not(None))
    return work.session.scalar(counted) or 0


def forget_delivered(work: Work, before: datetime, limit: int = 1000) -> int:
    """Delete jobs delivered before a moment; return how many. Parked ones stay until somebody deals with them."""
    some = select(OutboxRow.id).where(OutboxRow.done_at < before).limit(limit)
    gone = work.session.scalars(delete(OutboxRow).where(OutboxRow.id.in_(some)).returning(OutboxRow.id)).all()
    return len(gone)


def delay_after(job_id: int, tries: int) -> timedelta:
    """Return the wait after a failed try: doubled each time, bounded, and up to a quarter longer.

    The quarter follows from the job's id and the try, not from chance: jobs that failed together do
    not come back together, and the moment can be computed again.
    """
    digest = hashlib.sha256(f"{job_id}:{tries}".encode()).digest()
    share = int.from_bytes(digest[:4]) / 2**32
    plain = min(FIRST_DELAY * (1 << (tries - 1)), LONGEST_DELAY)
    return plain * (1 + share / 4)


def _open(work: Work) -> Select[OutboxRow]:
    return select(OutboxRow).where(
        OutboxRow.done_at.is_(None), OutboxRow.parked_at.is_(None), OutboxRow.due_at <= work.now
    )


def _as_job(row: OutboxRow) -> Job:
    return Job(
        row.id, row.kind, row.payload, row.created_at, row.due_at, row.tries, row.error, row.done_at, row.parked_at
    )
