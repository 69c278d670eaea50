"""Taking a step back on both stores: the case, its clocks and its owner are what they were, the history is longer."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from mapsvc.base.errors import Conflict, Forbidden, InvalidInput, NotFound
from mapsvc.cases.models import Assignment, Case, CaseArea, CaseEvent, Deadline
from mapsvc.cases.queries.columns.memory import ColumnsMemory
from mapsvc.cases.queries.details import get_case
from mapsvc.cases.rules.values import Position
from mapsvc.cases.rules.workflow import QUICK, UNDOABLE
from mapsvc.cases.service.hand_over import hand_over
from mapsvc.cases.service.undo import FACTS, MOMENTS
from mapsvc.insight.queries.figures import Figures, Question
from mapsvc.insight.queries.log import columns_from_log
from mapsvc.people.rules.actor import SYSTEM, Actor

from .conftest import ON_THE_EDGE, District

COLUMNS = [column.name for column in Case.__table__.columns]
IDLE = ("id", "version", "updated_at")
"""Columns that a step moves on purpose and an undo does not move back."""


def picture_of(district: District, case: UUID) -> dict[str, Any]:
    """Return everything that is kept of a case, its running clocks and its places; history left out."""
    with district.store.read() as work:
        row = work.session.scalars(select(Case).where(Case.uuid == case)).one()
        columns = {name: getattr(row, name) for name in COLUMNS if name not in IDLE}
        clocks = work.session.execute(
            select(Deadline.clock, Deadline.due_at, Deadline.starts_at, Deadline.met_at)
            .where(Deadline.case_id == row.id, Deadline.replaced_at.is_(None))
            .order_by(Deadline.clock)
        )
        areas = work.session.execute(
            select(CaseArea.level, CaseArea.area_id).where(CaseArea.case_id == row.id).order_by(CaseArea.level)
        )
        last = work.session.scalars(
            select(Assignment).where(Assignment.case_id == row.id).order_by(Assignment.id.desc()).limit(1)
        ).one()
        found = columns | {"clocks": [tuple(clock) for clock in clocks], "areas": [tuple(area) for area in areas]}
        return found | {"basis": (last.rule, last.area_id, last.person_id, last.candidates)}


def later(district: District, **span: float) -> datetime:
    district.clock.move_to(district.clock.now() + timedelta(**span))
    return district.clock.now()


def undo(district: District, who: Actor, case: UUID, **given: Any) -> str:
    given.setdefault("version", district.row(case).version)
    return district.step(who, case, "undo", **given).state


def on_the_edge(district: District) -> UUID:
    position = Position(*ON_THE_EDGE, accuracy_m=30.0, source="gps")
    return district.open(district.patrol("P1"), channel="patrol", workflow=QUICK, position=position).uuid


def _prepare(district: District, step: str) -> tuple[UUID, Actor, dict[str, Any]]:
    """Return a case at which a step of one tap can be taken, who takes it, and with what."""
    chief, unit = district.chief("P1"), {"unit_id": district.units["U1"]}
    if step in {"hand_over", "accept_hand_over"}:
        case = on_the_edge(district)
        if step == "hand_over":
            return case, chief, {"area_id": district.areas["P2"]}
        district.step(chief, case, "hand_over", area_id=district.areas["P2"])
        return case, district.chief("P2"), {}
    states = {"sign": "assigned", "dispatch": "in_progress", "check_pass": "fixed", "ask_whistle": "assigned"}
    workflow = "quick" if step == "instant_fix" else "standard"
    case = district.opened(states.get(step, "in_progress"), workflow=workflow).uuid
    if step == "unit_sign":
        district.step(chief, case, "dispatch", **unit)
        return case, district.staff("U1"), {}
    if step in {"start", "redispatch"}:
        district.step(chief, case, "return", reason="x")
        return case, chief, unit if step == "redispatch" else {}
    if step == "check_pass":
        # Whoever the case was mended by does not check it.
        return case, district.chief("C1"), {}
    photos = {"photos": (district.photo(case, "far"), district.photo())}
    given = {"dispatch": unit, "fix": photos, "instant_fix": photos}
    return case, chief, given.get(step, {"reason": "x"} if step.startswith("ask") else {})


@pytest.mark.parametrize("step", sorted(UNDOABLE))
def test_every_step_of_one_tap_is_taken_back_to_the_letter(district: District, step: str) -> None:
    case, who, given = _prepare(district, step)
    before, events = picture_of(district, case), len(district.steps_of(case))
    later(district, minutes=11)
    district.step(who, case, step, **given)
    assert step == "ask_extension" or picture_of(district, case) != before, "all others leave more than a line"
    later(district, seconds=100)
    state = undo(district, who, case)
    assert state == before["state"]
    assert picture_of(district, case) == before
    assert district.steps_of(case)[events:][0] == step, "what was done stays in the history"
    assert district.steps_of(case)[-1] == "undo"
    later(district, seconds=1)
    again = {name: value for name, value in given.items() if name != "photos"}
    if "photos" in given:
        again["photos"] = (district.photo(),)
    assert district.step(who, case, step, **again).status == "taken", "and it can be done again"


def test_what_is_kept_for_an_undo_is_every_column_that_a_step_may_change() -> None:
    told_apart = {
        "uuid", "number", "track_code", "import_key", "import_run_id", "content_sha256", "channel", "source_number",
        "source_flag", "historic", "category", "condition", "workflow", "description", "place_text", "lon", "lat",
        "accuracy_m", "position_source", "input_datum", "observed_at", "received_at", "opened_by_user_id",
        "owner",
    }  # fmt: skip
    assert {*FACTS, *MOMENTS, *IDLE, *told_apart} == set(COLUMNS)


def test_the_signing_clock_runs_on_from_where_it_began(district: District) -> None:
    case = district.opened("assigned").uuid
    due = district.row(case).sign_due_at
    later(district, minutes=5)
    district.step(district.chief("P1"), case, "sign")
    assert district.row(case).sign_due_at is None
    undo(district, district.chief("P1"), case)
    assert district.row(case).sign_due_at == due


def test_a_unit_that_signed_keeps_its_case(district: District) -> None:
    case = district.opened("in_progress").uuid
    district.step(district.chief("P1"), case, "dispatch", unit_id=district.units["U1"])
    district.step(district.staff("U1"), case, "unit_sign")
    with pytest.raises(Conflict) as caught:
        undo(district, district.chief("P1"), case)
    assert caught.value.code == "somebody_went_on"
    assert district.row(case).unit_id == district.units["U1"]


@pytest.mark.parametrize(("seconds", "code"), [(120, ""), (121, "too_late_to_undo")])
def test_it_is_possible_for_two_minutes(district: District, seconds: int, code: str) -> None:
    case = district.opened("assigned").uuid
    later(district, minutes=1)
    district.step(district.chief("P1"), case, "sign")
    later(district, seconds=seconds)
    if not code:
        assert undo(district, district.chief("P1"), case) == "assigned"
        return
    with pytest.raises(Conflict) as caught:
        undo(district, district.chief("P1"), case)
    assert caught.value.code == code


def test_nobody_takes_back_what_another_did(district: District) -> None:
    case = district.opened("assigned").uuid
    district.step(district.chief("P1"), case, "sign")
    for other in (district.chief("C1"), district.liaison("P1"), district.desk("dispatcher")):
        with pytest.raises(Conflict) as caught:
            undo(district, other, case)
        assert caught.value.code == "somebody_went_on"
    with pytest.raises(NotFound):
        undo(district, district.chief("P2"), case)
    with pytest.raises(Forbidden):
        undo(district, district.desk("leader"), case)


def test_a_remark_does_not_go_on_and_stays(district: District) -> None:
    case = district.opened("assigned").uuid
    district.step(district.chief("P1"), case, "sign")
    district.step(district.desk("dispatcher"), case, "comment", reason="看到了")
    assert undo(district, district.chief("P1"), case) == "assigned"
    assert district.steps_of(case)[-3:] == ["sign", "comment", "undo"]


def test_the_version_that_was_seen_has_to_be_named_and_right(district: District) -> None:
    case = district.opened("assigned").uuid
    district.step(district.chief("P1"), case, "sign")
    with pytest.raises(InvalidInput) as missing:
        undo(district, district.chief("P1"), case, version=None)
    assert missing.value.code == "needs_version"
    with pytest.raises(Conflict) as old:
        undo(district, district.chief("P1"), case, version=district.row(case).version - 1)
    assert old.value.code == "somebody_was_first"


def test_steps_are_taken_back_one_by_one_and_no_further_than_ones_own(district: District) -> None:
    case = district.opened("assigned").uuid
    before = picture_of(district, case)
    later(district, seconds=5)
    district.step(district.chief("P1"), case, "sign")
    between = picture_of(district, case)
    later(district, seconds=5)
    district.step(district.chief("P1"), case, "dispatch", unit_id=district.units["U1"])
    assert undo(district, district.chief("P1"), case) == "in_progress"
    assert picture_of(district, case) == between
    assert undo(district, district.chief("P1"), case) == "assigned"
    assert picture_of(district, case) == before
    with pytest.raises(Conflict) as caught:
        undo(district, district.chief("P1"), case)
    assert caught.value.code == "nothing_to_undo"


def test_the_same_undo_sent_twice_takes_back_one_step(district: District) -> None:
    case = district.opened("assigned").uuid
    district.step(district.chief("P1"), case, "sign")
    given = {"step_uuid": UUID(int=77), "content_sha256": "7" * 64, "version": district.row(case).version}
    first = district.step(district.chief("P1"), case, "undo", **given)
    again = district.step(district.chief("P1"), case, "undo", **given)
    assert (first.status, again.status) == ("taken", "same")


def test_a_quick_case_closed_by_its_mending_is_opened_by_the_undo(district: District) -> None:
    case = district.opened("in_progress", workflow="quick").uuid
    district.book = replace(district.book, sample_share=0.0)
    later(district, minutes=1)
    before = picture_of(district, case)
    receipt = district.step(district.chief("P1"), case, "fix", photos=(district.photo(),))
    assert (receipt.state, receipt.outcome) == ("closed", "solved")
    assert undo(district, district.chief("P1"), case) == "in_progress"
    after = picture_of(district, case)
    assert after == before
    assert (after["closed_at"], after["outcome"], after["handled_by_user_id"]) == (None, "", None)


def test_after_an_undone_acceptance_borders_and_posts_leave_the_case_with_its_old_owner(district: District) -> None:
    case = on_the_edge(district)
    district.step(district.chief("P1"), case, "hand_over", area_id=district.areas["P2"])
    district.step(district.chief("P2"), case, "accept_hand_over")
    undo(district, district.chief("P2"), case)
    done = hand_over(district.store, district.snapshots, district.book)
    assert done.changed == 0
    row = district.row(case)
    assert (row.owner_area_id, row.handover_area_id) == (district.areas["P1"], district.areas["P2"])


def test_an_undone_request_for_time_can_be_made_again(district: District) -> None:
    case = district.opened("in_progress").uuid
    district.step(district.chief("P1"), case, "ask_extension", reason="x")
    undo(district, district.chief("P1"), case)
    with district.store.read() as work:
        view = get_case(work, district.chief("P1"), district.book, case)
    assert view.extension_stage == ""
    assert {"ask_extension"} <= {step.name for step in view.steps}


def test_the_page_offers_it_while_it_is_possible_and_tells_nothing_of_what_is_kept(district: District) -> None:
    case = district.opened("assigned").uuid
    district.step(district.chief("P1"), case, "sign")
    with district.store.read() as work:
        mine = get_case(work, district.chief("P1"), district.book, case)
        other = get_case(work, district.chief("C1"), district.book, case)
    assert "undo" in {step.name for step in mine.steps}
    assert "undo" not in {step.name for step in other.steps}
    assert not any(key == "before" for event in mine.events for key, _ in event.data)
    later(district, seconds=121)
    with district.store.read() as work:
        late = get_case(work, district.chief("P1"), district.book, case)
    assert "undo" not in {step.name for step in late.steps}


def test_the_history_says_which_step_was_taken_back(district: District) -> None:
    case = district.opened("assigned").uuid
    district.step(district.chief("P1"), case, "sign")
    undo(district, district.chief("P1"), case)
    with district.store.read() as work:
        events = work.session.scalars(select(CaseEvent).order_by(CaseEvent.id.desc()).limit(2)).all()
        assert [event.step for event in events] == ["undo", "sign"]
        assert (events[0].data["undoes"], events[0].data["undone"]) == (events[1].sequence, "sign")
        assert (events[0].from_state, events[0].to_state) == ("in_progress", "assigned")


# -- the whistle


def test_a_chief_asks_and_the_street_summons_a_unit(district: District) -> None:
    case = district.opened("assigned").uuid
    district.step(district.chief("P1"), case, "ask_whistle", reason="私搭乱建,需执法")
    assert district.row(case).whistle == "asked"
    with district.store.read() as work:
        view = get_case(work, district.chief("S1"), district.book, case)
    assert "whistle_asked" in view.notices
    assert {"blow_whistle", "decline_whistle"} <= {step.name for step in view.steps}
    receipt = district.step(district.chief("S1"), case, "blow_whistle", unit_id=district.units["U1"])
    row = district.row(case)
    assert (receipt.state, row.whistle, row.unit_id) == ("assigned", "blown", district.units["U1"])
    assert row.sign_due_at is not None
    district.step(district.staff("U1"), case, "unit_sign")


def test_the_street_may_decline_and_the_chief_ask_again(district: District) -> None:
    case = district.opened("in_progress").uuid
    district.step(district.chief("P1"), case, "ask_whistle", reason="x")
    with pytest.raises(Forbidden):
        district.step(district.chief("P1"), case, "blow_whistle", unit_id=district.units["U1"])
    with pytest.raises(InvalidInput):
        district.step(district.chief("S1"), case, "decline_whistle")
    district.step(district.chief("S1"), case, "decline_whistle", reason="社区可以处理")
    assert (district.row(case).whistle, district.row(case).state) == ("declined", "in_progress")
    district.step(district.chief("P1"), case, "ask_whistle", reason="y")
    assert district.row(case).whistle == "asked"


def test_a_request_ends_when_the_case_is_mended_or_another_answers(district: District) -> None:
    mended = district.opened("in_progress").uuid
    district.step(district.chief("P1"), mended, "ask_whistle", reason="x")
    district.step(district.chief("P1"), mended, "fix", photos=(district.photo(),))
    raised = district.opened("in_progress").uuid
    district.step(district.chief("P1"), raised, "ask_whistle", reason="x")
    district.step(district.chief("P1"), raised, "raise", reason="x")
    assert [district.row(case).whistle for case in (mended, raised)] == ["", ""]


def test_an_instant_fix_that_was_taken_back_counts_nowhere(district: District) -> None:
    memory = ColumnsMemory(district.store)

    def counted() -> tuple[int, int]:
        """Return how many findings count as fixed on the spot: by the rows, and by the log folded anew."""
        columns, now = memory.current(fresh=True), district.clock.now()
        asked = Question(now - timedelta(days=1), now + timedelta(days=1), now + timedelta(seconds=1))
        with district.store.read() as work:
            logged = columns_from_log(work, columns, asked.as_of)
        rates = [Figures(each, SYSTEM, asked).rate("instant_all") for each in (columns, logged)]
        assert [rate.n for rate in rates] == [1, 1], "it stays a finding"
        assert columns.instant_fix.sum() == rates[0].numerator
        assert logged.instant_fix.sum() == rates[1].numerator
        return rates[0].numerator, rates[1].numerator

    case, who, given = _prepare(district, "instant_fix")
    assert counted() == (0, 0)
    later(district, minutes=1)
    district.step(who, case, "instant_fix", **given)
    later(district, seconds=30)
    assert counted() == (1, 1)
    undo(district, who, case)
    later(district, seconds=30)
    assert counted() == (0, 0)
    district.step(who, case, "instant_fix", photos=(district.photo(),))
    later(district, seconds=30)
    assert counted() == (1, 1)
