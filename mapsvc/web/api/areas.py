"""`/api/v1/areas`: borders and who answers for them; `/api/v1/area-codes`: what the ids of areas mean."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from flask import Blueprint, Response, request
from numpy.typing import NDArray
from pydantic import Field

from mapsvc.areas.index import Snapshot
from mapsvc.areas.queries.state import AreaTable
from mapsvc.people.rules.permissions import allows, require
from mapsvc.web.contract import GEOJSON, Answer, operation
from mapsvc.web.guard import permission
from mapsvc.web.parts import actor, parts, snapshot, today
from mapsvc.web.present.areas import AreaCollection, encode_areas, find_rows, get_geometries, present_area
from mapsvc.web.requests import Query, Text
from mapsvc.web.respond import entity_tag, json_response, tagged, unchanged
from mapsvc.web.values import AsOf, Bbox, box_of, day_of, moment_of

blueprint = Blueprint("areas", __name__)

MOST_AREAS = 5000

LevelCode = Annotated[Text, Field(description="A level, such as grid; `/api/v1/levels` lists them.", max_length=40)]


class AreasQuery(Query):
    """Which areas, as of when."""

    level: LevelCode
    bbox: Bbox | None = None
    as_of: AsOf | None = None
    code: Annotated[Text, Field(description="Only the area of this code.", max_length=80)] = ""
    cursor: Annotated[Text, Field(description="The code after which to go on.", max_length=80)] = ""
    limit: Annotated[int, Field(ge=1, le=MOST_AREAS)] = 1000


class AreaCodesQuery(Query):
    """Which level, as of when."""

    level: LevelCode
    as_of: AsOf | None = None


@dataclass(frozen=True)
class AreaCodes:
    """The areas of a level: id, code and name, a column each, in the order of the codes."""

    level: str
    generation: int
    ids: tuple[int, ...]
    codes: tuple[str, ...]
    names: tuple[str, ...]


@blueprint.get("/v1/areas")
@permission("layer.view")
@operation(
    "List the areas of a level; without an account their borders, labels and boxes only where a map review number "
    "is set.",
    {200: Answer("The areas, in the order of their codes.", AreaCollection, (GEOJSON,))},
    query=AreasQuery,
)
def list_areas(query: AreasQuery) -> Response:
    level = parts().levels.get(query.level).code
    found = parts().snapshots.at(moment_of(query.as_of)) if query.as_of else snapshot()
    on = day_of(query.as_of) if query.as_of else today()
    known, named = allows(actor(), "area.view"), allows(actor(), "locate.names")
    review_number = parts().settings.map_review_number
    shown = known or bool(review_number)
    if query.bbox and not shown:
        # Boxes that meet a border tell where it runs.
        require(actor(), "area.view")
    tag = entity_tag(found.key, on, request.query_string, known, named, review_number)
    answer = unchanged(tag, public=False)
    if answer is not None:
        return answer
    table = found.tables.get(level)
    if table is None:
        return tagged(_geojson(encode_areas([], [], found.generation, None, review_number)), tag, public=False)
    rows, cursor, geometries = _page(query, found, table, shown=shown)
    properties = [present_area(table, row, found, on, staff=named, labelled=shown) for row in rows.tolist()]
    text = encode_areas(geometries, properties, found.generation, cursor, review_number)
    return tagged(_geojson(text), tag, public=False)


def _page(
    query: AreasQuery, found: Snapshot, table: AreaTable, *, shown: bool
) -> tuple[NDArray[np.intp], str | None, Sequence[Any]]:
    """Return the rows of this page, the cursor of the next one, and the borders (None where not shown)."""
    unions, box = parts().unions, box_of(query.bbox) if query.bbox else None
    with parts().store.read() as work:
        rows = find_rows(work, found, table.level, box, unions)
        rows = rows[rows >= bisect_right(table.codes, query.cursor)] if query.cursor else rows
        if query.code:
            at = bisect_left(table.codes, query.code)
            rows = rows[(rows == at) & (at < len(table) and table.codes[at] == query.code)]
        page = rows[: query.limit]
        cursor = table.codes[int(page[-1])] if len(rows) > len(page) else None
        if shown:
            return page, cursor, get_geometries(work, found, table.level, page, unions)
    return page, cursor, [None] * len(page)


def _geojson(text: bytes) -> Response:
    return Response(text, content_type=GEOJSON)


@blueprint.get("/v1/area-codes")
@permission("public.locate")
@operation(
    "Say what the ids of a level's areas mean: codes and names, without borders.",
    {200: Answer("All areas of the level.", AreaCodes)},
    query=AreaCodesQuery,
)
def list_area_codes(query: AreaCodesQuery) -> Response:
    level = parts().levels.get(query.level).code
    found = parts().snapshots.at(moment_of(query.as_of)) if query.as_of else snapshot()
    tag = entity_tag(found.key, level)
    answer = unchanged(tag, public=True)
    if answer is not None:
        return answer
    table = found.tables.get(level)
    ids = tuple(table.area_ids.tolist()) if table is not None else ()
    codes, names = (table.codes, table.names) if table is not None else ((), ())
    return tagged(json_response(AreaCodes(level, found.generation, ids, codes, names)), tag, public=True)
