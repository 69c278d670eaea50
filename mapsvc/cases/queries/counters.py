"""The numbers on top of pages and the dots on maps: over what the asker may see, each in one query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from sqlalchemy import ColumnElement, Select, and_, case, func, select

from mapsvc.cases.models import Case, CaseArea
from mapsvc.cases.queries.scope import is_open, is_overdue, visible_to
from mapsvc.cases.queries.views import CaseFilters, Counters, MapPoint
from mapsvc.cases.queries.worklist import conditions_of
from mapsvc.cases.rules.rulebook import Rulebook
from mapsvc.people.rules.actor import Actor
from mapsvc.storage.work import Work

MAX_POINTS = 20_000


@dataclass(frozen=True)
class Bounds:
    """The moments that cut lists and counters: the local day, and what counts as near."""

    day_begins: datetime
    day_ends: datetime
    near: datetime


def bounds_of(book: Rulebook, now: datetime) -> Bounds:
    """Return the bounds as they stand at a moment."""
    return Bounds(*local_day_bounds(book, now), now + book.near_due)


def counted_lists(bounds: Bounds) -> dict[str, CaseFilters]:
    """Return for each counter the list that it counts; a link from the number leads to that very list.

    History from an import is left out: nobody works on it.
    """
    lists = {
        "open": CaseFilters(open_only=True),
        "received": CaseFilters(states=("received",)),
        "to_sign": CaseFilters(states=("assigned",)),
        "sign_overdue": CaseFilters(sign_due=True),
        "in_progress": CaseFilters(states=("in_progress",)),
        "to_check": CaseFilters(states=("fixed",), checked=False),
        "to_close": CaseFilters(states=("fixed",), checked=True),
        "returned": CaseFilters(states=("returned",)),
        "suspended": CaseFilters(states=("suspended",)),
        "overdue": CaseFilters(overdue=True),
        "near_due": CaseFilters(due_before=bounds.near),
        "due_today": CaseFilters(due_before=bounds.day_ends),
        "unplaced": CaseFilters(open_only=True, unplaced=True),
        "edge": CaseFilters(open_only=True, edge=True),
        "handed_to_me": CaseFilters(handed=True),
        "whistle": CaseFilters(whistle="asked"),
        "new_today": CaseFilters(received_since=bounds.day_begins),
        "closed_today": CaseFilters(closed_since=bounds.day_begins),
    }
    return {name: replace(filters, include_historic=False) for name, filters in lists.items()}


def counters(work: Work, actor: Actor, book: Rulebook, area_id: int | None = None) -> Counters:
    """Return the counters over the cases that `actor` may see, of one area (any level) or all; one query.

    Each is counted by the conditions of its list. What is handed to an area still lies in another one, so
    that of one area it is counted apart.
    """
    bounds = bounds_of(book, work.now)
    lists = counted_lists(bounds)
    handed = conditions_of(replace(lists.pop("handed_to_me"), area_id=area_id), actor, work.now)
    within = [visible_to(actor), *conditions_of(CaseFilters(area_id=area_id, include_historic=False), actor, work.now)]
    # Each part goes through the one index that holds its cases, and no further.
    parts = {
        "new_today": _counted("received_at", *within, *conditions_of(lists.pop("new_today"), actor, work.now)),
        "closed_today": _counted("closed_at", *within, *conditions_of(lists.pop("closed_today"), actor, work.now)),
        "handed_to_me": _counted("handover_area_id", visible_to(actor), *handed),
    }
    counted = [_count(and_(*conditions_of(one, actor, work.now))).label(name) for name, one in lists.items()]
    statement = (
        select(*counted, *(part.scalar_subquery().label(name) for name, part in parts.items()))
        .where(*within, is_open())
        .with_hint(Case, "INDEXED BY ix_case_file_open", "sqlite")
    )
    found = {name: int(value) for name, value in work.session.execute(statement).one()._mapping.items()}
    share = found["edge"] / found["open"] if found["open"] else None
    return Counters(**found, edge_share=share)


def count_lists(work: Work, actor: Actor, lists: Mapping[str, CaseFilters]) -> dict[str, int]:
    """Return how many cases each list holds of what `actor` may see; one query, each list by its own conditions."""
    seen = visible_to(actor)
    counted = [
        select(func.count())
        .select_from(Case)
        .where(seen, *conditions_of(filters, actor, work.now))
        .scalar_subquery()
        .label(name)
        for name, filters in lists.items()
    ]
    return {name: int(number) for name, number in work.session.execute(select(*counted)).one()._mapping.items()}


def local_day_bounds(book: Rulebook, now: datetime) -> tuple[datetime, datetime]:
    """Return the moments at which the local day of `now` begins and ends."""
    calendar, day = book.calendar, book.local_day(now)
    return tuple(  # type: ignore[return-value]  # two of them
        calendar.instant(datetime.combine(each, time.min)) for each in (day, day + timedelta(days=1))
    )


def _counted(index: str, *conditions: ColumnElement[bool]) -> Select[int]:
    found = select(func.count()).select_from(Case).where(*conditions)
    return found.with_hint(Case, f"INDEXED BY ix_case_file_{index}", "sqlite")


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
    # The area is asked for case by case: a join is answered by reading all areas of all cases ever.
    area = select(CaseArea.area_id).where(CaseArea.case_id == Case.id, CaseArea.level == level).correlate(Case)
    found = (
        select(area.scalar_subquery().label("area_id"), is_overdue(work.now).label("overdue"))
        .where(visible_to(actor), is_open(), Case.historic.is_(False))
        .with_hint(Case, "INDEXED BY ix_case_file_open", "sqlite")
        .cte("found")
        .prefix_with("MATERIALIZED")
    )
    rows = work.session.execute(
        select(found.c.area_id, func.count(), _count(found.c.overdue))
        .where(found.c.area_id.is_not(None))
        .group_by(found.c.area_id)
    )
    return {area_id: (count, overdue) for area_id, count, overdue in rows}
