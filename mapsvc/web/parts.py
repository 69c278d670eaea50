"""The parts that `create_app` joined, as one value that every view can reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flask import current_app, g

if TYPE_CHECKING:
    from datetime import date, datetime

    from mapsvc.areas.index import Snapshot, Snapshots
    from mapsvc.base.clock import Clock
    from mapsvc.base.settings import Settings
    from mapsvc.cases.rules.calendar import Calendar
    from mapsvc.catalog import Categories, Layers, Levels
    from mapsvc.people.rules.actor import Actor
    from mapsvc.storage.files import Files
    from mapsvc.storage.work import Store

EXTENSION = "mapsvc"


@dataclass(frozen=True)
class AppParts:
    """Everything that a view needs and that lives as long as the process."""

    settings: Settings
    clock: Clock
    store: Store
    snapshots: Snapshots
    levels: Levels
    categories: Categories
    layers: Layers
    files: Files
    calendar: Calendar


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
    return now().astimezone(parts().settings.timezone).date()


def snapshot() -> Snapshot:
    """Return the borders, names and posts in force at the moment of this request; the same one throughout it."""
    if "snapshot" not in g:
        g.snapshot = parts().snapshots.current(now())
    return cast("Snapshot", g.snapshot)
