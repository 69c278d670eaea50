"""`/api/v1/locate`: which areas hold a point, and who answers for them. No SQL on the way."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import date
from typing import Annotated

import numpy as np
import orjson
from flask import Blueprint, Response
from numpy.typing import NDArray
from pydantic import Field

from mapsvc.areas.index import Snapshot
from mapsvc.areas.rules.located import Located
from mapsvc.areas.rules.positions import check_position
from mapsvc.base.errors import InvalidInput, TooLarge
from mapsvc.geo.datums import to_wgs84
from mapsvc.people.rules.permissions import allows
from mapsvc.web.contract import BYTES, JSON, Answer, operation
from mapsvc.web.guard import permission
from mapsvc.web.outlines import count_lookup, hides_borders, rough_answer, rough_place
from mapsvc.web.parts import actor, now, parts, snapshot, today
from mapsvc.web.present.locate import AreaName, LocateAnswer, LocateManyAnswer, present_areas, present_located
from mapsvc.web.requests import Body, Query, Text, read_bytes, read_model, require_type
from mapsvc.web.values import Accuracy, AsOf, Datum, Lat, Lon, day_of, moment_of

blueprint = Blueprint("locate", __name__)

MOST_POINTS_JSON = 200_000
MOST_POINTS_BINARY = 1_500_000
_SAME_AS_WGS84 = frozenset({"wgs84", "cgcs2000"})
"""CGCS2000 differs by less than a decimetre: it is taken as it is, like everywhere in the program."""


class LocateQuery(Query):
    """One point."""

    lon: Lon
    lat: Lat
    datum: Datum = "wgs84"
    accuracy: Accuracy | None = None
    as_of: AsOf | None = None


class LocateManyQuery(Query):
    """How the points of a body are to be read; with a JSON body `datum` stands in it."""

    datum: Datum | None = None
    level: Annotated[Text, Field(description="For a float64 body: the level answered; the finest one by default.")] = ""
    nearest: Annotated[bool, Field(description="Answer points outside every area by the nearest one, as GET does.")] = (
        True
    )
    as_of: AsOf | None = None


class LocateManyBody(Body):
    """Many points."""

    points: Annotated[
        list[tuple[float, float]], Field(description="[longitude, latitude] each.", max_length=MOST_POINTS_JSON)
    ]
    datum: Datum = "wgs84"


@blueprint.get("/v1/locate")
@permission("public.locate")
@operation(
    "Say which areas hold a point, how surely, and who answers for them. Without an account and without a map review "
    "number the position is rounded to four decimals, and one address may ask so often in an hour.",
    {
        200: Answer(
            "The areas at the point, finest first; names of persons for staff, or where posted up.", LocateAnswer
        )
    },
    query=LocateQuery,
    errors=(429,),
)
def locate(query: LocateQuery) -> Response:
    lon, lat = query.lon, query.lat
    if query.datum not in _SAME_AS_WGS84:
        lons, lats = to_wgs84(lon, lat, query.datum)
        lon, lat = float(lons), float(lats)
    staff = allows(actor(), "locate.names")
    hidden = hides_borders()
    if hidden:
        count_lookup()
        lon, lat = rough_place(lon, lat)
    if query.as_of is None:
        own, moment = parts(), now()
        found = own.snapshots.current(moment)
        located = _told(found.locate(lon, lat, query.accuracy), hidden=hidden)
        on = moment.astimezone(own.settings.timezone).date()
        areas = own.area_texts.get(located.areas, found, on, staff=staff)
        return _json(present_located(lon, lat, located, areas))
    found, on = _at(query.as_of)
    located = _told(found.locate(lon, lat, query.accuracy), hidden=hidden)
    return _json(present_located(lon, lat, located, present_areas(located.areas, found, on, staff=staff)))


def _told(located: Located, *, hidden: bool) -> Located:
    return rough_answer(located) if hidden else located


def _at(as_of: AsOf | None) -> tuple[Snapshot, date]:
    if as_of is None:
        return snapshot(), today()
    return parts().snapshots.at(moment_of(as_of)), day_of(as_of)


def _json(value: object) -> Response:
    return Response(orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY), content_type=JSON)


@blueprint.post("/v1/locate")
@permission("locate.many")
@operation(
    "Answer many points at once, by JSON or by a body of little-endian float64 pairs (longitude, latitude).",
    {
        200: Answer(
            "JSON for a JSON body. For a float64 body: one little-endian int32 for each point, the id of its area "
            "at the level asked for, 0 where there is none; `Mapsvc-Level` and `Mapsvc-Generation` say of what. "
            "`/api/v1/area-codes` turns ids into codes and names.",
            LocateManyAnswer,
            (JSON, BYTES),
        )
    },
    query=LocateManyQuery,
    body=LocateManyBody,
    raw_types=(JSON, BYTES),
    errors=(413, 415),
)
def locate_many(query: LocateManyQuery) -> Response:
    sent = require_type(JSON, BYTES)
    found, _on = _at(query.as_of)
    if sent == JSON:
        if query.datum is not None or query.level:
            raise InvalidInput(
                "parameter_not_for_json",
                "With a JSON body the datum stands in it, and all levels are answered.",
                hint="Leave it out.",
            )
        body, _raw = read_model(LocateManyBody, parts().settings.max_body_bytes)
        points = np.array(body.points, dtype=np.float64).reshape(-1, 2)
        return _json(_answers(found, _checked(points, body.datum, found), nearest=query.nearest))
    points = _read_pairs()
    level = _level(found, query.level)
    ids = _ids(found, _checked(points, query.datum or "wgs84", found), level, nearest=query.nearest)
    headers = {"Mapsvc-Level": level, "Mapsvc-Generation": str(found.generation)}
    return Response(ids.astype("<i4").tobytes(), content_type=BYTES, headers=headers)


def _level(found: Snapshot, asked: str) -> str:
    """Return the level asked for, or the finest one that has borders; empty in an empty store."""
    if asked:
        return parts().levels.get(asked).code
    return next((level.code for level in parts().levels.finest_first() if level.code in found.tables), "")


def _read_pairs() -> NDArray[np.float64]:
    raw = read_bytes(parts().settings.max_body_bytes)
    if len(raw) % 16:
        raise InvalidInput(
            "not_pairs",
            f"The body has {len(raw)} bytes, which are no whole pairs of float64.",
            hint="Send longitude and latitude as 8 bytes each, little-endian.",
        )
    if len(raw) // 16 > MOST_POINTS_BINARY:
        raise TooLarge(
            "too_many_points",
            f"More than {MOST_POINTS_BINARY} points were sent at once.",
            hint="Send them in parts.",
            detail={"limit": MOST_POINTS_BINARY},
        )
    return np.frombuffer(raw, dtype="<f8").reshape(-1, 2)


def _checked(points: NDArray[np.float64], datum: str, found: Snapshot) -> NDArray[np.float64]:
    """Return the points in WGS 84; one that is no position is named by its place."""
    if len(points):
        _refuse_exchanged(points, found)
    bad = ~((np.abs(points[:, 0]) <= 180) & (np.abs(points[:, 1]) <= 90))  # true for NaN too
    if bad.any():
        place = int(np.argmax(bad))
        raise InvalidInput(
            "bad_point",
            f"Point {place} (counted from 0) is no position in degrees, longitude first; {int(bad.sum())} such points.",
            hint="Longitude lies in -180..180, latitude in -90..90; NaN is no number.",
            detail={"index": place, "count": int(bad.sum())},
        )
    if datum in _SAME_AS_WGS84:
        return points
    lon, lat = to_wgs84(points[:, 0], points[:, 1], datum)
    return np.column_stack([lon, lat])


def _refuse_exchanged(points: NDArray[np.float64], found: Snapshot) -> None:
    """Say so when all points lie within the borders only with longitude and latitude exchanged."""
    if found.bounds is None:
        return
    west, south, east, north = found.bounds
    lat, lon = points[:, 0], points[:, 1]
    if bool(np.all((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))):
        check_position(float(points[0, 0]), float(points[0, 1]), found.bounds)


def _rows(
    found: Snapshot, points: NDArray[np.float64], *, nearest: bool
) -> tuple[dict[str, NDArray[np.int32]], list[int]]:
    """Return for each level the rows of its table (-1: none), and which points the nearest area answered."""
    rows = found.locate_rows(points[:, 0], points[:, 1])
    answered: list[int] = []
    chain = [rows[level] for level in parts().levels.chain() if level in rows]
    if not nearest or not chain:
        return rows, answered
    outside = np.flatnonzero(_all_negative(chain))
    if len(outside) == 0:
        return rows, answered
    rows = {level: np.array(values) for level, values in rows.items()}
    for place in outside[_near(found, points[outside])].tolist():
        located = found.locate(float(points[place, 0]), float(points[place, 1]))
        if located.rule == "nearest":
            answered.append(place)
            for area in located.areas:
                rows[area.level][place] = bisect_left(found.tables[area.level].codes, area.code)
    return rows, answered


def _all_negative(columns: Sequence[NDArray[np.int32]]) -> NDArray[np.bool_]:
    """Return where every column is negative: the sign bit survives an `and` of all."""
    joined = columns[0]
    for column in columns[1:]:
        joined = joined & column
    return joined < 0


def _near(found: Snapshot, points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which points lie so near the box of all borders that the nearest rule may reach them."""
    if found.bounds is None:
        return np.zeros(len(points), dtype=bool)
    west, south, east, north = found.bounds
    lat_margin = found.nearest_m / 110_000
    lon_margin = lat_margin / max(0.02, float(np.cos(np.radians(max(abs(south), abs(north))))))
    lon, lat = points[:, 0], points[:, 1]
    within_lon = (lon >= west - lon_margin) & (lon <= east + lon_margin)
    return within_lon & (lat >= south - lat_margin) & (lat <= north + lat_margin)


def _ids(found: Snapshot, points: NDArray[np.float64], level: str, *, nearest: bool) -> NDArray[np.int64]:
    rows, _answered = _rows(found, points, nearest=nearest)
    if level not in rows:
        return np.zeros(len(points), dtype=np.int64)
    return np.where(rows[level] >= 0, found.tables[level].area_ids[rows[level]], 0)


def _answers(found: Snapshot, points: NDArray[np.float64], *, nearest: bool) -> LocateManyAnswer:
    rows, answered = _rows(found, points, nearest=nearest)
    levels: dict[str, list[str | None]] = {}
    areas: list[AreaName] = []
    for level in (one.code for one in parts().levels.finest_first() if one.code in rows):
        table = found.tables[level]
        codes = (*table.codes, None)  # the last one is what row -1 means
        levels[level] = [codes[row] for row in rows[level].tolist()]
        areas.extend(
            AreaName(level, int(table.area_ids[row]), table.codes[row], table.names[row])
            for row in np.unique(rows[level]).tolist()
            if row >= 0
        )
    return LocateManyAnswer(found.generation, len(points), levels, answered, areas)
