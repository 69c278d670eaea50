"""`/tiles/cases/{z}/{x}/{y}.json`: cases grouped for a tile, over what the asker may see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from flask import Blueprint, Response
from numpy.typing import NDArray
from pydantic import Field

from mapsvc.cases.queries.columns.masks import CaseFilter, filter_mask, overdue_mask, visible_mask
from mapsvc.cases.queries.columns.table import CaseColumns
from mapsvc.geo.tiles.clusters import Groups, group
from mapsvc.geo.tiles.mercator import MAX_ZOOM, Tile, from_unit, get_tile
from mapsvc.web.contract import Answer, operation
from mapsvc.web.guard import permission
from mapsvc.web.parts import actor, now, parts
from mapsvc.web.requests import Text
from mapsvc.web.respond import entity_tag, json_response, tagged, unchanged
from mapsvc.web.tiles.filters import CaseQuery, case_filter

blueprint = Blueprint("cases", __name__)

MOST_IDS = 100
"""Ids told of a pile that no zoom takes apart; the list of all of them is a question by its box."""

PILE_DEGREES = 1e-6
"""What lies closer together than this (10 cm) is one pile at every zoom."""

Rows = NDArray[np.intp]


class CaseTileQuery(CaseQuery):
    """Which cases are grouped; only open ones unless `open=false`."""

    open_: Annotated[bool, Field(alias="open", description="Only cases that are not closed.")] = True
    overdue: Annotated[bool, Field(description="Only cases that are overdue.")] = False
    state: Annotated[Text, Field(description="States, with commas.", max_length=100)] = ""
    historic: Annotated[bool, Field(description="With the history that imports brought in.")] = False


@dataclass(frozen=True)
class Cluster:
    """Several cases drawn as one bubble.

    `x`, `y`, `r` are its middle and radius in pixels of a tile of 256; `lon`, `lat` the same middle in degrees. `box`
    (west, south, east, north) holds its cases, a little enlarged: `/api/v1/cases?bbox=` lists them, and a map that
    shows it takes them apart, unless they are a `pile`: then no zoom does, and `ids` are the first of them, newest
    first.
    """

    x: float
    y: float
    r: float
    lon: float
    lat: float
    count: int
    overdue: int
    box: tuple[float, float, float, float]
    pile: bool
    ids: tuple[int, ...]


@dataclass(frozen=True)
class SingleCase:
    """A case that stands alone in its cell of 64 pixels; `x`, `y` in pixels of a tile of 256."""

    id: int
    x: float
    y: float
    lon: float
    lat: float
    category: str
    state: str
    overdue: bool
    edge: bool


@dataclass(frozen=True)
class CaseTile:
    """The cases of one tile: bubbles and single ones. `count` is how many they are together."""

    count: int
    clusters: tuple[Cluster, ...]
    cases: tuple[SingleCase, ...]


@blueprint.get("/cases/<int:z>/<int:x>/<int:y>.json")
@permission("case.view")
@operation(
    "Get the cases of a tile that one may see, grouped on cells of 64 pixels.",
    {200: Answer("Bubbles and single cases.", CaseTile)},
    query=CaseTileQuery,
    errors=(404,),
)
def case_tile(query: CaseTileQuery, z: int, x: int, y: int) -> Response:
    tile = get_tile(z, x, y, MAX_ZOOM)
    wanted = case_filter(
        query, state=query.state, open_only=query.open_, overdue=query.overdue, include_historic=query.historic
    )
    columns = parts().columns.current()
    tag = entity_tag(columns.key, actor(), tile, wanted, int(now().timestamp()) // 60)
    answer = unchanged(tag, public=False)
    if answer is not None:
        return answer
    return tagged(json_response(make_case_tile(columns, tile, wanted)), tag, public=False)


def make_case_tile(columns: CaseColumns, tile: Tile, wanted: CaseFilter) -> CaseTile:
    """Group the cases of a tile that the asker may see and a filter leaves."""
    within = columns.rows_in(tile)
    shown = visible_mask(columns, actor(), rows=within) & filter_mask(columns, wanted, now(), within)
    rows = np.flatnonzero(shown) + within.start
    groups = group(columns.morton[rows], columns.x[rows], columns.y[rows], tile)
    overdue = overdue_mask(columns, now(), within)[rows - within.start] if len(rows) > len(groups.counts) else None
    late = np.zeros(0, np.int64) if overdue is None else np.add.reduceat(overdue, groups.starts, dtype=np.int64)
    several = np.flatnonzero(groups.counts > 1)
    alone = np.flatnonzero(groups.counts == 1)
    lon, lat = _drawn_at(groups, tile)
    clusters = tuple(_cluster(columns, rows, groups, late, lon, lat, number) for number in several.tolist())
    cases = tuple(_single(columns, int(rows[groups.starts[n]]), float(groups.x[n]), float(groups.y[n])) for n in alone)
    return CaseTile(len(rows), clusters, cases)


def _drawn_at(groups: Groups, tile: Tile) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x0, y0, _, _ = tile.box
    return from_unit(x0 + groups.x / 256 * tile.side, y0 + groups.y / 256 * tile.side)


def _cluster(
    columns: CaseColumns,
    rows: Rows,
    groups: Groups,
    late: NDArray[np.int64],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    number: int,
) -> Cluster:
    start, count = int(groups.starts[number]), int(groups.counts[number])
    members = rows[start : start + count]
    lons, lats = columns.lon[members], columns.lat[members]
    west, south, east, north = lons.min(), lats.min(), lons.max(), lats.max()
    pile = east - west <= PILE_DEGREES and north - south <= PILE_DEGREES
    newest = members[np.argsort(-columns.received_at[members], kind="stable")[:MOST_IDS]] if pile else members[:0]
    box = (west - PILE_DEGREES, south - PILE_DEGREES, east + PILE_DEGREES, north + PILE_DEGREES)
    return Cluster(
        x=round(float(groups.x[number]), 1),
        y=round(float(groups.y[number]), 1),
        r=round(float(groups.radius[number]), 1),
        lon=round(float(lon[number]), 7),
        lat=round(float(lat[number]), 7),
        count=count,
        overdue=int(late[number]),
        box=(round(float(box[0]), 7), round(float(box[1]), 7), round(float(box[2]), 7), round(float(box[3]), 7)),
        pile=bool(pile),
        ids=tuple(columns.id[newest].tolist()),
    )


def _single(columns: CaseColumns, row: int, x: float, y: float) -> SingleCase:
    late = overdue_mask(columns, now(), slice(row, row + 1))
    return SingleCase(
        id=int(columns.id[row]),
        x=round(x, 1),
        y=round(y, 1),
        lon=float(columns.lon[row]),
        lat=float(columns.lat[row]),
        category=columns.names["category"][columns.category[row]],
        state=columns.names["state"][columns.state[row]],
        overdue=bool(late[0]),
        edge=bool(columns.edge[row]),
    )
