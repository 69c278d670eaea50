"""我也遇到: somebody met a problem that is reported already, and follows it by a code of their own."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlalchemy import insert, select
from sqlalchemy.dialects import postgresql, sqlite

from mapsvc.base.errors import Conflict
from mapsvc.base.events import CaseStepTaken
from mapsvc.cases.models import Case, Follower, Reporter
from mapsvc.cases.queries.receipts import find_follower, find_intake
from mapsvc.cases.queries.scope import is_open, published
from mapsvc.cases.queries.standing import count_photos
from mapsvc.cases.rules import codes
from mapsvc.cases.rules.values import Intake
from mapsvc.cases.service.intake import attach_photos, check_intake
from mapsvc.cases.service.photos import MAX_PHOTOS_OF_CASE
from mapsvc.cases.service.records import add_event
from mapsvc.people.rules.actor import Actor
from mapsvc.storage.work import Work


@dataclass(frozen=True)
class Joined:
    """What the one who joined is told: `status` is `created`, `same` or `conflict`, as of a report."""

    status: str
    track_code: str = ""


def join_case(work: Work, actor: Actor, case_id: int, intake: Intake) -> Joined:
    """Let a report follow an open case instead of becoming one; its words and photos are kept with that case.

    Idempotent by UUID and content hash like intake. One more follower is an event of the case, so that whoever
    works on it hears of it; neither state nor clocks change. A case that was closed meanwhile raises `Conflict`.
    """
    known = find_follower(work, intake.uuid)
    if known is not None:
        return _again(intake, *known)
    if find_intake(work, intake.uuid) is not None:
        return Joined("conflict")
    check_intake(actor, intake)
    case = work.session.scalar(
        select(Case)
        .where(Case.id == case_id, is_open(), published(), Case.historic.is_(False))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if case is None:
        raise Conflict(
            "join_closed", "That report was dealt with meanwhile.", hint="Send this one as a report of its own."
        )
    code = codes.make_track_code(secrets.token_bytes(codes.RANDOM_BYTES))
    dialect = sqlite.insert if work.on_sqlite else postgresql.insert
    values = {
        "uuid": intake.uuid, "case_id": case.id, "track_code": code, "content_sha256": intake.content_sha256,
        "at": work.now,
    }  # fmt: skip
    statement = dialect(Follower).values(**values).on_conflict_do_nothing(index_elements=["uuid"])
    if work.session.scalar(statement.returning(Follower.id)) is None:  # sent twice at once: the other was first
        known = find_follower(work, intake.uuid)
        assert known is not None
        return _again(intake, *known)
    _write_beside(work, actor, case, intake)
    return Joined("created", code)


def _again(intake: Intake, content_sha256: str, track_code: str) -> Joined:
    return Joined("same", track_code) if content_sha256 == intake.content_sha256 else Joined("conflict")


def _write_beside(work: Work, actor: Actor, case: Case, intake: Intake) -> None:
    if intake.contact is not None and (intake.contact.name or intake.contact.phone):
        reporter = {"case_id": case.id, "name": intake.contact.name, "phone": intake.contact.phone}
        work.session.execute(insert(Reporter).values(**reporter))
    room = max(0, MAX_PHOTOS_OF_CASE - count_photos(work, case.id))
    attach_photos(work, case.id, intake.photos[:room])
    said = " · ".join(text for text in (intake.place_text, intake.description) if text)
    event = add_event(
        work, case, actor, uuid=intake.uuid, step="joined", from_state=case.state, to_state=case.state, said=said,
        content_sha256=intake.content_sha256,
    )  # fmt: skip
    case.updated_at = work.now
    work.emit(CaseStepTaken(case_id=case.id, event_id=event.id, step="joined"))
