"""Areas with their borders, for maps, the API, exports and pages; by date, paged by code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shapely.geometry.base import BaseGeometry
from sqlalchemy import func, select

from mapsvc.areas.models import Area, AreaVersion, AreaVersionParent, Border, Generation
from mapsvc.areas.queries.state import in_force
from mapsvc.base.errors import NotFound
from mapsvc.storage.boxes import Box, borders_in_box
from mapsvc.storage.work import Work

LARGEST_PAGE = 5_000
EXPORT_BATCH = 2_000


@dataclass(frozen=True)
class AreaVersionView:
    """One version of an area. `border` is in degrees, WGS 84; at `valid_to` it holds no longer."""

    area_id: int
    version_id: int
    level: str
    code: str
    name: str
    kind: str
    households: int | None
    generation: int
    valid_from: datetime | None
    valid_to: datetime | None
    label_lon: float
    label_lat: float
    area_m2: float | None
    border: BaseGeometry | None
    parents: Mapping[str, str] = field(default_factory=dict)
    """Codes of the parents by level."""


@dataclass(frozen=True)
class AreaPage:
    """One page in the order of codes; `next_code` continues after it, None at the end."""

    areas: tuple[AreaVersionView, ...]
    next_code: str | None


def find_size_m2(work: Work, version_id: int) -> float | None:
    """Return the size of an area version that has a drawn border of its own; None for a union of finer ones."""
    return work.session.scalar(
        select(Border.area_m2).join(AreaVersion, AreaVersion.border_id == Border.id).where(AreaVersion.id == version_id)
    )


def list_areas(
    work: Work,
    level: str,
    moment: datetime,
    *,
    box: Box | None = None,
    after_code: str = "",
    limit: int = 1_000,
) -> AreaPage:
    """List areas of a level in force at a moment, a page at a time; `box` keeps those whose box meets it.

    Two queries a page, whatever its size. The order is that of the database's own comparison of codes.
    """
    limit = max(1, min(limit, LARGEST_PAGE))
    query = _select().where(Area.level == level, in_force(moment), Area.code > after_code)
    if box is not None:
        query = query.where(AreaVersion.border_id.in_(borders_in_box(work, box)))
    rows = work.session.execute(query.order_by(Area.code).limit(limit + 1)).all()
    views = _views(work, rows[:limit])
    return AreaPage(views, views[-1].code if len(rows) > limit else None)


def iter_areas(work: Work, level: str, moment: datetime) -> Iterator[tuple[AreaVersionView, ...]]:
    """Yield all areas of a level in force at a moment in batches, in bounded memory; for exports."""
    after = ""
    while True:
        page = list_areas(work, level, moment, after_code=after, limit=EXPORT_BATCH)
        if page.areas:
            yield page.areas
        if page.next_code is None:
            return
        after = page.next_code


def find_area(work: Work, level: str, code: str, moment: datetime) -> AreaVersionView | None:
    """Return an area in force at a moment by its code, or None."""
    query = _select().where(Area.level == level, Area.code == code, in_force(moment))
    return next(iter(_views(work, work.session.execute(query).all())), None)


def get_area(work: Work, level: str, code: str, moment: datetime) -> AreaVersionView:
    """Return an area in force at a moment by its code; an unknown one raises `NotFound`."""
    found = find_area(work, level, code, moment)
    if found is None:
        raise NotFound(
            "unknown_area",
            f"There is no {level} with the code {code}.",
            hint="Codes are those of the imported borders; `mapsvc areas export` lists them.",
            detail={"level": level, "code": code},
        )
    return found


def list_areas_by_id(work: Work, area_ids: Sequence[int], moment: datetime) -> tuple[AreaVersionView, ...]:
    """Return the areas in force among those named, in the order of level and code."""
    query = _select().where(Area.id.in_(list(area_ids)), in_force(moment)).order_by(Area.level, Area.code)
    return _views(work, work.session.execute(query).all())


def count_areas(work: Work, moment: datetime) -> dict[str, int]:
    """Count the areas in force at a moment by level."""
    query = (
        select(Area.level, func.count())
        .join(AreaVersion, AreaVersion.area_id == Area.id)
        .where(in_force(moment))
        .group_by(Area.level)
    )
    return dict(work.session.execute(query).all())


def list_versions(work: Work, area_id: int) -> tuple[AreaVersionView, ...]:
    """Return all published versions of an area, the latest first; technical ones too."""
    published = select(Generation.number).where(Generation.published_at.is_not(None))
    query = (
        _select()
        .where(AreaVersion.area_id == area_id, AreaVersion.generation.in_(published))
        .order_by(AreaVersion.generation.desc())
    )
    return _views(work, work.session.execute(query).all())


@dataclass(frozen=True)
class GenerationView:
    """One generation of borders (界线版次), published or not."""

    number: int
    level: str
    effective_from: datetime | None
    started_at: datetime
    published_at: datetime | None
    abandoned_at: datetime | None
    independent: tuple[str, ...]
    note: str
    report: Mapping[str, Any]


def list_generations(work: Work) -> tuple[GenerationView, ...]:
    """Return all generations, the latest number first."""
    rows = work.session.scalars(select(Generation).order_by(Generation.number.desc()))
    return tuple(
        GenerationView(
            row.number,
            row.level,
            row.effective_from,
            row.started_at,
            row.published_at,
            row.abandoned_at,
            tuple(row.independent),
            row.note,
            row.report,
        )
        for row in rows
    )


def _select() -> Any:
    return (
        select(AreaVersion, Area.level, Area.code, Border.geometry, Border.area_m2)
        .join(Area, Area.id == AreaVersion.area_id)
        .outerjoin(Border, Border.id == AreaVersion.border_id)
    )


def _views(work: Work, rows: Sequence[Any]) -> tuple[AreaVersionView, ...]:
    links = (
        select(AreaVersionParent.version_id, AreaVersionParent.level, Area.code)
        .join(Area, Area.id == AreaVersionParent.parent_area_id)
        .where(AreaVersionParent.version_id.in_([row[0].id for row in rows]))
    )
    parents: dict[int, dict[str, str]] = {}
    if rows:
        for version_id, level, code in work.session.execute(links):
            parents.setdefault(version_id, {})[level] = code
    return tuple(
        AreaVersionView(
            area_id=version.area_id,
            version_id=version.id,
            level=level,
            code=code,
            name=version.name,
            kind=version.kind,
            households=version.households,
            generation=version.generation,
            valid_from=version.valid_from,
            valid_to=version.valid_to,
            label_lon=version.label_lon,
            label_lat=version.label_lat,
            area_m2=area_m2,
            border=border,
            parents=parents.get(version.id, {}),
        )
        for version, level, code, border, area_m2 in rows
    )
