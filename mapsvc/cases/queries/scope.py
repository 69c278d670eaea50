"""Which cases somebody may see, as a condition in SQL; a list is never filtered afterwards."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, false, or_, select, true

from mapsvc.cases.models import Case, CaseArea, Follower
from mapsvc.people.rules.actor import Actor
from mapsvc.people.rules.permissions import allows, scope
from mapsvc.storage.imports import published_runs


def published() -> ColumnElement[bool]:
    """Leave out what an import has written and not yet published."""
    return or_(Case.import_run_id.is_(None), Case.import_run_id.in_(published_runs()))


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
        within = select(CaseArea.case_id).where(CaseArea.area_id.in_(ids))
        parts += [Case.id.in_(within), Case.handover_area_id.in_(ids)]
    if where.unit_ids:
        parts.append(Case.unit_id.in_(sorted(where.unit_ids)))
    if where.own_user_id is not None:
        parts.append(Case.opened_by_user_id == where.own_user_id)
    if not where.is_empty and allows(actor, "case.unplaced"):
        parts.append(Case.unplaced.is_(true()))
    return and_(published(), or_(*parts)) if parts else false()


def opened_by(track_code: str) -> ColumnElement[bool]:
    """Which case a follow code opens: the one that it was given for, or the one that its holder met too."""
    followed = select(Follower.case_id).where(Follower.track_code == track_code)
    return or_(Case.track_code == track_code, Case.id.in_(followed))


def is_overdue(now: datetime) -> ColumnElement[bool]:
    """Whether the total clock of a case has run out: open, not suspended, no history from an import."""
    return and_(Case.due_at < now, is_running(), Case.historic.is_(false()))


def is_running() -> ColumnElement[bool]:
    """Whether the total clock of a case counts: open and not suspended (挂账)."""
    return Case.state.not_in(("closed", "suspended"))


def is_open() -> ColumnElement[bool]:
    """Whether a case is not closed."""
    return Case.state != "closed"
