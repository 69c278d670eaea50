"""Clocks that move without anybody's hand: a new calendar, and the day on which a suspended case comes back."""

from __future__ import annotations

import uuid as uuids
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select

from mapsvc.areas.index import Snapshot
from mapsvc.base.errors import InvalidInput
from mapsvc.base.events import CaseStepTaken
from mapsvc.cases.models import Case, Deadline
from mapsvc.cases.queries.scope import is_open, published
from mapsvc.cases.rules.calendar import Calendar
from mapsvc.cases.rules.deadlines import Span, due_at
from mapsvc.cases.rules.rulebook import Rulebook
from mapsvc.cases.rules.values import StepRequest
from mapsvc.cases.service.intake import EVENT_SPACE
from mapsvc.cases.service.records import add_event, put_clock
from mapsvc.cases.service.steps import take_step
from mapsvc.people.rules.actor import SYSTEM, Actor
from mapsvc.people.rules.permissions import require
from mapsvc.storage.work import Work

BATCH = 500


@dataclass(frozen=True)
class MovedDeadline:
    """An open case whose clock another calendar would move."""

    case_id: int
    case_uuid: uuids.UUID
    number: str
    clock: str
    due_before: datetime
    due_after: datetime


def recompute_deadlines(
    work: Work, actor: Actor, calendar: Calendar, *, apply: bool = False, reason: str = ""
) -> tuple[MovedDeadline, ...]:
    """List the running clocks of open cases that `calendar` would move; with `apply`, move them by an event each.

    A stored deadline is frozen: nothing else moves it. Clocks that were extended or paused keep what was
    granted: they are left alone, as their due time no longer follows from their start.
    """
    require(actor, "case.recompute")
    if apply and not reason.strip():
        raise InvalidInput("needs_reason", "Moving deadlines needs a reason, which every case keeps.", hint="Say why.")
    moved: list[MovedDeadline] = []
    for case, row in _running(work):
        due = due_at(calendar, row.starts_at, Span(row.amount, row.unit))
        if due == row.due_at or row.calendar == calendar.fingerprint:
            continue
        moved.append(MovedDeadline(case.id, case.uuid, case.number, row.clock, row.due_at, due))
        if apply:
            _move(work, actor, case, row, due, calendar, reason.strip())
    return tuple(moved)


def _running(work: Work) -> Iterator[tuple[Case, Deadline]]:
    """Yield open cases with their unmet working clocks that stand as first computed, in batches by id."""
    last = 0
    while True:
        found = work.session.execute(_after(last)).all()
        yield from found
        if len(found) < BATCH:
            return
        last = found[-1][1].id


def _after(last: int) -> Select[Case, Deadline]:
    paused = select(Deadline.case_id).where(Deadline.clock == "suspension")
    return (
        select(Case, Deadline)
        .join(Deadline, Deadline.case_id == Case.id)
        .where(
            Deadline.id > last,
            is_open(),
            published(),
            Case.historic.is_(False),
            Case.state != "suspended",
            Case.extensions == 0,
            Case.id.not_in(paused),
            Deadline.clock.in_(("total", "sign", "check")),
            Deadline.unit.in_(("working_hour", "working_day")),
            Deadline.met_at.is_(None),
            Deadline.replaced_at.is_(None),
        )
        .order_by(Deadline.id)
        .limit(BATCH)
    )


def _move(work: Work, actor: Actor, case: Case, row: Deadline, due: datetime, calendar: Calendar, reason: str) -> None:
    put_clock(
        work,
        case,
        Deadline(
            case_id=case.id,
            clock=row.clock,
            amount=row.amount,
            unit=row.unit,
            starts_at=row.starts_at,
            due_at=due,
            calendar=calendar.fingerprint,
        ),
    )
    event = add_event(
        work,
        case,
        actor,
        uuid=uuids.uuid5(EVENT_SPACE, f"{row.id} {calendar.fingerprint} {work.now.isoformat()}"),
        step="recompute",
        from_state=case.state,
        to_state=case.state,
        said=reason,
        data={
            "clock": row.clock,
            "due_before": row.due_at.isoformat(),
            "due": due.isoformat(),
            "calendar": calendar.fingerprint,
        },
    )
    case.version += 1
    case.updated_at = work.now
    work.emit(CaseStepTaken(case_id=case.id, event_id=event.id, step="recompute"))


def list_due_to_resume(work: Work) -> tuple[uuids.UUID, ...]:
    """Return the suspended cases whose day of return has come; the worker resumes each in a work of its own."""
    return tuple(
        work.session.scalars(
            select(Case.uuid)
            .join(Deadline, Deadline.case_id == Case.id)
            .where(
                is_open(),
                Case.state == "suspended",
                Deadline.clock == "suspension",
                Deadline.replaced_at.is_(None),
                Deadline.met_at.is_(None),
                Deadline.due_at <= work.now,
            )
            .order_by(Deadline.due_at)
        )
    )


def resume_case(work: Work, snapshot: Snapshot, book: Rulebook, case_uuid: uuids.UUID) -> None:
    """Bring a suspended case back by itself; doing it twice does it once."""
    request = StepRequest(
        case_uuid=case_uuid,
        step_uuid=uuids.uuid5(EVENT_SPACE, f"{case_uuid} resume"),
        step="resume",
        content_sha256="",
        reason="挂账到期, 自动恢复 / the suspension ended",
    )
    take_step(work, SYSTEM, snapshot, book, request)
