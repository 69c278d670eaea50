"""A new calendar lists what it would move and moves it by an event only; suspended cases come back by themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from mapsvc.base.errors import Forbidden, InvalidInput
from mapsvc.cases.models import CaseEvent, Deadline
from mapsvc.cases.rules.calendar import Calendar, calendar_from_document
from mapsvc.cases.service.clocks import MovedDeadline, list_due_to_resume, recompute_deadlines, resume_case
from mapsvc.people.rules.actor import Actor

from .conftest import District


def holiday_today(district: District) -> Calendar:
    """The notice comes late: Monday 23 November 2026 turns out to be a holiday."""
    document = {"years": {"2026": {"holidays": ["2026-11-23"]}}}
    return calendar_from_document(document, district.settings.timezone)


def recompute(
    district: District, calendar: Calendar, actor: Actor | None = None, *, apply: bool = False, reason: str = ""
) -> tuple[MovedDeadline, ...]:
    who = actor or district.desk("duty_officer")
    if apply:
        with district.store.write() as work:
            return recompute_deadlines(work, who, calendar, apply=True, reason=reason)
    with district.store.read() as work:
        return recompute_deadlines(work, who, calendar)


def test_a_stored_deadline_is_frozen_until_somebody_moves_it(district: District) -> None:
    case = district.open()
    calendar = holiday_today(district)
    moved = recompute(district, calendar)
    assert [(each.number, each.clock) for each in moved] == [(case.number, "total")]
    assert moved[0].due_before == datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
    assert moved[0].due_after == datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
    assert district.row(case.uuid).due_at == moved[0].due_before, "a list moves nothing"
    recompute(district, calendar, apply=True, reason="国办通知")
    row = district.row(case.uuid)
    assert row.due_at == moved[0].due_after
    with district.store.read() as work:
        event = work.session.scalars(select(CaseEvent).order_by(CaseEvent.id.desc()).limit(1)).one()
        assert (event.step, event.reason, event.data["clock"]) == ("recompute", "国办通知", "total")
        clocks = work.session.scalars(select(Deadline).order_by(Deadline.id)).all()
        assert [clock.replaced_at is None for clock in clocks] == [False, True]
    assert recompute(district, calendar) == (), "a second time there is nothing to move"


def test_only_open_clocks_in_working_time_move(district: District) -> None:
    district.opened("closed")
    district.opened("suspended")
    urgent = next(each for each in district.book.categories.in_use if each.conditions[0].term.unit == "urgent_hour")
    district.open(category=urgent.code)
    assert recompute(district, holiday_today(district)) == ()


def test_a_sign_clock_moves_too(district: District) -> None:
    case = district.opened("assigned")
    moved = recompute(district, holiday_today(district), apply=True, reason="x")
    assert {each.clock for each in moved} == {"total", "sign"}
    assert district.row(case.uuid).sign_due_at == next(each.due_after for each in moved if each.clock == "sign")


def test_what_was_granted_is_kept(district: District) -> None:
    case = district.opened("in_progress")
    district.step(district.chief("P1"), case.uuid, "ask_extension", reason="x")
    district.step(district.desk("dispatcher"), case.uuid, "endorse_extension")
    district.step(district.desk("duty_officer"), case.uuid, "extend")
    assert recompute(district, holiday_today(district)) == ()


def test_the_same_calendar_moves_nothing(district: District) -> None:
    district.open()
    assert recompute(district, district.book.calendar) == ()


def test_moving_needs_a_reason_and_the_right(district: District) -> None:
    district.open()
    with pytest.raises(InvalidInput):
        recompute(district, holiday_today(district), apply=True)
    for role in ("intake", "dispatcher", "leader", "admin"):
        with pytest.raises(Forbidden):
            recompute(district, holiday_today(district), district.desk(role), apply=True, reason="x")


def test_many_cases_are_moved_in_batches(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mapsvc.cases.service.clocks.BATCH", 2)
    for _ in range(5):
        district.open()
    assert len(recompute(district, holiday_today(district), apply=True, reason="x")) == 5


def test_a_suspended_case_comes_back_by_itself_on_its_day(district: District) -> None:
    case = district.opened("suspended")
    with district.store.read() as work:
        assert list_due_to_resume(work) == ()
    district.clock.move_to(district.clock.now() + timedelta(days=365))
    with district.store.read() as work:
        assert list_due_to_resume(work) == (case.uuid,)
    for _ in range(2):
        with district.store.write() as work:
            resume_case(work, district.snapshot, district.book, case.uuid)
    row = district.row(case.uuid)
    assert row.state == "in_progress"
    assert row.due_at is not None
    assert row.due_at > district.clock.now()
    assert district.steps_of(case.uuid).count("resume") == 1
    with district.store.read() as work:
        assert list_due_to_resume(work) == ()
