"""Ways into the table of cases: for each condition of a list the ids that an index gives, so that none reads it all.

A way holds at least the cases that its condition keeps. How many is counted up to a bound, which costs a look into
the index; the narrowest way leads, and only its cases are looked at. Where all are wide and what is asked for turns
out to be frequent, walking the cases in the order of the list (`order.walk`) finds a page of them soon.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, CompoundSelect, Select, func, select, true, union_all

from mapsvc.cases.models import Case, CaseArea
from mapsvc.cases.queries.scope import CLOSED, EMPTY, NONE, concerns, is_open
from mapsvc.cases.queries.views import CaseFilters
from mapsvc.cases.rules.cuts import Cut
from mapsvc.cases.rules.workflow import FIELD
from mapsvc.people.rules.actor import Actor
from mapsvc.people.rules.permissions import allows, scope
from mapsvc.storage.boxes import Box, cases_in_box
from mapsvc.storage.words import cases_with_words
from mapsvc.storage.work import Work

BOUND = 10_000
"""A way with more cases than this is wide: one in a hundred of a million."""

WORDS_BOUND = 10_000
"""The same for words, whose index is the slowest to count in."""

Parts: TypeAlias = list[Select[Any]]
Statement: TypeAlias = Select[Any] | CompoundSelect[Any]


@dataclass(frozen=True)
class Way:
    """A SELECT of case ids. `bound`: up to where it is counted. `scope`: what the asker may see, no filter."""

    ids: Statement
    bound: int = BOUND
    scope: bool = False

    @property
    def doubled(self) -> bool:
        """Whether one id may come twice."""
        return isinstance(self.ids, CompoundSelect)

    @property
    def own_conditions(self) -> ColumnElement[bool] | None:
        """The way as a condition on `Case`, by which no case is looked up twice; None where another table leads."""
        if isinstance(self.ids, CompoundSelect) or self.ids.get_final_froms() != [Case.__table__]:
            return None
        return self.ids.whereclause


@dataclass(frozen=True)
class Lead:
    """The way that leads, and whether it is narrow."""

    way: Way
    narrow: bool

    @property
    def worth_following(self) -> bool:
        """Whether it helps: who may see much finds what is theirs soon wherever one looks."""
        return self.narrow or not self.way.scope


def ways_to(work: Work, actor: Actor, filters: CaseFilters) -> list[Way]:
    """Return the ways that the filters and the scope of `actor` open, the quickest to go first."""
    text = filters.text.strip()
    return [
        *(_way(ids) for ids in _by_state(work, actor, filters)),
        *(_way(ids) for ids in _by_cut(filters.cut)),
        *(_way(ids) for ids in _by_column(work, filters)),
        *(_way(ids) for ids in _by_place(work, actor, filters)),
        *(_way(ids, WORDS_BOUND) for ids in (_by_text(work, text) if text else ())),
        *(replace(_way(ids), scope=True) for ids in _by_scope(actor)),
    ]


def narrowest(work: Work, ways: Sequence[Way]) -> Lead | None:
    """Return the way with the fewest cases, the first of equals; None where there is none. One query."""
    if not ways:
        return None
    counts = [
        select(func.count()).select_from(way.ids.limit(way.bound + 1).subquery()).scalar_subquery() for way in ways
    ]
    sizes = work.session.execute(select(*counts)).one()
    wide = [size > way.bound for size, way in zip(sizes, ways, strict=True)]
    first = min(range(len(ways)), key=lambda number: (wide[number], 0 if wide[number] else sizes[number]))
    return Lead(ways[first], not wide[first])


def _way(parts: Sequence[Select[Any]], bound: int = BOUND) -> Way:
    return Way(union_all(*parts) if len(parts) > 1 else parts[0], bound)


def _ids(*conditions: ColumnElement[bool]) -> Select[Any]:
    return select(Case.id).where(*conditions)


def _by_scope(actor: Actor) -> list[Parts]:
    """The cases that `scope.visible_to` lets through, unless these are all."""
    where = scope(actor, "case.view")
    if where.everywhere:
        return []
    parts: list[Select[Any]] = []
    if where.area_ids:
        parts += [_in_areas(where.area_ids), _offered_to(where.area_ids)]
    if where.unit_ids:
        parts.append(_ids(Case.unit_id.in_(sorted(where.unit_ids))))
    if where.own_user_id is not None:
        parts.append(_ids(Case.opened_by_user_id == where.own_user_id))
    if not where.is_empty and allows(actor, "case.unplaced"):
        parts.append(_ids(Case.unplaced.is_(true())))
    return [parts or [_ids(NONE)]]


def _in_areas(area_ids: frozenset[int]) -> Select[Any]:
    return select(CaseArea.case_id).where(CaseArea.area_id.in_(sorted(area_ids)))


def _offered_to(area_ids: frozenset[int]) -> Select[Any]:
    return _ids(Case.handover_area_id.in_(sorted(area_ids)))


def _by_place(work: Work, actor: Actor, filters: CaseFilters) -> list[Parts]:
    found: list[Parts] = []
    if filters.handed:
        found.append([_offered_to(frozenset(actor.areas_of(*FIELD) or ()))])
    if filters.area_id is not None:
        area = frozenset({filters.area_id})
        found.append([_offered_to(area) if filters.handed else _in_areas(area)])
    if filters.bbox is not None:
        west, south, east, north = filters.bbox
        spans = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
        found.append([cases_in_box(work, Box(left, south, right, north)) for left, right in spans])
    return found


def _by_state(work: Work, actor: Actor, filters: CaseFilters) -> list[Parts]:
    found: list[Parts] = []
    for wanted, conditions in (
        (filters.unplaced, [Case.unplaced.is_(true())]),
        (filters.edge or filters.may_change_side, [Case.edge.is_(true())]),
        (filters.overdue, [is_open(), Case.due_at < work.now]),
        (filters.sign_due, [is_open(), Case.state == "assigned"]),
        (filters.states and "closed" not in filters.states, [is_open(), Case.state.in_(filters.states)]),
        (filters.open_only, [is_open()]),
    ):
        if wanted:
            found.append([_ids(*conditions)])
    if filters.due_before is not None:
        found.append([_ids(is_open(), Case.due_at >= work.now, Case.due_at < filters.due_before)])
    if filters.mine:
        found.append([_ids(is_open(), part) for part in concerns(actor)] or [_ids(NONE)])
    return found


def _by_cut(cut: Cut | None) -> list[Parts]:
    """The cases of the span of a figure: those that came in, fell due or were mended in it."""
    if cut is None:
        return []
    if cut.population.startswith("due"):
        span = (Case.due_at >= cut.since, Case.due_at < cut.end)
        return [[_ids(is_open(), *span), _ids(Case.state == CLOSED, *span)]]
    moment = Case.fixed_at if cut.population == "mended" else Case.received_at
    return [[_ids(moment >= cut.since, moment < cut.end)]]


def _by_column(work: Work, filters: CaseFilters) -> list[Parts]:
    found: list[Parts] = []
    for column, value in (
        (Case.owner_person_id, filters.person_id),
        (Case.unit_id, filters.unit_id),
        (Case.owner_area_id, filters.owner_area_id),
        (Case.whistle, filters.whistle),
        (Case.channel, filters.channel),
    ):
        if value:
            found.append([_ids(column == value)])
    if filters.category:
        found.append([_begins_with(work, filters.category)])
    if filters.outcome:
        found.append([_ids(Case.outcome != EMPTY, Case.outcome == filters.outcome)])
    for moment, since in (
        (Case.closed_at, filters.closed_since),
        (Case.received_at, filters.received_since),
        (Case.updated_at, filters.since),
    ):
        if since is not None:
            found.append([_ids(moment >= since)])
    return found


def _begins_with(work: Work, code: str) -> Select[Any]:
    """The cases whose category begins with a code, byte by byte, so that it is a range of the index."""
    after = code + "\U0010ffff"
    if work.on_sqlite:
        return _ids(Case.category >= code, Case.category < after)
    return _ids(Case.category.op("~>=~")(code), Case.category.op("~<~")(after))


def _by_text(work: Work, text: str) -> list[Parts]:
    words = cases_with_words(work, text)
    return [] if words is None else [[_ids(Case.number == text), _ids(Case.source_number == text), words]]
