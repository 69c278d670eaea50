"""Cases go out as CSV or GeoJSON: what the asker may see, never the reporter, streamed in pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson

from mapsvc.base.errors import UnsupportedType
from mapsvc.base.tables.cells import Cell
from mapsvc.base.tables.writing import write_csv
from mapsvc.cases.queries.views import CaseFilters, CaseRow
from mapsvc.cases.queries.worklist import MAX_LIMIT, list_cases
from mapsvc.people.rules.actor import Actor
from mapsvc.people.rules.permissions import require
from mapsvc.storage.work import Work

FIELDS = (
    "number", "source_number", "category", "condition", "state", "outcome", "channel", "workflow", "description",
    "place_text", "owner", "lon", "lat", "area_level", "area_code", "area_name", "unit_name", "unplaced", "edge",
    "historic", "overdue", "observed_at", "received_at", "closed_at", "due_at", "reworks", "uuid",
)  # fmt: skip
"""What is exported, in this order; nothing of the reporter, and no person's name."""


def export_cases(work: Work, actor: Actor, filters: CaseFilters, path: Path) -> int:
    """Write the cases that `actor` may see and `filters` keep to a .csv or .geojson file; return how many.

    Written aside and renamed. CSV texts that a spreadsheet would run as formulas are guarded.
    """
    require(actor, "case.export")
    rows = iter_cases(work, actor, filters)
    if path.suffix == ".csv":
        return write_csv(path, FIELDS, (_cells(row) for row in rows))
    if path.suffix in {".geojson", ".json"}:
        return _write_geojson(path, rows)
    raise UnsupportedType("unknown_format", f"{path.name} is neither .csv nor .geojson.", hint="Choose one of these.")


def iter_cases(work: Work, actor: Actor, filters: CaseFilters) -> Iterator[CaseRow]:
    """Yield all rows of the work list, page by page."""
    cursor: str | None = None
    while True:
        page = list_cases(work, actor, filters, cursor, MAX_LIMIT, counted=False)
        yield from page.rows
        cursor = page.cursor
        if cursor is None:
            return


def _cells(row: CaseRow) -> Sequence[Cell]:
    values = [getattr(row, name) for name in FIELDS]
    return [value if isinstance(value, str | int | float | bool) or value is None else str(value) for value in values]


def _write_geojson(path: Path, rows: Iterator[CaseRow]) -> int:
    aside = path.with_name(path.name + ".part")
    count = 0
    with aside.open("wb") as file:
        file.write(b'{"type":"FeatureCollection","features":[')
        for row in rows:
            file.write(b",\n" if count else b"\n")
            file.write(orjson.dumps(_feature(row)))
            count += 1
        file.write(b"\n]}\n")
    aside.replace(path)
    return count


def _feature(row: CaseRow) -> dict[str, object]:
    point = None if row.lon is None else {"type": "Point", "coordinates": [row.lon, row.lat]}
    properties = {name: getattr(row, name) for name in FIELDS if name not in {"lon", "lat"}}
    return {"type": "Feature", "id": row.number, "geometry": point, "properties": properties}
