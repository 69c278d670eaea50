"""Patrols are recorded: each once, cleaned, credited to cells and days; only what nobody else's time covers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import insert, select
from sqlalchemy.dialects import postgresql, sqlite

from mapsvc.areas.index import Snapshot
from mapsvc.areas.rules.positions import check_position
from mapsvc.base.errors import Forbidden, InvalidInput, NotFound, TooLarge
from mapsvc.geo.tracks import MODES_KMH, Effort, Measured, collect, leave_out, measure_track
from mapsvc.patrols.models import EffortCell, Patrol, PatrolTrack
from mapsvc.patrols.rules.values import SOURCES, PatrolData, PatrolReceipt, fixes_sha256
from mapsvc.patrols.service.packing import pack_fixes
from mapsvc.people.queries import list_persons_by_code
from mapsvc.people.rules.actor import Actor
from mapsvc.people.rules.permissions import allows, require
from mapsvc.storage.work import Work

MOST_FIXES = 200_000
"""In one patrol: more than two days at one fix a second."""

LONGEST = timedelta(days=2)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
AHEAD = timedelta(minutes=10)
"""By so much a phone's clock may be ahead."""

_EPOCH = date(1970, 1, 1)
_CHUNK = 500


def record_patrols(
    work: Work, actor: Actor, snapshot: Snapshot, patrols: Sequence[PatrolData]
) -> tuple[PatrolReceipt, ...]:
    """Record patrols in bulk and return what became of each, in their order.

    Idempotent by UUID and by the track itself. What falls into the time of another patrol of the same person, of
    this call or before it, is kept and not credited. One's own patrols need `patrol.record`, those of others
    `patrol.import`. Bad input raises and records nothing: `unknown_person`, `no_fixes`, `bad_times`,
    `too_many_fixes`, `unknown_mode`, positions that lie in the district only with longitude and latitude exchanged.
    """
    require(actor, "patrol.record")
    for patrol in patrols:
        _check(work, snapshot, patrol)
    persons = list_persons_by_code(work, {patrol.person_code for patrol in patrols}, lock=True)
    for patrol in patrols:
        _check_person(actor, persons, patrol)
    known = _Known(work, patrols)
    receipts: list[PatrolReceipt] = []
    fresh: list[_Fresh] = []
    for patrol in patrols:
        person_id, sha256 = persons[patrol.person_code], fixes_sha256(patrol.fixes)
        status = known.status(patrol.uuid, sha256, person_id)
        if status:
            receipts.append(PatrolReceipt(patrol.uuid, status, fixes=len(patrol.fixes)))
            continue
        begin, end = float(patrol.fixes.at.min()), float(patrol.fixes.at.max())
        free, overlapping = leave_out(patrol.fixes, known.spans_of(person_id, begin, end))
        measured = measure_track(free, patrol.mode, snapshot.timezone)
        known.add(patrol.uuid, sha256, person_id, begin, end)
        fresh.append(_Fresh(patrol, person_id, sha256, begin, end, measured))
        receipts.append(_receipt(patrol, measured, overlapping))
    if fresh:
        _insert(work, actor, fresh)
        _credit(work, fresh)
    return tuple(receipts)


@dataclass(frozen=True, eq=False)
class _Fresh:
    patrol: PatrolData
    person_id: int
    sha256: str
    begin: float
    end: float
    measured: Measured


def _receipt(patrol: PatrolData, measured: Measured, overlapping: int) -> PatrolReceipt:
    return PatrolReceipt(
        patrol.uuid, "created", measured.metres, measured.seconds, len(patrol.fixes), measured.parts, measured.gaps,
        measured.jumps, measured.inaccurate, overlapping,
    )  # fmt: skip


def _check(work: Work, snapshot: Snapshot, patrol: PatrolData) -> None:
    fixes = patrol.fixes
    if patrol.mode not in MODES_KMH:
        raise InvalidInput(
            "unknown_mode",
            f"There is no way of patrolling {patrol.mode[:40]!r}.",
            hint=f"One of {', '.join(MODES_KMH)}.",
        )
    if patrol.source not in SOURCES:
        raise InvalidInput("unknown_source", f"There is no source {patrol.source[:40]!r}.", hint=", ".join(SOURCES))
    if not len(fixes):
        raise InvalidInput("no_fixes", "The patrol holds no position.", hint="Record a track, or report a visit.")
    if len(fixes) > MOST_FIXES:
        raise TooLarge(
            "too_many_fixes",
            f"A patrol holds {MOST_FIXES:,} positions at most.",
            hint="Send it in parts.",
            detail={"limit": MOST_FIXES},
        )
    begin, end = (datetime.fromtimestamp(float(at), UTC) for at in (fixes.at.min(), fixes.at.max()))
    if begin < EARLIEST or end > work.now + AHEAD or end - begin > LONGEST:
        raise InvalidInput(
            "bad_times",
            f"The times of the track cannot be: {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC.",
            hint="Check the clock of the device; a patrol lasts two days at most and does not end in the future.",
        )
    middle = int(np.argsort(fixes.at)[len(fixes) // 2])
    check_position(float(fixes.lon[middle]), float(fixes.lat[middle]), snapshot.bounds)


def _check_person(actor: Actor, persons: dict[str, int], patrol: PatrolData) -> None:
    person_id = persons.get(patrol.person_code)
    if person_id is not None and person_id == actor.person_id:
        return
    if not allows(actor, "patrol.import"):
        # Nobody learns here which codes there are.
        raise Forbidden("not_your_patrol", "You may record your own patrols only.", hint="Ask the office for others.")
    if person_id is None:
        raise NotFound(
            "unknown_person",
            f"There is no person with the code {patrol.person_code[:40]!r}.",
            hint="Persons come in by `mapsvc posts import`; the code is person_code there.",
        )


class _Known:
    """What the store holds of these UUIDs, tracks and persons, and what this call adds to it."""

    def __init__(self, work: Work, patrols: Sequence[PatrolData]) -> None:
        self._work = work
        self._by_uuid: dict[UUID, tuple[str, int | None]] = {}
        self._by_track: dict[str, int | None] = {}
        self._spans: dict[int, list[tuple[float, float]]] = {}
        for column, values in (
            (Patrol.uuid, [patrol.uuid for patrol in patrols]),
            (Patrol.content_sha256, [fixes_sha256(patrol.fixes) for patrol in patrols]),
        ):
            for chunk in _chunks(values):
                query = select(Patrol.uuid, Patrol.content_sha256, Patrol.person_id).where(column.in_(chunk))
                for uuid, sha256, person_id in work.session.execute(query):
                    self._by_uuid[uuid] = sha256, person_id
                    self._by_track[sha256] = person_id

    def status(self, uuid: UUID, sha256: str, person_id: int) -> str:
        """Return `same`, `conflict`, or an empty text for a patrol that is new."""
        if uuid in self._by_uuid:
            return "same" if self._by_uuid[uuid][0] == sha256 else "conflict"
        if sha256 in self._by_track:
            return "same" if self._by_track[sha256] in (person_id, None) else "conflict"
        return ""

    def spans_of(self, person_id: int, begin: float, end: float) -> list[tuple[float, float]]:
        """Return the times of the person's other patrols that meet a span, in seconds since 1970."""
        query = select(Patrol.started_at, Patrol.ended_at).where(
            Patrol.person_id == person_id,
            Patrol.started_at <= datetime.fromtimestamp(end, UTC),
            Patrol.ended_at >= datetime.fromtimestamp(begin, UTC),
        )
        stored = [(started.timestamp(), ended.timestamp()) for started, ended in self._work.session.execute(query)]
        return [*stored, *(span for span in self._spans.get(person_id, ()) if span[0] <= end and span[1] >= begin)]

    def add(self, uuid: UUID, sha256: str, person_id: int, begin: float, end: float) -> None:
        self._by_uuid[uuid] = sha256, person_id
        self._by_track[sha256] = person_id
        self._spans.setdefault(person_id, []).append((begin, end))


def _insert(work: Work, actor: Actor, fresh: Sequence[_Fresh]) -> None:
    rows = [
        {
            "uuid": one.patrol.uuid,
            "person_id": one.person_id,
            "by_user_id": actor.user_id,
            "mode": one.patrol.mode,
            "source": one.patrol.source,
            "content_sha256": one.sha256,
            "recorded_at": work.now,
            "started_at": datetime.fromtimestamp(one.begin, UTC),
            "ended_at": datetime.fromtimestamp(one.end, UTC),
            "fixes": len(one.patrol.fixes),
            "metres": one.measured.metres,
            "seconds": one.measured.seconds,
        }
        for one in fresh
    ]
    made = insert(Patrol).returning(Patrol.id, sort_by_parameter_order=True)
    ids = work.session.scalars(made, rows).all()
    tracks = [
        {"patrol_id": patrol_id, "fixes": pack_fixes(one.patrol.fixes)}
        for patrol_id, one in zip(ids, fresh, strict=True)
    ]
    work.session.execute(insert(PatrolTrack), tracks)


def _credit(work: Work, fresh: Sequence[_Fresh]) -> None:
    """Add the effort of some patrols to the cells, in the order of their keys so that two writers cannot deadlock."""
    for mode in sorted({one.patrol.mode for one in fresh}):
        effort = _sum(one.measured.effort for one in fresh if one.patrol.mode == mode)
        rows: list[dict[str, Any]] = [
            {"day": _EPOCH + timedelta(days=day), "cell": cell, "mode": mode, "metres": metres, "seconds": seconds}
            for day, cell, metres, seconds in zip(
                effort.day.tolist(), effort.cell.tolist(), effort.metres.tolist(), effort.seconds.tolist(), strict=True
            )
        ]
        if rows:
            dialect = sqlite if work.on_sqlite else postgresql
            adding = dialect.insert(EffortCell)
            adding = adding.on_conflict_do_update(
                index_elements=["day", "cell", "mode"],
                set_={
                    "metres": EffortCell.metres + adding.excluded.metres,
                    "seconds": EffortCell.seconds + adding.excluded.seconds,
                },
            )
            work.session.execute(adding, rows)


def _sum(efforts: Iterable[Effort]) -> Effort:
    found = list(efforts)
    return collect(
        np.concatenate([one.day for one in found]),
        np.concatenate([one.cell for one in found]),
        np.concatenate([one.metres for one in found]),
        np.concatenate([one.seconds for one in found]),
    )


def _chunks(values: Sequence[Any]) -> Iterable[list[Any]]:
    for start in range(0, len(values), _CHUNK):
        yield list(values[start : start + _CHUNK])
