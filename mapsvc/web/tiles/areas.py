"""`/tiles/<level>/...`: borders as vector tiles, as id rasters, and the TileJSON that names both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from flask import Blueprint, Response, request, url_for
from pydantic import Field

from mapsvc.areas.tiles import MAX_ZOOM, Kind
from mapsvc.geo.tiles import mvt, raster
from mapsvc.geo.tiles.areas import AREA_LAYER, LABEL_LAYER
from mapsvc.geo.tiles.mercator import get_tile
from mapsvc.web.contract import Answer, operation
from mapsvc.web.guard import permission
from mapsvc.web.parts import parts
from mapsvc.web.requests import Query, Text
from mapsvc.web.respond import json_response
from mapsvc.web.tiles.shown import Shown, keep, not_modified, packed, show
from mapsvc.web.values import AsOf

blueprint = Blueprint("areas", __name__)


class TileQuery(Query):
    """Which version of the borders: with it in the address the answer may be kept for ever."""

    v: Annotated[Text, Field(description="The version that the TileJSON names.", max_length=40)] = ""
    as_of: AsOf | None = None


class TileJsonQuery(Query):
    """As of when."""

    as_of: AsOf | None = None


@dataclass(frozen=True)
class VectorLayer:
    """One layer of the vector tiles, as TileJSON describes it."""

    id: str
    description: str
    fields: dict[str, str]
    minzoom: int
    maxzoom: int


@dataclass(frozen=True)
class AreaTileJson:
    """TileJSON 3.0.0, and beside it what our own pages read.

    `v` is the version of the borders, `count` the number of areas, `mean_side_m` the side of a mean area as a square.
    `ids` is the address of the id rasters, `ids_to_zoom` the last zoom at which they serve better than the vectors
    (-1: none), `values` the address of one byte for each area.
    """

    tilejson: str
    name: str
    version: str
    tiles: tuple[str, ...]
    vector_layers: tuple[VectorLayer, ...]
    bounds: tuple[float, float, float, float] | None
    center: tuple[float, float, int] | None
    minzoom: int
    maxzoom: int
    scheme: str
    attribution: str
    v: str
    generation: int
    count: int
    mean_side_m: float
    ids: str
    ids_to_zoom: int
    values: str


@blueprint.get("/<level>/<int:z>/<int:x>/<int:y>.mvt")
@permission("layer.view")
@operation(
    "Get a vector tile of a level's borders; 200 and empty where there are none.",
    {200: Answer("Layers areas (ids only) and labels (name, code).", None, (mvt.CONTENT_TYPE,))},
    query=TileQuery,
    errors=(404,),
)
def vector_tile(query: TileQuery, level: str, z: int, x: int, y: int) -> Response:
    return _tile(query, level, z, x, y, "mvt")


@blueprint.get("/<level>/<int:z>/<int:x>/<int:y>.ids")
@permission("layer.view")
@operation(
    "Get the number of the area at each pixel of a tile: 256 x 256 little-endian uint32, 0 for none.",
    {200: Answer("Rows from the north, pixels from the west.", None, (raster.CONTENT_TYPE,))},
    query=TileQuery,
    errors=(404,),
)
def id_tile(query: TileQuery, level: str, z: int, x: int, y: int) -> Response:
    return _tile(query, level, z, x, y, "ids")


def _tile(query: TileQuery, level: str, z: int, x: int, y: int, kind: Kind) -> Response:
    shown = show(level, query.as_of)
    tile = get_tile(z, x, y, MAX_ZOOM)
    known = not_modified(shown.version)
    if known is not None:
        return known
    made = parts().area_tiles.get(shown.snapshot, shown.level, tile, kind)
    response = packed(made.content, mvt.CONTENT_TYPE if kind == "mvt" else raster.CONTENT_TYPE)
    return keep(response, shown.version, query.v, final=made.final)


@blueprint.get("/<level>.json")
@permission("layer.view")
@operation(
    "Describe the tiles of a level (TileJSON 3.0.0).",
    {200: Answer("The description.", AreaTileJson)},
    query=TileJsonQuery,
    errors=(404,),
)
def describe_tiles(query: TileJsonQuery, level: str) -> Response:
    shown = show(level, query.as_of)
    return keep(json_response(_describe(shown, query)), f"{shown.version}-{shown.snapshot.generation}", "")


def _describe(shown: Shown, query: TileJsonQuery) -> AreaTileJson:
    own = parts()
    bounds = shown.snapshot.bounds
    table = shown.snapshot.tables.get(shown.level)
    count = 0 if table is None else len(table)
    side_m = own.area_tiles.mean_side_m(shown.snapshot, shown.level)
    last = raster.last_small_zoom(side_m, 0.0 if bounds is None else (bounds[1] + bounds[3]) / 2)
    return AreaTileJson(
        tilejson="3.0.0",
        name=own.levels.get(shown.level).zh,
        version=f"{shown.snapshot.generation}.0.0",
        tiles=(_address(shown, query, "vector_tile"),),
        vector_layers=(
            VectorLayer(AREA_LAYER, "borders; the id is the number of the area, from 1, by code", {}, 0, MAX_ZOOM),
            VectorLayer(LABEL_LAYER, "one point for each area", {"name": "String", "code": "String"}, 0, MAX_ZOOM),
        ),
        bounds=bounds,
        center=None if bounds is None else ((bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2, 12),
        minzoom=0,
        maxzoom=MAX_ZOOM,
        scheme="xyz",
        attribution=own.settings.map_review_number,
        v=shown.version,
        generation=shown.snapshot.generation,
        count=count,
        mean_side_m=round(side_m, 1),
        ids=_address(shown, query, "id_tile"),
        ids_to_zoom=last,
        values=url_for("tiles.values.area_values", level=shown.level, v=shown.version, _external=True),
    )


def _address(shown: Shown, query: TileJsonQuery, endpoint: str) -> str:
    """Return the address of tiles with its three variables as TileJSON writes them."""
    as_of = request.args.get("as_of") if query.as_of else None
    parameters = {"level": shown.level, "v": shown.version or None, "as_of": as_of}
    made = url_for(f"tiles.areas.{endpoint}", z=0, x=0, y=0, _external=True, **parameters)
    return made.replace("/0/0/0.", "/{z}/{x}/{y}.", 1)
