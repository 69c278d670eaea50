"""Open cases follow borders and posts: what changes hands is handed over with a record, closed cases keep their owner.

Nothing is switched by this: new cases go to whoever answers by the effective dates, whether or not it runs. It brings
the open ones after, in short transactions. It writes only what differs from the answer now, so a second run, or one
after a crash half-way, finds the rest and doubles nothing.
"""

from __future__ import annotations

import uuid as uuids
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import delete, insert

from mapsvc.areas.index import Snapshot, Snapshots
from mapsvc.areas.rules.located import AreaAt, Located
from mapsvc.base.errors import InvalidInput
from mapsvc.base.events import CaseAssigned, CaseStepTaken
from mapsvc.cases.models import Case, CaseArea, CaseEvent, Deadline
from mapsvc.cases.queries import hand_over as queries
from mapsvc.cases.queries.hand_over import OpenCase, Standing
from mapsvc.cases.rules.assignment import Decision, decide, decide_for_area
from mapsvc.cases.rules.hand_over import POST, REDRAW, STEP_OF, is_same_path, keeps_case, state_under_new_owner
from mapsvc.cases.rules.rulebook import Rulebook
from mapsvc.cases.rules.workflow import SYSTEM_ROLE
from mapsvc.cases.service import paths
from mapsvc.cases.service.intake import EVENT_SPACE
from mapsvc.cases.service.records import follow, make_assignment, make_clock
from mapsvc.people.queries import persons_by_id
from mapsvc.people.rules.actor import SYSTEM
from mapsvc.storage.work import Store, Work

PAGE = 2_000
"""Open cases looked at in one read."""

BATCH = 200
"""Cases written in one transaction: a few tenths of a second, so that other writers hardly wait."""


@dataclass(frozen=True)
class HandedOver:
    """What a run did: open cases looked at, cases that borders moved or re-pathed, cases that posts moved."""

    seen: int = 0
    by_borders: int = 0
    by_posts: int = 0

    @property
    def changed(self) -> int:
        """All cases that were written."""
        return self.by_borders + self.by_posts


@dataclass(frozen=True)
class _Change:
    """A case whose answer now differs from what it holds, and why."""

    standing: Standing
    decision: Decision
    kept: bool


def hand_over(
    store: Store,
    snapshots: Snapshots,
    book: Rulebook,
    *,
    area_ids: Collection[int] | None = None,
    page: int = PAGE,
    batch: int = BATCH,
) -> HandedOver:
    """Give every open case to whoever answers now by borders and posts; return what was done.

    `area_ids`: only cases that one of these areas holds. Each batch takes the snapshot afresh: one that crosses an
    effective date hands over by the borders of that moment.
    """
    after, total = 0, HandedOver()
    while True:
        snapshot = snapshots.current(store.clock.now(), fresh=True)
        with store.read() as work:
            seen = queries.list_open_cases(work, after, page, area_ids)
            suspects = [case.id for case in _list_suspects(work, snapshot, book, seen)]
            differing = [
                change.standing.case.id
                for ids in _pieces(suspects, batch)
                for change in _list_changes(work, snapshot, book, ids)
            ]
        total = replace(total, seen=total.seen + len(seen))
        for ids in _pieces(differing, batch):
            snapshot = snapshots.current(store.clock.now(), fresh=True)
            with store.write() as work:
                # Decided again under the lock: somebody may have taken a step since.
                changes = _list_changes(work, snapshot, book, ids)
                _write(work, book, snapshot, changes)
            moved = sum(change.decision.cause == REDRAW for change in changes)
            total = replace(total, by_borders=total.by_borders + moved, by_posts=total.by_posts + len(changes) - moved)
        if len(seen) < page:
            return total
        after = seen[-1].id


def _pieces(ids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


# -- which cases are worth a second look


def _list_suspects(work: Work, snapshot: Snapshot, book: Rulebook, cases: Sequence[OpenCase]) -> Iterator[OpenCase]:
    """Yield the cases that may differ; all points are located at once. It may yield too many, never too few."""
    on = book.local_day(work.now)
    located = _locate_all(snapshot, cases)
    for case, areas in zip(cases, located, strict=True):
        if case.edge or case.owner_area_id is None or case.areas != areas:
            yield case
            continue
        levels = book.chain_of(book.categories.find(case.category))
        chain = [areas[level] for level in levels if level in areas]
        in_post = ((area_id, who) for area_id in chain if (who := snapshot.responsible(area_id, on)) is not None)
        owner_id, who = next(in_post, (chain[0] if chain else None, None))
        area = None if owner_id is None else snapshot.find_area_by_id(owner_id)
        version_id = area.version_id if area else None
        expected = (owner_id, version_id, who.person_id if who else None)
        if expected != (case.owner_area_id, case.area_version_id, case.owner_person_id):
            yield case


def _locate_all(snapshot: Snapshot, cases: Sequence[OpenCase]) -> list[dict[str, int]]:
    """Return the areas by level that hold each case's point; none where it has no position."""
    found: list[dict[str, int]] = [{} for _ in cases]
    numbers = [number for number, case in enumerate(cases) if case.lon is not None]
    lons = np.array([cases[number].lon for number in numbers], dtype=np.float64)
    lats = np.array([cases[number].lat for number in numbers], dtype=np.float64)
    for level, ids in snapshot.locate_many(lons, lats).items():
        for number, area_id in zip(numbers, ids.tolist(), strict=True):
            if area_id:
                found[number][level] = area_id
    return found


# -- what the answer is now


def _list_changes(work: Work, snapshot: Snapshot, book: Rulebook, ids: Sequence[int]) -> list[_Change]:
    """Decide these cases anew and return those whose answer differs, with the cause."""
    found = []
    for standing in queries.load_standings(work, ids):
        decision, kept = _decide(work, snapshot, book, standing)
        cause = _cause(snapshot, standing, decision, kept=kept)
        if cause:
            found.append(_Change(standing, replace(decision, cause=cause), kept))
    return found


def _decide(work: Work, snapshot: Snapshot, book: Rulebook, standing: Standing) -> tuple[Decision, bool]:
    """Return who answers now, and whether an area that a person chose keeps the case."""
    case = standing.case
    category = book.categories.find(case.category)
    chain, on = book.chain_of(category), book.local_day(work.now)
    located = _locate(snapshot, case, chain)
    chosen = None if standing.area_id is None else snapshot.find_area_by_id(standing.area_id)
    if chosen is not None and keeps_case(standing.rule, chosen.area_id, located):
        path = paths.path_to(snapshot, chosen, _path(snapshot, standing, located))
        decision = decide_for_area(
            chosen, path, snapshot, chain, on, rule=standing.rule, generation=snapshot.generation
        )
        return decision, True
    if located is None:
        return Decision("none", None, None, (), (), (), 0.0, 0.0, snapshot.generation), False
    office_only = category is not None and category.no_chief
    return decide(located, snapshot, chain, on, certain=book.certain, office_only=office_only), False


def _locate(snapshot: Snapshot, case: Case, chain: Sequence[str]) -> Located | None:
    if case.lon is None or case.lat is None:
        return None
    try:
        return snapshot.locate(case.lon, case.lat, case.accuracy_m, answers=chain)
    except InvalidInput:  # the ground moved so far that the position would not be taken today
        return Located((), (), "none", 0.0, 0.0, snapshot.generation)


def _path(snapshot: Snapshot, standing: Standing, located: Located | None) -> tuple[AreaAt, ...]:
    """Return the areas at the point, coarsest first; without a position those in force that held the case."""
    if located is not None:
        return tuple(reversed(located.areas))
    found = [snapshot.find_area_by_id(area_id) for area_id in standing.areas.values()]
    order = snapshot.levels.codes
    return tuple(sorted((area for area in found if area), key=lambda area: order.index(area.level)))


def _cause(snapshot: Snapshot, standing: Standing, decision: Decision, *, kept: bool) -> str:
    """Return why the answer differs: the borders or, with the ground as it was, the posts; "" where it does not."""
    case, owner, who = standing.case, decision.owner, decision.responsible
    after = {area.level: area.area_id for area in decision.path}
    owner_id = owner.area_id if owner else None
    if not is_same_path(standing.areas, after, kept=kept):
        return REDRAW
    if owner_id == case.owner_area_id:
        if owner is not None and owner.version_id != case.area_version_id:
            return REDRAW
        return POST if (who.person_id if who else None) != case.owner_person_id else ""
    if owner_id is None or case.owner_area_id is None or snapshot.find_area_by_id(case.owner_area_id) is None:
        return REDRAW
    return POST if case.owner_area_id in after.values() else REDRAW


# -- writing


@dataclass(frozen=True)
class _Before:
    """How a case stood before it was handed over."""

    area_id: int | None
    person_id: int | None
    state: str


def _write(work: Work, book: Rulebook, snapshot: Snapshot, changes: Sequence[_Change]) -> None:
    if not changes:
        return
    before = {
        change.standing.case.id: _Before(
            change.standing.case.owner_area_id, change.standing.case.owner_person_id, change.standing.case.state
        )
        for change in changes
    }
    names = _names(work, changes, before)
    signs = queries.running_clocks(work, list(before), "sign")
    assignments = [make_assignment(work, each.standing.case, each.decision, book, SYSTEM) for each in changes]
    work.session.add_all(assignments)
    for change in changes:
        _follow(work, book, snapshot, change, signs.get(change.standing.case.id))
    events = [_event(work, change, before[change.standing.case.id], names) for change in changes]
    work.session.add_all(events)
    _write_areas(work, changes)
    work.session.flush()  # the ids go into the outbox
    for change, assignment, event in zip(changes, assignments, events, strict=True):
        case = change.standing.case
        was = before[case.id]
        work.emit(CaseStepTaken(case_id=case.id, event_id=event.id, step=event.step))
        if (case.owner_area_id, case.owner_person_id) != (was.area_id, was.person_id):
            work.emit(CaseAssigned(case_id=case.id, assignment_id=assignment.id))


def _follow(work: Work, book: Rulebook, snapshot: Snapshot, change: _Change, running: Deadline | None) -> None:
    """Let the case follow: owner, state, and the clock of signing; the total clock never moves."""
    case = change.standing.case
    owner_before, state_before = case.owner_area_id, case.state
    follow(case, change.decision)
    changed = case.owner_area_id != owner_before
    offered = case.handover_area_id
    if offered is not None and (changed or snapshot.find_area_by_id(offered) is None):
        case.handover_area_id = None
    if changed:
        case.state = state_under_new_owner(
            case.workflow, case.state, unplaced=case.unplaced, has_unit=case.unit_id is not None
        )
        _restart_sign(work, book, case, state_before, running)
    case.version += 1
    case.updated_at = work.now


def _restart_sign(work: Work, book: Rulebook, case: Case, state_before: str, running: Deadline | None) -> None:
    """A new owner has the whole term to sign; a unit that has the case keeps its own clock."""
    if case.unit_id is not None:
        return
    category = book.categories.find(case.category)
    condition = category.find_condition(case.condition) if category else None
    if case.state == "assigned" and condition is not None:
        if running is not None:
            running.replaced_at = work.now
        row = make_clock(case, "sign", book.sign_term(condition), work.now, book)
        work.session.add(row)
        case.sign_due_at = row.due_at
    elif state_before == "assigned" and case.state != "assigned":
        if running is not None and running.met_at is None:
            running.met_at = work.now
        case.sign_due_at = None


def _event(work: Work, change: _Change, was: _Before, names: Mapping[tuple[str, int], str]) -> CaseEvent:
    case, decision = change.standing.case, change.decision
    step = STEP_OF[decision.cause]

    def name(kind: str, number: int | None, nobody: str) -> str:
        return nobody if number is None else names.get((kind, number), str(number))

    area = name("area", was.area_id, "未落格"), name("area", case.owner_area_id, "未落格")
    person = name("person", was.person_id, "—"), name("person", case.owner_person_id, "—")
    moved = f"{area[0]}({person[0]}) → {area[1]}({person[1]})"
    why = (
        f"界线调整, 按第{decision.generation}版次重新认定 / borders of generation {decision.generation}"
        if decision.cause == REDRAW
        else "任职变动, 交接 / posts changed"
    )
    return CaseEvent(
        # The version counts changes, so the UUID follows from what was changed: a second delivery cannot double it.
        uuid=uuids.uuid5(EVENT_SPACE, f"{case.uuid} {step} {case.version}"),
        case_id=case.id,
        sequence=change.standing.sequence + 1,
        at=work.now,
        step=step,
        from_state=was.state,
        to_state=case.state,
        user_id=None,
        role=SYSTEM_ROLE,
        for_person_id=None,
        reason=f"{why}: {moved}",
        data={
            "from_area": was.area_id,
            "to_area": case.owner_area_id,
            "from_person": was.person_id,
            "to_person": case.owner_person_id,
            "generation": decision.generation,
            "kept": change.kept,
        },
        content_sha256="",
    )


def _names(work: Work, changes: Sequence[_Change], before: Mapping[int, _Before]) -> dict[tuple[str, int], str]:
    """Return the names of the areas and persons concerned, old and new."""
    persons = {was.person_id for was in before.values() if was.person_id is not None}
    persons |= {each.decision.responsible.person_id for each in changes if each.decision.responsible}
    versions = {number for each in changes if (number := each.standing.case.area_version_id) is not None}
    names = {("area", area_id): name for area_id, name in queries.area_names(work, versions).items()}
    names |= {("person", person_id): person.name for person_id, person in persons_by_id(work, persons).items()}
    for each in changes:
        owner = each.decision.owner
        if owner is not None:
            names["area", owner.area_id] = owner.name or owner.code
    return names


def _write_areas(work: Work, changes: Sequence[_Change]) -> None:
    moved = [
        each for each in changes if each.standing.areas != {area.level: area.area_id for area in each.decision.path}
    ]
    if not moved:
        return
    work.session.execute(delete(CaseArea).where(CaseArea.case_id.in_([each.standing.case.id for each in moved])))
    rows = [
        {"case_id": each.standing.case.id, "level": area.level, "area_id": area.area_id}
        for each in moved
        for area in each.decision.path
    ]
    if rows:
        work.session.execute(insert(CaseArea), rows)
