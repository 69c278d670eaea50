"""Borders into the store: batches that nobody sees, then one small transaction that publishes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import shapely
from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from mapsvc.areas.models import Area, AreaVersion, AreaVersionParent, Border, Duty, Generation, Revision
from mapsvc.areas.queries import state as queries
from mapsvc.areas.service.prepared import Geometries, PreparedLevel, Progress
from mapsvc.base.errors import Conflict
from mapsvc.base.events import BordersPublished, BordersTookEffect
from mapsvc.geo.measure import area_m2
from mapsvc.storage.work import Store, Work

BATCH = 2_000
CLEANED_AT_ONCE = 5_000


class BordersChangedMeanwhile(Exception):
    """Somebody else published borders since this import looked: look again, then publish."""


def begin_generation(store: Store, level: str, note: str) -> int:
    """Begin an import that nobody sees; an unfinished one of the same level is given up and cleaned away."""
    with store.write() as work:
        work.session.execute(
            update(Generation)
            .where(Generation.level == level, Generation.published_at.is_(None), Generation.abandoned_at.is_(None))
            .values(abandoned_at=work.now)
        )
        row = Generation(level=level, started_at=work.now, note=note, independent=[], report={})
        work.session.add(row)
        work.session.flush()  # gives the number
        number = row.number
    clean_abandoned(store)
    return number


def abandon_generation(store: Store, generation: int) -> None:
    """Give up an import that failed before it was published, and clean its rows away."""
    with store.write() as work:
        work.session.execute(
            update(Generation)
            .where(Generation.number == generation, Generation.published_at.is_(None))
            .values(abandoned_at=work.now)
        )
    clean_abandoned(store)


def clean_abandoned(store: Store) -> None:
    """Delete versions of imports that were given up, and borders and areas that nothing else names; in batches."""
    abandoned = select(Generation.number).where(Generation.abandoned_at.is_not(None), Generation.published_at.is_(None))
    while True:
        with store.write() as work:
            query = (
                select(AreaVersion.id, AreaVersion.area_id, AreaVersion.border_id)
                .where(AreaVersion.generation.in_(abandoned))
                .limit(CLEANED_AT_ONCE)
            )
            rows = work.session.execute(query).all()
            if not rows:
                return
            versions = [row[0] for row in rows]
            parents = delete(AreaVersionParent).where(AreaVersionParent.version_id.in_(versions))
            work.session.execute(parents)
            work.session.execute(delete(AreaVersion).where(AreaVersion.id.in_(versions)))
            drop_unused(work, {row[1] for row in rows}, {row[2] for row in rows if row[2]})


def drop_unused(work: Work, areas: Iterable[int], borders: Iterable[int]) -> None:
    """Drop those of these areas and borders that no version and no duty names any more."""
    used_borders = select(AreaVersion.border_id).where(AreaVersion.border_id.is_not(None))
    used_duties = select(Duty.border_id).where(Duty.border_id.is_not(None))
    unused = (Border.id.not_in(used_borders), Border.id.not_in(used_duties))
    work.session.execute(delete(Border).where(Border.id.in_(list(borders)), *unused))
    used_areas = select(AreaVersion.area_id)
    used_parents = select(AreaVersionParent.parent_area_id)
    work.session.execute(
        delete(Area).where(Area.id.in_(list(areas)), Area.id.not_in(used_areas), Area.id.not_in(used_parents))
    )


def write_level(
    store: Store,
    generation: int,
    prepared: PreparedLevel,
    wanted: Mapping[str, bool],
    progress: Progress,
) -> None:
    """Write versions of the areas named in `wanted` (code: technical) in batches of `BATCH`, each a transaction."""
    rows = [row for row, code in enumerate(prepared.codes) if code in wanted]
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        # Measured outside the transaction, so that other writers do not wait for it.
        boxes = shapely.bounds(prepared.geometries[batch])
        labels = shapely.get_coordinates(shapely.point_on_surface(prepared.geometries[batch]))
        sizes = area_m2(prepared.geometries[batch])
        with store.write() as work:
            borders = put_borders(
                work, [prepared.hashes[row] for row in batch], prepared.geometries[batch], boxes, sizes
            )
            areas = put_areas(work, prepared.level, [prepared.codes[row] for row in batch])
            _put_versions(work, generation, prepared, batch, wanted, borders, areas, labels)
        progress(f"write {prepared.level}", start + len(batch), len(rows))


def put_borders(work: Work, hashes: Sequence[str], geometries: Geometries, boxes: Any, sizes: Any) -> dict[str, int]:
    """Store the borders that are not there yet, and return the ids of all by their hash."""
    known = set(work.session.scalars(select(Border.lattice_hash).where(Border.lattice_hash.in_(hashes))))
    fresh: dict[str, dict[str, Any]] = {}
    for row, lattice_hash in enumerate(hashes):
        if lattice_hash not in known:
            west, south, east, north = (float(value) for value in boxes[row])
            fresh[lattice_hash] = {
                "lattice_hash": lattice_hash,
                "geometry": geometries[row],
                "west": west,
                "south": south,
                "east": east,
                "north": north,
                "area_m2": float(sizes[row]),
            }
    if fresh:
        _insert_new(work, Border, list(fresh.values()))
    rows = work.session.execute(select(Border.lattice_hash, Border.id).where(Border.lattice_hash.in_(hashes)))
    return dict(rows.all())


def put_areas(work: Work, level: str, codes: Sequence[str]) -> dict[str, int]:
    """Return the ids of areas by code, making those that were never there; without a version nobody sees them."""
    query = select(Area.code, Area.id).where(Area.level == level, Area.code.in_(codes))
    found = dict(work.session.execute(query).all())
    missing = [{"level": level, "code": code} for code in codes if code not in found]
    if missing:
        _insert_new(work, Area, missing)
        found = dict(work.session.execute(query).all())
    return found


def _insert_new(work: Work, table: type[Any], rows: list[dict[str, Any]]) -> None:
    """Insert rows unless another import inserted the same ones at this moment."""
    dialect = sqlite if work.on_sqlite else postgresql
    work.session.execute(dialect.insert(table).on_conflict_do_nothing(), rows)


def _put_versions(
    work: Work,
    generation: int,
    prepared: PreparedLevel,
    batch: Sequence[int],
    wanted: Mapping[str, bool],
    borders: Mapping[str, int],
    areas: Mapping[str, int],
    labels: Any,
) -> None:
    values = [
        {
            "area_id": areas[prepared.codes[row]],
            "generation": generation,
            "name": prepared.names[row],
            "kind": prepared.kinds[row],
            "households": prepared.households[row],
            "border_id": borders[prepared.hashes[row]],
            "label_lon": float(labels[n, 0]),
            "label_lat": float(labels[n, 1]),
            "technical": wanted[prepared.codes[row]],
        }
        for n, row in enumerate(batch)
    ]
    inserted = insert(AreaVersion).returning(AreaVersion.id, sort_by_parameter_order=True)
    versions = list(work.session.scalars(inserted, values))
    links = []
    for level, codes in prepared.parents.items():
        parent_codes = sorted({codes[row] for row in batch} - {""})
        ids = put_areas(work, level, parent_codes) if parent_codes else {}
        links += [
            {"version_id": version, "level": level, "parent_area_id": ids[codes[row]]}
            for version, row in zip(versions, batch, strict=True)
            if codes[row]
        ]
    if links:
        work.session.execute(insert(AreaVersionParent), links)


def publish(
    work: Work,
    generation: int,
    *,
    level: str,
    effective_from: datetime | None,
    ended_versions: Sequence[int],
    seen: queries.Revisions,
    independent: Sequence[str],
    report: Mapping[str, Any],
) -> None:
    """Make a written generation visible: begin its versions, end the old ones, say so. Small and whole.

    Raises `BordersChangedMeanwhile` when others published since `seen`, and `Conflict` when a later import of
    the same level took this one's place.
    """
    row = work.session.get(Generation, generation, with_for_update=True)
    if row is None or row.abandoned_at is not None:
        raise Conflict(
            "import_superseded",
            f"Another import of the level {level} began and took the place of this one.",
            hint="Nothing was published by this import. See `mapsvc areas generations`.",
        )
    if bump_revision(work, "borders") != seen.borders + 1:
        raise BordersChangedMeanwhile
    versions = update(AreaVersion).where(AreaVersion.generation == generation)
    work.session.execute(versions.values(valid_from=effective_from))
    end_versions(work, ended_versions, generation, effective_from)
    row.effective_from = effective_from
    row.published_at = work.now
    row.independent = list(independent)
    row.report = dict(report)
    work.emit(BordersPublished(generation, effective_from.isoformat() if effective_from else None))
    work.emit(BordersTookEffect(generation), due_at=effective_from)


def end_versions(work: Work, versions: Sequence[int], generation: int, at: datetime | None) -> None:
    """End versions at a moment; each must still be open."""
    for start in range(0, len(versions), CLEANED_AT_ONCE):
        chunk = list(versions[start : start + CLEANED_AT_ONCE])
        assert at is not None, "what is valid from always ends nothing"
        ending = update(AreaVersion).where(AreaVersion.id.in_(chunk), AreaVersion.valid_to.is_(None))
        result = work.session.execute(ending.values(valid_to=at, ended_by=generation))
        if result.rowcount != len(chunk):  # type: ignore[attr-defined]  # an update gives a CursorResult
            raise BordersChangedMeanwhile


def bump_revision(work: Work, name: str) -> int:
    """Count one visible change, so that snapshots are read again, and return the count.

    Takes the lock of the counter's row: of two who publish at once the second waits here and sees the first.
    """
    _insert_new(work, Revision, [{"name": name, "number": 0}])
    counted = update(Revision).where(Revision.name == name).values(number=Revision.number + 1)
    number: int = work.session.scalars(counted.returning(Revision.number)).one()
    return number
