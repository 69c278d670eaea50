"""Open cases as a hand-over reads them: in pages by id, and then the few that differ, with what made them so."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import false, func, or_, select

from mapsvc.areas.models import Area, AreaVersion
from mapsvc.cases.models import Assignment, Case, CaseArea, CaseEvent, Deadline
from mapsvc.cases.queries.scope import is_open, published
from mapsvc.cases.rules.hand_over import CAUSES
from mapsvc.storage.work import Work


@dataclass(frozen=True)
class OpenCase:
    """An open case that lies somewhere or belongs to somebody; `areas` by level."""

    id: int
    category: str
    lon: float | None
    lat: float | None
    edge: bool
    owner_area_id: int | None
    owner_person_id: int | None
    area_version_id: int | None
    areas: dict[str, int]


@dataclass(frozen=True)
class Standing:
    """A case with the areas that hold it and its basis: the last assignment that was no hand-over."""

    case: Case
    areas: dict[str, int]
    rule: str
    area_id: int | None
    sequence: int


def list_open_cases(
    work: Work, after: int, limit: int, area_ids: Collection[int] | None = None
) -> tuple[OpenCase, ...]:
    """Return open cases with ids above `after`, ascending; with `area_ids` only those that one of these holds."""
    asked = (
        select(
            Case.id, Case.category, Case.lon, Case.lat, Case.edge,
            Case.owner_area_id, Case.owner_person_id, Case.area_version_id,
        )
        .where(
            Case.id > after,
            is_open(),
            published(),
            Case.historic == false(),
            or_(Case.lon.is_not(None), Case.owner_area_id.is_not(None)),
        )
        .order_by(Case.id)
        .limit(limit)
    )  # fmt: skip
    if area_ids is not None:
        asked = asked.where(Case.id.in_(select(CaseArea.case_id).where(CaseArea.area_id.in_(sorted(area_ids)))))
    rows = work.session.execute(asked).all()
    areas = _areas(work, [row.id for row in rows])
    return tuple(OpenCase(*row, areas=areas.get(row.id, {})) for row in rows)


def load_standings(work: Work, case_ids: Sequence[int]) -> tuple[Standing, ...]:
    """Return open cases by id, under a lock where the work writes; those closed meanwhile are left out."""
    asked = select(Case).where(Case.id.in_(case_ids), is_open()).order_by(Case.id)
    if work.writing:
        asked = asked.with_for_update().execution_options(populate_existing=True)
    cases = work.session.scalars(asked).all()
    areas = _areas(work, case_ids)
    newest = (
        select(func.max(Assignment.id))
        .where(Assignment.case_id.in_(case_ids), Assignment.rule.not_in(CAUSES))
        .group_by(Assignment.case_id)
    )
    found = work.session.execute(
        select(Assignment.case_id, Assignment.rule, Assignment.area_id).where(Assignment.id.in_(newest))
    )
    bases = {case_id: (rule, area_id) for case_id, rule, area_id in found}
    counted = work.session.execute(
        select(CaseEvent.case_id, func.max(CaseEvent.sequence))
        .where(CaseEvent.case_id.in_(case_ids))
        .group_by(CaseEvent.case_id)
    )
    sequences = {row[0]: row[1] for row in counted.all()}
    return tuple(
        Standing(case, areas.get(case.id, {}), *bases.get(case.id, ("none", None)), sequences.get(case.id, 0))
        for case in cases
    )


def running_clocks(work: Work, case_ids: Sequence[int], clock: str) -> dict[int, Deadline]:
    """Return by case the row of a clock that was not replaced, met or not."""
    asked = select(Deadline).where(
        Deadline.case_id.in_(case_ids), Deadline.clock == clock, Deadline.replaced_at.is_(None)
    )
    return {row.case_id: row for row in work.session.scalars(asked.order_by(Deadline.id))}


def area_names(work: Work, version_ids: Collection[int]) -> dict[int, str]:
    """Return the names that areas have in some versions, by area; one without a name by its code."""
    rows = work.session.execute(
        select(AreaVersion.area_id, AreaVersion.name, Area.code)
        .join(Area, Area.id == AreaVersion.area_id)
        .where(AreaVersion.id.in_(sorted(version_ids)))
    )
    return {area_id: name or code for area_id, name, code in rows}


def _areas(work: Work, case_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    rows = work.session.execute(
        select(CaseArea.case_id, CaseArea.level, CaseArea.area_id).where(CaseArea.case_id.in_(case_ids))
    )
    found: dict[int, dict[str, int]] = {}
    for case_id, level, area_id in rows:
        found.setdefault(case_id, {})[level] = area_id
    return found
