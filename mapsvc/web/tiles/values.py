"""`/tiles/<level>/values.bin`: one byte for each area, so that colours travel apart from geometry."""

from __future__ import annotations

import struct
from typing import Annotated, Literal

import numpy as np
from flask import Blueprint, Response
from numpy.typing import NDArray
from pydantic import Field

from mapsvc.areas.queries.state import AreaTable
from mapsvc.cases.queries.columns.masks import CaseFilter, filter_mask, visible_mask
from mapsvc.cases.queries.columns.table import CaseColumns
from mapsvc.web.contract import BYTES, Answer, operation
from mapsvc.web.guard import permission
from mapsvc.web.parts import actor, now, parts
from mapsvc.web.requests import Query, Text
from mapsvc.web.respond import entity_tag, tagged, unchanged
from mapsvc.web.tiles.shown import show

blueprint = Blueprint("values", __name__)

MAGIC = b"MVB1"
HEADER = struct.Struct("<4sIII")
"""Magic, number of areas, the largest value before it was cut to a byte, the sum of all values; little-endian."""

MOST = 255
"""A byte holds no more: 255 means so many or more."""


class ValuesQuery(Query):
    """What is counted. `v` only makes the address change with the borders."""

    of: Annotated[Literal["open", "overdue"], Field(description="Open cases, or those of them that are overdue.")] = (
        "open"
    )
    v: Annotated[Text, Field(max_length=40)] = ""


@blueprint.get("/<level>/values.bin")
@permission("case.view")
@operation(
    "Get one byte for each area of a level, in the order of the numbers in its tiles, after a header of 16 bytes.",
    {200: Answer("MVB1, three uint32 (areas, largest, sum), then a byte for each area; 255: or more.", None, (BYTES,))},
    query=ValuesQuery,
    errors=(404,),
)  # fmt: skip
def area_values(query: ValuesQuery, level: str) -> Response:
    shown = show(level)
    columns = parts().columns.current()
    tag = entity_tag(columns.key, shown.version, query.of, actor(), int(now().timestamp()) // 60)
    answer = unchanged(tag, public=False)
    if answer is not None:
        return answer
    table = shown.snapshot.tables.get(shown.level)
    counted = np.zeros(0, np.int64)
    if table is not None:
        wanted = CaseFilter(open_only=True, overdue=query.of == "overdue")
        rows = visible_mask(columns, actor()) & filter_mask(columns, wanted, now())
        counted = count_by_area(columns, table, rows)
    return tagged(Response(encode_values(counted), content_type=BYTES), tag, public=False)


def count_by_area(columns: CaseColumns, table: AreaTable, rows: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return how many of the marked cases lie in each area of a table, in the order of its rows."""
    held = columns.areas.get(table.level)
    if held is None:
        return np.zeros(len(table), np.int64)
    order = np.argsort(table.area_ids)
    ids = table.area_ids[order]
    areas = held[rows]
    places = np.minimum(np.searchsorted(ids, areas), len(ids) - 1)
    counted = np.zeros(len(table), np.int64)
    counted[order] = np.bincount(places[ids[places] == areas], minlength=len(ids))
    return counted


def encode_values(values: NDArray[np.int64]) -> bytes:
    """Return the header and a byte for each value."""
    header = HEADER.pack(MAGIC, len(values), int(values.max(initial=0)), int(values.sum()))
    return header + np.minimum(values, MOST).astype(np.uint8).tobytes()
