"""A GPX file becomes a patrol; the same file twice is one."""

from __future__ import annotations

import uuid as uuids
from dataclasses import dataclass
from pathlib import Path

from mapsvc.areas.index import Snapshot
from mapsvc.base.errors import Conflict, NotFound, TooLarge
from mapsvc.geo.datums import to_wgs84
from mapsvc.geo.tracks import make_fixes
from mapsvc.patrols.rules.gpx import MOST_BYTES, GpxTrack, read_gpx
from mapsvc.patrols.rules.values import PatrolData, PatrolReceipt, fixes_sha256
from mapsvc.patrols.service.record import record_patrols
from mapsvc.people.rules.actor import Actor
from mapsvc.people.rules.permissions import require
from mapsvc.storage.work import Store

GPX_SPACE = uuids.UUID("5a0d2c1e-7a56-4d2c-9a53-0f4f6a1c7be2")
"""Patrols from files have a UUID made from their person and track."""


@dataclass(frozen=True)
class GpxReport:
    """What a file held and what became of it; `recorded_m` is its length as drawn, `receipt` says what was credited."""

    points: int
    without_time: int
    recorded_m: float
    receipt: PatrolReceipt


def import_gpx(
    store: Store, actor: Actor, snapshot: Snapshot, path: Path, person_code: str, mode: str, *, datum: str = "wgs84"
) -> GpxReport:
    """Read a GPX file and record it as a patrol of a person; `datum` where the file is not WGS 84, as GPX wants it.

    Raises what `read_gpx` and `record_patrols` raise, and `Conflict` (`track_of_another`).
    """
    require(actor, "patrol.record")
    track = read_gpx(_read(path))
    fixes = track.fixes
    if datum != "wgs84":
        lon, lat = to_wgs84(fixes.lon, fixes.lat, datum)
        fixes = make_fixes(fixes.at, lon, lat, fixes.accuracy_m, fixes.segment)
    named = uuids.uuid5(GPX_SPACE, f"{person_code} {fixes_sha256(fixes)}")
    with store.write() as work:
        [receipt] = record_patrols(work, actor, snapshot, [PatrolData(named, person_code, mode, fixes, "gpx")])
    if receipt.status == "conflict":
        raise Conflict(
            "track_of_another",
            "This track was recorded before as the patrol of another person.",
            hint="One walk is credited once; check whose it was.",
        )
    return _report(track, receipt)


def _report(track: GpxTrack, receipt: PatrolReceipt) -> GpxReport:
    return GpxReport(track.points, track.without_time, track.recorded_m, receipt)


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise NotFound("file_not_found", f"There is no file {path}.")
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise TooLarge(
            "gpx_too_large",
            f"{path.name} has {size:,} bytes; at most {MOST_BYTES:,} are read.",
            hint="Export one patrol at a time.",
            detail={"limit": MOST_BYTES},
        )
    return path.read_bytes()
