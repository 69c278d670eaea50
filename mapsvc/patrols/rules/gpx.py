"""GPX files of loggers and watches, read strictly: tracks with times, or a reason why not."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, ParseError

import numpy as np
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from mapsvc.base.errors import InvalidInput, TooLarge
from mapsvc.geo.measure import distance_m
from mapsvc.geo.tracks import Fixes, make_fixes

MOST_BYTES = 40 * 1024 * 1024
MOST_POINTS = 400_000
YEARS = range(1970, 2200)
"""Years of times that are taken; a broken logger writes others, and no zone reckons with the first or the last."""


@dataclass(frozen=True, eq=False)
class GpxTrack:
    """What a GPX file holds: fixes with a time, each `trkseg` a segment of its own, never joined to the next.

    `recorded_m` is the length of all segments as drawn, with the points that have no time; `without_time` counts those.
    """

    fixes: Fixes
    points: int
    without_time: int
    recorded_m: float


def read_gpx(content: bytes) -> GpxTrack:
    """Read the tracks of a GPX file (1.0, 1.1, or without a namespace; with a byte-order mark too).

    Raises
    ------
    TooLarge
        `gpx_too_large`.
    InvalidInput
        `gpx_doctype` (a document type or entities), `gpx_not_xml`, `not_gpx`, `gpx_no_track` (waypoints or routes
        only), `gpx_no_times`, `gpx_bad_time`, `gpx_bad_position`, `gpx_broken_clock`.
    """
    if len(content) > MOST_BYTES:
        raise TooLarge(
            "gpx_too_large",
            f"The file has {len(content):,} bytes; at most {MOST_BYTES:,} are read.",
            hint="Export one patrol at a time.",
            detail={"limit": MOST_BYTES},
        )
    reading = _Reading()
    try:
        for point in _points(content, reading):
            reading.add(point)
    except DefusedXmlException as error:
        raise InvalidInput(
            "gpx_doctype",
            "The file declares a document type or entities, which no track needs.",
            hint="Export it again from the app that recorded it.",
        ) from error
    except (ParseError, UnicodeDecodeError, LookupError, ValueError) as error:
        raise InvalidInput(
            "gpx_not_xml",
            f"The file is no complete XML: {str(error)[:120]}.",
            hint="Copy it again, or export it again as GPX.",
        ) from error
    return reading.finish()


def _points(content: bytes, reading: _Reading) -> Iterator[Element]:
    """Yield the track points, each emptied afterwards; the reading counts segments and what else there is."""
    depth = 0
    for event, element in iterparse(io.BytesIO(content), events=("start", "end"), forbid_dtd=True):
        name = element.tag.rpartition("}")[2]
        if event == "start":
            if depth == 0 and name != "gpx":
                raise InvalidInput(
                    "not_gpx", f"The file is XML, and no GPX: it begins with {name[:40]}.", hint="Export it as GPX."
                )
            depth += 1
            reading.segment += name == "trkseg"
            continue
        depth -= 1
        if name == "trkpt":
            yield element
            element.clear()
        elif name in ("wpt", "rtept"):
            reading.others += 1
            element.clear()


class _Reading:
    """The points read so far."""

    def __init__(self) -> None:
        self.segment = -1
        self.others = 0
        self.at: list[float] = []
        self.lon: list[float] = []
        self.lat: list[float] = []
        self.segments: list[int] = []

    def add(self, point: Element) -> None:
        if len(self.at) >= MOST_POINTS:
            raise TooLarge(
                "gpx_too_large",
                f"The file has more than {MOST_POINTS:,} points.",
                hint="Export one patrol at a time.",
                detail={"limit": MOST_POINTS},
            )
        place = len(self.at) + 1
        try:
            lon, lat = float(point.get("lon", "")), float(point.get("lat", ""))
        except ValueError:
            lon = lat = float("nan")
        if not (abs(lon) <= 180 and abs(lat) <= 90):
            raise InvalidInput(
                "gpx_bad_position",
                f"Point {place} has no position in degrees.",
                hint="lon lies in -180..180, lat in -90..90.",
                detail={"point": place},
            )
        self.lon.append(lon)
        self.lat.append(lat)
        self.at.append(_time_of(point, place))
        self.segments.append(max(self.segment, 0))

    def finish(self) -> GpxTrack:
        at, segment = np.array(self.at), np.array(self.segments, dtype=np.int64)
        lon, lat = np.array(self.lon), np.array(self.lat)
        if not len(at):
            what = f"It holds {self.others} waypoints or route points only." if self.others else "It holds no point."
            raise InvalidInput(
                "gpx_no_track", f"The file holds no track. {what}", hint="A patrol is a recorded track: trk and trkpt."
            )
        timed = np.isfinite(at)
        if timed.sum() < 2:
            raise InvalidInput(
                "gpx_no_times",
                "The points of the track have no times: nobody knows when it was walked, or whether.",
                hint="Let the logger save times; a route that was drawn is no patrol.",
            )
        same = np.diff(segment) == 0
        lengths = distance_m(lon[:-1], lat[:-1], lon[1:], lat[1:])
        fixes = make_fixes(at[timed], lon[timed], lat[timed], None, segment[timed])
        _check_clock(fixes)
        return GpxTrack(fixes, len(at), int((~timed).sum()), float(lengths[same].sum()))


def _time_of(point: Element, place: int) -> float:
    """Return the time of a point in seconds since 1970, NaN where it has none; without a zone it is UTC, says GPX."""
    text = next((child.text or "" for child in point if child.tag.rpartition("}")[2] == "time"), "").strip()
    if not text:
        return float("nan")
    try:
        moment = datetime.fromisoformat(text)
        if moment.year not in YEARS:
            raise ValueError(moment.year)
    except ValueError as error:
        raise InvalidInput(
            "gpx_bad_time",
            f"Point {place} has a time that is none: {text[:40]!r}.",
            hint="GPX writes 2026-11-25T08:00:00Z.",
            detail={"point": place},
        ) from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _check_clock(fixes: Fixes) -> None:
    """Refuse times that run backwards within a segment, or that stand still throughout the track."""
    back = (np.diff(fixes.at) < 0) & (np.diff(fixes.segment) == 0)
    if back.any() or fixes.at.min() == fixes.at.max():
        what = f"run backwards at {int(back.sum())} places" if back.any() else "are all the same"
        raise InvalidInput(
            "gpx_broken_clock",
            f"The times of the track {what}: the clock of the logger was broken.",
            hint="Without times that can be trusted nothing can be credited.",
        )
