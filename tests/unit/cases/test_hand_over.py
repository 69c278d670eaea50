"""Open cases follow borders and posts with a record; closed ones keep their owner; a second run changes nothing."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
import shapely
from sqlalchemy import func, insert, select

from mapsvc.areas.models import Post
from mapsvc.areas.service.import_areas import import_rows
from mapsvc.areas.service.posts import PostData, end_post, put_posts
from mapsvc.areas.service.prepared import BorderRows, ImportOptions, MadeColumn
from mapsvc.cases.models import Assignment, Case, CaseArea, CaseEvent, Deadline
from mapsvc.cases.service import hand_over as service
from mapsvc.cases.service.hand_over import HandedOver, hand_over
from mapsvc.jobs.casework import CaseWork
from mapsvc.jobs.chores import make_chores
from mapsvc.jobs.handlers import make_handlers
from mapsvc.jobs.worker import Worker
from mapsvc.people.rules.actor import SYSTEM
from mapsvc.storage.outbox import OutboxRow
from mapsvc.storage.work import Store, Work

from .conftest import CENTRES, COMMUNITY, GRIDS, ON_THE_EDGE, PATCH, STEP, STREET, District

NEXT_WEEK = date(2026, 11, 30)
G2_TO_P2 = {**PATCH, "G2": "P2"}
EAST = {"G9": (CENTRES["G4"][0] + STEP, CENTRES["G4"][1])}


def redraw(
    district: District,
    patch: Mapping[str, str] = G2_TO_P2,
    *,
    on: date | None = None,
    more: Mapping[str, tuple[float, float]] | None = None,
) -> None:
    """Publish the grids again with another carving into patches; `more` adds grids to patch P2."""
    centres = CENTRES | dict(more or {})
    boxes = [
        shapely.box(lon - STEP / 2, lat - STEP / 2, lon + STEP / 2, lat + STEP / 2) for lon, lat in centres.values()
    ]
    communities = tuple(COMMUNITY.get(grid, "C1") for grid in centres)
    made = {
        "district": tuple("D1" for _ in centres),
        "street": tuple(STREET[code] for code in communities),
        "community": communities,
        "patch": tuple(patch.get(grid, "P2") for grid in centres),
    }
    rows = BorderRows(
        rows=tuple(range(1, len(centres) + 1)),
        codes=tuple(centres),
        names=tuple(f"{grid}网格" for grid in centres),
        geometries=np.array(boxes, dtype=object),
        kinds=("",) * len(centres),
        households=(None,) * len(centres),
        made=tuple(MadeColumn(level, codes, tuple(f"{code}名" for code in codes)) for level, codes in made.items()),
    )
    options = ImportOptions(effective_on=on)
    import_rows(district.store, district.settings, district.book.levels, SYSTEM, "grid", rows, options)


def run(district: District, **given: Any) -> HandedOver:
    return hand_over(district.store, district.snapshots, district.book, **given)


def pass_days(district: District, days: int) -> None:
    district.clock.move_to(district.clock.now() + timedelta(days=days))


@dataclass(frozen=True)
class Kept:
    """What a case keeps of its past."""

    assignments: list[Assignment]
    events: list[CaseEvent]
    areas: dict[str, int]
    clocks: list[Deadline]


def kept(district: District, case: UUID) -> Kept:
    with district.store.read() as work:

        def rows(of: Any) -> list[Any]:
            asked = select(of).join(Case, Case.id == of.case_id).where(Case.uuid == case)
            return list(work.session.scalars(asked.order_by(*of.__table__.primary_key)))

        areas = {row.level: row.area_id for row in rows(CaseArea)}
        return Kept(rows(Assignment), rows(CaseEvent), areas, rows(Deadline))


def events_told(district: District, kind: str) -> list[dict[str, Any]]:
    with district.store.read() as work:
        asked = select(OutboxRow.payload).where(OutboxRow.kind == kind).order_by(OutboxRow.id)
        return list(work.session.scalars(asked))


def rows_written(district: District) -> list[int]:
    """Count everything that a hand-over writes, so that a run that writes nothing shows."""
    with district.store.read() as work:
        return [
            work.session.scalar(select(func.count()).select_from(table)) or 0
            for table in (Assignment, CaseEvent, CaseArea, Deadline, OutboxRow)
        ]


# -- borders


def test_an_open_case_in_ground_that_changes_hands_is_handed_over_with_a_record(district: District) -> None:
    case = district.opened("assigned", at=CENTRES["G2"])
    before, told = district.row(case.uuid), len(events_told(district, "case_assigned"))
    assert before.owner_area_id == district.areas["P1"]
    pass_days(district, 1)
    redraw(district)
    assert run(district).by_borders == 1
    row, past = district.row(case.uuid), kept(district, case.uuid)
    assert (row.owner_area_id, row.owner_person_id) == (district.areas["P2"], district.people["P2"])
    assert row.generation == district.snapshot.generation > (before.generation or 0)
    found = district.snapshot.find_area("patch", "P2")
    assert found is not None
    assert row.area_version_id == found.version_id
    assert past.areas == {"district": district.areas["D1"], "street": district.areas["S1"],
                          "community": district.areas["C1"], "patch": district.areas["P2"],
                          "grid": district.areas["G2"]}  # fmt: skip
    newest, event = past.assignments[-1], past.events[-1]
    assert (newest.rule, newest.area_id, newest.person_id) == ("redraw", row.owner_area_id, row.owner_person_id)
    assert newest.reason.startswith(f"界线调整, 按第{row.generation}版次重新认定: ")
    assert f"decided again by generation {row.generation}" in newest.reason
    assert (event.step, event.role, event.user_id) == ("hand_over_borders", "system", None)
    assert "P1名(负责人P1) → P2名(负责人P2)" in event.reason
    assert (event.data["from_area"], event.data["to_area"]) == (district.areas["P1"], district.areas["P2"])
    assert events_told(district, "case_assigned")[told:] == [{"case_id": row.id, "assignment_id": newest.id}]
    assert row.version == before.version + 1


def test_the_new_owner_signs_anew_and_the_total_clock_stands(district: District) -> None:
    case = district.opened("in_progress", at=CENTRES["G2"])
    before = district.row(case.uuid)
    pass_days(district, 1)
    redraw(district)
    run(district)
    row = district.row(case.uuid)
    assert (before.state, row.state) == ("in_progress", "assigned")
    assert row.due_at == before.due_at
    assert row.sign_due_at is not None
    assert row.sign_due_at > district.clock.now()
    signs = [clock for clock in kept(district, case.uuid).clocks if clock.clock == "sign"]
    assert [clock.replaced_at is None for clock in signs] == [False, True]
    district.step(district.chief("P2"), case.uuid, "sign")
    assert district.row(case.uuid).state == "in_progress"


@pytest.mark.parametrize(
    ("state", "after"),
    [("received", "received"), ("returned", "assigned"), ("suspended", "suspended"), ("fixed", "fixed")],
)
def test_the_state_follows_the_rules_of_a_new_owner(district: District, state: str, after: str) -> None:
    case = district.opened(state, at=CENTRES["G2"])
    redraw(district)
    run(district)
    row = district.row(case.uuid)
    assert (row.state, row.owner_area_id) == (after, district.areas["P2"])


def test_a_closed_case_and_a_historic_one_keep_their_owner(district: District) -> None:
    closed, historic = district.opened("closed", at=CENTRES["G2"]), district.open(at=CENTRES["G2"])
    with district.store.write() as work:
        work.session.get_one(Case, historic.case_id).historic = True
    redraw(district)
    assert run(district).changed == 0
    for case in (closed, historic):
        assert district.row(case.uuid).owner_area_id == district.areas["P1"]


def test_a_case_whose_owner_stays_keeps_its_state_and_nobody_is_called(district: District) -> None:
    case = district.opened("in_progress", at=CENTRES["G1"])
    told = len(events_told(district, "case_assigned"))
    redraw(district)
    assert run(district).by_borders == 1, "P1 has another border version, which the case names from now on"
    row = district.row(case.uuid)
    assert (row.owner_area_id, row.state) == (district.areas["P1"], "in_progress")
    assert len(events_told(district, "case_assigned")) == told


def test_a_case_far_from_the_change_is_left_alone(district: District) -> None:
    case = district.open(at=CENTRES["G5"])
    before = district.row(case.uuid)
    redraw(district)
    assert run(district) == HandedOver(seen=1)
    assert district.row(case.uuid).version == before.version


def test_the_unit_keeps_the_work_that_it_has(district: District) -> None:
    case = district.opened("in_progress", at=CENTRES["G2"])
    district.step(district.chief("P1"), case.uuid, "dispatch", unit_id=district.units["U1"])
    district.step(district.staff("U1"), case.uuid, "unit_sign")
    before = district.row(case.uuid)
    redraw(district)
    run(district)
    row = district.row(case.uuid)
    assert (row.owner_area_id, row.unit_id, row.state) == (district.areas["P2"], district.units["U1"], "in_progress")
    assert row.sign_due_at == before.sign_due_at


def test_a_case_assigned_by_hand_keeps_its_owner_and_its_path_is_refreshed(district: District) -> None:
    case = district.open(at=CENTRES["G2"])
    for code in ("P3", "P1"):
        district.step(district.desk("dispatcher"), case.uuid, "assign", area_id=district.areas[code], reason="x")
    redraw(district)
    assert run(district).by_borders == 1
    assert district.row(case.uuid).owner_area_id == district.areas["P1"]
    past = kept(district, case.uuid)
    assert past.areas["patch"] == district.areas["P1"]
    assert past.events[-1].data["kept"] is True
    assert "由工作人员指定" in past.assignments[-1].reason
    assert run(district).changed == 0


def test_by_hand_at_unchanged_ground_is_no_change(district: District) -> None:
    """Two assignments by hand leave the finer levels out; that is no reason to write."""
    case = district.open(at=CENTRES["G6"])
    for code in ("P1", "P3"):
        district.step(district.desk("dispatcher"), case.uuid, "assign", area_id=district.areas[code], reason="x")
    assert "grid" not in kept(district, case.uuid).areas
    assert run(district) == HandedOver(seen=1)


def test_an_area_chosen_by_hand_that_ended_gives_the_case_up(district: District) -> None:
    case = district.open(at=CENTRES["G5"])
    district.step(district.desk("dispatcher"), case.uuid, "assign", area_id=district.areas["P2"], reason="x")
    redraw(district, {**PATCH, "G3": "P1", "G4": "P1"})
    run(district)
    row = district.row(case.uuid)
    assert row.owner_area_id == district.areas["P3"]
    assert kept(district, case.uuid).assignments[-1].rule == "redraw"


def test_a_case_without_position_whose_area_ended_waits_in_the_tray(district: District) -> None:
    case = district.open(district.desk("intake"), channel="hotline", at=None, place_text="西路口")
    district.step(district.desk("dispatcher"), case.uuid, "assign", area_id=district.areas["P2"], reason="x")
    redraw(district, {**PATCH, "G3": "P1", "G4": "P1"})
    run(district)
    row = district.row(case.uuid)
    assert (row.owner_area_id, row.unplaced) == (None, True)
    assert run(district).changed == 0


def test_a_raised_case_stays_raised_while_its_area_lies_at_the_point(district: District) -> None:
    case = district.opened("in_progress", at=CENTRES["G2"])
    district.step(district.chief("P1"), case.uuid, "raise", reason="x")
    assert district.row(case.uuid).owner_area_id == district.areas["C1"]
    redraw(district)
    run(district)
    assert district.row(case.uuid).owner_area_id == district.areas["C1"]
    assert kept(district, case.uuid).areas["patch"] == district.areas["P2"]


def test_the_side_that_a_reporter_chose_stays_while_it_is_possible(district: District) -> None:
    intake = district.intake(ON_THE_EDGE)
    assert intake.position is not None
    position = type(intake.position)(*ON_THE_EDGE, accuracy_m=15.0)
    case = district.open(position=position, side_area_id=district.areas["P2"])
    assert district.row(case.uuid).owner_area_id == district.areas["P2"]
    assert run(district).changed == 0
    redraw(district, {**PATCH, "G5": "P4"})
    run(district)
    assert district.row(case.uuid).owner_area_id == district.areas["P2"]


def test_an_edge_case_that_nobody_settled_stays_an_edge_case(district: District) -> None:
    intake = district.intake(ON_THE_EDGE)
    assert intake.position is not None
    case = district.open(position=type(intake.position)(*ON_THE_EDGE, accuracy_m=15.0))
    assert district.row(case.uuid).edge
    assert run(district).changed == 0
    redraw(district)
    run(district)
    assert not district.row(case.uuid).edge, "both sides are P2 now"


def test_new_ground_takes_in_an_unplaced_case_and_lost_ground_gives_it_up(district: District) -> None:
    case = district.opened("received", at=EAST["G9"])
    assert district.row(case.uuid).unplaced
    redraw(district, PATCH, more=EAST)
    run(district)
    row = district.row(case.uuid)
    assert (row.owner_area_id, row.unplaced) == (district.areas["P2"], False)
    redraw(district, PATCH)
    run(district)
    row = district.row(case.uuid)
    assert (row.owner_area_id, row.unplaced, row.state) == (None, True, "received")
    assert kept(district, case.uuid).areas == {}


def test_an_offer_to_hand_over_ends_with_the_one_who_made_it(district: District) -> None:
    case = district.open(at=CENTRES["G2"])
    with district.store.write() as work:
        work.session.get_one(Case, case.case_id).handover_area_id = district.areas["P2"]
    redraw(district)
    run(district)
    assert district.row(case.uuid).handover_area_id is None


# -- again, half-way, and many


def test_a_second_delivery_doubles_nothing(district: District) -> None:
    for grid in GRIDS:
        district.open(at=CENTRES[grid])
    redraw(district)
    handlers = make_handlers(district.settings)
    Worker(district.store, handlers).run_once()
    before = rows_written(district)
    again = CaseWork(district.settings)
    again.hand_over(district.store)
    again.follow_dates(district.store)
    assert run(district).changed == 0
    assert rows_written(district) == before


def test_a_worker_killed_between_batches_leaves_whole_cases_and_the_next_one_finds_the_rest(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [district.opened("assigned", at=CENTRES["G2"]) for _ in range(5)]
    redraw(district)
    write = service._write
    calls: list[Work] = []

    def killed(work: Work, *given: Any) -> None:
        calls.append(work)
        write(work, *given)
        if len(calls) == 2:
            raise KeyboardInterrupt  # after everything was written, before the commit

    monkeypatch.setattr(service, "_write", killed)
    with pytest.raises(KeyboardInterrupt):
        run(district, batch=2)
    moved = [case for case in cases if district.row(case.uuid).owner_area_id == district.areas["P2"]]
    assert len(moved) == 2
    assert run(district, batch=2).by_borders == 3
    for case in cases:
        past = kept(district, case.uuid)
        assert [each.rule for each in past.assignments].count("redraw") == 1
        assert [each.step for each in past.events].count("hand_over_borders") == 1


def test_somebody_who_took_a_step_meanwhile_is_respected(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    case = district.opened("fixed", at=CENTRES["G2"])
    redraw(district)
    look = service._list_changes
    looked: list[Any] = []

    def and_close(work: Work, *given: Any) -> Any:
        found = look(work, *given)
        if not looked:
            looked.append(found)
            monkeypatch.setattr(service, "_list_changes", look)
        return found

    monkeypatch.setattr(service, "_list_changes", and_close)
    inner = service._pieces

    def close_between(ids: Any, size: int) -> Any:
        if looked and district.row(case.uuid).state == "fixed":
            district.step(district.patrol("P1"), case.uuid, "check_pass")
            district.step(district.desk("duty_officer"), case.uuid, "close")
        yield from inner(ids, size)

    monkeypatch.setattr(service, "_pieces", close_between)
    assert run(district).changed == 0
    assert district.row(case.uuid).owner_area_id == district.areas["P1"]


def test_pages_and_batches_miss_nobody(district: District) -> None:
    for number in range(7):
        district.open(at=CENTRES["G2" if number % 2 else "G5"])
    redraw(district)
    assert run(district, page=3, batch=1) == HandedOver(seen=7, by_borders=3)


def put_many(district: District, count: int) -> None:
    """Copy one case many times, as a bulk of rows."""
    receipt = district.opened("assigned", at=CENTRES["G2"])
    with district.store.write() as work:
        pattern = work.session.get_one(Case, receipt.case_id)
        values = {column.name: getattr(pattern, column.name) for column in Case.__table__.columns}
        cases = [
            values | {"id": pattern.id + n, "uuid": uuid4(), "number": f"n{n}", "track_code": f"t{n}"}
            for n in range(1, count)
        ]
        work.session.execute(insert(Case.__table__), cases)  # type: ignore[arg-type]
        for table in (CaseArea, Assignment, CaseEvent, Deadline):
            columns = [column.name for column in table.__table__.columns if column.name != "id"]
            rows = work.session.scalars(select(table).where(table.case_id == pattern.id)).all()
            copies = [
                {name: getattr(row, name) for name in columns}
                | {"case_id": case["id"]}
                | ({"uuid": uuid4()} if "uuid" in columns else {})
                for case in cases
                for row in rows
            ]
            work.session.execute(insert(table.__table__), copies)  # type: ignore[arg-type]


def test_two_thousand_open_cases_are_handed_over_within_seconds(district: District) -> None:
    put_many(district, 2_000)
    redraw(district)
    begun = time.perf_counter()
    assert run(district) == HandedOver(seen=2_000, by_borders=2_000)
    took_s = time.perf_counter() - begun
    begun = time.perf_counter()
    assert run(district).changed == 0
    again_s = time.perf_counter() - begun
    print(f"2,000 cases handed over in {took_s:.2f} s, looked at again in {again_s:.2f} s")
    assert took_s < 30
    assert again_s < 5


# -- on a date


def test_it_is_due_on_the_effective_date_and_a_stopped_worker_only_delays_it(district: District) -> None:
    case = district.opened("assigned", at=CENTRES["G2"])
    redraw(district, on=NEXT_WEEK)
    worker = Worker(district.store, make_handlers(district.settings), make_chores(district.settings))
    worker.run_once()
    worker.chores.do_due(district.store)
    assert district.row(case.uuid).owner_area_id == district.areas["P1"]
    pass_days(district, 10)
    fresh = district.open(at=CENTRES["G2"])
    assert district.row(fresh.uuid).owner_area_id == district.areas["P2"], "new cases wait for no worker"
    assert district.row(case.uuid).owner_area_id == district.areas["P1"]
    while worker.run_once().total:
        pass
    assert district.row(case.uuid).owner_area_id == district.areas["P2"]
    assert kept(district, case.uuid).assignments[-1].rule == "redraw"


# -- posts


def post(district: District, code: str) -> int:
    with district.store.read() as work:
        return work.session.scalars(select(Post.id).where(Post.area_id == district.areas[code])).one()


def put_chief(district: District, code: str, person: str, begins: date | None = None) -> None:
    level = {"P": "patch", "C": "community", "S": "street"}[code[0]]
    data = PostData(level, code, "chief", f"new-{person}", person, valid_from=begins, document="文〔2026〕2号")
    with district.store.write() as work:
        put_posts(work, district.book.levels, SYSTEM, [data], end_previous=True)


def deliver(district: District) -> None:
    worker = Worker(district.store, make_handlers(district.settings))
    while worker.run_once().total:
        pass


def test_a_new_chief_takes_the_open_cases_over_by_a_record_that_names_both(district: District) -> None:
    case, closed = district.opened("in_progress", at=CENTRES["G1"]), district.opened("closed", at=CENTRES["G1"])
    put_chief(district, "P1", "李新", date(2026, 11, 23))
    deliver(district)
    row, past = district.row(case.uuid), kept(district, case.uuid)
    assert row.owner_area_id == district.areas["P1"]
    assert row.owner_person_id not in {None, district.people["P1"]}
    assert row.state == "in_progress", "the office has the case in hand"
    assert past.events[-1].step == "owner_changed"
    assert "负责人P1" in past.events[-1].reason
    assert "李新" in past.events[-1].reason
    assert (past.assignments[-1].rule, past.assignments[-1].person_id) == ("post", row.owner_person_id)
    assert past.assignments[-1].reason.startswith("任职变动")
    assert district.row(closed.uuid).owner_person_id == district.people["P1"]
    before = rows_written(district)
    assert run(district).changed == 0
    assert rows_written(district) == before


def test_a_vacancy_sends_cases_one_level_up_and_a_new_chief_brings_them_back(district: District) -> None:
    case, other = district.opened("assigned", at=CENTRES["G1"]), district.open(at=CENTRES["G5"])
    with district.store.write() as work:
        end_post(work, SYSTEM, post(district, "P1"), date(2026, 11, 22))
    deliver(district)
    row = district.row(case.uuid)
    assert (row.owner_area_id, row.owner_person_id) == (district.areas["C1"], district.people["C1"])
    assert "P1名无人任职, 由上一级负责" in kept(district, case.uuid).assignments[-1].reason
    put_chief(district, "P1", "李新", date(2026, 11, 23))
    deliver(district)
    assert district.row(case.uuid).owner_area_id == district.areas["P1"]
    assert [event.step for event in kept(district, case.uuid).events].count("owner_changed") == 2
    assert kept(district, case.uuid).areas["grid"] == district.areas["G1"]
    assert "owner_changed" not in district.steps_of(other.uuid)


def test_a_case_that_came_to_a_community_for_a_vacancy_alone_goes_to_the_first_chief(district: District) -> None:
    case = district.open(at=CENTRES["G7"])
    assert district.row(case.uuid).owner_area_id == district.areas["C3"]
    put_chief(district, "P4", "周四", date(2026, 11, 23))
    deliver(district)
    assert district.row(case.uuid).owner_area_id == district.areas["P4"]


def test_a_raised_case_does_not_come_down_for_a_new_chief(district: District) -> None:
    case = district.opened("in_progress", at=CENTRES["G1"])
    district.step(district.chief("P1"), case.uuid, "raise", reason="x")
    put_chief(district, "P1", "李新", date(2026, 11, 23))
    deliver(district)
    assert district.row(case.uuid).owner_area_id == district.areas["C1"]
    assert "owner_changed" not in district.steps_of(case.uuid)


def test_a_case_by_hand_comes_back_to_its_area_after_a_vacancy(district: District) -> None:
    case = district.open(at=CENTRES["G5"])
    district.step(district.desk("dispatcher"), case.uuid, "assign", area_id=district.areas["P1"], reason="x")
    with district.store.write() as work:
        end_post(work, SYSTEM, post(district, "P1"), date(2026, 11, 22))
    deliver(district)
    assert district.row(case.uuid).owner_area_id != district.areas["P1"]
    put_chief(district, "P1", "李新", date(2026, 11, 23))
    deliver(district)
    assert district.row(case.uuid).owner_area_id == district.areas["P1"]


def test_posts_that_begin_and_end_by_date_need_no_event(district: District) -> None:
    case = district.open(at=CENTRES["G1"])
    chores = make_chores(district.settings)
    put_chief(district, "P1", "李新", date(2026, 11, 25))
    deliver(district)
    chores.do_due(district.store)
    assert district.row(case.uuid).owner_person_id == district.people["P1"]
    pass_days(district, 2)
    chores.do_due(district.store)
    assert district.row(case.uuid).owner_person_id not in {None, district.people["P1"]}
    assert "李新" in kept(district, case.uuid).events[-1].reason


def test_the_chore_looks_once_for_each_day(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = CaseWork(district.settings)
    looked: list[Store] = []
    monkeypatch.setattr(jobs, "hand_over", lambda store: looked.append(store))
    for _ in range(3):
        jobs.follow_dates(district.store)
    assert len(looked) == 1
    pass_days(district, 1)
    jobs.follow_dates(district.store)
    assert len(looked) == 2


def test_only_cases_in_the_areas_named_are_looked_at(district: District) -> None:
    district.open(at=CENTRES["G1"])
    district.open(at=CENTRES["G5"])
    assert run(district, area_ids={district.areas["P1"]}) == HandedOver(seen=1)
    assert run(district, area_ids=set()) == HandedOver()


def test_a_store_without_open_cases_is_fine(district: District) -> None:
    assert run(district) == HandedOver()
