"""The work list: filtered and sorted in SQL, paged by key, counted up to a cap; never by reading all cases.

`ways` says how the cases are found; where no way is narrow they are walked in the order of the list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Row, Select, and_, false, func, or_, select, true

from mapsvc.areas.models import Area, AreaVersion
from mapsvc.base.errors import InvalidInput
from mapsvc.cases.models import Case
from mapsvc.cases.queries.cursors import Cursor, read_cursor, write_cursor
from mapsvc.cases.queries.cuts import in_cut, in_part
from mapsvc.cases.queries.order import Order, count_newest, follow, walk
from mapsvc.cases.queries.scope import NONE, concerns, is_open, is_overdue, is_running, lies_in, visible_to
from mapsvc.cases.queries.views import CaseFilters, CaseRow, Page
from mapsvc.cases.queries.ways import Lead, narrowest, ways_to
from mapsvc.cases.rules.workflow import FIELD
from mapsvc.people.models import Person, Unit
from mapsvc.people.rules.actor import Actor
from mapsvc.storage.work import Work

MAX_LIMIT = 1000
COUNT_CAP = 10_000
UNCAPPED = 2**31
WIDE_COUNT_CAP = 2_000
"""Up to where cases are counted that are found among more than `ways.BOUND` candidates."""
SORTS = ("urgency", "newest")
Selected: TypeAlias = Select[*tuple[Any, ...]]


def list_cases(
    work: Work, actor: Actor, filters: CaseFilters, cursor: str | None = None, limit: int = 50, *, counted: bool = True
) -> Page:
    """Return one page of the cases that `actor` may see, and the cursor of the next.

    Sorted by urgency: overdue first, then the other open ones, then the closed; each by due time.
    The order is that of the moment the first page was asked for, so that paging neither repeats nor skips.
    Without `counted` the count is 0 and costs nothing. Three to eight queries, however many cases there are.
    """
    if filters.sort not in SORTS:
        raise InvalidInput("unknown_sort", f"There is no order {filters.sort!r}.", hint=f"Use {' or '.join(SORTS)}.")
    limit = max(1, min(limit, MAX_LIMIT))
    after = read_cursor(cursor, filters.sort) if cursor else None
    asked_at = after.asked_at if after else work.now
    conditions = [visible_to(actor), *conditions_of(filters, actor, work.now)]
    order = Order(filters.sort, asked_at)
    lead = narrowest(work, ways_to(work, actor, filters))
    cap = _cap(filters, lead)
    hits = None
    if lead is not None and lead.worth_following and (counted or lead.narrow):
        hits = follow(work, lead, conditions, order, after, limit + 1, most=cap + 1)
    if hits is not None and hits.total <= cap:
        found, count = hits.page, hits.total
    else:  # what is asked for is so frequent that a page of it is found soon
        found = walk(work, conditions, order, after, limit + 1)
        count = hits.total if hits else count_newest(work, conditions, cap + 1) if counted else 0
    rows = _rows(work, filters, [place.id for place in found[:limit]])
    following = None
    if len(found) > limit:
        last = found[limit - 1]
        following = write_cursor(Cursor(filters.sort, asked_at, last.rank, last.at, last.id))
    return Page(rows, following, min(count, cap) if counted else 0, counted and count > cap)


def _cap(filters: CaseFilters, lead: Lead | None) -> int:
    """Return up to where a list is counted; that of a figure has exactly as many rows as the figure says."""
    if filters.cut is not None:
        return UNCAPPED
    return COUNT_CAP if lead is None or lead.narrow else WIDE_COUNT_CAP


def _rows(work: Work, filters: CaseFilters, ids: Sequence[int]) -> tuple[CaseRow, ...]:
    if not ids:
        return ()
    counts = in_part(filters.cut) if filters.cut is not None else NONE
    statement = select_rows(work.now).add_columns(counts.label("marked")).where(Case.id.in_(ids))
    by_id = {row.Case.id: replace(as_row(row), marked=bool(row.marked)) for row in work.session.execute(statement)}
    return tuple(by_id[number] for number in ids)


def list_unplaced(work: Work, actor: Actor, cursor: str | None = None, limit: int = 50) -> Page:
    """Return the tray of open cases that lie in no area, the most urgent first."""
    return list_cases(work, actor, CaseFilters(unplaced=True, open_only=True, include_historic=False), cursor, limit)


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


def conditions_of(filters: CaseFilters, actor: Actor, now: datetime) -> list[ColumnElement[bool]]:
    """Return the filters as conditions on `Case`; scope is not among them."""
    found: list[ColumnElement[bool]] = []
    if filters.area_id is not None and filters.handed:
        found.append(Case.handover_area_id == filters.area_id)
    elif filters.area_id is not None:
        found.append(lies_in(filters.area_id))
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
        found.append(func.substr(Case.category, 1, len(filters.category)) == filters.category)
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
    parts = concerns(actor)
    return and_(is_open(), or_(*parts)) if parts else NONE


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
