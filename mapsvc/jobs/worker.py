"""The worker: takes due jobs from the outbox and delivers each at least once to all who listen."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from mapsvc.base.errors import Unavailable
from mapsvc.jobs import queue
from mapsvc.jobs.chores import Chores
from mapsvc.jobs.queue import Job
from mapsvc.storage.work import Store

log = logging.getLogger(__name__)

Handler = Callable[[Store, Job], None]
"""Called outside any transaction and opens its own; called again after a crash, so doing it twice must do no harm."""

KEEP_DELIVERED = timedelta(days=30)


@dataclass(frozen=True)
class Delivery:
    """What one turn did: jobs delivered, put off, parked for good, and heard by nobody."""

    delivered: int = 0
    put_off: int = 0
    parked: int = 0
    unheard: int = 0

    @property
    def total(self) -> int:
        """All jobs that were dealt with."""
        return self.delivered + self.put_off + self.parked + self.unheard


class Worker:
    """Delivers jobs by `handlers`, a table from the kind of event to those who listen; does chores when idle."""

    def __init__(
        self,
        store: Store,
        handlers: Mapping[str, tuple[Handler, ...]],
        chores: Chores | None = None,
        *,
        lease: timedelta = queue.LEASE,
    ) -> None:
        self.store = store
        self.chores = chores or Chores(())
        self.handlers = dict(handlers)
        self.lease = lease
        self.stopping = threading.Event()

    def stop(self) -> None:
        """Ask the worker to end after the job at hand; safe to call from a signal handler or a thread."""
        self.stopping.set()

    def run(self, *, wait_s: float = 2.0, limit: int = 20) -> None:
        """Deliver until `stop` is called; looks every `wait_s` seconds when there is nothing due."""
        while not self.stopping.is_set():
            try:
                found = self.run_once(limit).total
            except Unavailable as error:
                log.warning("The worker waits for the store: %s", error)
                found = 0
            if not found and not self.chores.do_due(self.store):
                self.stopping.wait(wait_s)

    def run_once(self, limit: int = 20) -> Delivery:
        """Take up to `limit` due jobs and deliver them; those not begun when `stop` comes are given back."""
        with self.store.read() as work:
            if not queue.is_any_due(work):
                return Delivery()  # so that an idle worker never takes the write lock
        with self.store.write() as work:
            parked = queue.park_exhausted(work)
            unheard = queue.finish_unheard(work, self.handlers, 1000)
            queue.forget_delivered(work, work.now - KEEP_DELIVERED)
            jobs = queue.take_jobs(work, self.handlers, limit, lease=self.lease)
        delivered = put_off = 0
        for number, job in enumerate(jobs):
            if self.stopping.is_set():
                self._give_back(jobs[number:])
                break
            error = self._deliver(job)
            if not error:
                delivered += 1
            elif self._fail(job, error):
                parked += 1
            else:
                put_off += 1
        return Delivery(delivered, put_off, parked, unheard)

    def _deliver(self, job: Job) -> str:
        """Call all who listen; return "" or what went wrong. A job that failed for one is repeated for all."""
        try:
            for handler in self.handlers[job.kind]:
                handler(self.store, job)
        except Exception as error:  # the edge of a job: one that fails must not end the worker
            log.exception("Job %s (%s) failed at try %s.", job.id, job.kind, job.tries)
            return "".join(traceback.format_exception(error))
        with self.store.write() as work:
            queue.finish(work, job)
        return ""

    def _fail(self, job: Job, error: str) -> bool:
        with self.store.write() as work:
            parked = queue.fail(work, job, error)
        if parked:
            log.error("Job %s (%s) is parked; `mapsvc jobs list --parked` shows it.", job.id, job.kind)
        return parked

    def _give_back(self, jobs: tuple[Job, ...]) -> None:
        with self.store.write() as work:
            for job in jobs:
                queue.give_back(work, job)
