"""What a card says beside its row, for many cases at once: the sides of an edge, and since when somebody is at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, false, func, select, true

from mapsvc.cases.models import Assignment, Case, CaseEvent, Deadline
from mapsvc.cases.queries.receipts import sides_of
from mapsvc.cases.queries.scope import visible_to
from mapsvc.cases.rules.values import Side
from mapsvc.people.rules.actor import Actor
from mapsvc.storage.work import Work


def list_sides(work: Work, case_ids: Sequence[int]) -> dict[int, tuple[Side, ...]]:
    """Return the possible areas of cases by their newest assignment, the most likely first; one query."""
    if not case_ids:
        return {}
    newest = select(func.max(Assignment.id)).where(Assignment.case_id.in_(case_ids)).group_by(Assignment.case_id)
    rows = work.session.execute(select(Assignment.case_id, Assignment.candidates).where(Assignment.id.in_(newest)))
    return {case_id: sides_of(candidates) for case_id, candidates in rows}


def list_signed_at(work: Work, case_ids: Sequence[int]) -> dict[int, datetime]:
    """Return when cases were signed for last, by the clock that this stopped; one query."""
    if not case_ids:
        return {}
    rows = work.session.execute(
        select(Deadline.case_id, func.max(Deadline.met_at))
        .where(Deadline.case_id.in_(case_ids), Deadline.clock == "sign", Deadline.met_at.is_not(None))
        .where(Deadline.replaced_at.is_(None))
        .group_by(Deadline.case_id)
    )
    return {row[0]: row[1] for row in rows if row[1] is not None}


@dataclass(frozen=True)
class OwnStep:
    """One step that the one who asks took; `number` is empty where the case is no longer that person's to see."""

    at: datetime
    step: str
    category: str
    condition: str
    place_text: str
    number: str


def list_own_steps(work: Work, actor: Actor, since: datetime, most: int) -> tuple[OwnStep, ...]:
    """Return the steps that `actor` took since a moment, the newest first; one query."""
    if actor.user_id is None:
        return ()
    rows = work.session.execute(
        select(
            CaseEvent.at, CaseEvent.step, Case.category, Case.condition, Case.place_text, Case.number,
            case((visible_to(actor), true()), else_=false()),
        )
        .join(Case, Case.id == CaseEvent.case_id)
        .where(CaseEvent.user_id == actor.user_id, CaseEvent.at >= since, CaseEvent.step != "reveal_contact")
        .order_by(CaseEvent.at.desc(), CaseEvent.id.desc())
        .limit(most)
    )  # fmt: skip
    return tuple(
        OwnStep(at, step, category, condition, place, number if seen else "")
        for at, step, category, condition, place, number, seen in rows
    )
