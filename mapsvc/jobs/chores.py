"""What the worker does from time to time, whether or not anything happened."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from mapsvc.base.settings import Settings
from mapsvc.cases.queries.photos import wanted_files
from mapsvc.jobs.casework import CaseWork
from mapsvc.patrols.service.forget import forget_tracks
from mapsvc.people.rules.actor import SYSTEM
from mapsvc.storage.files import FileStore, LocalFiles
from mapsvc.storage.work import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Chore:
    """Something to do once in `every`; like a handler it opens its own works, and doing it twice does no harm."""

    name: str
    every: timedelta
    do: Callable[[Store], None]


class Chores:
    """Chores and when each was last done by this process; a new process begins with all of them."""

    def __init__(self, chores: Iterable[Chore]) -> None:
        self.chores = tuple(chores)
        self._done_at: dict[str, datetime] = {}

    def do_due(self, store: Store) -> int:
        """Do what is due and return how many were; one that fails is logged and tried again when next due."""
        now = store.clock.now()
        due = [chore for chore in self.chores if self._is_due(chore, now)]
        for chore in due:
            self._done_at[chore.name] = now
            try:
                chore.do(store)
            except Exception:
                log.exception("The chore %s failed; it is tried again in %s.", chore.name, chore.every)
        return len(due)

    def _is_due(self, chore: Chore, now: datetime) -> bool:
        done_at = self._done_at.get(chore.name)
        return done_at is None or now - done_at >= chore.every


def make_chores(settings: Settings) -> Chores:
    """Return the chores of this program."""
    files = LocalFiles(settings.data_dir / "photos")
    cases = CaseWork(settings)
    return Chores(
        [
            Chore("resume_suspended", timedelta(minutes=5), cases.resume_suspended),
            Chore("follow_dates", timedelta(minutes=5), cases.follow_dates),
            Chore("forget_tracks", timedelta(days=1), lambda store: drop_tracks(store, settings.track_days)),
            Chore("sweep_photos", timedelta(days=1), lambda store: sweep_photos(store, files)),
        ]
    )


def drop_tracks(store: Store, days: int) -> None:
    """Forget tracks that are older than the retention time, a batch in each transaction."""
    before = store.clock.now() - timedelta(days=days)
    while True:
        with store.write() as work:
            if not forget_tracks(work, SYSTEM, before):
                return


def sweep_photos(store: Store, files: FileStore) -> None:
    """Remove photo files that a crash left without a row; the row is written after its file."""

    def wanted(names: frozenset[str]) -> frozenset[str]:
        with store.read() as work:
            return wanted_files(work, names)

    removed = files.sweep(wanted, now=store.clock.now())
    if removed:
        log.info("%s photo files that no report refers to were removed.", removed)
