"""Which cases somebody may see, as a condition in SQL; a list is never filtered afterwards."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, false, or_, select, true

from mapsvc.cases.models import Case, CaseArea
from mapsvc.people.rules.actor import Actor
from mapsvc.storage.imports import published_runs

AREA_ROLES = (
    "intake", "dispatcher", "duty_officer", "street", "leader", "admin", "planner", "approver",
    "area_chief", "grid_chief", "liaison", "patrol",
)  # fmt: skip
"""Roles that see the cases of the areas they are held in; held without an area, all cases."""

OFFICE_ROLES = ("intake", "dispatcher", "duty_officer")
"""Roles that see the tray of unplaced cases whatever their area is: what lies nowhere is everybody's there."""


def published() -> ColumnElement[bool]:
    """Leave out what an import has written and not yet published."""
    return or_(Case.import_run_id.is_(None), Case.import_run_id.in_(published_runs()))


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Return the condition on `Case` for what `actor` may see; nobody without an account sees any."""
    if actor.system:
        return published()
    areas = actor.areas_of(*AREA_ROLES)
    if areas is None:
        return published()
    parts: list[ColumnElement[bool]] = []
    if areas:
        within = select(CaseArea.case_id).where(CaseArea.area_id.in_(sorted(areas)))
        parts += [Case.id.in_(within), Case.handover_area_id.in_(sorted(areas))]
    if actor.unit_ids:
        parts.append(Case.unit_id.in_(sorted(actor.unit_ids)))
    if actor.user_id is not None:
        parts.append(Case.opened_by_user_id == actor.user_id)
    if actor.role_names.intersection(OFFICE_ROLES):
        parts.append(Case.unplaced.is_(true()))
    return and_(published(), or_(*parts)) if parts else false()


def is_overdue(now: datetime) -> ColumnElement[bool]:
    """Whether the total clock of a case has run out: open, not suspended, no history from an import."""
    return and_(Case.due_at < now, Case.state.not_in(("closed", "suspended")), Case.historic.is_(false()))


def is_open() -> ColumnElement[bool]:
    """Whether a case is not closed."""
    return Case.state != "closed"
