"""The ground of a demo town brought into the store: areas of every level, imported as an office would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from mapsvc.areas.ground import GroundRows
from mapsvc.areas.service.ground import write_ground
from mapsvc.areas.service.import_areas import import_rows
from mapsvc.areas.service.prepared import BorderRows, MadeColumn, Progress
from mapsvc.base.settings import Settings
from mapsvc.catalog import Catalog
from mapsvc.demo.land import Drawn
from mapsvc.demo.town import DemoArea, Town
from mapsvc.people.rules.actor import SYSTEM
from mapsvc.storage.work import Store

MADE = ("district", "street", "community", "patch")
"""Levels that are unions of the grids."""
KINDS = {
    "arterial": "主干路", "secondary": "次干路", "promenade": "支路", "tertiary": "支路", "street": "支路",
    "lane": "小区路", "rail": "铁路",
    "school": "学校", "hospital": "医院", "college": "学校", "station": "公共", "stadium": "公共", "offices": "公共",
    "market": "市场", "works": "工业",
}  # fmt: skip
"""Our kinds of streets and grounds in the words of the layers."""
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


def draw_ground(settings: Settings, town: Town) -> None:
    """Write the town's own base map: green, water, compounds, buildings and streets, as an office would import them."""
    for layer, things in base_map(town).items():
        rows = GroundRows(
            np.array([thing.geometry for thing in things], dtype=object),
            [thing.name for thing in things],
            [thing.kind for thing in things],
            [thing.households or None for thing in things],
        )
        write_ground(settings.data_dir, SYSTEM, layer, rows, source=f"demo {town.profile.name}")


def base_map(town: Town) -> dict[str, list[Drawn]]:
    """Return what each layer of the base map draws, its kinds in the words of `layers/*.toml`."""
    land = town.land
    green = [thing for thing in land.backdrop if thing.layer == "green" or thing.kind == "stadium"]
    sites = [thing for thing in land.backdrop if thing.layer == "site" and thing.kind != "stadium"]
    compounds = [Drawn("compounds", "", compound.name, compound.border) for compound in land.compounds]
    houses = [
        Drawn("buildings", "住宅", f"{number}号楼", house.border, house.households)
        for compound in land.compounds
        for number, house in enumerate(compound.houses, start=1)
    ]
    return {
        "green": green,
        "water": [thing for thing in land.backdrop if thing.layer == "water"],
        "compounds": compounds + [replace(site, kind=KINDS.get(site.kind, "")) for site in sites],
        "buildings": houses + [replace(each, kind=KINDS.get(each.kind, ""), name="") for each in land.landmarks],
        "roads": [
            replace(thing, kind=KINDS[thing.kind])
            for thing in (*land.roads, *(thing for thing in land.backdrop if thing.layer == "rail"))
        ],
    }


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
