"""Taking a step back: what a case was before a step is kept on its event, and put in its place again.

Nothing is removed: the step stays in the history, the undo follows it, clocks that the step started are
replaced and kept, an assignment that it made is followed by one that repeats the former.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select

from mapsvc.base.events import CaseAssigned
from mapsvc.cases.models import Assignment, Case, CaseArea, CaseEvent, Deadline
from mapsvc.cases.rules.hand_over import CAUSES
from mapsvc.people.rules.actor import Actor
from mapsvc.storage.work import Work

FACTS = (
    "state", "outcome", "unplaced", "edge", "owner_area_id", "owner_person_id", "area_version_id", "generation",
    "unit_id", "handover_area_id", "sides_changed", "returns", "reworks", "extensions", "whistle", "duplicate_of_id",
    "handled_by_user_id", "checked_by_user_id", "check_result",
)  # fmt: skip
MOMENTS = ("due_at", "sign_due_at", "closed_at", "filed_at", "dispatched_at", "fixed_at", "instant_at")
_SAID_ZH, _SAID_EN = "撤销后恢复: ", "Restored after an undo: "


def capture(work: Work, case: Case) -> dict[str, Any]:
    """Return what a step may change of a case, as JSON: its facts, its areas, its clocks."""
    clocks = work.session.execute(
        select(Deadline.id, Deadline.met_at, Deadline.replaced_at).where(Deadline.case_id == case.id)
    )
    areas = work.session.execute(select(CaseArea.level, CaseArea.area_id).where(CaseArea.case_id == case.id))
    assigned = work.session.scalar(select(func.max(Assignment.id)).where(Assignment.case_id == case.id))
    return {
        "case": {name: getattr(case, name) for name in FACTS} | {name: _text(getattr(case, name)) for name in MOMENTS},
        "areas": {row.level: row.area_id for row in areas},
        "assignment": assigned or 0,
        "clocks": [[row, _text(met), _text(replaced)] for row, met, replaced in clocks],
    }


def restore(work: Work, case: Case, actor: Actor, sequence: int) -> dict[str, Any]:
    """Put a case back to what it was before its event with this sequence; return what the undo keeps of it."""
    event = work.session.scalars(
        select(CaseEvent).where(CaseEvent.case_id == case.id, CaseEvent.sequence == sequence)
    ).one()
    before = event.data["before"]
    owner = case.owner_area_id
    for name in FACTS:
        setattr(case, name, before["case"][name])
    for name in MOMENTS:
        setattr(case, name, _moment(before["case"][name]))
    _restore_clocks(work, case, {row: (met, replaced) for row, met, replaced in before["clocks"]})
    if case.owner_area_id != owner:
        _restore_owner(work, case, actor, before["areas"], before["assignment"])
    return {"undoes": sequence, "undone": event.step}


def _restore_clocks(work: Work, case: Case, kept: Mapping[int, tuple[str | None, str | None]]) -> None:
    for row in work.session.scalars(select(Deadline).where(Deadline.case_id == case.id)):
        if row.id in kept:
            met, replaced = kept[row.id]
            row.met_at, row.replaced_at = _moment(met), _moment(replaced)
        elif row.replaced_at is None:
            row.replaced_at = work.now


def _restore_owner(work: Work, case: Case, actor: Actor, areas: Mapping[str, int], last_id: int) -> None:
    """Repeat the last assignments before the step, so that the newest ones name who answers again."""
    work.session.execute(delete(CaseArea).where(CaseArea.case_id == case.id))
    if areas:
        rows = [{"case_id": case.id, "level": level, "area_id": area_id} for level, area_id in areas.items()]
        work.session.execute(insert(CaseArea), rows)
    earlier = work.session.scalars(
        select(Assignment).where(Assignment.case_id == case.id, Assignment.id <= last_id).order_by(Assignment.id.desc())
    ).all()
    last = next(iter(earlier), None)
    basis = next((row for row in earlier if row.rule not in CAUSES), None)
    # A hand-over by borders or posts starts from the newest assignment that was none: it has to be the old one too.
    again = [_again(work, former, actor) for former in dict.fromkeys((basis, last)) if former is not None]
    for row in again:
        work.session.add(row)
        work.session.flush()  # one by one: their order is that of their ids
    if again:
        work.emit(CaseAssigned(case_id=case.id, assignment_id=again[-1].id))


def _again(work: Work, former: Assignment, actor: Actor) -> Assignment:
    chinese, _, english = former.reason.partition("\n")
    return Assignment(
        case_id=former.case_id,
        at=work.now,
        rule=former.rule,
        area_id=former.area_id,
        area_version_id=former.area_version_id,
        generation=former.generation,
        person_id=former.person_id,
        post_id=former.post_id,
        stand_in=former.stand_in,
        distance_m=former.distance_m,
        certainty=former.certainty,
        candidates=former.candidates,
        reason=f"{_SAID_ZH}{chinese}\n{_SAID_EN}{english}",
        by_user_id=actor.user_id,
    )


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
