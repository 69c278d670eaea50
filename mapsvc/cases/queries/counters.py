"""The numbers on top of pages and the dots on maps: over what the asker may see, each in one query."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select, true

from mapsvc.cases.models import Case, CaseArea
from mapsvc.cases.queries.scope import is_open, is_overdue, visible_to
from mapsvc.cases.queries.views import CaseFilters, Counters, MapPoint
from mapsvc.cases.queries.worklist import conditions_of
from mapsvc.cases.rules.rulebook import Rulebook
from mapsvc.people.rules.actor import Actor
from mapsvc.storage.work import Work

MAX_POINTS = 20_000


def counters(work: Work, actor: Actor, book: Rulebook, area_id: int | None = None) -> Counters:
    """Return the counters over the cases that `actor` may see, of one area (any level) or all; one query.

    History from an import is left out: nobody works on it.
    """
    today, tomorrow = local_day_bounds(book, work.now)
    running = and_(is_open(), Case.state != "suspended")
    areas = sorted(actor.areas_of("area_chief", "grid_chief", "liaison", "street") or ())
    counted: dict[str, ColumnElement[Any]] = {
        "open": _count(is_open()),
        "received": _count(Case.state == "received"),
        "to_sign": _count(Case.state == "assigned"),
        "sign_overdue": _count(and_(Case.state == "assigned", Case.sign_due_at < work.now)),
        "in_progress": _count(Case.state == "in_progress"),
        "to_check": _count(and_(Case.state == "fixed", Case.checked_by_user_id.is_(None))),
        "to_close": _count(and_(Case.state == "fixed", Case.checked_by_user_id.is_not(None))),
        "returned": _count(Case.state == "returned"),
        "suspended": _count(Case.state == "suspended"),
        "overdue": _count(is_overdue(work.now)),
        "near_due": _count(and_(running, Case.due_at >= work.now, Case.due_at < work.now + book.near_due)),
        "due_today": _count(and_(running, Case.due_at >= work.now, Case.due_at < tomorrow)),
        "unplaced": _count(and_(is_open(), Case.unplaced.is_(true()))),
        "edge": _count(and_(is_open(), Case.edge.is_(true()))),
        "handed_to_me": _count(and_(is_open(), Case.handover_area_id.in_(areas))),
        "new_today": _count(Case.received_at >= today),
        "closed_today": _count(Case.closed_at >= today),
    }
    statement = select(*(column.label(name) for name, column in counted.items())).where(
        visible_to(actor), Case.historic.is_(False), or_(is_open(), Case.closed_at >= today, Case.received_at >= today)
    )
    if area_id is not None:
        statement = statement.where(Case.id.in_(select(CaseArea.case_id).where(CaseArea.area_id == area_id)))
    found = {name: int(value) for name, value in work.session.execute(statement).one()._mapping.items()}
    share = found["edge"] / found["open"] if found["open"] else None
    return Counters(**found, edge_share=share)


def local_day_bounds(book: Rulebook, now: datetime) -> tuple[datetime, datetime]:
    """Return the moments at which the local day of `now` begins and ends."""
    calendar, day = book.calendar, book.local_day(now)
    return tuple(  # type: ignore[return-value]  # two of them
        calendar.instant(datetime.combine(each, time.min)) for each in (day, day + timedelta(days=1))
    )


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def list_points(work: Work, actor: Actor, filters: CaseFilters, limit: int = MAX_POINTS) -> tuple[MapPoint, ...]:
    """Return placed cases as dots, the newest first, at most `limit`; one query."""
    rows = work.session.execute(
        select(Case.id, Case.uuid, Case.lon, Case.lat, Case.category, Case.state, is_overdue(work.now), Case.edge)
        .where(visible_to(actor), Case.lon.is_not(None), *conditions_of(filters, actor, work.now))
        .order_by(Case.received_at.desc(), Case.id.desc())
        .limit(min(limit, MAX_POINTS))
    )
    return tuple(
        MapPoint(row, uuid, lon, lat, category, state, bool(overdue), edge)
        for row, uuid, lon, lat, category, state, overdue, edge in rows
        if lon is not None and lat is not None
    )


def count_open_by_area(work: Work, actor: Actor, level: str) -> dict[int, tuple[int, int]]:
    """Return for each area of a level how many of its cases are open and how many of these overdue; one query."""
    rows = work.session.execute(
        select(CaseArea.area_id, func.count(), _count(is_overdue(work.now)))
        .join(Case, Case.id == CaseArea.case_id)
        .where(CaseArea.level == level, visible_to(actor), is_open(), Case.historic.is_(False))
        .group_by(CaseArea.area_id)
    )
    return {area_id: (count, overdue) for area_id, count, overdue in rows}
