"""The polygons that duties are tied to (责任区): features of a file of borders, by their name.

Read by the same door as borders of areas: the same formats, and a datum that is not labelled is never guessed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from mapsvc.areas.queries import state as queries
from mapsvc.areas.service.prepared import Geometries, RefusedRow
from mapsvc.areas.service.preparing import doubt_datum
from mapsvc.areas.service.reading import belt_warnings, refuse_geometries, source_name
from mapsvc.areas.service.writing import put_borders
from mapsvc.base.errors import InvalidInput
from mapsvc.base.tables.cells import read_text
from mapsvc.geo.crs import Source, geometries_to_wgs84
from mapsvc.geo.lattice import lattice_hashes, snap
from mapsvc.geo.measure import area_m2
from mapsvc.geo.problems import geometry_problems
from mapsvc.geo.vectorfile import MAX_BYTES, BorderLayer, iter_layer, open_borders
from mapsvc.storage.work import Store, Work

NAMES = ("polygon", "责任区", "责任区名称", "范围", "名称", "name", "编码", "code")
"""Columns of the file that may hold the names, first one present; without case."""

BATCH = 1_000
"""Polygons put into the store at once: their names are bound values of one statement."""


@dataclass(frozen=True)
class PolygonFile:
    """A file of polygons and how it is read; `name_field` is the column by which duties name them."""

    path: Path
    layer: str | None = None
    name_field: str | None = None
    crs: str | None = None
    encoding: str | None = None
    max_bytes: int = MAX_BYTES


@dataclass(frozen=True)
class PolygonsRead:
    """The polygons that were asked for, on the lattice in WGS 84 degrees, and why others cannot be had."""

    found: Mapping[str, BaseGeometry] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def read_polygons(store: Store, source: PolygonFile, wanted: Collection[str]) -> PolygonsRead:
    """Read the features whose names are wanted; what is wrong with the whole file is raised as for borders of areas.

    A feature that is no sound polygon, a name that is not there or stands twice is a fault of that name.
    """
    names: list[str] = []
    parts: list[BaseGeometry | None] = []
    notes: dict[str, None] = {}
    with open_borders(
        source.path,
        layer=source.layer,
        crs=source.crs,
        encoding=source.encoding,
        max_bytes=source.max_bytes,
        max_unpacked_bytes=source.max_bytes,
    ) as opened:
        column = _choose(opened, source)
        for table in iter_layer(opened, columns=[column]):
            notes.update(dict.fromkeys(table.notes))
            for cell, geometry in zip(table.columns[column], table.geometries, strict=True):
                name = read_text(cell)
                if name in wanted:  # a file may hold a whole city
                    names.append(name)
                    parts.append(geometry)
        system, stated = opened.source, opened.crs_given
    geometries = np.empty(len(parts), dtype=object)
    geometries[:] = parts
    faults = _faults(geometries, names, system, wanted)
    good = [row for row, name in enumerate(names) if name not in faults]
    ground = snap(geometries_to_wgs84(geometries[good], system)).geometries if good else geometries[good]
    found = {names[row]: geometry for row, geometry in zip(good, ground, strict=True)}
    for name in [name for name, geometry in found.items() if geometry.is_empty]:
        faults[name] = f"the polygon {name!r} is smaller than a square millimetre"
        del found[name]
    for problem in geometry_problems(found.values()):
        # Rounding to the lattice closes a neck that is thinner than a millimetre.
        name = list(found)[problem.row]
        faults[name] = f"the polygon {name!r} cannot be used: {problem.message}"
    sound = {name: geometry for name, geometry in found.items() if name not in faults}
    warnings = (*notes, *belt_warnings(system, ground), *_doubts(store, sound, system, stated=stated))
    return PolygonsRead(sound, faults, warnings)


def put_polygons(work: Work, polygons: Mapping[str, BaseGeometry]) -> dict[str, int]:
    """Store polygons, each once by the hash of its border, and return the ids of their borders by name."""
    ids: dict[str, int] = {}
    names = sorted(polygons)
    for start in range(0, len(names), BATCH):
        batch = names[start : start + BATCH]
        geometries = np.array([polygons[name] for name in batch], dtype=object)
        hashes = lattice_hashes(geometries)
        stored = put_borders(work, hashes, geometries, shapely.bounds(geometries), area_m2(geometries))
        ids.update({name: stored[lattice_hash] for name, lattice_hash in zip(batch, hashes, strict=True)})
    return ids


def _choose(opened: BorderLayer, source: PolygonFile) -> str:
    """Return the column with the names."""
    by_name = {name.casefold(): name for name in opened.fields}
    chosen = source.name_field or next((by_name[guess] for guess in NAMES if guess in by_name), None)
    if chosen is None:
        raise InvalidInput(
            "polygon_name_needed",
            f"No column of {source.path.name} is called a name; it has: {', '.join(opened.fields) or 'none'}.",
            hint="Name the column by which the duties name the polygons by --polygon-name.",
            detail={"fields": list(opened.fields)},
        )
    return chosen


def _faults(geometries: Geometries, names: Sequence[str], system: Source, wanted: Collection[str]) -> dict[str, str]:
    refused: dict[int, RefusedRow] = {}
    refuse_geometries(geometries, system, names, refused)
    for problem in geometry_problems(geometries, degrees=system.is_geographic):
        refused.setdefault(problem.row, RefusedRow(problem.row + 1, names[problem.row], problem.code, problem.message))
    faults = {names[row]: f"the polygon {names[row]!r} cannot be used: {bad.message}" for row, bad in refused.items()}
    for name in wanted:
        count = names.count(name)
        if count == 0:
            faults[name] = f"there is no polygon {name!r} in the file"
        elif count > 1:
            faults[name] = f"{count} features of the file are called {name!r}; join them to one"
    return faults


def _doubts(store: Store, found: Mapping[str, BaseGeometry], system: Source, *, stated: bool) -> tuple[str, ...]:
    """Compare with the borders in the store, as for areas: raises where GCJ-02 is called WGS 84 by nobody."""
    if not found:
        return ()
    geometries = np.array(list(found.values()), dtype=object)
    with store.read() as work:
        tables = queries.load_tables(work, queries.open_versions())
        warning = doubt_datum(work, tables, "", geometries, source_name(system), stated=stated)
    return (warning,) if warning else ()
