"""One case with everything that its page shows; a fixed number of queries whatever its history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import aliased

from mapsvc.areas.models import Area, AreaVersion
from mapsvc.areas.queries.state import in_force
from mapsvc.base.errors import NotFound
from mapsvc.cases.models import Assignment, Case, CaseArea, CaseEvent, Deadline, Photo, Reporter
from mapsvc.cases.queries.receipts import sides_of
from mapsvc.cases.queries.scope import visible_to
from mapsvc.cases.queries.standing import Past, as_past, facts_of, place_of
from mapsvc.cases.queries.views import (
    AllowedStep,
    AreaOnPath,
    AssignmentView,
    CaseView,
    DeadlineView,
    EventView,
    PhotoView,
)
from mapsvc.cases.queries.worklist import as_row, select_rows
from mapsvc.cases.rules import reason
from mapsvc.cases.rules.guards import is_possible
from mapsvc.cases.rules.rulebook import Rulebook
from mapsvc.cases.rules.standing import roles_on
from mapsvc.cases.rules.workflow import RULES, extension_of
from mapsvc.people.models import Person, User
from mapsvc.people.rules.actor import Actor
from mapsvc.storage.work import Work

_NOT_SHOWN = frozenset({"person_id", "photos", "before"})


def get_case(work: Work, actor: Actor, book: Rulebook, name: UUID | int | str) -> CaseView:
    """Return a case by its UUID, row or number; `NotFound` where there is none or it is not the asker's to see."""
    found = work.session.execute(select_rows(work.now).where(_named(name), visible_to(actor))).one_or_none()
    if found is None:
        raise NotFound("no_such_case", "There is no such case, or it is not yours to see.", hint="Check its number.")
    case: Case = found.Case
    path = _list_path(work, case.id)
    history = _list_events(work, case.id)
    assignments = _list_assignments(work, case.id)
    contact = work.session.scalar(select(Reporter.id).where(Reporter.case_id == case.id).limit(1)) is not None
    past = Past(
        tuple(
            as_past(event.step, event.user_id, event.data, event.role, event.at, event.sequence)
            for event, *_ in history
        ),
        tuple((area.level, area.area_id) for area in path),
        tuple(assignments[-1][0].candidates) if assignments else (),
        contact,
    )
    merged, duplicates, handover = _names_around(work, case)
    return CaseView(
        row=as_row(found),
        track_code=case.track_code,
        position_source=case.position_source,
        input_datum=case.input_datum,
        accuracy_m=case.accuracy_m,
        source_flag=case.source_flag,
        returns=case.returns,
        extensions=case.extensions,
        extension_stage=extension_of(past.standing)[0],
        sides_changed=case.sides_changed,
        handover_area_name=handover,
        duplicate_of_number=merged,
        duplicates=duplicates,
        path=tuple(sorted(path, key=lambda area: _rank(book, area.level))),
        events=tuple(_event_view(*row) for row in history),
        assignments=tuple(_assignment_view(*row) for row in assignments),
        deadlines=_list_deadlines(work, case.id),
        photos=list_photos(work, case.id),
        steps=_allowed_steps(work, actor, book, case, past),
        contact_available=contact,
        checked=case.checked_by_user_id is not None,
        notices=_notices(case),
    )


def _named(name: UUID | int | str) -> ColumnElement[bool]:
    if isinstance(name, UUID):
        return Case.uuid == name
    if isinstance(name, int):
        return Case.id == name
    try:
        return Case.uuid == UUID(name)
    except ValueError:
        return Case.number == name


def _rank(book: Rulebook, level: str) -> int:
    found = book.levels.find(level)
    return found.order if found else -1


def _list_path(work: Work, case_id: int) -> list[AreaOnPath]:
    """The areas that hold the case, with the names in force now; an area that ended keeps its code as its name."""
    rows = work.session.execute(
        select(Area.id, Area.level, Area.code, AreaVersion.name)
        .join(CaseArea, CaseArea.area_id == Area.id)
        .outerjoin(AreaVersion, (AreaVersion.area_id == Area.id) & in_force(work.now))
        .where(CaseArea.case_id == case_id)
    )
    return [AreaOnPath(area_id, level, code, name or code) for area_id, level, code, name in rows]


def _list_events(work: Work, case_id: int) -> Sequence[Any]:
    behalf = aliased(Person)
    return work.session.execute(
        select(CaseEvent, User.display_name, behalf.name)
        .outerjoin(User, User.id == CaseEvent.user_id)
        .outerjoin(behalf, behalf.id == CaseEvent.for_person_id)
        .where(CaseEvent.case_id == case_id)
        .order_by(CaseEvent.sequence)
    ).all()


def _event_view(event: CaseEvent, by: str | None, behalf: str | None) -> EventView:
    return EventView(
        uuid=event.uuid,
        sequence=event.sequence,
        at=event.at,
        step=event.step,
        from_state=event.from_state,
        to_state=event.to_state,
        by=by or "",
        role=event.role,
        on_behalf_of=behalf or "",
        reason=event.reason,
        data=tuple((key, str(value)) for key, value in sorted(event.data.items()) if key not in _NOT_SHOWN),
    )


def _list_assignments(work: Work, case_id: int) -> Sequence[Any]:
    return work.session.execute(
        select(Assignment, Area.level, Area.code, AreaVersion.name, Person.name, User.display_name)
        .outerjoin(Area, Area.id == Assignment.area_id)
        .outerjoin(AreaVersion, AreaVersion.id == Assignment.area_version_id)
        .outerjoin(Person, Person.id == Assignment.person_id)
        .outerjoin(User, User.id == Assignment.by_user_id)
        .where(Assignment.case_id == case_id)
        .order_by(Assignment.id)
    ).all()


def _assignment_view(
    row: Assignment, level: str | None, code: str | None, area: str | None, person: str | None, by: str | None
) -> AssignmentView:
    chinese, english = reason.split(row.reason)
    return AssignmentView(
        at=row.at,
        rule=row.rule,
        area_id=row.area_id,
        area_level=level or "",
        area_code=code or "",
        area_name=area or "",
        person_name=person or "",
        stand_in=row.stand_in,
        generation=row.generation,
        distance_m=row.distance_m,
        certainty=row.certainty,
        sides=sides_of(row.candidates),
        reason_zh=chinese,
        reason_en=english,
        by=by or "",
    )


def _list_deadlines(work: Work, case_id: int) -> tuple[DeadlineView, ...]:
    rows = work.session.scalars(select(Deadline).where(Deadline.case_id == case_id).order_by(Deadline.id))
    return tuple(
        DeadlineView(
            row.clock, row.amount, row.unit, row.starts_at, row.due_at, row.calendar, row.met_at, row.replaced_at
        )
        for row in rows
    )


def list_photos(work: Work, case_id: int) -> tuple[PhotoView, ...]:
    """Return the photos of a case in the order in which they came."""
    rows = work.session.scalars(select(Photo).where(Photo.case_id == case_id).order_by(Photo.uploaded_at, Photo.uuid))
    return tuple(PhotoView(row.uuid, row.kind, row.width, row.height, row.uploaded_at) for row in rows)


def _names_around(work: Work, case: Case) -> tuple[str, tuple[str, ...], str]:
    """Return the number it was merged into, the numbers merged into it, the area it is offered to."""
    around = work.session.execute(
        select(Case.id, Case.number).where(or_(Case.id == case.duplicate_of_id, Case.duplicate_of_id == case.id))
    ).all()
    merged = next((number for row, number in around if row == case.duplicate_of_id), "")
    duplicates = tuple(sorted(number for row, number in around if row != case.duplicate_of_id))
    handover = ""
    if case.handover_area_id is not None:
        handover = (
            work.session.scalar(
                select(AreaVersion.name).where(AreaVersion.area_id == case.handover_area_id, in_force(work.now))
            )
            or ""
        )
    return merged, duplicates, handover


def _allowed_steps(work: Work, actor: Actor, book: Rulebook, case: Case, past: Past) -> tuple[AllowedStep, ...]:
    """Return the steps that the asker could take now, in the order of the table."""
    found: list[AllowedStep] = []
    for (name, step), rule in RULES.items():
        if name != case.workflow:
            continue
        roles = roles_on(actor, place_of(case, past), step=step)
        if not rule.roles.intersection(roles):
            continue
        role = sorted(rule.roles.intersection(roles))[0]
        facts = facts_of(work.now, actor, book, case, past, role=role, held=roles[role])
        if is_possible(rule, facts, roles):
            found.append(AllowedStep(rule.name, rule.zh, rule.en, rule.needs))
    return tuple(found)


def _notices(case: Case) -> tuple[str, ...]:
    told = []
    if case.unplaced:
        told.append("unplaced")
    if case.edge:
        told.append("edge")
    if case.owner_area_id is not None and case.owner_person_id is None:
        told.append("nobody_in_post")
    if case.returns >= 2 and case.state == "returned":
        told.append("first_receiver")
    if case.whistle:
        told.append(f"whistle_{case.whistle}")
    return tuple(told)
