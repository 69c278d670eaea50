"""What the worker does to cases by itself: suspended ones come back on their day, whatever becomes of one of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select

from mapsvc.base.errors import Unavailable
from mapsvc.cases.models import Case, CaseEvent, Deadline
from mapsvc.jobs import casework
from mapsvc.jobs.casework import CaseWork
from mapsvc.jobs.chores import make_chores

from .conftest import District


def suspend(district: District, days: int) -> UUID:
    case = district.opened("in_progress")
    until = district.clock.now() + timedelta(days=days)
    district.step(district.desk("duty_officer"), case.uuid, "suspend", reason="等待批复", until=until)
    return case.uuid


def test_the_chore_brings_back_what_is_due_and_says_that_the_program_did_it(district: District) -> None:
    due, later = suspend(district, 10), suspend(district, 30)
    district.clock.move_to(district.clock.now() + timedelta(days=11))
    make_chores(district.settings).do_due(district.store)
    assert district.row(due).state == "in_progress"
    assert district.row(later).state == "suspended"
    with district.store.read() as work:
        event = work.session.scalars(
            select(CaseEvent)
            .join(Case, Case.id == CaseEvent.case_id)
            .where(Case.uuid == due, CaseEvent.step == "resume")
        ).one()
    assert (event.user_id, event.role, event.from_state) == (None, "system", "suspended")
    assert "挂账到期" in event.reason


def test_a_second_turn_resumes_nothing_twice(district: District) -> None:
    case = suspend(district, 10)
    district.clock.move_to(district.clock.now() + timedelta(days=11))
    jobs = CaseWork(district.settings)
    jobs.resume_suspended(district.store)
    due_at = district.row(case).due_at
    jobs.resume_suspended(district.store)
    assert district.steps_of(case).count("resume") == 1
    assert district.row(case).due_at == due_at


def test_a_case_that_cannot_come_back_does_not_stop_the_others(
    district: District, caplog: pytest.LogCaptureFixture
) -> None:
    broken, sound = suspend(district, 10), suspend(district, 11)
    with district.store.write() as work:
        case_id = work.session.scalars(select(Case.id).where(Case.uuid == broken)).one()
        work.session.execute(delete(Deadline).where(Deadline.case_id == case_id, Deadline.clock == "total"))
    district.clock.move_to(district.clock.now() + timedelta(days=12))
    CaseWork(district.settings).resume_suspended(district.store)
    assert district.row(broken).state == "suspended"
    assert district.row(sound).state == "in_progress"
    assert str(broken) in caplog.text


def test_a_store_that_is_gone_ends_the_chore_at_once(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    suspend(district, 10)
    suspend(district, 10)
    district.clock.move_to(district.clock.now() + timedelta(days=12))
    tried: list[Any] = []

    def fail(*given: Any) -> None:
        tried.append(given)
        raise Unavailable("store_busy", "The store is busy.")

    monkeypatch.setattr(casework, "resume_case", fail)
    with pytest.raises(Unavailable):
        CaseWork(district.settings).resume_suspended(district.store)
    assert len(tried) == 1
