"""A chief's page: its lists, and what one tap does on each card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from mapsvc.cases.queries.counters import Bounds
from mapsvc.cases.queries.views import CaseFilters, CaseRow
from mapsvc.cases.rules.values import Side
from mapsvc.web.present.sides import side_text
from mapsvc.web.present.speech import Speech
from mapsvc.web.present.worklist import Option

MAIN = ("to_sign", "due_today", "overdue", "handed")
"""The four that a day begins with."""

MORE = ("in_progress", "with_unit", "whistle", "elsewhere", "open")
PICKS = ("fix", "side")
"""What the buttons at the bottom lead to: a choice of one's own cases, each with its form."""

_KINDS = {"overdue": "late", "due_today": "near", "handed": "near"}


def lists_of(area_id: int, bounds: Bounds) -> dict[str, CaseFilters]:
    """Return the lists of the page; a number stands for what it says and leads to that list on the same page.

    An area's own cases are those that it answers for: one that it offered to a neighbour is its own until
    the other accepts, one that was raised is not.
    """

    def own(**more: object) -> CaseFilters:
        return CaseFilters(owner_area_id=area_id, include_historic=False, **more)  # type: ignore[arg-type]

    return {
        "to_sign": own(states=("assigned",), dispatched=False),
        "due_today": own(due_before=bounds.day_ends),
        "overdue": own(overdue=True),
        "handed": CaseFilters(area_id=area_id, handed=True, include_historic=False),
        "in_progress": own(states=("in_progress",), dispatched=False),
        "with_unit": own(open_only=True, dispatched=True),
        "whistle": CaseFilters(area_id=area_id, whistle="asked", include_historic=False),
        "elsewhere": CaseFilters(area_id=area_id, other_owner_than=area_id, open_only=True, include_historic=False),
        "open": own(open_only=True),
        "fix": own(states=("in_progress",), dispatched=False),
        "side": own(may_change_side=True),
    }


@dataclass(frozen=True)
class PatchCount:
    """One number on top of the page."""

    name: str
    text: str
    number: int
    url: str
    kind: str
    here: bool


@dataclass(frozen=True)
class PatchCard:
    """One case with what a tap does: `action` is a step, or empty where another is to act; `note` says who.

    `links` are steps that need more than a tap: they lead to their form on the page of the case.
    """

    row: CaseRow
    action: str
    title: str
    uuid: UUID
    links: tuple[str, ...]
    note: str
    phone: str
    called: str
    since: datetime | None
    sides: tuple[Option, ...] = ()


@dataclass(frozen=True)
class Around:
    """What is known beside the rows: who asks, the sides of edges, since when somebody is at it, chiefs by area."""

    area_id: int
    acts: bool
    show: str
    sides: Mapping[int, Sequence[Side]]
    directions: Mapping[int, Mapping[int, str]]
    signed_at: Mapping[int, datetime]
    chiefs: Mapping[int, str]
    no_chief: frozenset[str]


def card_of(words: Speech, row: CaseRow, around: Around, uuid: UUID) -> PatchCard:
    """Return one card. It says less than the rules read: what is offered may still be refused, with its reason."""
    action = _action(row, around)
    note, phone, called = _note(words, row, around)
    own = around.acts and row.area_id == around.area_id
    return PatchCard(
        row=row,
        action=action,
        title=words.t(f"do.{action}") if action else "",
        uuid=uuid,
        links=("dispatch",) if own and around.show != "side" and _may_dispatch(row) else (),
        note=note,
        phone=phone,
        called=called,
        since=around.signed_at.get(row.id) if row.state == "in_progress" else None,
        sides=side_options(words, row, around.sides.get(row.id, ()), around.directions.get(row.id, {}))
        if action == "hand_over"
        else (),
    )


def _may_dispatch(row: CaseRow) -> bool:
    return not row.unit_name and row.state in {"assigned", "in_progress"}


def _action(row: CaseRow, around: Around) -> str:
    if not around.acts:
        return ""
    if row.handover_area_id == around.area_id:
        return "accept_hand_over"
    if row.area_id != around.area_id or row.unit_name:
        return ""
    if around.show == "side":
        return "hand_over"
    if row.category in around.no_chief:
        return ""
    return {"assigned": "sign", "in_progress": "fix"}.get(row.state, "")


def _note(words: Speech, row: CaseRow, around: Around) -> tuple[str, str, str]:
    if row.handover_area_id == around.area_id:
        return words.t("patch.offered_by", area=row.area_name, person=row.person_name), "", ""
    if row.handover_area_id is not None:
        chief = around.chiefs.get(row.handover_area_id) or words.t("patch.other_side")
        return words.t("patch.awaits", person=chief), "", ""
    if row.whistle == "asked":
        return words.t("patch.whistle_asked"), "", ""
    if row.unit_name and row.state in {"assigned", "in_progress"}:
        key = "patch.at_unit" if row.state == "in_progress" else "patch.sent_to_unit"
        return words.t(key, unit=row.unit_name), row.unit_phone, row.unit_name
    return "", "", ""


def side_options(words: Speech, row: CaseRow, sides: Sequence[Side], found: Mapping[int, str]) -> tuple[Option, ...]:
    """Return the possible areas as choices: 路北 · 08片区 39 %; `here` is the one that it lies with now."""
    return tuple(
        Option(str(side.area_id), side_text(words, side, found), here=side.area_id == row.area_id)
        for side in sides
        if side.area_id is not None
    )


def merge(own: Sequence[CaseRow], offered: Sequence[CaseRow], most: int) -> tuple[CaseRow, ...]:
    """Return both in the order of urgency: overdue first, then by due time."""
    far = datetime.max.replace(tzinfo=own[0].received_at.tzinfo if own else None)

    def urgency(row: CaseRow) -> tuple[bool, datetime, int]:
        return not row.overdue, row.due_at or far, row.id

    return tuple(sorted({row.id: row for row in (*own, *offered)}.values(), key=urgency))[:most]


def kind_of(name: str, number: int) -> str:
    """Return how a number looks: nothing, late, near."""
    return _KINDS.get(name, "") if number else "zero"
