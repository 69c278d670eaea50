"""Named tracks are kept for the retention time only; then nothing is left but metres and minutes of cells."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, update

from mapsvc.patrols.models import Patrol, PatrolTrack
from mapsvc.people.rules.actor import Actor
from mapsvc.people.rules.permissions import require
from mapsvc.storage.work import Work

AT_ONCE = 1_000


def forget_tracks(work: Work, actor: Actor, before: datetime) -> int:
    """Delete the tracks of patrols that ended before a moment, and whose they were; return how many, at most 1,000.

    What was credited to cells stays: it names nobody. The row stays without the person, so that the same track
    sent again is still the same.
    """
    require(actor, "patrol.import")
    query = select(Patrol.id).where(Patrol.ended_at < before, Patrol.person_id.is_not(None)).limit(AT_ONCE)
    ids = work.session.scalars(query).all()
    if ids:
        work.session.execute(delete(PatrolTrack).where(PatrolTrack.patrol_id.in_(ids)))
        work.session.execute(update(Patrol).where(Patrol.id.in_(ids)).values(person_id=None, by_user_id=None))
    return len(ids)
