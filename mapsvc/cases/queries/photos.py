"""Photos: whose they are, who may see them, which files are still wanted."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from mapsvc.cases.models import Case, Photo
from mapsvc.cases.queries.scope import visible_to
from mapsvc.cases.queries.standing import count_photos as count_photos
from mapsvc.people.rules.actor import Actor
from mapsvc.storage.work import Work


def find_case_for_photo(work: Work, case_uuid: UUID) -> Case | None:
    """Return the case a photo belongs to; the UUID is known to its reporter and to staff only."""
    return work.session.scalar(select(Case).where(Case.uuid == case_uuid))


def may_see(work: Work, actor: Actor, case_id: int) -> bool:
    """Whether the asker may see a case."""
    return work.session.scalar(select(Case.id).where(Case.id == case_id, visible_to(actor))) is not None


def find_photo(work: Work, actor: Actor, uuid: UUID) -> str | None:
    """Return the stored hash of a photo that the asker may see (of a visible case, or their own upload), or None."""
    row = work.session.execute(
        select(Photo.stored_sha256, Photo.case_id, Photo.by_user_id).where(Photo.uuid == uuid)
    ).one_or_none()
    if row is None:
        return None
    stored_sha256, case_id, by_user_id = row
    own = by_user_id is not None and by_user_id == actor.user_id
    seen = own or (case_id is not None and may_see(work, actor, case_id))
    return stored_sha256 if seen else None


def wanted_files(work: Work, names: frozenset[str]) -> frozenset[str]:
    """Return those of the stored hashes that a photo refers to; for the sweep of orphans."""
    return frozenset(work.session.scalars(select(Photo.stored_sha256).where(Photo.stored_sha256.in_(names))))
