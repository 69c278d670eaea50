"""The rows that every use case writes: events, assignments, clocks. Events and assignments are only appended to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select

from mapsvc.base.events import CaseAssigned
from mapsvc.cases.models import Assignment, Case, CaseArea, CaseEvent, Deadline
from mapsvc.cases.rules import reason
from mapsvc.cases.rules.assignment import Decision
from mapsvc.cases.rules.deadlines import Span, due_at
from mapsvc.cases.rules.rulebook import Rulebook
from mapsvc.people.rules.actor import Actor
from mapsvc.storage.work import Work


def add_event(
    work: Work,
    case: Case,
    actor: Actor,
    *,
    uuid: UUID,
    step: str,
    from_state: str,
    to_state: str,
    role: str = "",
    for_person_id: int | None = None,
    said: str = "",
    data: Mapping[str, Any] | None = None,
    content_sha256: str = "",
) -> CaseEvent:
    """Append one event; its sequence follows the last one, which the case's lock keeps from moving."""
    last = work.session.scalar(select(func.max(CaseEvent.sequence)).where(CaseEvent.case_id == case.id)) or 0
    event = CaseEvent(
        uuid=uuid,
        case_id=case.id,
        sequence=last + 1,
        at=work.now,
        step=step,
        from_state=from_state,
        to_state=to_state,
        user_id=actor.user_id,
        role=role,
        for_person_id=for_person_id,
        reason=said,
        data=dict(data or {}),
        content_sha256=content_sha256,
    )
    work.session.add(event)
    work.session.flush()  # the id goes into the outbox
    return event


def record_assignment(
    work: Work, case: Case, decision: Decision, book: Rulebook, actor: Actor, *, silent: bool = False
) -> Assignment:
    """Append the assignment, and let the case and its areas follow it. `silent`: nobody is notified."""
    assignment = make_assignment(work, case, decision, book, actor)
    work.session.add(assignment)
    follow(case, decision)
    work.session.execute(delete(CaseArea).where(CaseArea.case_id == case.id))
    if decision.path:
        rows = [{"case_id": case.id, "level": area.level, "area_id": area.area_id} for area in decision.path]
        work.session.execute(insert(CaseArea), rows)
    work.session.flush()  # the id goes into the outbox
    if not silent:
        work.emit(CaseAssigned(case_id=case.id, assignment_id=assignment.id))
    return assignment


def make_assignment(work: Work, case: Case, decision: Decision, book: Rulebook, actor: Actor) -> Assignment:
    """Return the row that keeps a decision with its reason; where borders or posts caused it that is its rule."""
    owner, who = decision.owner, decision.responsible
    return Assignment(
        case_id=case.id,
        at=work.now,
        rule=decision.cause or decision.rule,
        area_id=owner.area_id if owner else None,
        area_version_id=owner.version_id if owner else None,
        generation=decision.generation,
        person_id=who.person_id if who else None,
        post_id=who.post_id if who else None,
        stand_in=who.stand_in if who else "",
        distance_m=decision.distance_m,
        certainty=decision.certainty,
        candidates=[asdict(side) for side in decision.sides],
        reason=reason.both(decision, book.level_names()),
        by_user_id=actor.user_id,
    )


def follow(case: Case, decision: Decision) -> None:
    """Let the present state of a case follow a decision."""
    owner, who = decision.owner, decision.responsible
    case.owner_area_id = owner.area_id if owner else None
    case.area_version_id = owner.version_id if owner else None
    case.owner_person_id = who.person_id if who else None
    case.generation = decision.generation
    case.unplaced = decision.unplaced
    case.edge = decision.edge


def start_clock(work: Work, case: Case, clock: str, term: Span, start: datetime, book: Rulebook) -> Deadline:
    """Start a clock of a case; a running one of the same name is replaced and kept."""
    return put_clock(work, case, make_clock(case, clock, term, start, book))


def make_clock(case: Case, clock: str, term: Span, start: datetime, book: Rulebook) -> Deadline:
    """Return the row of a clock that starts at a moment."""
    return Deadline(
        case_id=case.id,
        clock=clock,
        amount=term.amount,
        unit=term.unit,
        starts_at=start,
        due_at=due_at(book.calendar, start, term),
        calendar=book.calendar.fingerprint,
    )


def put_clock(work: Work, case: Case, row: Deadline) -> Deadline:
    """Put a deadline in the place of the running one of its clock."""
    running = find_clock(work, case.id, row.clock)
    if running is not None:
        running.replaced_at = work.now
    work.session.add(row)
    if row.clock == "total":
        case.due_at = row.due_at
    elif row.clock == "sign":
        case.sign_due_at = row.due_at
    return row


def meet_clock(work: Work, case: Case, clock: str) -> None:
    """Note that a clock was met now; a clock that does not run is left alone."""
    running = find_clock(work, case.id, clock)
    if running is not None and running.met_at is None:
        running.met_at = work.now
    if clock == "sign":
        case.sign_due_at = None


def find_clock(work: Work, case_id: int, clock: str) -> Deadline | None:
    """Return the row of a clock that was not replaced, met or not."""
    return work.session.scalar(
        select(Deadline)
        .where(Deadline.case_id == case_id, Deadline.clock == clock, Deadline.replaced_at.is_(None))
        .order_by(Deadline.id.desc())
        .limit(1)
    )
