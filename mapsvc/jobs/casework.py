"""Jobs on cases: what is suspended comes back on its day, open cases follow borders and posts."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import date
from functools import cached_property

from mapsvc.areas.index import Snapshot, Snapshots
from mapsvc.base.errors import Unavailable
from mapsvc.base.settings import Settings
from mapsvc.cases.rules.rulebook import Rulebook
from mapsvc.cases.service.clocks import list_due_to_resume, resume_case
from mapsvc.cases.service.hand_over import hand_over
from mapsvc.cases.service.rulebook import load_calendar, make_rulebook
from mapsvc.catalog import load_catalog
from mapsvc.storage.work import Store

log = logging.getLogger(__name__)


class CaseWork:
    """Rulebook and snapshots for jobs on cases, made when the first job asks for them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._snapshots: Snapshots | None = None
        self._followed: tuple[str, date] | None = None

    @cached_property
    def book(self) -> Rulebook:
        """The rulebook of this process."""
        catalog = load_catalog(self.settings)
        return make_rulebook(self.settings, catalog.levels, catalog.categories, load_calendar(self.settings))

    def snapshots(self, store: Store) -> Snapshots:
        """Return the snapshots of a store."""
        if self._snapshots is None or self._snapshots.store is not store:
            self._snapshots = Snapshots(store, self.settings, self.book.levels)
            self._followed = None
        return self._snapshots

    def snapshot(self, store: Store) -> Snapshot:
        """Return the snapshot in force now, asked for afresh."""
        return self.snapshots(store).current(store.clock.now(), fresh=True)

    def resume_suspended(self, store: Store) -> None:
        """Bring back the cases whose day of return has come (挂账到期), each in a transaction of its own.

        One that cannot come back is logged and tried again at the next turn; the others do not wait for it.
        """
        with store.read() as work:
            due = list_due_to_resume(work)
        if not due:
            return
        snapshot, resumed = self.snapshot(store), 0
        for case_uuid in due:
            try:
                with store.write() as work:
                    resume_case(work, snapshot, self.book, case_uuid)
                resumed += 1
            except Unavailable:
                raise  # the store itself: none of the others would get through
            except Exception:  # the edge of a job on one case
                log.exception("The suspended case %s could not be resumed.", case_uuid)
        log.info("%s of %s suspended cases came back.", resumed, len(due))

    def hand_over(self, store: Store, area_ids: Collection[int] | None = None) -> None:
        """Give open cases to whoever answers now (界线调整, 交接): all, or those that one of the areas holds."""
        done = hand_over(store, self.snapshots(store), self.book, area_ids=area_ids)
        if done.changed:
            log.info(
                "%s open cases were handed over: %s by new borders, %s by new posts.",
                done.changed,
                done.by_borders,
                done.by_posts,
            )

    def follow_dates(self, store: Store) -> None:
        """Hand over once for each new day and each state of borders and posts: posts begin and end by date alone.

        It also finds what an event missed: a case whose report was under way while borders changed.
        """
        at = (self.snapshot(store).key, self.book.local_day(store.clock.now()))
        if at != self._followed:
            self.hand_over(store)
            self._followed = at
