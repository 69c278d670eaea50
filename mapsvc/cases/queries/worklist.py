"""The work list: filtered and sorted in SQL, paged by key, counted up to a cap; two queries whatever is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Row, Select, and_, case, false, func, literal, or_, select, true

from mapsvc.areas.models import Area, AreaVersion
from mapsvc.base.errors import InvalidInput
from mapsvc.cases.models import Case, CaseArea
from mapsvc.cases.queries.cursors import Cursor, read_cursor, write_cursor
from mapsvc.cases.queries.cuts import in_cut, in_part
from mapsvc.cases.queries.scope import is_open, is_overdue, is_running, visible_to
from mapsvc.cases.queries.views import CaseFilters, CaseRow, Page
from mapsvc.cases.rules.workflow import FIELD
from mapsvc.people.models import Person, Unit
from mapsvc.people.rules.actor import Actor
from mapsvc.storage.work import Work

MAX_LIMIT = 200
COUNT_CAP = 10_000
SORTS = ("urgency", "newest")
Selected: TypeAlias = Select[*tuple[Any, ...]]


def list_cases(
    work: Work, actor: Actor, filters: CaseFilters, cursor: str | None = None, limit: int = 50, *, counted: bool = True
) -> Page:
    """Return one page of the cases that `actor` may see, and the cursor of the next.

    Sorted by urgency: overdue first, then the other open ones, then the closed; each by due time.
    The order is that of the moment the first page was asked for, so that paging neither repeats nor skips.
    Without `counted` the count is 0 and costs nothing.
    """
    if filters.sort not in SORTS:
        raise InvalidInput("unknown_sort", f"There is no order {filters.sort!r}.", hint=f"Use {' or '.join(SORTS)}.")
    limit = max(1, min(limit, MAX_LIMIT))
    after = read_cursor(cursor, filters.sort) if cursor else None
    asked_at = after.asked_at if after else work.now
    conditions = [visible_to(actor), *conditions_of(filters, actor, work.now)]
    rank, moment = _order(filters.sort, asked_at)
    counts = in_part(filters.cut) if filters.cut is not None else false()
    statement = (
        select_rows(work.now)
        .add_columns(counts.label("marked"), rank.label("rank"), moment.label("at"))
        .where(*conditions)
    )
    if after is not None:
        statement = statement.where(_beyond(filters.sort, rank, moment, after))
    found = work.session.execute(_sorted(statement, filters.sort, rank, moment).limit(limit + 1)).all()
    # The list of a figure has exactly as many rows as the figure says, however many.
    cap = COUNT_CAP if filters.cut is None else None
    count = _count(work, conditions, cap) if counted else 0
    rows = tuple(replace(as_row(row), marked=bool(row.marked)) for row in found[:limit])
    following = None
    if len(found) > limit:
        last = found[limit - 1]
        following = write_cursor(Cursor(filters.sort, asked_at, last.rank, last.at, last.Case.id))
    return Page(rows, following, count if cap is None else min(count, cap), cap is not None and count > cap)


def list_unplaced(work: Work, actor: Actor, cursor: str | None = None, limit: int = 50) -> Page:
    """Return the tray of open cases that lie in no area, the most urgent first."""
    return list_cases(work, actor, CaseFilters(unplaced=True, open_only=True, include_historic=False), cursor, limit)


def _count(work: Work, conditions: Sequence[ColumnElement[bool]], cap: int | None) -> int:
    found = select(Case.id).where(*conditions)
    capped = (found if cap is None else found.limit(cap + 1)).subquery()
    return work.session.scalar(select(func.count()).select_from(capped)) or 0


def select_rows(now: datetime) -> Selected:
    """Return the selection of work-list rows without any condition; `as_row` reads them."""
    return (
        select(
            Case,
            is_overdue(now).label("overdue"),
            Area.level,
            Area.code,
            AreaVersion.name.label("area_name"),
            Person.name.label("person_name"),
            Unit.name.label("unit_name"),
            Unit.phone.label("unit_phone"),
        )
        .outerjoin(Area, Area.id == Case.owner_area_id)
        .outerjoin(AreaVersion, AreaVersion.id == Case.area_version_id)
        .outerjoin(Person, Person.id == Case.owner_person_id)
        .outerjoin(Unit, Unit.id == Case.unit_id)
    )


def _order(sort: str, asked_at: datetime) -> tuple[ColumnElement[int], ColumnElement[Any]]:
    if sort == "newest":
        return literal(0), Case.received_at.expression
    rank = case((Case.state == "closed", 2), (is_overdue(asked_at), 0), else_=1)
    return rank, Case.due_at.expression


def _sorted(statement: Selected, sort: str, rank: ColumnElement[int], moment: ColumnElement[Any]) -> Selected:
    if sort == "newest":
        return statement.order_by(moment.desc(), Case.id.desc())
    return statement.order_by(rank, moment.asc().nulls_last(), Case.id)


def _beyond(sort: str, rank: ColumnElement[int], moment: ColumnElement[Any], after: Cursor) -> ColumnElement[bool]:
    """Whether a row comes after the cursor in the order of `_sorted`."""
    if sort == "newest":
        return or_(moment < after.at, and_(moment == after.at, Case.id < after.id))
    if after.at is None:
        same_rank = and_(moment.is_(None), Case.id > after.id)
    else:
        same_rank = or_(moment > after.at, moment.is_(None), and_(moment == after.at, Case.id > after.id))
    return or_(rank > after.rank, and_(rank == after.rank, same_rank))


def conditions_of(filters: CaseFilters, actor: Actor, now: datetime) -> list[ColumnElement[bool]]:
    """Return the filters as conditions on `Case`; scope is not among them."""
    found: list[ColumnElement[bool]] = []
    if filters.area_id is not None and filters.handed:
        found.append(Case.handover_area_id == filters.area_id)
    elif filters.area_id is not None:
        found.append(Case.id.in_(select(CaseArea.case_id).where(CaseArea.area_id == filters.area_id)))
    if filters.states:
        found.append(Case.state.in_(filters.states))
    for column, value in (
        (Case.outcome, filters.outcome),
        (Case.channel, filters.channel),
        (Case.unit_id, filters.unit_id),
        (Case.owner_area_id, filters.owner_area_id),
        (Case.whistle, filters.whistle),
        (Case.owner_person_id, filters.person_id),
    ):
        if value:
            found.append(column == value)
    if filters.category:
        found.append(Case.category.startswith(filters.category, autoescape=True))
    for wanted, condition in (
        (filters.open_only, is_open()),
        (filters.overdue, is_overdue(now)),
        (filters.sign_due, and_(Case.state == "assigned", Case.sign_due_at < now)),
        (filters.checked is True, Case.checked_by_user_id.is_not(None)),
        (filters.checked is False, Case.checked_by_user_id.is_(None)),
        (filters.dispatched is True, Case.unit_id.is_not(None)),
        (filters.dispatched is False, Case.unit_id.is_(None)),
        (filters.other_owner_than is not None, Case.owner_area_id != filters.other_owner_than),
        (filters.may_change_side, _may_change_side()),
        (bool(filters.whistle), is_open()),
        (filters.handed, is_handed_to(actor)),
        (filters.unplaced, Case.unplaced.is_(true())),
        (filters.edge, Case.edge.is_(true())),
        (not filters.include_historic, Case.historic.is_(false())),
    ):
        if wanted:
            found.append(condition)
    if filters.due_before is not None:
        found += [is_running(), Case.due_at >= now, Case.due_at < filters.due_before]
    for moment, since in (
        (Case.updated_at, filters.since),
        (Case.received_at, filters.received_since),
        (Case.closed_at, filters.closed_since),
    ):
        if since is not None:
            found.append(moment >= since)
    if filters.channels:
        found.append(Case.channel.in_(filters.channels))
    if filters.cut is not None:
        found.append(in_cut(filters.cut))
    if filters.mine:
        found.append(is_mine(actor))
    if filters.bbox is not None:
        found.append(_in_box(filters.bbox))
    if filters.text.strip():
        found.append(_holds_text(filters.text.strip()))
    return found


def is_handed_to(actor: Actor) -> ColumnElement[bool]:
    """Whether an open case is offered to an area for which this very actor answers (移交给我)."""
    return and_(is_open(), Case.handover_area_id.in_(sorted(actor.areas_of(*FIELD) or ())))


def is_mine(actor: Actor) -> ColumnElement[bool]:
    """Whether a case waits for this very actor: owned by their area or person, their unit's, or offered to them."""
    parts: list[ColumnElement[bool]] = []
    areas = actor.areas_of(*FIELD)
    if areas:
        parts += [Case.owner_area_id.in_(sorted(areas)), Case.handover_area_id.in_(sorted(areas))]
    persons = {held.for_person_id for held in actor.roles if held.for_person_id is not None}
    if actor.person_id is not None:
        persons.add(actor.person_id)
    if persons:
        parts.append(Case.owner_person_id.in_(sorted(persons)))
    if actor.unit_ids:
        parts.append(Case.unit_id.in_(sorted(actor.unit_ids)))
    if actor.user_id is not None:
        parts.append(Case.opened_by_user_id == actor.user_id)
    return and_(is_open(), or_(*parts)) if parts else false()


def _may_change_side() -> ColumnElement[bool]:
    """Whether an edge case may be offered to its other side: once, while somebody works on it, and to one at a time."""
    at_work = Case.state.in_(("assigned", "in_progress"))
    return and_(Case.edge.is_(true()), Case.sides_changed == 0, Case.handover_area_id.is_(None), at_work)


def _in_box(bbox: tuple[float, float, float, float]) -> ColumnElement[bool]:
    west, south, east, north = bbox
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
        raise InvalidInput("bad_bbox", "A box is west,south,east,north in degrees.", hint="Longitude comes first.")
    if west > east:  # a box across the antimeridian, as RFC 7946 section 5.2 has it
        return and_(Case.lat.between(south, north), or_(Case.lon >= west, Case.lon <= east))
    return and_(Case.lon.between(west, east), Case.lat.between(south, north))


def _holds_text(text: str) -> ColumnElement[bool]:
    return or_(
        Case.number == text,
        Case.source_number == text,
        Case.description.icontains(text, autoescape=True),
        Case.place_text.icontains(text, autoescape=True),
    )


def as_row(row: Row[Any]) -> CaseRow:
    """Return one line from what `select_rows` selected."""
    found: Case = row.Case
    return CaseRow(
        id=found.id,
        uuid=found.uuid,
        number=found.number,
        source_number=found.source_number,
        category=found.category,
        condition=found.condition,
        workflow=found.workflow,
        channel=found.channel,
        state=found.state,
        outcome=found.outcome,
        overdue=bool(row.overdue),
        unplaced=found.unplaced,
        edge=found.edge,
        historic=found.historic,
        description=found.description,
        place_text=found.place_text,
        owner=found.owner,
        lon=found.lon,
        lat=found.lat,
        area_id=found.owner_area_id,
        area_level=row.level or "",
        area_code=row.code or "",
        area_name=row.area_name or "",
        person_name=row.person_name or "",
        unit_name=row.unit_name or "",
        observed_at=found.observed_at,
        received_at=found.received_at,
        updated_at=found.updated_at,
        closed_at=found.closed_at,
        due_at=found.due_at,
        sign_due_at=found.sign_due_at,
        reworks=found.reworks,
        version=found.version,
        unit_phone=row.unit_phone or "",
        whistle=found.whistle,
        handover_area_id=found.handover_area_id,
        sides_changed=found.sides_changed,
    )
