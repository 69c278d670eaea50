"""What a case keeps of its steps: on the row as they are taken, and the same when the log is folded."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from mapsvc.cases.models import CaseEvent
from mapsvc.cases.rules.marks import MARKED, Marks, fold

from .conftest import START, District


def _at(hour: int) -> datetime:
    return START + timedelta(hours=hour)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((), Marks()),
        (("open", "accept", "dispatch", "unit_sign"), Marks(filed_at=_at(1), dispatched_at=_at(2))),
        (("accept", "dispatch", "return", "redispatch"), Marks(filed_at=_at(0), dispatched_at=_at(1))),
        (("sign", "fix"), Marks(fixed_at=_at(1))),
        (("fix", "check_fail"), Marks(check_result="failed")),
        (("fix", "check_fail", "fix", "check_pass"), Marks(fixed_at=_at(2), check_result="passed")),
        (("instant_fix", "check_fail", "fix"), Marks(fixed_at=_at(2), instant_at=_at(0), check_result="failed")),
        (("fix", "check_pass", "close", "reopen"), Marks(check_result="passed")),
    ],
)
def test_what_steps_leave(steps: tuple[str, ...], expected: Marks) -> None:
    assert fold((step, _at(hour)) for hour, step in enumerate(steps)) == expected


@pytest.mark.parametrize(("state", "workflow"), [("closed", "standard"), ("fixed", "quick"), ("returned", "standard")])
def test_the_row_says_what_the_log_says(district: District, state: str, workflow: str) -> None:
    receipt = district.opened(state, workflow=workflow)
    row = district.row(receipt.uuid)
    with district.store.read() as work:
        log = work.session.execute(
            select(CaseEvent.step, CaseEvent.at).where(CaseEvent.case_id == row.id).order_by(CaseEvent.sequence)
        ).all()
    folded = fold((step, at) for step, at in log)
    assert Marks(*(getattr(row, name) for name in MARKED)) == folded
    assert (folded.filed_at is not None) == (workflow == "standard")
    assert (folded.fixed_at is not None) == (state in {"closed", "fixed"})


def test_a_comment_on_a_closed_case_neither_closes_it_again_nor_changes_how_it_ended(district: District) -> None:
    receipt = district.opened("closed")
    before = district.row(receipt.uuid)
    district.clock.move_to(START + timedelta(days=3))
    district.step(district.desk("duty_officer"), receipt.uuid, "comment", reason="a word to the file")
    after = district.row(receipt.uuid)
    assert (after.closed_at, after.outcome) == (before.closed_at, before.outcome) != (None, "")
