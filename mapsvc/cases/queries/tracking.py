"""What a resident sees by the follow code: plain, without persons and without what staff wrote."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from mapsvc.areas.models import Area, AreaVersion
from mapsvc.base.errors import NotFound
from mapsvc.cases.models import Assignment, Case, CaseEvent, Photo
from mapsvc.cases.queries.receipts import sides_of
from mapsvc.cases.queries.scope import opened_by, published
from mapsvc.cases.queries.views import TrackView
from mapsvc.cases.rules.codes import read_track_code
from mapsvc.storage.work import Work

SHOWN_STEPS = frozenset({
    "open", "accept", "refuse", "assign", "sign", "unit_sign", "dispatch", "redispatch", "fix", "instant_fix",
    "check_pass", "check_fail", "close", "reopen", "suspend", "resume", "extend", "not_ours", "cannot",
    "mark_duplicate", "raise", "confirm",
})  # fmt: skip
"""Steps that a resident is shown; what happens inside the office (a return, a comment) is not."""

MAY_REOPEN = frozenset({"solved", "refused", "not_ours", "cannot"})


def track_case(work: Work, code: str) -> TrackView:
    """Return the plain view of the case with this follow code; an unknown code is `NotFound`, three queries."""
    found = _find(work, code)
    case, level, area_name = found
    events = work.session.execute(
        select(CaseEvent.at, CaseEvent.step).where(CaseEvent.case_id == case.id).order_by(CaseEvent.sequence)
    ).all()
    sides = work.session.scalar(
        select(Assignment.candidates).where(Assignment.case_id == case.id).order_by(Assignment.id.desc()).limit(1)
    )
    asks_side = case.edge and case.state in {"received", "assigned"}
    photos: tuple[UUID, ...] = ()
    if case.state == "closed":
        photos = tuple(
            work.session.scalars(
                select(Photo.uuid).where(Photo.case_id == case.id, Photo.kind == "after").order_by(Photo.uploaded_at)
            )
        )
    return TrackView(
        uuid=case.uuid,
        number=case.number,
        category=case.category,
        state=case.state,
        outcome=case.outcome,
        received_at=case.received_at,
        due_at=case.due_at,
        closed_at=case.closed_at,
        area_level=level or "",
        area_name=area_name or "",
        unplaced=case.unplaced,
        asks_side=asks_side,
        sides=sides_of(sides or ()) if asks_side else (),
        may_reopen=case.state == "closed" and case.outcome in MAY_REOPEN and not case.historic,
        may_confirm=case.state == "closed"
        and case.outcome == "solved"
        and not case.historic
        and not _confirmed(events),
        joined=case.track_code != read_track_code(code),
        reworks=case.reworks,
        raised=bool(events) and [step for _, step in events if step in {"raise", "reopen"}][-1:] == ["raise"],
        steps=tuple((at, step) for at, step in events if step in SHOWN_STEPS),
        after_photos=photos,
    )


def _confirmed(events: Sequence[Any]) -> bool:
    """Whether the last answer of a resident was that it is solved."""
    answers = [step for _, step in events if step in {"confirm", "reopen"}]
    return bool(answers) and answers[-1] == "confirm"


def _find(work: Work, code: str) -> tuple[Case, str | None, str | None]:
    stored = read_track_code(code)
    row = None
    if stored is not None:
        row = work.session.execute(
            select(Case, Area.level, AreaVersion.name)
            .outerjoin(Area, Area.id == Case.owner_area_id)
            .outerjoin(AreaVersion, AreaVersion.id == Case.area_version_id)
            .where(opened_by(stored), published())
        ).one_or_none()
    if row is None:
        raise NotFound("no_such_code", "There is no report with this code.", hint="Check the twelve characters.")
    return row[0], row[1], row[2]


def find_after_photo(work: Work, code: str, uuid: UUID) -> str | None:
    """Return the stored hash of an after-photo of the closed case with this code, or None."""
    stored = read_track_code(code)
    if stored is None:
        return None
    return work.session.scalar(
        select(Photo.stored_sha256)
        .join(Case, Case.id == Photo.case_id)
        .where(Photo.uuid == uuid, Photo.kind == "after", opened_by(stored), Case.state == "closed", published())
    )
