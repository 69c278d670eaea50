"""Areas as GeoJSON: borders by box, unions put together from the finer level, names of who answers."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from mapsvc.areas.index import Snapshot
from mapsvc.areas.queries.state import AreaTable, iter_borders, load_geometries
from mapsvc.geo.geojson import SCREEN_DIGITS, encode_features
from mapsvc.storage.boxes import Box, borders_in_box
from mapsvc.storage.work import Work
from mapsvc.web.present.locate import ChiefAnswer

KEPT_UNIONS = 12
_GRID_DEGREES = 1e-8
"""The lattice on which borders are stored; unions snap-round on it."""

Geometries = NDArray[np.object_]


@dataclass(frozen=True)
class AreaProperties:
    """One area. `chief` is null where nobody is in post (`vacant`), or where the name is not for the asker.

    `label` is null where borders may not be shown: many points inside areas tell much of their outlines.
    """

    level: str
    area_id: int
    code: str
    name: str
    kind: str
    label: tuple[float, float] | None
    parents: Mapping[str, str]
    vacant: bool
    chief: ChiefAnswer | None


@dataclass(frozen=True)
class AreaFeature:
    """One area as a GeoJSON feature; its geometry is null where borders may not be shown."""

    id: int
    geometry: Any
    properties: AreaProperties
    type: Literal["Feature"] = "Feature"


@dataclass(frozen=True)
class AreaCollection:
    """Some areas of one level in the order of their codes; `cursor` leads on."""

    features: tuple[AreaFeature, ...]
    generation: int
    returned: int
    cursor: str | None
    map_review_number: str
    type: Literal["FeatureCollection"] = "FeatureCollection"


class Unions:
    """Borders of levels that are unions of a finer one, put together once for each state of the borders."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], Geometries] = OrderedDict()

    def get(self, work: Work, snapshot: Snapshot, level: str) -> Geometries:
        """Return the geometries of a level in the order of its table."""
        key = (snapshot.key, level)
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                found = self._kept[key] = make_unions(work, snapshot, level)
                while len(self._kept) > KEPT_UNIONS:
                    self._kept.popitem(last=False)
            return found


def make_unions(work: Work, snapshot: Snapshot, level: str) -> Geometries:
    """Put the areas of a level together from those of the level that answers for it."""
    source = snapshot.borders.answers[level]
    geometries = load_geometries(work, snapshot.tables[source])
    above = snapshot.borders.lineage[source][level]
    order = np.argsort(above, kind="stable")
    result = np.full(len(snapshot.tables[level]), None, dtype=object)
    rows, starts = np.unique(above[order], return_index=True)
    for row, members in zip(rows.tolist(), np.split(order, starts[1:]), strict=True):
        parts = [geometry for geometry in geometries[members] if geometry is not None]
        if row >= 0 and parts:
            result[row] = shapely.union_all(parts, grid_size=_GRID_DEGREES)
    return result


def find_rows(
    work: Work, snapshot: Snapshot, level: str, box: tuple[float, float, float, float] | None, unions: Unions
) -> NDArray[np.intp]:
    """Return the rows of a level's table whose border's box meets `box`, in the order of their codes."""
    table = snapshot.tables[level]
    if box is None:
        return np.arange(len(table))
    if (table.border_ids > 0).all():
        ids = np.fromiter(work.session.scalars(borders_in_box(work, Box(*box))), dtype=np.int64)
        return np.flatnonzero(np.isin(table.border_ids, ids))
    west, south, east, north = shapely.bounds(unions.get(work, snapshot, level)).T
    return np.flatnonzero((west <= box[2]) & (east >= box[0]) & (south <= box[3]) & (north >= box[1]))


def get_geometries(work: Work, snapshot: Snapshot, level: str, rows: NDArray[np.intp], unions: Unions) -> Sequence[Any]:
    """Return the borders of some rows."""
    table = snapshot.tables[level]
    if not (table.border_ids > 0).all():
        return list(unions.get(work, snapshot, level)[rows])
    found: dict[int, Any] = {}
    for ids, geometries in iter_borders(work, table.border_ids[rows]):
        found.update(zip(ids.tolist(), geometries, strict=True))
    return [found.get(int(border_id)) for border_id in table.border_ids[rows]]


def present_area(
    table: AreaTable, row: int, snapshot: Snapshot, on: date, *, staff: bool, labelled: bool
) -> AreaProperties:
    """Return what is said of one area; names that are not public only for `staff`, its label where `labelled`."""
    lon, lat = table.label_lonlat[row].tolist()
    area_id = int(table.area_ids[row])
    found = snapshot.responsible(area_id, on)
    shown = found is not None and (staff or found.public)
    parents = {
        level: snapshot.tables[level].codes[int(rows[row])] for level, rows in table.parents.items() if rows[row] >= 0
    }
    return AreaProperties(
        level=table.level,
        area_id=area_id,
        code=table.codes[row],
        name=table.names[row],
        kind=table.kinds[row],
        label=(round(lon, 7), round(lat, 7)) if labelled else None,
        parents=parents,
        vacant=found is None,
        chief=ChiefAnswer(found.name, found.role, found.stand_in) if found is not None and shown else None,
    )


def encode_areas(
    geometries: Sequence[Any],
    properties: Sequence[AreaProperties],
    generation: int,
    cursor: str | None,
    review_number: str,
) -> bytes:
    """Return an `AreaCollection` as text, the geometries written by GEOS."""
    members = {
        "generation": generation,
        "returned": len(properties),
        "cursor": cursor,
        "map_review_number": review_number,
    }
    values = [asdict(one) for one in properties]
    ids = [one.area_id for one in properties]
    return encode_features(geometries, values, ids=ids, digits=SCREEN_DIGITS, members=members)
