"""Cases as lines of a printed table: what may leave the house, without reporters and without free text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from mapsvc.areas.models import Area, AreaVersion
from mapsvc.cases.models import Case
from mapsvc.cases.queries.scope import visible_to
from mapsvc.people.rules.actor import Actor
from mapsvc.storage.work import Work

IDS_AT_ONCE = 500


@dataclass(frozen=True)
class CaseLine:
    """One case for a table. Descriptions and places in words are left out: people write names and phones into them."""

    id: int
    number: str
    source_number: str
    category: str
    condition: str
    channel: str
    state: str
    outcome: str
    area_code: str
    area_name: str
    received_at: datetime
    due_at: datetime | None
    closed_at: datetime | None
    reworks: int


def list_lines(work: Work, actor: Actor, ids: Sequence[int]) -> tuple[CaseLine, ...]:
    """Return the lines of those cases among `ids` that the actor may see, in the order of their ids."""
    found: list[CaseLine] = []
    for start in range(0, len(ids), IDS_AT_ONCE):
        rows = work.session.execute(
            select(
                Case.id, Case.number, Case.source_number, Case.category, Case.condition, Case.channel, Case.state,
                Case.outcome,
                func.coalesce(Area.code, ""), func.coalesce(AreaVersion.name, ""),
                Case.received_at, Case.due_at, Case.closed_at, Case.reworks,
            )
            .outerjoin(Area, Area.id == Case.owner_area_id)
            .outerjoin(AreaVersion, AreaVersion.id == Case.area_version_id)
            .where(visible_to(actor), Case.id.in_([int(each) for each in ids[start : start + IDS_AT_ONCE]]))
            .order_by(Case.id)
        )  # fmt: skip
        found += [CaseLine(*row) for row in rows]  # type: ignore[call-arg]  # one value for each field
    return tuple(found)
