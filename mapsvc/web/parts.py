"""The parts that `create_app` joined, as one value that every view can reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flask import current_app, g

if TYPE_CHECKING:
    from datetime import date, datetime

    from mapsvc.areas.index import Snapshot, Snapshots
    from mapsvc.areas.tiles import AreaTiles
    from mapsvc.base.clock import Clock
    from mapsvc.base.settings import Settings
    from mapsvc.cases.queries.columns.memory import ColumnsMemory
    from mapsvc.cases.rules.calendar import Calendar
    from mapsvc.cases.rules.rulebook import Rulebook
    from mapsvc.catalog import Catalog, Categories, Layers, Levels
    from mapsvc.people.rules.actor import Actor
    from mapsvc.storage.files import FileStore
    from mapsvc.storage.work import Store
    from mapsvc.web.limits import AddressLimit
    from mapsvc.web.meter import Meter
    from mapsvc.web.present.areas import Unions
    from mapsvc.web.present.ground import Grounds
    from mapsvc.web.present.locate import AreaTexts
    from mapsvc.web.sessions import ActorMemory
    from mapsvc.web.tiles.heats import Heats
    from mapsvc.web.uploads import Uploads

EXTENSION = "mapsvc"


@dataclass(frozen=True)
class AppParts:
    """Everything that a view needs and that lives as long as the process."""

    settings: Settings
    clock: Clock
    store: Store
    snapshots: Snapshots
    columns: ColumnsMemory
    catalog: Catalog
    rulebook: Rulebook
    files: FileStore
    uploads: Uploads
    public_reports: AddressLimit
    public_photos: AddressLimit
    public_looks: AddressLimit
    wrong_codes: AddressLimit
    public_bytes: AddressLimit
    public_lookups: AddressLimit
    log_in_failures: AddressLimit
    actors: ActorMemory
    area_texts: AreaTexts
    unions: Unions
    ground: Grounds
    area_tiles: AreaTiles
    heats: Heats
    meter: Meter

    @property
    def levels(self) -> Levels:
        """The levels of areas."""
        return self.catalog.levels

    @property
    def categories(self) -> Categories:
        """The categories of cases."""
        return self.catalog.categories

    @property
    def layers(self) -> Layers:
        """The map layers."""
        return self.catalog.layers

    @property
    def calendar(self) -> Calendar:
        """Working time."""
        return self.rulebook.calendar


def parts() -> AppParts:
    """Return the parts of the running app."""
    return cast("AppParts", current_app.extensions[EXTENSION])


def actor() -> Actor:
    """Return who asks; `PUBLIC` without a log-in."""
    return cast("Actor", g.actor)


def now() -> datetime:
    """Return the one moment of this request, aware, in UTC."""
    return cast("datetime", g.now)


def today() -> date:
    """Return the local calendar day of this request."""
    return local_day(now())


def local_day(moment: datetime) -> date:
    """Return the local calendar day of a moment."""
    return moment.astimezone(parts().settings.timezone).date()


def snapshot(*, fresh: bool = False) -> Snapshot:
    """Return borders, names and posts in force at the moment of this request; one object throughout it.

    `fresh` for whoever writes what he located: then the store was asked whether anything changed.
    """
    if fresh or "snapshot" not in g:
        g.snapshot = parts().snapshots.current(now(), fresh=fresh)
    return cast("Snapshot", g.snapshot)
