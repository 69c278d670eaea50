"""Steps on the store: what they write, who comes second, what the program does by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from mapsvc.base.errors import Conflict, Forbidden, InvalidInput, MapsvcError, NotFound
from mapsvc.cases.models import Assignment, Case, CaseEvent, Deadline
from mapsvc.cases.rules.values import Position
from mapsvc.people.rules.actor import PUBLIC, RoleHeld
from mapsvc.storage.outbox import OutboxRow

from .conftest import CENTRES, ON_THE_EDGE, District


def clocks_of(district: District, case_id: int) -> list[Deadline]:
    with district.store.read() as work:
        return list(work.session.scalars(select(Deadline).where(Deadline.case_id == case_id).order_by(Deadline.id)))


def edge_case(district: District, state: str = "assigned"):  # type: ignore[no-untyped-def]
    receipt = district.open(
        district.patrol("P1"),
        channel="patrol",
        workflow="quick",
        position=Position(*ON_THE_EDGE, accuracy_m=30.0, source="gps"),
    )
    assert receipt.state == "assigned"
    if state == "in_progress":
        district.step(district.chief("P1"), receipt.uuid, "sign")
    return receipt


def test_the_seven_steps_of_the_standard_workflow(district: District) -> None:
    case = district.open(at=CENTRES["G1"]).uuid
    district.step(district.desk("intake"), case, "accept")
    district.step(district.desk("dispatcher"), case, "dispatch", unit_id=district.units["U1"])
    district.step(district.staff("U1"), case, "unit_sign")
    district.step(district.staff("U1"), case, "fix", photos=(district.photo(),))
    district.step(district.chief("P1"), case, "check_pass")
    receipt = district.step(district.desk("duty_officer"), case, "close")
    assert (receipt.state, receipt.outcome, receipt.from_state) == ("closed", "solved", "fixed")
    assert district.steps_of(case) == ["open", "accept", "dispatch", "unit_sign", "fix", "check_pass", "close"]
    row = district.row(case)
    assert row.closed_at == district.clock.now()
    assert (row.handled_by_user_id, row.checked_by_user_id) == (district.users["staff U1"], district.users["P1"])
    assert row.version == 7
    assert all(clock.met_at or clock.replaced_at for clock in clocks_of(district, row.id))


def test_each_step_is_one_event_with_who_when_and_why(district: District) -> None:
    case = district.opened("in_progress")
    district.clock.move_to(district.clock.now() + timedelta(minutes=7))
    step = uuid4()
    district.step(district.liaison("P1"), case.uuid, "return", step_uuid=step, reason="  非本单位职责 ")
    with district.store.read() as work:
        event = work.session.scalars(select(CaseEvent).where(CaseEvent.uuid == step)).one()
        assert (event.from_state, event.to_state, event.role) == ("in_progress", "returned", "liaison")
        assert event.at == district.clock.now()
        assert event.user_id == district.users["liaison"]
        assert event.for_person_id == district.people["P1"], "both names are on the record"
        assert event.reason == "非本单位职责"
        kinds = list(work.session.scalars(select(OutboxRow.kind).order_by(OutboxRow.id)))
        assert kinds[-1] == "case_step_taken"


def test_the_same_step_sent_twice_is_taken_once(district: District) -> None:
    case = district.open().uuid
    step, sha = uuid4(), "1" * 64
    first = district.step(district.desk("intake"), case, "accept", step_uuid=step, content_sha256=sha)
    again = district.step(district.desk("intake"), case, "accept", step_uuid=step, content_sha256=sha)
    assert (first.status, again.status, again.sequence) == ("taken", "same", first.sequence)
    other = district.step(district.desk("intake"), case, "accept", step_uuid=step, content_sha256="2" * 64)
    assert other.status == "conflict"
    assert district.steps_of(case) == ["open", "accept"]


def test_a_step_uuid_of_another_case_is_a_conflict_that_tells_nothing(district: District) -> None:
    first, second = district.open().uuid, district.open().uuid
    step, sha = uuid4(), "1" * 64
    district.step(district.desk("intake"), first, "accept", step_uuid=step, content_sha256=sha)
    receipt = district.step(district.desk("intake"), second, "accept", step_uuid=step, content_sha256=sha)
    assert (receipt.status, receipt.sequence, receipt.state) == ("conflict", 0, "")


def test_who_comes_second_is_told_who_was_first(district: District) -> None:
    case = district.opened("assigned")
    seen = district.row(case.uuid).version
    district.step(district.chief("P1"), case.uuid, "sign", version=seen)
    with pytest.raises(Conflict) as caught:
        district.step(district.chief("C1"), case.uuid, "sign", version=seen)
    assert caught.value.code == "somebody_was_first"
    assert caught.value.detail["by"] == "用户 P1"
    assert caught.value.detail["step"] == "sign"
    assert "签收" in caught.value.message
    with pytest.raises(Conflict) as unversioned:
        district.step(district.chief("C1"), case.uuid, "sign")
    assert unversioned.value.code == "step_not_allowed"
    assert "用户 P1" in unversioned.value.message


def test_a_comment_does_not_mind_what_happened_in_between(district: District) -> None:
    case = district.opened("assigned")
    district.step(district.chief("P1"), case.uuid, "sign")
    assert district.step(district.chief("C1"), case.uuid, "comment", version=1, reason="看过").status == "taken"


@pytest.mark.parametrize("step", ["accept", "sign", "fix", "check_pass", "close", "return", "dispatch"])
def test_a_step_on_somebody_elses_case_finds_no_case(district: District, step: str) -> None:
    """Another patch, another unit, somebody without an account: the case does not exist for them."""
    case = district.opened("in_progress").uuid
    strangers = (district.chief("P2"), district.chief("S2"), district.staff("U2"), district.patrol("P4"), PUBLIC)
    for stranger in (*strangers, district.desk("planner"), district.desk("admin")):
        with pytest.raises(NotFound):
            district.step(stranger, case, step, reason="x")
    assert district.steps_of(case)[-1] == "sign"


def test_a_leader_sees_a_case_and_takes_no_step(district: District) -> None:
    case = district.opened("in_progress").uuid
    for step in ("comment", "return", "close", "raise", "mark_duplicate"):
        with pytest.raises((Forbidden, Conflict)):
            district.step(district.desk("leader"), case, step, reason="x")
    assert len(district.steps_of(case)) == 3


def test_the_street_above_may_act_and_one_beside_may_not(district: District) -> None:
    case = district.opened("assigned").uuid
    with pytest.raises(NotFound):
        district.step(district.chief("S2"), case, "sign")
    assert district.step(district.chief("S1"), case, "sign").state == "in_progress"


def test_a_grid_chief_is_told_and_may_act(district: District) -> None:
    case = district.opened("assigned").uuid
    assert district.step(district.chief("G1"), case, "sign").state == "in_progress"
    other = district.opened("assigned").uuid
    with pytest.raises(NotFound):
        district.step(district.chief("G2"), other, "sign")


def test_a_unit_acts_on_what_was_dispatched_to_it_only(district: District) -> None:
    case = district.opened("assigned").uuid
    with pytest.raises(NotFound):
        district.step(district.staff("U1"), case, "unit_sign")
    district.step(district.chief("P1"), case, "dispatch", unit_id=district.units["U1"])
    with pytest.raises(NotFound):
        district.step(district.staff("U2"), case, "unit_sign")
    with pytest.raises(Conflict) as caught:
        district.step(district.chief("P1"), case, "sign")
    assert caught.value.code == "with_a_unit"
    district.step(district.staff("U1"), case, "unit_sign")
    district.step(district.staff("U1"), case, "return", reason="非本单位职责")
    with pytest.raises(NotFound):
        district.step(district.staff("U1"), case, "comment", reason="no longer mine")


def test_only_units_in_service_are_dispatched_to(district: District) -> None:
    case = district.opened("in_progress").uuid
    for unit in (district.units["U9"], 10**6):
        with pytest.raises(InvalidInput) as caught:
            district.step(district.chief("P1"), case, "dispatch", unit_id=unit)
        assert caught.value.code == "unknown_unit"


def test_the_total_clock_never_stops_on_a_transfer_and_signing_has_its_own(district: District) -> None:
    case = district.opened("assigned")
    due = district.row(case.uuid).due_at
    first_sign = district.row(case.uuid).sign_due_at
    district.clock.move_to(district.clock.now() + timedelta(hours=1))
    district.step(district.chief("P1"), case.uuid, "dispatch", unit_id=district.units["U1"])
    row = district.row(case.uuid)
    assert row.due_at == due
    assert first_sign is not None
    assert row.sign_due_at is not None
    assert row.sign_due_at > first_sign, "the unit's own time to sign begins with the dispatch"
    district.step(district.staff("U1"), case.uuid, "unit_sign")
    district.step(district.staff("U1"), case.uuid, "return", reason="x")
    district.step(district.desk("dispatcher"), case.uuid, "redispatch", unit_id=district.units["U2"])
    assert district.row(case.uuid).due_at == due


def test_the_third_return_raises_the_case_by_itself(district: District) -> None:
    case = district.opened("assigned").uuid
    for turn in range(1, 4):
        step = "dispatch" if turn == 1 else "redispatch"
        told = district.step(district.desk("dispatcher"), case, step, unit_id=district.units["U1"])
        assert ("first_receiver" in told.notices) == (turn == 3), "from the second return on"
        district.step(district.staff("U1"), case, "return", reason="非本单位职责")
    row = district.row(case)
    assert row.returns == 3
    assert row.owner_area_id == district.areas["C1"]
    assert (row.state, row.unit_id) == ("assigned", None)
    assert district.steps_of(case)[-2:] == ["return", "raise"]
    with district.store.read() as work:
        last = work.session.scalars(select(Assignment).order_by(Assignment.id.desc()).limit(1)).one()
        assert last.rule == "raised"
        assert "提级" in last.reason


def test_a_case_is_raised_along_the_chain_up_to_its_end(district: District) -> None:
    case = district.opened("in_progress").uuid
    for level in ("C1", "S1", "D1"):
        district.step(district.desk("duty_officer"), case, "raise", reason="超出权限")
        assert district.row(case).owner_area_id == district.areas[level]
        assert district.row(case).state == "assigned", "the new owner is to sign"
    with pytest.raises(Conflict) as caught:
        district.step(district.desk("duty_officer"), case, "raise", reason="x")
    assert caught.value.code == "no_upper_level"


def test_a_handler_does_not_check_and_a_checker_does_not_close(district: District) -> None:
    case = district.opened("fixed").uuid
    for same in (district.chief("P1"), district.liaison("P1")):
        with pytest.raises(Forbidden) as caught:
            district.step(same, case, "check_pass")
        assert caught.value.code == "handler_is_not_checker"
    with pytest.raises(Conflict) as unchecked:
        district.step(district.desk("duty_officer"), case, "close")
    assert unchecked.value.code == "unchecked"
    both = district.actor("second officer", RoleHeld("duty_officer"), RoleHeld("street", area_id=district.areas["S1"]))
    district.step(both, case, "check_pass")
    with pytest.raises(Forbidden) as closer:
        district.step(both, case, "close")
    assert closer.value.code == "checker_is_not_closer"
    with pytest.raises(Forbidden) as dispatcher:
        district.step(district.desk("dispatcher"), case, "close")
    assert dispatcher.value.code == "role_not_allowed"
    assert district.step(district.desk("duty_officer"), case, "close").state == "closed"


def test_a_failed_check_is_rework(district: District) -> None:
    case = district.opened("fixed").uuid
    district.step(district.patrol("P1"), case, "check_fail", reason="还有垃圾")
    row = district.row(case)
    assert (row.state, row.reworks, row.handled_by_user_id) == ("in_progress", 1, None)
    district.step(district.chief("P1"), case, "fix", photos=(district.photo(),))
    assert district.step(district.patrol("P1"), case, "check_pass").state == "fixed"


def test_fixing_needs_a_photo_that_is_there(district: District) -> None:
    case = district.opened("in_progress").uuid
    with pytest.raises(InvalidInput) as caught:
        district.step(district.chief("P1"), case, "fix")
    assert caught.value.code == "needs_photo"


def test_what_came_with_the_report_or_is_another_cases_proves_nothing(district: District) -> None:
    reported, chief = district.photo(kind=""), district.chief("P1")
    case = district.open(photos=(reported,)).uuid
    district.step(district.desk("intake"), case, "accept")
    district.step(chief, case, "sign")
    elsewhere = district.photo(district.open().uuid)
    for photos in ((reported,), (elsewhere,), (reported, elsewhere)):
        with pytest.raises(InvalidInput) as caught:
            district.step(chief, case, "fix", photos=photos)
        assert caught.value.code == "needs_photo"
    district.clock.move_to(district.clock.now() + timedelta(hours=1))
    sent_by_itself = district.photo(case)
    assert district.step(chief, case, "fix", photos=(reported, sent_by_itself)).state == "fixed"
    district.step(district.patrol("P1"), case, "check_fail", reason="还在")
    owed = district.step(chief, case, "fix", photos=(reported, uuid4()))
    assert (owed.state, owed.notices) == ("fixed", ("photo_missing",)), "a phone sends its steps before its photos"


def quick_case(district: District, *, sampled: bool):  # type: ignore[no-untyped-def]
    """Open quick cases until one is drawn for the sample, or not."""
    from mapsvc.cases.rules.workflow import is_sampled

    while True:
        receipt = district.open(district.patrol("P1"), channel="patrol", workflow="quick")
        if is_sampled(receipt.track_code, district.book.sample_share) == sampled:
            return receipt


def test_a_quick_case_is_closed_by_the_program(district: District) -> None:
    whitelisted = _instant_category(district)
    before, after = district.photo(kind="far"), district.photo(kind="after")
    district.book = replace(district.book, sample_share=0.0)
    receipt = district.open(
        district.patrol("P1"), channel="patrol", workflow="quick", category=whitelisted, photos=(before,)
    )
    taken = district.step(district.patrol("P1"), receipt.uuid, "instant_fix", photos=(after,))
    assert (taken.state, taken.outcome) == ("closed", "solved")
    assert district.steps_of(receipt.uuid) == ["open", "instant_fix", "close"]
    with district.store.read() as work:
        closing = work.session.scalars(select(CaseEvent).where(CaseEvent.step == "close")).one()
        assert (closing.user_id, closing.role) == (None, "system")


def test_a_sampled_quick_case_is_checked_by_another_person_first(district: District) -> None:
    receipt = quick_case(district, sampled=True)
    district.step(district.chief("P1"), receipt.uuid, "sign")
    taken = district.step(district.chief("P1"), receipt.uuid, "fix", photos=(district.photo(),))
    assert taken.state == "fixed"
    with pytest.raises(Forbidden):
        district.step(district.chief("P1"), receipt.uuid, "check_pass")
    assert district.step(district.patrol("P1"), receipt.uuid, "check_pass").state == "closed"


def test_an_unsampled_quick_case_closes_when_it_is_fixed(district: District) -> None:
    receipt = quick_case(district, sampled=False)
    district.step(district.chief("P1"), receipt.uuid, "sign")
    assert district.step(district.chief("P1"), receipt.uuid, "fix", photos=(district.photo(),)).state == "closed"


def test_a_quick_case_that_owes_its_proof_is_not_closed_unseen(district: District) -> None:
    receipt = quick_case(district, sampled=False)
    chief = district.chief("P1")
    district.step(chief, receipt.uuid, "sign")
    owed = district.step(chief, receipt.uuid, "fix", photos=(uuid4(),))
    assert (owed.state, owed.notices) == ("fixed", ("photo_missing",))
    assert district.row(receipt.uuid).state == "fixed", "nobody has seen a photo of it"
    assert district.step(district.patrol("P1"), receipt.uuid, "check_pass").state == "closed"


def _instant_category(district: District) -> str:
    return next(each.code for each in district.book.categories.in_use if each.conditions[0].instant_fix)


def test_an_instant_fix_needs_a_whitelisted_category_and_proof(district: District) -> None:
    forbidden = next(
        each for each in district.book.categories.in_use if each.emergency and not each.no_chief and not each.retired
    )
    receipt = district.open(district.patrol("P1"), channel="patrol", workflow="quick", category=forbidden.code)
    with pytest.raises(Conflict) as caught:
        district.step(district.patrol("P1"), receipt.uuid, "instant_fix", photos=(district.photo(),))
    assert caught.value.code == "no_instant_fix"
    allowed = district.open(
        district.patrol("P1"), channel="patrol", workflow="quick", category=_instant_category(district)
    )
    with pytest.raises(InvalidInput) as proof:
        district.step(district.patrol("P1"), allowed.uuid, "instant_fix", photos=(district.photo(),))
    assert proof.value.code == "needs_proof"
    assert district.row(allowed.uuid).state == "assigned", "nothing of a refused step is written"


def test_an_emergency_is_flagged_on_the_event_that_opens_it(district: District) -> None:
    emergency = next(each for each in district.book.categories.in_use if each.conditions[0].emergency)
    receipt = district.open(category=emergency.code)
    with district.store.read() as work:
        opened = work.session.scalars(select(OutboxRow).where(OutboxRow.kind == "case_opened")).all()[-1]
        assert opened.payload == {"case_id": receipt.case_id, "emergency": True}


def test_no_chief_signs_for_what_no_chief_may_be_given(district: District) -> None:
    category = next(each for each in district.book.categories.in_use if each.no_chief and len(each.conditions) >= 1)
    receipt = district.open(category=category.code)
    district.step(district.desk("intake"), receipt.uuid, "accept", condition=category.conditions[0].code)
    with pytest.raises(Forbidden) as caught:
        district.step(district.chief("P1"), receipt.uuid, "sign")
    assert caught.value.code == "not_for_chiefs"
    with pytest.raises(Conflict):
        district.step(district.desk("dispatcher"), receipt.uuid, "assign", area_id=district.areas["P1"], reason="就近")
    assert district.step(district.chief("S1"), receipt.uuid, "sign").state == "in_progress"


def test_filing_needs_the_condition_where_there_are_several(district: District) -> None:
    category = next(each for each in district.book.categories.in_use if len(each.conditions) > 1 and not each.no_chief)
    receipt = district.open(category=category.code)
    with pytest.raises(InvalidInput) as caught:
        district.step(district.desk("intake"), receipt.uuid, "accept")
    assert caught.value.code == "needs_condition"
    last = category.conditions[-1]
    district.step(district.desk("intake"), receipt.uuid, "accept", condition=last.code)
    total = [clock for clock in clocks_of(district, receipt.case_id) if clock.clock == "total"]
    assert total[-1].amount == last.term.amount
    assert total[-1].starts_at == district.row(receipt.uuid).received_at
    assert district.row(receipt.uuid).condition == last.code


def test_suspending_stops_the_clock_once_and_resuming_gives_back_what_was_left(district: District) -> None:
    case = district.opened("in_progress")
    due = district.row(case.uuid).due_at
    assert due == datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
    district.clock.move_to(datetime(2026, 11, 23, 2, 0, tzinfo=UTC))  # 10:00, three working hours are left
    until = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
    officer = district.desk("duty_officer")
    for wrong in (district.clock.now(), datetime(2028, 1, 1, tzinfo=UTC)):
        with pytest.raises(InvalidInput):
            district.step(officer, case.uuid, "suspend", reason="等待配件", until=wrong)
    district.step(officer, case.uuid, "suspend", reason="等待配件", until=until)
    district.clock.move_to(datetime(2026, 11, 24, 1, 0, tzinfo=UTC))  # the next day, 09:00
    district.step(officer, case.uuid, "resume")
    assert district.row(case.uuid).due_at == datetime(2026, 11, 24, 4, 0, tzinfo=UTC), "09:00 and three working hours"
    with pytest.raises(Conflict) as caught:
        district.step(officer, case.uuid, "suspend", reason="again", until=until)
    assert caught.value.code == "suspended_before"


def test_an_extension_takes_two_approvals_of_two_persons_and_adds_the_original_term(district: District) -> None:
    case = district.opened("in_progress")
    before = district.row(case.uuid).due_at
    district.step(district.chief("P1"), case.uuid, "ask_extension", reason="需要吊车")
    with pytest.raises(Conflict):
        district.step(district.desk("duty_officer"), case.uuid, "extend")
    district.step(district.desk("dispatcher"), case.uuid, "endorse_extension")
    district.step(district.desk("duty_officer"), case.uuid, "extend")
    after = district.row(case.uuid)
    assert after.extensions == 1
    assert before is not None
    assert after.due_at == district.book.calendar.add_working(before, timedelta(hours=4))


def test_at_most_two_extensions_and_none_once_it_is_overdue(district: District) -> None:
    case = district.opened("in_progress")
    for _ in range(2):
        district.step(district.chief("P1"), case.uuid, "ask_extension", reason="x")
        district.step(district.desk("dispatcher"), case.uuid, "endorse_extension")
        district.step(district.desk("duty_officer"), case.uuid, "extend")
    with pytest.raises(Conflict) as third:
        district.step(district.chief("P1"), case.uuid, "ask_extension", reason="x")
    assert third.value.code == "no_extension_left"
    late = district.opened("in_progress")
    district.clock.move_to(district.clock.now() + timedelta(days=3))
    with pytest.raises(Conflict) as overdue:
        district.step(district.chief("P1"), late.uuid, "ask_extension", reason="x")
    assert overdue.value.code == "overdue"


def test_a_refused_extension_may_be_asked_for_again(district: District) -> None:
    case = district.opened("in_progress")
    district.step(district.chief("P1"), case.uuid, "ask_extension", reason="x")
    district.step(district.desk("dispatcher"), case.uuid, "refuse_extension", reason="理由不足")
    assert district.step(district.chief("P1"), case.uuid, "ask_extension", reason="y").status == "taken"


def test_an_edge_case_changes_sides_when_the_other_accepts(district: District) -> None:
    case = edge_case(district)
    due = district.row(case.uuid).due_at
    p1, p2 = district.chief("P1"), district.chief("P2")
    district.step(p1, case.uuid, "hand_over", area_id=district.areas["P2"])
    row = district.row(case.uuid)
    assert row.owner_area_id == district.areas["P1"], "still in my count until accepted"
    with pytest.raises(Forbidden):
        district.step(p1, case.uuid, "accept_hand_over")
    district.step(p2, case.uuid, "accept_hand_over")
    row = district.row(case.uuid)
    assert (row.owner_area_id, row.owner_person_id) == (district.areas["P2"], district.people["P2"])
    assert (row.sides_changed, row.edge, row.state) == (1, False, "assigned")
    assert row.due_at == due, "the clock never stops for it"
    with pytest.raises((Conflict, NotFound)):
        district.step(p2, case.uuid, "hand_over", area_id=district.areas["P1"])


def test_a_declined_hand_over_stays_with_the_first_receiver(district: District) -> None:
    case = edge_case(district, "in_progress")
    district.step(district.chief("P1"), case.uuid, "hand_over", area_id=district.areas["P2"])
    district.step(district.chief("P2"), case.uuid, "decline_hand_over", reason="在路北")
    row = district.row(case.uuid)
    assert (row.owner_area_id, row.handover_area_id, row.state) == (district.areas["P1"], None, "in_progress")


def test_the_dispatcher_decides_the_side_once(district: District) -> None:
    case = edge_case(district)
    district.step(district.desk("dispatcher"), case.uuid, "decide_side", area_id=district.areas["P2"])
    row = district.row(case.uuid)
    assert (row.owner_area_id, row.sides_changed, row.edge) == (district.areas["P2"], 1, False)
    with pytest.raises(Conflict):
        district.step(district.desk("dispatcher"), case.uuid, "decide_side", area_id=district.areas["P1"])


def test_the_reporter_answers_the_side_by_the_code(district: District) -> None:
    receipt = district.open(position=Position(*ON_THE_EDGE, accuracy_m=30.0, source="gps"))
    with pytest.raises(NotFound):
        district.step(PUBLIC, receipt.uuid, "answer_side", area_id=district.areas["P2"])
    with pytest.raises(NotFound):
        district.step(PUBLIC, receipt.uuid, "answer_side", area_id=district.areas["P2"], track_code="0" * 12)
    with pytest.raises(InvalidInput):
        district.step(PUBLIC, receipt.uuid, "answer_side", area_id=district.areas["P4"], track_code=receipt.track_code)
    district.step(PUBLIC, receipt.uuid, "answer_side", area_id=district.areas["P2"], track_code=receipt.track_code)
    row = district.row(receipt.uuid)
    assert (row.owner_area_id, row.edge, row.sides_changed) == (district.areas["P2"], False, 0)


def test_moving_the_pin_gives_it_to_the_chief_there_with_a_record(district: District) -> None:
    case = district.opened("in_progress")
    due = district.row(case.uuid).due_at
    told = district.step(district.desk("intake"), case.uuid, "move_pin", position=Position(*CENTRES["G3"]))
    assert (told.area_name, told.person_name, told.state) == ("P2名", "负责人P2", "assigned")
    row = district.row(case.uuid)
    assert (row.lon, row.lat) == CENTRES["G3"]
    assert row.due_at == due
    with district.store.read() as work:
        rules = list(work.session.scalars(select(Assignment.area_id).order_by(Assignment.id)))
        assert rules == [district.areas["P1"], district.areas["P2"]]
    with pytest.raises(Forbidden):
        district.step(district.chief("P1"), case.uuid, "sign")


def test_moving_the_pin_within_the_area_leaves_the_state(district: District) -> None:
    case = district.opened("in_progress")
    told = district.step(district.chief("P1"), case.uuid, "move_pin", position=Position(*CENTRES["G2"]))
    assert told.state == "in_progress"
    with district.store.read() as work:
        assigned = [row.kind for row in work.session.scalars(select(OutboxRow)) if row.kind == "case_assigned"]
        assert len(assigned) == 1, "nobody is told about what did not change"


def test_moving_the_pin_out_of_the_district_puts_it_into_the_tray(district: District) -> None:
    case = district.opened("in_progress")
    told = district.step(district.desk("intake"), case.uuid, "move_pin", position=Position(118.2, 30.2))
    assert told.state == "received"
    assert district.row(case.uuid).unplaced
    told = district.step(
        district.desk("dispatcher"), case.uuid, "assign", area_id=district.areas["P3"], reason="电话核实"
    )
    assert (told.state, told.area_name) == ("received", "P3名")
    assert not district.row(case.uuid).unplaced
    assert district.step(district.desk("intake"), case.uuid, "accept").state == "assigned"


def test_an_unplaced_quick_case_is_to_be_signed_for_once_it_is_assigned(district: District) -> None:
    receipt = district.open(district.patrol("P1"), at=(118.2, 30.2), channel="patrol", workflow="quick")
    assert receipt.state == "received"
    told = district.step(
        district.desk("dispatcher"), receipt.uuid, "assign", area_id=district.areas["P1"], reason="电话核实"
    )
    assert told.state == "assigned"
    assert told.sign_due_at is not None


def test_another_category_brings_another_term_from_intake(district: District) -> None:
    case = district.opened("in_progress")
    row = district.row(case.uuid)
    other = next(
        each
        for each in district.book.categories.in_use
        if each.conditions[0].term.unit == "working_day" and not each.no_chief and each.code != row.category
    )
    district.step(district.chief("P1"), case.uuid, "recategorise", category=other.code)
    changed = district.row(case.uuid)
    assert changed.category == other.code
    assert changed.due_at is not None
    assert row.due_at is not None
    assert changed.due_at > row.due_at
    total = [clock for clock in clocks_of(district, case.case_id) if clock.clock == "total"]
    assert [clock.replaced_at is None for clock in total] == [False, True]
    assert {clock.starts_at for clock in total} == {row.received_at}


def test_a_finding_that_becomes_quick_waits_for_no_filing(district: District) -> None:
    def category(workflow: str):  # type: ignore[no-untyped-def]
        return next(
            each
            for each in district.book.categories.in_use
            if each.workflow == workflow and not each.no_chief and not each.conditions[0].emergency
        )

    case = district.open(district.patrol("P1"), channel="patrol", category=category("standard").code)
    assert case.state == "received"
    quick = category("quick")
    told = district.step(
        district.desk("intake"), case.uuid, "recategorise", category=quick.code, condition=quick.conditions[0].code
    )
    assert (told.state, district.row(case.uuid).workflow) == ("assigned", "quick")
    assert told.sign_due_at is not None
    assert district.step(district.chief("P1"), case.uuid, "sign").state == "in_progress"


def test_recategorising_to_an_office_matter_takes_it_from_the_chief(district: District) -> None:
    case = district.opened("in_progress")
    office = next(each for each in district.book.categories.in_use if each.no_chief)
    told = district.step(
        district.desk("intake"), case.uuid, "recategorise", category=office.code, condition=office.conditions[0].code
    )
    assert told.area_name == "S1名"


def test_duplicates_are_merged_and_both_numbers_kept(district: District) -> None:
    first, second = district.open(), district.open()
    told = district.step(district.desk("dispatcher"), second.uuid, "mark_duplicate", duplicate_of=first.number)
    assert (told.state, told.outcome) == ("closed", "duplicate")
    assert district.row(second.uuid).duplicate_of_id == first.case_id
    third = district.open()
    with pytest.raises(Conflict) as itself:
        district.step(district.desk("intake"), third.uuid, "mark_duplicate", duplicate_of=third.number)
    assert itself.value.code == "bad_merge"
    with pytest.raises(NotFound):
        district.step(district.desk("intake"), third.uuid, "mark_duplicate", duplicate_of="20000101-000001")
    with pytest.raises(Conflict) as reopened:
        district.step(district.desk("intake"), second.uuid, "reopen", reason="不是同一处")
    assert reopened.value.code == "is_duplicate"


@pytest.mark.parametrize(
    ("state", "step", "outcome"),
    [
        ("received", "refuse", "refused"),
        ("in_progress", "not_ours", "not_ours"),
        ("returned", "cannot", "cannot"),
    ],
)
def test_what_ends_unsolved_says_so(district: District, state: str, step: str, outcome: str) -> None:
    case = district.opened(state)
    with pytest.raises(InvalidInput) as caught:
        district.step(district.desk("duty_officer"), case.uuid, step)
    assert caught.value.code == "needs_reason"
    told = district.step(district.desk("duty_officer"), case.uuid, step, reason="理由")
    assert (told.state, told.outcome) == ("closed", outcome)


def test_a_reopened_case_has_a_new_clock_counts_as_rework_and_the_second_time_goes_up(district: District) -> None:
    case = district.opened("closed")
    first_due = district.row(case.uuid).due_at
    code = case.track_code
    district.clock.move_to(district.clock.now() + timedelta(days=2))
    told = district.step(PUBLIC, case.uuid, "reopen", reason="又堆满了", track_code=code)
    row = district.row(case.uuid)
    assert (told.state, row.reworks, row.outcome, row.closed_at) == ("assigned", 1, "", None)
    assert row.owner_area_id == district.areas["P1"]
    assert row.due_at is not None
    assert first_due is not None
    assert row.due_at > first_due
    assert (row.handled_by_user_id, row.checked_by_user_id) == (None, None)
    district.step(district.chief("P1"), case.uuid, "sign")
    district.step(district.chief("P1"), case.uuid, "fix", photos=(district.photo(),))
    district.step(district.patrol("P1"), case.uuid, "check_pass")
    district.step(district.desk("duty_officer"), case.uuid, "close")
    district.step(PUBLIC, case.uuid, "reopen", reason="还是没有", track_code=code)
    row = district.row(case.uuid)
    assert row.reworks == 2
    assert row.owner_area_id == district.areas["C1"], "raised to the community"
    assert district.steps_of(case.uuid)[-2:] == ["reopen", "raise"]


@pytest.mark.parametrize("step", ["refuse", "not_ours"])
def test_what_was_never_filed_is_looked_at_again_by_who_files(district: District, step: str) -> None:
    case = district.open()
    district.step(district.desk("duty_officer"), case.uuid, step, reason="不属本区")
    told = district.step(PUBLIC, case.uuid, "reopen", reason="就在本区", track_code=case.track_code)
    assert (told.state, told.outcome, told.sign_due_at) == ("received", "", None)
    assert district.step(district.desk("intake"), case.uuid, "accept").state == "assigned"
    district.step(district.desk("duty_officer"), case.uuid, "not_ours", reason="产权单位负责")
    assert district.step(district.desk("intake"), case.uuid, "reopen", reason="复核").state == "assigned", (
        "it was filed"
    )


def test_a_resident_is_told_no_person(district: District) -> None:
    case = district.opened("closed")
    told = district.step(PUBLIC, case.uuid, "reopen", reason="又堆满了", track_code=case.track_code)
    assert (told.area_name, told.person_name) == ("P1名", "")
    assert district.step(district.chief("P1"), case.uuid, "sign").person_name == "负责人P1"
    for version in (None, 1):
        with pytest.raises(Conflict) as caught:
            district.step(PUBLIC, case.uuid, "reopen", reason="x", version=version, track_code=case.track_code)
        assert "用户" not in f"{caught.value.message} {caught.value.detail}"
    with pytest.raises(Conflict, match="用户 P1"):
        district.step(district.desk("intake"), case.uuid, "reopen", reason="x")


def test_a_resident_is_told_a_name_that_is_posted_up(district: District) -> None:
    receipt = district.open(position=Position(*ON_THE_EDGE, accuracy_m=30.0, source="gps"))
    given = {"area_id": district.areas["P2"], "track_code": receipt.track_code, "step_uuid": uuid4()}
    assert district.step(PUBLIC, receipt.uuid, "answer_side", **given).person_name == "负责人P2"
    assert district.step(PUBLIC, receipt.uuid, "answer_side", **given).person_name == "负责人P2", "sent again"


def test_the_code_of_one_case_opens_no_other(district: District) -> None:
    mine, other = district.opened("closed"), district.opened("closed")
    with pytest.raises(NotFound):
        district.step(PUBLIC, other.uuid, "reopen", reason="x", track_code=mine.track_code)


def test_the_reporter_takes_only_the_steps_of_a_reporter(district: District) -> None:
    case = district.opened("in_progress")
    for step in ("comment", "return", "fix"):
        with pytest.raises(Forbidden):
            district.step(PUBLIC, case.uuid, step, reason="x", track_code=case.track_code)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"step": "teleport"}, "unknown_step"),
        ({"step": "reveal_contact", "reason": "x"}, "use_disclosure"),
        ({"step": "verify", "result": "perhaps"}, "unknown_result"),
        ({"step": "verify"}, "needs_result"),
        ({"step": "comment"}, "needs_reason"),
        ({"step": "comment", "reason": "   "}, "needs_reason"),
        ({"step": "comment", "reason": "x" * 5000}, "text_too_long"),
        ({"step": "assign", "reason": "x", "area_id": 10**6}, "unknown_area"),
        ({"step": "move_pin"}, "needs_position"),
        ({"step": "move_pin", "position": Position(30.0, 118.0)}, "lon_lat_swapped"),
        ({"step": "recategorise", "category": "E9999"}, "unknown_category"),
    ],
)
def test_bad_input_of_a_step_is_refused_and_writes_nothing(
    district: District, given: dict[str, object], code: str
) -> None:
    case = district.open().uuid
    everybody = district.actor(
        "other",
        *(RoleHeld(role) for role in ("intake", "dispatcher", "duty_officer")),
        RoleHeld("area_chief", area_id=district.areas["P1"]),
    )
    asked = dict(given)
    with pytest.raises(MapsvcError) as caught:
        district.step(everybody, case, str(asked.pop("step")), **asked)
    assert caught.value.code == code
    assert district.steps_of(case) == ["open"]
    assert district.row(case).version == 1


def test_when_a_phone_took_the_step_is_kept_and_never_lies_ahead(district: District) -> None:
    case = district.opened("assigned")
    taken = district.clock.now() - timedelta(minutes=20)
    district.step(district.chief("P1"), case.uuid, "sign", taken_at=taken)
    district.step(
        district.chief("P1"), case.uuid, "comment", reason="x", taken_at=district.clock.now() + timedelta(days=9)
    )
    with district.store.read() as work:
        events = work.session.scalars(select(CaseEvent).join(Case).order_by(CaseEvent.id.desc()).limit(2)).all()
        assert [event.data["taken_at"] for event in events] == [district.clock.now().isoformat(), taken.isoformat()]
