"""What the one who reported is told about a case, read back from the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from mapsvc.areas.models import Area, AreaVersion
from mapsvc.cases.models import Assignment, Case, CaseEvent, Follower, Photo
from mapsvc.cases.rules import reason
from mapsvc.cases.rules.values import PhotoReceipt, Receipt, Side
from mapsvc.people.models import Person
from mapsvc.people.rules.actor import Actor
from mapsvc.storage.work import Work


def get_receipt(work: Work, case_id: int, actor: Actor, *, status: str, notices: Sequence[str] = ()) -> Receipt:
    """Return the receipt of a case that is known to exist; one query.

    The chief's name is told to accounts, and to the public only where it is posted up (公示).
    """
    row = work.session.execute(
        select(Case, Area.level, Area.code, AreaVersion.name, Person.name, Person.public, Assignment)
        .outerjoin(Area, Area.id == Case.owner_area_id)
        .outerjoin(AreaVersion, AreaVersion.id == Case.area_version_id)
        .outerjoin(Person, Person.id == Case.owner_person_id)
        .outerjoin(Assignment, Assignment.case_id == Case.id)
        .where(Case.id == case_id)
        .order_by(Assignment.id.desc())
        .limit(1)
    ).one()
    case, level, code, area_name, person_name, person_public, assignment = row
    known = actor.user_id is not None or actor.system
    zh, en = reason.split(assignment.reason) if assignment and known else ("", "")
    return Receipt(
        status=status,
        uuid=case.uuid,
        case_id=case.id,
        number=case.number,
        track_code=case.track_code,
        state=case.state,
        version=case.version,
        area_level=level or "",
        area_code=code or "",
        area_name=area_name or "",
        person_name=person_name if person_name and (known or person_public) else "",
        unplaced=case.unplaced,
        edge=case.edge,
        sides=sides_of(assignment.candidates) if assignment and case.edge else (),
        due_at=case.due_at,
        sign_due_at=case.sign_due_at,
        reason_zh=zh,
        reason_en=en,
        notices=tuple(notices),
    )


def sides_of(candidates: Sequence[dict[str, Any]]) -> tuple[Side, ...]:
    """Return the possible areas as an assignment keeps them."""
    return tuple(Side(**candidate) for candidate in candidates)


def find_intake(work: Work, uuid: UUID) -> tuple[int, str] | None:
    """Return the row and the content hash of the case with this UUID, or None."""
    row = work.session.execute(select(Case.id, Case.content_sha256).where(Case.uuid == uuid)).one_or_none()
    return None if row is None else (row[0], row[1])


def find_follower(work: Work, uuid: UUID) -> tuple[str, str] | None:
    """Return the content hash and the follow code of the form with this UUID that joined a case, or None."""
    row = work.session.execute(
        select(Follower.content_sha256, Follower.track_code).where(Follower.uuid == uuid)
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def find_photo_receipt(work: Work, actor: Actor, uuid: UUID, said: str = "") -> PhotoReceipt | None:
    """Return that a photo is held under a UUID, None where none is.

    Its hash is told to the account that sent it, and to whoever says it (`said`, hexadecimal).
    """
    row = work.session.execute(select(Photo.sha256, Photo.by_user_id).where(Photo.uuid == uuid)).one_or_none()
    if row is None:
        return None
    proved = row.sha256 == said or (actor.user_id is not None and actor.user_id == row.by_user_id)
    return PhotoReceipt(status="same", uuid=uuid, sha256=row.sha256 if proved else "")


def held_hashes(work: Work, actor: Actor, uuids: Sequence[UUID], said: Mapping[UUID, str]) -> dict[UUID, str]:
    """Return the hash of the bytes as sent for each report, step or photo held under these UUIDs that is the asker's.

    It is when the same account sent it, or when the asker says its hash (`said`, hexadecimal) and so has the bytes.
    A UUID alone proves nothing: it stands in addresses, and a hash would confirm a guess of the content.
    """
    found: dict[UUID, str] = {}
    for uuid, value, sender in (
        (Case.uuid, Case.content_sha256, Case.opened_by_user_id),
        (CaseEvent.uuid, CaseEvent.content_sha256, CaseEvent.user_id),
        (Photo.uuid, Photo.sha256, Photo.by_user_id),
    ):
        rows = work.session.execute(select(uuid, value, sender).where(uuid.in_(uuids), value != ""))
        for key, sha256, user_id in rows:
            if said.get(key) == sha256 or (actor.user_id is not None and actor.user_id == user_id):
                found[key] = sha256
    return found
