"""The state of all borders at a moment, and of all posts: what a snapshot is made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import aliased

from mapsvc.areas.models import Area, AreaVersion, AreaVersionParent, Border, Generation, Post, Revision
from mapsvc.areas.rules.located import PostHeld
from mapsvc.people.models import Person
from mapsvc.storage.work import Work

GEOMETRY_BATCH = 2_000

Int64s = NDArray[np.int64]
Int32s = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class AreaTable:
    """The areas of one level in force, a column each, in ascending order of code (by code point, not collation).

    `parents` holds for each level above the row of the parent in that level's table, -1 for none.
    `border_ids` is 0 and `hashes` empty where a version has no border of its own.
    """

    level: str
    codes: tuple[str, ...]
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    households: tuple[int | None, ...]
    hashes: tuple[str, ...]
    area_ids: Int64s
    version_ids: Int64s
    border_ids: Int64s
    label_lonlat: NDArray[np.float64]
    parents: Mapping[str, Int32s] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.codes)


@dataclass(frozen=True, eq=False)
class BordersState:
    """All areas in force at a moment. `answers` names for each level the finer one that answers it, or itself."""

    generation: int
    answers: Mapping[str, str]
    tables: Mapping[str, AreaTable]


@dataclass(frozen=True)
class Revisions:
    """The counters that grow with each visible change."""

    borders: int
    posts: int


def get_revisions(work: Work) -> Revisions:
    """Read both counters; 0 where nothing was ever published."""
    rows = work.session.execute(select(Revision.name, Revision.number))
    found = dict(rows.all())
    return Revisions(found.get("borders", 0), found.get("posts", 0))


def list_effective_moments(work: Work) -> tuple[datetime, ...]:
    """Return the moments at which borders change, ascending; what is valid from always is left out."""
    query = select(Generation.effective_from).where(
        Generation.published_at.is_not(None), Generation.effective_from.is_not(None)
    )
    return tuple(sorted({moment for moment in work.session.scalars(query) if moment is not None}))


def in_force(moment: datetime) -> ColumnElement[bool]:
    """Return the condition "this version is in force": its generation is published, its interval holds the moment."""
    published = select(Generation.number).where(Generation.published_at.is_not(None))
    return and_(
        AreaVersion.generation.in_(published),
        or_(AreaVersion.valid_from.is_(None), AreaVersion.valid_from <= moment),
        or_(AreaVersion.valid_to.is_(None), AreaVersion.valid_to > moment),
    )


@dataclass(frozen=True)
class LatestEffective:
    """Whether borders of a level were ever published, and the latest moment at which any of them begin."""

    exists: bool
    moment: datetime | None


def find_latest_effective(work: Work, level: str) -> LatestEffective:
    """Look for the latest published borders of a level, those made as unions of finer ones too."""
    of_level = select(AreaVersion.generation).join(Area, Area.id == AreaVersion.area_id).where(Area.level == level)
    query = select(func.count(), func.max(Generation.effective_from)).where(
        Generation.published_at.is_not(None),
        or_(Generation.level == level, Generation.number.in_(of_level)),
    )
    number, moment = work.session.execute(query).one()
    if isinstance(moment, datetime) and moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return LatestEffective(number > 0, moment)


def open_versions() -> ColumnElement[bool]:
    """Return the condition "published and not ended": the last state that anybody has planned."""
    published = select(Generation.number).where(Generation.published_at.is_not(None))
    return and_(AreaVersion.generation.in_(published), AreaVersion.valid_to.is_(None))


def find_made_levels(work: Work, level: str) -> tuple[str, ...]:
    """Return the levels whose areas the last published import of a level made as unions."""
    query = (
        select(Generation.report)
        .where(Generation.level == level, Generation.published_at.is_not(None))
        .order_by(Generation.published_at.desc(), Generation.number.desc())
        .limit(1)
    )
    report = work.session.scalars(query).first() or {}
    return tuple(report.get("made", ()))


def find_generation_in_force(work: Work, moment: datetime) -> Generation | None:
    """Return the generation published last among those effective at a moment."""
    query = (
        select(Generation)
        .where(
            Generation.published_at.is_not(None),
            or_(Generation.effective_from.is_(None), Generation.effective_from <= moment),
        )
        .order_by(Generation.published_at.desc(), Generation.number.desc())
        .limit(1)
    )
    return work.session.scalars(query).first()


def load_borders_state(work: Work, moment: datetime) -> BordersState:
    """Read every area in force at a moment, without geometry; the memory needed is some 500 bytes an area."""
    generation = find_generation_in_force(work, moment)
    if generation is None:
        return BordersState(0, {}, {})
    tables = load_tables(work, in_force(moment))
    answers = _answers_at(generation.report, moment)
    known = {level: source for level, source in answers.items() if level in tables and source in tables}
    return BordersState(generation.number, {level: known.get(level, level) for level in tables}, tables)


def load_tables(work: Work, condition: ColumnElement[bool]) -> dict[str, AreaTable]:
    """Read the versions that satisfy a condition (one per area) as one table per level."""
    query: Any = (
        select(
            Area.level,
            Area.code,
            AreaVersion.name,
            AreaVersion.kind,
            AreaVersion.households,
            AreaVersion.area_id,
            AreaVersion.id,
            AreaVersion.border_id,
            Border.lattice_hash,
            AreaVersion.label_lon,
            AreaVersion.label_lat,
        )
        .join(Area, Area.id == AreaVersion.area_id)
        .outerjoin(Border, Border.id == AreaVersion.border_id)
        .where(condition)
    )
    by_level: dict[str, list[Any]] = {}
    for row in work.session.execute(query):
        by_level.setdefault(row[0], []).append(row)
    tables = {level: _make_table(level, sorted(rows, key=lambda row: row[1])) for level, rows in by_level.items()}
    links = select(AreaVersionParent.version_id, AreaVersionParent.level, AreaVersionParent.parent_area_id).join(
        AreaVersion, AreaVersion.id == AreaVersionParent.version_id
    )
    return _link_parents(tables, work.session.execute(links.where(condition)).all())


def _make_table(level: str, rows: Sequence[Any]) -> AreaTable:
    return AreaTable(
        level=level,
        codes=tuple(row[1] for row in rows),
        names=tuple(row[2] for row in rows),
        kinds=tuple(row[3] for row in rows),
        households=tuple(row[4] for row in rows),
        hashes=tuple(row[8] or "" for row in rows),
        area_ids=np.array([row[5] for row in rows], dtype=np.int64),
        version_ids=np.array([row[6] for row in rows], dtype=np.int64),
        border_ids=np.array([row[7] or 0 for row in rows], dtype=np.int64),
        label_lonlat=np.array([(row[9], row[10]) for row in rows], dtype=np.float64).reshape(-1, 2),
    )


def _link_parents(tables: Mapping[str, AreaTable], links: Sequence[Any]) -> dict[str, AreaTable]:
    """Turn rows (version, level, parent's area) into arrays of row numbers, level by level."""
    row_of_version = {int(version): (level, row) for level, table in tables.items()
                      for row, version in enumerate(table.version_ids.tolist())}  # fmt: skip
    row_of_area = {
        level: {area: row for row, area in enumerate(table.area_ids.tolist())} for level, table in tables.items()
    }
    columns: dict[str, dict[str, Int32s]] = {level: {} for level in tables}
    for version_id, parent_level, parent_area_id in links:
        found = row_of_version.get(version_id)
        parent_row = row_of_area.get(parent_level, {}).get(parent_area_id)
        if found is None or parent_row is None:
            continue
        level, row = found
        column = columns[level].get(parent_level)
        if column is None:
            column = np.full(len(tables[level]), -1, dtype=np.int32)
            columns[level][parent_level] = column
        column[row] = parent_row
    return {level: replace(table, parents=columns[level]) for level, table in tables.items()}


def _answers_at(report: Mapping[str, Any], moment: datetime) -> dict[str, str]:
    """Return the decision of the generation's report that covers a moment: the last one that begins before it."""
    chosen: dict[str, str] = {}
    for entry in report.get("trees", []):
        if entry["from"] is None or datetime.fromisoformat(entry["from"]) <= moment:
            chosen = dict(entry["answers"])
    return chosen


def iter_borders(work: Work, border_ids: Int64s) -> Iterator[tuple[Int64s, NDArray[np.object_]]]:
    """Yield border ids and their geometries in batches; each id once, in ascending order."""
    wanted = np.unique(border_ids[border_ids > 0])
    for start in range(0, len(wanted), GEOMETRY_BATCH):
        ids = wanted[start : start + GEOMETRY_BATCH]
        query = select(Border.id, Border.geometry).where(Border.id.in_(ids.tolist())).order_by(Border.id)
        rows = work.session.execute(query).all()
        geometries = np.empty(len(rows), dtype=object)
        geometries[:] = [row[1] for row in rows]
        yield np.array([row[0] for row in rows], dtype=np.int64), geometries


def load_geometries(work: Work, table: AreaTable) -> NDArray[np.object_]:
    """Read the borders of one level, in the order of its table; None where a version has no border."""
    result = np.full(len(table), None, dtype=object)
    found: dict[int, Any] = {}
    for ids, geometries in iter_borders(work, table.border_ids):
        found.update(zip(ids.tolist(), geometries, strict=True))
    for row, border_id in enumerate(table.border_ids.tolist()):
        result[row] = found.get(border_id)
    return result


def sum_area_m2(work: Work, table: AreaTable) -> float:
    """Return the geodesic area of all borders of a level in square metres."""
    wanted = np.unique(table.border_ids[table.border_ids > 0])
    total = 0.0
    for start in range(0, len(wanted), GEOMETRY_BATCH):
        some = wanted[start : start + GEOMETRY_BATCH].tolist()
        total += work.session.scalar(select(func.sum(Border.area_m2)).where(Border.id.in_(some))) or 0.0
    return total


def load_bounds(work: Work, moment: datetime) -> tuple[float, float, float, float] | None:
    """Return west, south, east, north of all borders in force, or None when there are none."""
    query = (
        select(func.min(Border.west), func.min(Border.south), func.max(Border.east), func.max(Border.north))
        .join(AreaVersion, AreaVersion.border_id == Border.id)
        .where(in_force(moment))
    )
    west, south, east, north = work.session.execute(query).one()
    return None if west is None else (west, south, east, north)


def load_posts(work: Work) -> dict[int, tuple[PostHeld, ...]]:
    """Read all posts with the names of their people, by area; past and future ones too."""
    person, deputy, liaison = aliased(Person), aliased(Person), aliased(Person)
    query = (
        select(Post, person.name, person.public, deputy.name, liaison.name)
        .join(person, person.id == Post.person_id)
        .outerjoin(deputy, deputy.id == Post.deputy_id)
        .outerjoin(liaison, liaison.id == Post.liaison_id)
        .order_by(Post.area_id, Post.id)
    )
    found: dict[int, list[PostHeld]] = {}
    for post, name, public, deputy_name, liaison_name in work.session.execute(query):
        held = _post_held(post, name, public, deputy_name or "", liaison_name or "")
        found.setdefault(post.area_id, []).append(held)
    return {area_id: tuple(posts) for area_id, posts in found.items()}


def _post_held(post: Post, name: str, public: bool, deputy_name: str, liaison_name: str) -> PostHeld:
    return PostHeld(
        post_id=post.id,
        area_id=post.area_id,
        person_id=post.person_id,
        name=name,
        public=public,
        role=post.role,
        document=post.document,
        valid_from=post.valid_from,
        valid_to=post.valid_to,
        deputy_id=post.deputy_id,
        deputy_name=deputy_name,
        liaison_id=post.liaison_id,
        liaison_name=liaison_name,
    )
