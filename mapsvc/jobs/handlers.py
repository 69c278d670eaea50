"""Who listens to which event. An event that nobody listens to is marked as delivered."""

from __future__ import annotations

from datetime import datetime

from mapsvc.areas.index import Snapshots
from mapsvc.areas.tiles import MANY, AreaTiles
from mapsvc.base.events import BordersPublished, BordersTookEffect, PostsChanged
from mapsvc.base.settings import Settings
from mapsvc.catalog import Levels, load_catalog
from mapsvc.jobs.casework import CaseWork
from mapsvc.jobs.queue import Job
from mapsvc.jobs.worker import Handler
from mapsvc.storage.work import Store


class WarmIndex:
    """Builds the index files of borders that were published, so that no request waits for it.

    It builds what is in force now and what will be from the effective date on. A stopped worker
    delays nothing but that: whoever asks first builds the file then.
    """

    def __init__(self, settings: Settings, levels: Levels) -> None:
        self.settings = settings
        self.levels = levels
        self._snapshots: Snapshots | None = None

    def __call__(self, store: Store, job: Job) -> None:
        if self._snapshots is None or self._snapshots.store is not store:
            self._snapshots = Snapshots(store, self.settings, self.levels)
        self._snapshots.current(store.clock.now(), fresh=True)
        effective_from = job.payload.get("effective_from")
        if effective_from is not None:
            self._snapshots.at(datetime.fromisoformat(effective_from))


class WarmTiles:
    """Makes the border tiles of levels with many areas, so that no map waits until they are simplified.

    It makes those in force now and those from the effective date on; a stopped worker delays nothing but that.
    """

    def __init__(self, settings: Settings, levels: Levels) -> None:
        self.settings = settings
        self.levels = levels

    def __call__(self, store: Store, job: Job) -> None:
        snapshots = Snapshots(store, self.settings, self.levels)
        tiles = AreaTiles(store, self.levels, self.settings.data_dir / "tiles")
        moments = [store.clock.now()]
        if job.payload.get("effective_from") is not None:
            moments.append(datetime.fromisoformat(job.payload["effective_from"]))
        for moment in moments:
            snapshot = snapshots.at(moment)
            for level, table in snapshot.tables.items():
                if len(table) > MANY:
                    tiles.make_ahead(snapshot, level)


class FollowBorders:
    """Hands over the open cases in ground that changed hands; closed ones keep their owner."""

    def __init__(self, cases: CaseWork) -> None:
        self.cases = cases

    def __call__(self, store: Store, job: Job) -> None:
        self.cases.hand_over(store)


class FollowPosts:
    """Hands over the open cases of the areas whose posts changed to whoever answers now."""

    def __init__(self, cases: CaseWork) -> None:
        self.cases = cases

    def __call__(self, store: Store, job: Job) -> None:
        self.cases.hand_over(store, frozenset(job.payload["area_ids"]))


def make_handlers(settings: Settings) -> dict[str, tuple[Handler, ...]]:
    """Return the table of those who listen, by the kind of event."""
    levels = load_catalog(settings).levels
    warm = WarmIndex(settings, levels)
    cases = CaseWork(settings)

    return {
        BordersPublished.kind: (warm, WarmTiles(settings, levels)),
        BordersTookEffect.kind: (FollowBorders(cases),),
        PostsChanged.kind: (warm, FollowPosts(cases)),
    }
