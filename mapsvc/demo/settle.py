"""The ground of a demo town brought into the store: areas of every level, imported as an office would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mapsvc.areas.service.import_areas import import_rows
from mapsvc.areas.service.prepared import BorderRows, MadeColumn, Progress
from mapsvc.base.settings import Settings
from mapsvc.catalog import Catalog
from mapsvc.demo.town import DemoArea, Town
from mapsvc.people.rules.actor import SYSTEM
from mapsvc.storage.work import Store

MADE = ("district", "street", "community", "patch")
"""Levels that are unions of the grids."""
WITHIN = ("compound", "building", "resident_group")
"""Levels with borders of their own inside the grids, each after those in which it lies."""


def import_ground(store: Store, settings: Settings, catalog: Catalog, town: Town, progress: Progress) -> None:
    """Import the grids, the levels above as unions of them, and what lies inside them."""
    named = {(area.level, area.code): area for area in town.areas}
    grids = town.at("grid")
    above = {level: [_holder(named, grid, level) for grid in grids] for level in MADE}
    made = tuple(
        MadeColumn(level, tuple(area.code for area in areas), tuple(area.name for area in areas))
        for level, areas in above.items()
    )
    import_rows(store, settings, catalog.levels, SYSTEM, "grid", _rows(grids, made=made), progress=progress)
    for level in WITHIN:
        areas = town.at(level)
        if areas:
            rows = _rows(areas, parents=tuple(areas[0].parents))
            import_rows(store, settings, catalog.levels, SYSTEM, level, rows, progress=progress)


def _rows(areas: Sequence[DemoArea], *, parents: Sequence[str] = (), made: tuple[MadeColumn, ...] = ()) -> BorderRows:
    return BorderRows(
        rows=tuple(range(1, len(areas) + 1)),
        codes=tuple(area.code for area in areas),
        names=tuple(area.name for area in areas),
        geometries=np.array([area.border for area in areas], dtype=object),
        kinds=tuple(area.kind for area in areas),
        households=tuple(area.households for area in areas),
        parents={level: tuple(area.parents[level] for area in areas) for level in parents},
        made=made,
    )


def _holder(named: Mapping[tuple[str, str], DemoArea], area: DemoArea, level: str) -> DemoArea:
    """Return the area of a level above in which an area lies, by way of its parents."""
    if level in area.parents:
        return named[level, area.parents[level]]
    above = "street" if "street" in area.parents else "community"
    return _holder(named, named[above, area.parents[above]], level)
