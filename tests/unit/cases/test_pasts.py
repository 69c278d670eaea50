"""The past of a case as a ledger tells it: steps in their order, at their own moments, nothing made up."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from mapsvc.cases.rules.pasts import MILESTONES, PastRow, PastStep, read_channel, without_owner

START = datetime(2026, 3, 2, 1, tzinfo=UTC)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def past(closed: float | None = None, workflow: str = "standard", **changed: object) -> PastRow:
    told = {name: at(float(changed.pop(name))) for name in MILESTONES if name in changed}  # type: ignore[arg-type]
    first = "assigned" if workflow == "quick" else "received"
    return PastRow(
        START, told, None if closed is None else at(closed), workflow, first, **changed  # type: ignore[arg-type]
    )  # fmt: skip


def names(row: PastRow) -> list[str]:
    return [step.step for step in row.steps()]


def test_a_whole_standard_case() -> None:
    row = past(closed=9, filed=1, dispatched=2, signed=3, fixed=5, checked=8)
    assert names(row) == ["open", "accept", "dispatch", "unit_sign", "fix", "check_pass", "close"]
    assert [step.to_state for step in row.steps()] == [
        "received", "assigned", "assigned", "in_progress", "fixed", "fixed", "closed",
    ]  # fmt: skip
    assert [step.at for step in row.steps()] == [at(hours) for hours in (0, 1, 2, 3, 5, 8, 9)]


def test_each_step_begins_where_the_one_before_it_ended() -> None:
    steps = past(closed=12, filed=1, dispatched=2, signed=3, fixed=5, reworked=6, refixed=9, checked=10).steps()
    assert all(one.to_state == other.from_state for one, other in itertools.pairwise(steps))
    assert [step.step for step in steps][4:7] == ["fix", "check_fail", "fix"]


def test_a_finding_mended_on_the_spot_has_no_filing() -> None:
    row = past(closed=1.1, workflow="quick", filed=0.1, fixed=0.2, instant=True)
    assert names(row) == ["open", "instant_fix", "close"]
    assert names(past(closed=30, workflow="quick", signed=2, fixed=20)) == ["open", "sign", "fix", "close"]


def test_what_is_not_told_is_not_made_up() -> None:
    assert names(past(closed=9, fixed=5)) == ["open", "fix", "close"]
    assert past(closed=9, fixed=5).steps()[1] == PastStep("fix", at(5), "received", "fixed")
    assert names(past(filed=1)) == ["open", "accept"], "still open"


def test_refused_is_closed_without_filing() -> None:
    assert names(past(closed=2, refused=True)) == ["open", "refuse"]


def test_intake_and_closing_alone_tell_of_no_steps() -> None:
    assert not past(closed=9).tells
    assert past(filed=1).tells


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        (past(closed=9, filed=1, fixed=5), ""),
        (past(closed=9, filed=2, dispatched=1), "dispatched"),
        (past(closed=4, filed=1, fixed=5), "closed"),
        (past(filed=-1), "filed"),
    ],
)
def test_moments_out_of_order_are_found(row: PastRow, wrong: str) -> None:
    assert row.disorder() == wrong


def test_a_case_that_lies_nowhere_begins_in_the_tray() -> None:
    steps = without_owner(past(workflow="quick", signed=2).steps())
    assert [(step.from_state, step.to_state) for step in steps] == [("", "received"), ("received", "in_progress")]
    kept = past(filed=2).steps()
    assert without_owner(kept) is kept


@pytest.mark.parametrize(
    ("word", "channel"), [("12345热线", "hotline"), (" Patrol ", "patrol"), ("群众", "public"), ("飞鸽", ""), ("", "")]
)
def test_words_of_channels(word: str, channel: str) -> None:
    assert read_channel(word) == channel
