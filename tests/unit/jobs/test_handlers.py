"""Who listens to what: published borders find their index file made before anybody asks."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
import shapely

from mapsvc.areas.index import Snapshots
from mapsvc.areas.service.import_areas import import_rows
from mapsvc.areas.service.prepared import BorderRows, ImportOptions
from mapsvc.areas.tiles import AHEAD_ZOOM, AreaTiles, tiles_over
from mapsvc.base.clock import FixedClock
from mapsvc.base.events import BordersPublished, CaseOpened
from mapsvc.base.settings import Settings
from mapsvc.catalog import load_catalog
from mapsvc.jobs.handlers import make_handlers
from mapsvc.jobs.worker import Delivery, Worker
from mapsvc.people.rules.actor import SYSTEM
from mapsvc.storage.work import Store


def squares(*wests: float) -> BorderRows:
    """Grids of a hundredth of a degree beside one another."""
    return BorderRows(
        rows=tuple(range(1, len(wests) + 1)),
        codes=tuple(f"g{number}" for number in range(1, len(wests) + 1)),
        names=tuple(f"网格{number}" for number in range(1, len(wests) + 1)),
        geometries=np.array([shapely.box(west, 41, west + 0.01, 41.01) for west in wests], dtype=object),
    )


def publish(store: Store, settings: Settings, rows: BorderRows, effective_on: date | None = None) -> None:
    levels = load_catalog(settings).levels
    import_rows(store, settings, levels, SYSTEM, "grid", rows, ImportOptions(effective_on=effective_on))


def index_files(settings: Settings) -> set[str]:
    return {path.name for path in (settings.data_dir / "index").glob("*.index")}


def test_published_borders_find_their_index_made(store: Store, settings: Settings) -> None:
    publish(store, settings, squares(123.0, 123.01))
    worker = Worker(store, make_handlers(settings))
    assert worker.run_once().delivered >= 1
    made = index_files(settings)
    assert made
    snapshots = Snapshots(store, settings, load_catalog(settings).levels)
    found = snapshots.current(store.clock.now()).locate(123.015, 41.005)
    assert [area.code for area in found.areas] == ["g2"]
    assert index_files(settings) == made, "the first question found everything there"


def test_borders_of_a_later_date_are_made_too(store: Store, settings: Settings, clock: FixedClock) -> None:
    publish(store, settings, squares(123.0, 123.01))
    worker = Worker(store, make_handlers(settings))
    worker.run_once()
    before = index_files(settings)
    publish(store, settings, squares(123.0, 123.02), clock.now().date() + timedelta(days=30))
    assert worker.run_once().put_off == 0
    after = index_files(settings)
    assert after > before
    Snapshots(store, settings, load_catalog(settings).levels).at(clock.now() + timedelta(days=60)).locate(123.025, 41.0)
    assert index_files(settings) == after


def test_the_same_delivery_twice_does_no_harm(store: Store, settings: Settings) -> None:
    publish(store, settings, squares(123.0))
    handlers = make_handlers(settings)
    for _ in range(2):
        with store.write() as work:
            work.emit(BordersPublished(1, None))
        assert Worker(store, handlers).run_once().put_off == 0


def test_an_event_without_listener_is_done(store: Store, settings: Settings) -> None:
    with store.write() as work:
        work.emit(CaseOpened(1))
    assert Worker(store, make_handlers(settings)).run_once() == Delivery(unheard=1)


def test_levels_with_many_areas_find_their_tiles_made(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mapsvc.jobs.handlers.MANY", 1)
    publish(store, settings, squares(123.0, 123.01))
    Worker(store, make_handlers(settings)).run_once()
    levels = load_catalog(settings).levels
    tiles = AreaTiles(store, levels, settings.data_dir / "tiles")
    snapshot = Snapshots(store, settings, levels).current(store.clock.now())
    assert snapshot.bounds is not None
    assert {tile.z for tile in tiles_over(snapshot.bounds, AHEAD_ZOOM)} == set(range(AHEAD_ZOOM + 1))
    monkeypatch.setattr("mapsvc.areas.tiles.load_areas", None)  # whoever made a tile would need it
    for tile in tiles_over(snapshot.bounds, AHEAD_ZOOM):
        assert tiles.get(snapshot, "grid", tile, "mvt").final
        assert tiles.get(snapshot, "grid", tile, "ids").content
    assert tiles.make_ahead(snapshot, "grid") == 0


def test_levels_with_few_areas_are_left_to_the_first_who_asks(store: Store, settings: Settings) -> None:
    publish(store, settings, squares(123.0, 123.01))
    Worker(store, make_handlers(settings)).run_once()
    assert not (settings.data_dir / "tiles").exists()
