"""What the tile routes of a level have in common: who sees borders, as of when, and how long an answer holds."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from datetime import date, datetime

from flask import Response, request

from mapsvc.areas.index import Snapshot
from mapsvc.base.errors import NotFound
from mapsvc.people.rules.permissions import allows
from mapsvc.web.parts import actor, parts, snapshot
from mapsvc.web.respond import tagged, unchanged
from mapsvc.web.values import moment_of

ONE_YEAR_S = 31_536_000


@dataclass(frozen=True)
class Shown:
    """A level as it is shown: its borders, and the version of its tiles ("" where no area is in force)."""

    level: str
    snapshot: Snapshot
    version: str


def show(level: str, as_of: date | datetime | None = None) -> Shown:
    """Return a level for the one who asks; raises `NotFound` for borders that may not be shown to him.

    The rule is that of the areas API: whoever has an account that may see areas, and everybody once a map review
    number is set.
    """
    found = parts()
    if not (allows(actor(), "area.view") or found.settings.map_review_number):
        raise NotFound(
            "no_such_tiles",
            "There are no border tiles without an account here.",
            hint="Log in; borders are public only where a map review number is set.",
        )
    known = found.levels.find(level)
    if known is None:
        raise NotFound("no_such_tiles", f"There is no level {level[:40]!r}.", hint="/api/v1/levels lists the levels.")
    borders = found.snapshots.at(moment_of(as_of)) if as_of else snapshot()
    return Shown(known.code, borders, found.area_tiles.version(borders, known.code))


def is_public() -> bool:
    """Whether borders are for everybody, so that caches on the way may keep them too."""
    return bool(parts().settings.map_review_number)


def keep(response: Response, version: str, asked: str, *, final: bool = True) -> Response:
    """Say how long an answer holds: for ever where its address bears the version, else until it is asked again."""
    if final and version and asked == version:
        scope = "public" if is_public() else "private"
        response.headers["Cache-Control"] = f"{scope}, max-age={ONE_YEAR_S}, immutable"
        return response
    if not final:
        response.headers["Cache-Control"] = "no-store"
        return response
    return tagged(response, f"{version}-{request.path}", public=is_public())


def not_modified(version: str) -> Response | None:
    """Return 304 when the reader has this very version of the address."""
    return unchanged(f"{version}-{request.path}", public=is_public())


def packed(content: bytes, content_type: str) -> Response:
    """Return what is gzipped already; unpacked for the rare reader that does not take it so."""
    response = Response(content, content_type=content_type)
    response.vary.add("Accept-Encoding")
    if request.accept_encodings["gzip"] > 0:
        response.headers["Content-Encoding"] = "gzip"
    else:
        response.set_data(gzip.decompress(content))
    return response
