"""A handling unit's page: what it signs for, what it is at, what is late, each card one tap from done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from mapsvc.cases.queries.counters import Bounds
from mapsvc.cases.queries.views import CaseFilters, CaseRow
from mapsvc.web.present.patchview import PatchCard
from mapsvc.web.present.speech import Speech

TILES = ("to_sign", "in_progress", "due_today", "overdue")
MORE = ("to_check",)
_ACTIONS = {"assigned": "unit_sign", "in_progress": "fix"}
_LINKS = {"assigned": ("return",), "in_progress": ("return", "ask_extension")}


def lists_of(unit_id: int, bounds: Bounds) -> dict[str, CaseFilters]:
    """Return the lists of the page for one unit; what it reported as mended is another's to check."""

    def own(**more: object) -> CaseFilters:
        return CaseFilters(unit_id=unit_id, include_historic=False, **more)  # type: ignore[arg-type]

    at_work = ("assigned", "in_progress")
    return {
        "to_sign": own(states=("assigned",)),
        "in_progress": own(states=("in_progress",)),
        "due_today": own(states=at_work, due_before=bounds.day_ends),
        "overdue": own(states=at_work, overdue=True),
        "to_check": own(states=("fixed",)),
        "open": own(states=at_work),
    }


@dataclass(frozen=True)
class Chief:
    """Who answers for a case and how to call that person."""

    name: str
    phone: str


def unit_card(
    words: Speech, row: CaseRow, chiefs: Mapping[int, Chief], signed_at: Mapping[int, datetime], uuid: UUID
) -> PatchCard:
    """Return one card, with the chief to call."""
    action = _ACTIONS.get(row.state, "")
    chief = chiefs.get(row.area_id or 0)
    note = words.t("unit.chief", area=row.area_name, name=chief.name if chief else "")
    return PatchCard(
        row=row,
        action=action,
        title=words.t(f"do.{action}") if action else "",
        uuid=uuid,
        links=_LINKS.get(row.state, ()),
        note=note.rstrip(" ·:") if row.area_name else "",
        phone=chief.phone if chief else "",
        called=chief.name if chief else "",
        since=signed_at.get(row.id) if row.state == "in_progress" else None,
    )
