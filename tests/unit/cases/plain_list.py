"""The work list by the plainest means, for tests: every case is looked at in Python, and the list sorted there.

It shares no condition, no index and no order with `cases.queries`; only the permission table and what a figure's cut
means, which have tests of their own, are asked for.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select

from mapsvc.cases.models import Case, CaseArea
from mapsvc.cases.queries.cuts import in_cut
from mapsvc.cases.queries.views import CaseFilters
from mapsvc.cases.rules.cuts import Cut
from mapsvc.cases.rules.workflow import FIELD
from mapsvc.people.rules.actor import Actor
from mapsvc.people.rules.permissions import allows, scope
from mapsvc.storage.imports import ImportRun
from mapsvc.storage.work import Work


class PlainList:
    """All cases of a store, read once."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._cases = list(work.session.scalars(select(Case)))
        self._areas: dict[int, set[int]] = {case.id: set() for case in self._cases}
        for case_id, area_id in work.session.execute(select(CaseArea.case_id, CaseArea.area_id)):
            self._areas[case_id].add(area_id)
        unfinished = select(ImportRun.id).where(ImportRun.published_at.is_(None))
        self._unfinished = set(work.session.scalars(unfinished))
        self._cuts: dict[Cut, set[int]] = {}

    def ids(self, actor: Actor, filters: CaseFilters) -> list[int]:
        """Return the ids of the whole list in its order."""
        now = self._work.now
        found = [case for case in self._cases if self._sees(actor, case) and self._keeps(actor, filters, case, now)]
        if filters.sort == "newest":
            return [case.id for case in sorted(found, key=lambda case: (case.received_at, case.id), reverse=True)]

        def urgency(case: Case) -> tuple[Any, ...]:
            rank = 2 if case.state == "closed" else 0 if _is_overdue(case, now) else 1
            return rank, case.due_at is None, case.due_at or now, case.id

        return [case.id for case in sorted(found, key=urgency)]

    def _sees(self, actor: Actor, case: Case) -> bool:
        where = scope(actor, "case.view")
        if case.import_run_id in self._unfinished:
            return False
        return (
            where.everywhere
            or not where.area_ids.isdisjoint(self._areas[case.id] | {case.handover_area_id})
            or case.unit_id in where.unit_ids
            or (where.own_user_id is not None and case.opened_by_user_id == where.own_user_id)
            or (case.unplaced and not where.is_empty and allows(actor, "case.unplaced"))
        )

    def _keeps(self, actor: Actor, asked: CaseFilters, case: Case, now: datetime) -> bool:
        is_open, field = case.state != "closed", actor.areas_of(*FIELD) or frozenset()
        of_area = {case.handover_area_id} if asked.handed else self._areas[case.id]
        waits = is_open and case.state != "suspended" and case.due_at is not None and case.due_at >= now
        return all((
            asked.area_id is None or asked.area_id in of_area,
            not asked.states or case.state in asked.states,
            not asked.outcome or case.outcome == asked.outcome,
            not asked.channel or case.channel == asked.channel,
            not asked.channels or case.channel in asked.channels,
            not asked.unit_id or case.unit_id == asked.unit_id,
            not asked.person_id or case.owner_person_id == asked.person_id,
            case.category.startswith(asked.category),
            not asked.open_only or is_open,
            not asked.overdue or _is_overdue(case, now),
            not asked.sign_due or (case.state == "assigned" and _before(case.sign_due_at, now)),
            asked.checked is None or asked.checked == (case.checked_by_user_id is not None),
            not asked.handed or (is_open and case.handover_area_id in field),
            asked.owner_area_id is None or case.owner_area_id == asked.owner_area_id,
            asked.other_owner_than is None or case.owner_area_id not in {None, asked.other_owner_than},
            asked.dispatched is None or asked.dispatched == (case.unit_id is not None),
            not asked.may_change_side or _may_change_side(case),
            not asked.whistle or (is_open and case.whistle == asked.whistle),
            not asked.unplaced or case.unplaced,
            not asked.edge or case.edge,
            asked.include_historic or not case.historic,
            asked.due_before is None or (waits and _before(case.due_at, asked.due_before)),
            asked.since is None or not _before(case.updated_at, asked.since),
            asked.received_since is None or not _before(case.received_at, asked.received_since),
            asked.closed_since is None or (case.closed_at is not None and case.closed_at >= asked.closed_since),
            asked.cut is None or case.id in self._in_cut(asked.cut),
            not asked.mine or (is_open and _is_mine(actor, case, field)),
            asked.bbox is None or _is_in_box(case, asked.bbox),
            _has_text(case, asked.text.strip()),
        ))  # fmt: skip

    def _in_cut(self, cut: Cut) -> set[int]:
        if cut not in self._cuts:
            self._cuts[cut] = set(self._work.session.scalars(select(Case.id).where(in_cut(cut))))
        return self._cuts[cut]


def _before(moment: datetime | None, other: datetime) -> bool:
    return moment is not None and moment < other


def _is_overdue(case: Case, now: datetime) -> bool:
    return case.state not in {"closed", "suspended"} and not case.historic and _before(case.due_at, now)


def _may_change_side(case: Case) -> bool:
    at_work = case.state in {"assigned", "in_progress"}
    return case.edge and case.sides_changed == 0 and case.handover_area_id is None and at_work


def _is_mine(actor: Actor, case: Case, field: frozenset[int]) -> bool:
    persons = {held.for_person_id for held in actor.roles} | {actor.person_id}
    return (
        not field.isdisjoint({case.owner_area_id, case.handover_area_id})
        or case.owner_person_id in persons - {None}
        or case.unit_id in actor.unit_ids
        or (actor.user_id is not None and case.opened_by_user_id == actor.user_id)
    )


def _is_in_box(case: Case, bbox: tuple[float, float, float, float]) -> bool:
    west, south, east, north = bbox
    if case.lon is None or case.lat is None or not south <= case.lat <= north:
        return False
    return west <= case.lon <= east if west <= east else case.lon >= west or case.lon <= east


def _has_text(case: Case, asked: str) -> bool:
    """Letters of the Latin alphabet are alike, large or small; both stores know no more than that."""
    wanted = _folded(asked)
    texts = (_folded(case.description), _folded(case.place_text))
    return asked in {case.number, case.source_number} or any(wanted in text for text in texts)


def _folded(text: str) -> str:
    return "".join(one.lower() if one.isascii() else one for one in text)
