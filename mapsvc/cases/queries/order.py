"""The orders of the work list, and the two ways of going through them: along a narrow way, or by an index in order.

A page is ids in their order; whoever asks reads the rows of these alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    any_,
    case,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
)

from mapsvc.cases.models import Case
from mapsvc.cases.queries.cursors import Cursor
from mapsvc.cases.queries.scope import CLOSED, is_open, is_overdue
from mapsvc.cases.queries.ways import Lead, Way
from mapsvc.storage.types import UtcDateTime
from mapsvc.storage.work import Work


@dataclass(frozen=True)
class Place:
    """Where a case stands in an order."""

    id: int
    rank: int
    at: datetime | None


@dataclass(frozen=True)
class Stretch:
    """A piece of an order that one index holds in this very order; `timed`: by the moment, else by the id alone."""

    rank: int
    timed: bool
    index: str
    condition: ColumnElement[bool]


@dataclass(frozen=True)
class Order:
    """`urgency` (overdue, other open, closed; each by due time, without one last) or `newest`, as of a moment."""

    sort: str
    asked_at: datetime

    @property
    def newest(self) -> bool:
        """Whether the newest come first."""
        return self.sort == "newest"

    @property
    def moment(self) -> ColumnElement[Any]:
        """The moment by which cases of one rank are sorted."""
        return Case.received_at.expression if self.newest else Case.due_at.expression

    @property
    def rank(self) -> ColumnElement[int]:
        """The rank of a case."""
        if self.newest:
            return literal(0)
        return case((Case.state == CLOSED, 2), (is_overdue(self.asked_at), 0), else_=1)

    def stretches(self) -> tuple[Stretch, ...]:
        """Return the pieces of the order, first to last; every case is in exactly one."""
        if self.newest:
            return (Stretch(0, True, "ix_case_file_received_at", true()),)
        timed, closed = Case.due_at.is_not(None), Case.state == CLOSED
        # Not `not overdue`: what has no due time would be neither.
        waits = or_(Case.due_at >= self.asked_at, Case.state == "suspended", Case.historic.is_(true()))
        return (
            Stretch(0, True, "ix_case_file_open", and_(is_open(), is_overdue(self.asked_at))),
            Stretch(1, True, "ix_case_file_open", and_(is_open(), timed, waits)),
            Stretch(1, False, "ix_case_file_open", and_(is_open(), Case.due_at.is_(None))),
            Stretch(2, True, "ix_case_file_closed", and_(closed, timed)),
            Stretch(2, False, "ix_case_file_closed", and_(closed, Case.due_at.is_(None))),
        )


@dataclass(frozen=True)
class Hits:
    """A page of what lies on a way, and how much that is in all; where `total` is the most, there is more."""

    page: list[Place]
    total: int


def follow(
    work: Work,
    lead: Lead,
    conditions: Sequence[ColumnElement[bool]],
    order: Order,
    after: Cursor | None,
    limit: int,
    *,
    most: int,
) -> Hits:
    """Look at the cases on a way, until `most` of them meet the conditions; one query."""
    chosen = select(Case.id, order.rank.label("rank"), order.moment.label("at")).where(*conditions)
    hits = _lead(work, chosen, lead).limit(most).cte("hit").prefix_with("MATERIALIZED")
    total = select(func.count()).select_from(hits)
    statement = select(hits.c.id, hits.c.rank, hits.c.at, total.scalar_subquery().label("total"))
    if after is not None:
        statement = statement.where(_beyond(order, hits.c, after))
    if order.newest:
        statement = statement.order_by(hits.c.at.desc(), hits.c.id.desc())
    else:
        statement = statement.order_by(hits.c.rank, hits.c.at.asc().nulls_last(), hits.c.id)
    found = work.session.execute(statement.limit(limit)).all()
    if not found:  # a page beyond the last case brings no number along
        return Hits([], work.session.scalar(total) or 0 if after else 0)
    return Hits([Place(row.id, row.rank, row.at) for row in found], found[0].total)


def _lead(work: Work, statement: Select[Any], lead: Lead) -> Select[Any]:
    """Narrow a selection of cases to a way, in words by which each database goes along it and looks nowhere else."""
    if not work.on_sqlite:
        if not lead.narrow:
            return _along_wide(statement, lead.way)
        # As a list its length is not guessed: PostgreSQL might else read the whole table beside it.
        return statement.where(Case.id == any_(func.array(lead.way.ids.scalar_subquery())))
    ids = lead.way.ids.subquery("way")
    # Of two joined tables SQLite may take either first; in a CROSS JOIN it goes from left to right.
    statement = statement.select_from(ids.join(Case, ids.c[0] == Case.id)).with_hint(ids, "CROSS", "sqlite")
    statement = statement.with_hint(Case, "NOT INDEXED", "sqlite")
    return statement.distinct() if lead.way.doubled else statement


def _along_wide(statement: Select[Any], way: Way) -> Select[Any]:
    """The same for a way that PostgreSQL shall leave as soon as there are enough: it must not gather all ids before."""
    own = way.own_conditions
    if own is not None:
        return statement.where(own)
    if way.doubled:
        return statement.where(Case.id.in_(way.ids))
    ids = way.ids.subquery("way")
    return statement.join(ids, ids.c[0] == Case.id)


def _beyond(order: Order, hit: Any, after: Cursor) -> ColumnElement[bool]:
    """Whether a hit comes after the cursor."""
    if order.newest:
        return or_(hit.at < after.at, and_(hit.at == after.at, hit.id < after.id))
    if after.at is None:
        same_rank = and_(hit.at.is_(None), hit.id > after.id)
    else:
        same_rank = or_(hit.at > after.at, hit.at.is_(None), and_(hit.at == after.at, hit.id > after.id))
    return or_(hit.rank > after.rank, and_(hit.rank == after.rank, same_rank))


def walk(
    work: Work, conditions: Sequence[ColumnElement[bool]], order: Order, after: Cursor | None, limit: int
) -> list[Place]:
    """Return a page by going through the order until it is full; one query for each stretch that is entered."""
    found: list[Place] = []
    for stretch in order.stretches():
        here = _within(stretch, order, after)
        if here is None:
            continue
        statement = (
            select(Case.id, order.moment.label("at"))
            .where(stretch.condition, *here, *conditions)
            .with_hint(Case, f"INDEXED BY {stretch.index}", "sqlite")
            .order_by(*_sorted(stretch, order))
            .limit(limit - len(found))
        )
        found += [Place(row.id, stretch.rank, row.at) for row in work.session.execute(statement)]
        if len(found) == limit:
            break
    return found


def _sorted(stretch: Stretch, order: Order) -> tuple[ColumnElement[Any], ...]:
    if order.newest:
        return Case.received_at.desc(), Case.id.desc()
    # The moment is named where it is empty too: the index is sorted by both.
    return Case.due_at.expression, Case.id.expression


def _within(stretch: Stretch, order: Order, after: Cursor | None) -> list[ColumnElement[bool]] | None:
    """Return what keeps a stretch behind the cursor; None where all of it lies before."""
    if after is None:
        return []
    here, last = (stretch.rank, not stretch.timed), (after.rank, after.at is None)
    if here != last:
        return [] if here > last else None
    if after.at is None:
        return [Case.id > after.id]
    place, asked = tuple_(order.moment, Case.id), tuple_(literal(after.at, UtcDateTime()), literal(after.id))
    return [place < asked if order.newest else place > asked]


def count_newest(work: Work, conditions: Sequence[ColumnElement[bool]], most: int) -> int:
    """Return how many cases meet conditions that few of them fail, at most `most`; the newest are looked at first."""
    newest = (
        select(Case.id)
        .where(*conditions)
        .with_hint(Case, "INDEXED BY ix_case_file_received_at", "sqlite")
        .order_by(Case.received_at.desc(), Case.id.desc())
        .limit(most)
    )
    return work.session.scalar(select(func.count()).select_from(newest.subquery())) or 0
