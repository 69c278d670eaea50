"""Which cases somebody may see, as a condition in SQL; a list is never filtered afterwards."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, false, literal, literal_column, or_, select, true

from mapsvc.cases.models import Case, CaseArea, Follower
from mapsvc.cases.rules.workflow import FIELD
from mapsvc.people.rules.actor import Actor
from mapsvc.people.rules.permissions import allows, scope
from mapsvc.storage.imports import ImportRun

CLOSED = literal("closed", literal_execute=True)
"""Written out in the statement: only so does a database see that a partial index of the models will do."""

EMPTY = literal("", literal_execute=True)
"""The same for texts that are there."""

NONE = literal_column("0") == literal_column("1")
"""No case at all; unlike `false()` it leaves the conditions beside it in the statement, by which an index is found."""


def published() -> ColumnElement[bool]:
    """Leave out what an import has written and not yet published.

    Not as "of no run, or of a published one": by that a database may go through the whole index of runs.
    """
    hidden = exists().where(ImportRun.id == Case.import_run_id, ImportRun.published_at.is_(None))
    return ~hidden.correlate(Case)


def visible_to(actor: Actor, permission: str = "case.view") -> ColumnElement[bool]:
    """Return the condition on `Case` for what `actor` may see; nobody without an account sees any.

    The permission table says where: everywhere, in areas with all below them (`case_area` holds the
    area of every level), for units, one's own reports. A hand-over offered to one's area is seen before it is
    accepted, and the tray of unplaced cases by all who may open it: what lies nowhere is everybody's there.
    """
    where = scope(actor, permission)
    if where.everywhere:
        return published()
    parts: list[ColumnElement[bool]] = []
    if where.area_ids:
        ids = sorted(where.area_ids)
        parts += [lies_in(*ids), Case.handover_area_id.in_(ids)]
    if where.unit_ids:
        parts.append(Case.unit_id.in_(sorted(where.unit_ids)))
    if where.own_user_id is not None:
        parts.append(Case.opened_by_user_id == where.own_user_id)
    if not where.is_empty and allows(actor, "case.unplaced"):
        parts.append(Case.unplaced.is_(true()))
    return and_(published(), or_(*parts)) if parts else NONE


def opened_by(track_code: str) -> ColumnElement[bool]:
    """Which case a follow code opens: the one that it was given for, or the one that its holder met too."""
    followed = select(Follower.case_id).where(Follower.track_code == track_code)
    return or_(Case.track_code == track_code, Case.id.in_(followed))


def lies_in(*area_ids: int) -> ColumnElement[bool]:
    """Whether a case lies in one of these areas, of whatever level; asked case by case, not by a list of all.

    PostgreSQL makes a join of an EXISTS that stands alone, and reads all cases of the area before the first is shown;
    not of one that is part of an OR.
    """
    held = exists().where(CaseArea.case_id == Case.id, CaseArea.area_id.in_(area_ids)).correlate(Case)
    return or_(held, NONE)


def is_overdue(now: datetime) -> ColumnElement[bool]:
    """Whether the total clock of a case has run out: open, not suspended, no history from an import."""
    return and_(Case.due_at < now, is_running(), Case.historic.is_(false()))


def is_running() -> ColumnElement[bool]:
    """Whether the total clock of a case counts: open and not suspended (挂账)."""
    return Case.state.not_in(("closed", "suspended"))


def is_open() -> ColumnElement[bool]:
    """Whether a case is not closed."""
    return Case.state != CLOSED


def concerns(actor: Actor) -> list[ColumnElement[bool]]:
    """Return why an open case may wait for this very actor: their area or person owns it, their unit has it ..."""
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
    return parts
