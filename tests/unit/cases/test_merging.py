"""What merging, raising and the choice of a workflow must not allow; on both stores."""

from __future__ import annotations

from uuid import UUID

import pytest

from mapsvc.base.errors import Conflict, Forbidden
from mapsvc.cases.queries.details import get_case
from mapsvc.people.rules.actor import SYSTEM

from .conftest import District
from .test_races import at_once


def merge(district: District, case: UUID, into: str) -> object:
    return district.step(district.desk("intake"), case, "mark_duplicate", duplicate_of=into)


def test_nothing_is_merged_into_a_closed_case(district: District) -> None:
    closed, fresh = district.opened("closed"), district.open()
    with pytest.raises(Conflict) as caught:
        merge(district, fresh.uuid, closed.number)
    assert caught.value.code == "merge_into_closed"
    assert district.row(fresh.uuid).state == "received"
    district.step(district.desk("duty_officer"), closed.uuid, "reopen", reason="又出现了")
    merge(district, fresh.uuid, closed.number)
    assert district.row(fresh.uuid).duplicate_of_id == closed.case_id


def test_a_case_goes_to_the_one_that_stayed(district: District) -> None:
    first, second, third = district.open(), district.open(), district.open()
    merge(district, second.uuid, first.number)
    merge(district, third.uuid, second.number)
    assert district.row(third.uuid).duplicate_of_id == first.case_id
    with district.store.read() as work:
        kept = get_case(work, district.desk("intake"), district.book, first.uuid)
    assert set(kept.duplicates) == {second.number, third.number}


def test_there_are_no_circles(district: District) -> None:
    first, second = district.open(), district.open()
    with pytest.raises(Conflict):
        merge(district, first.uuid, first.number)
    merge(district, second.uuid, first.number)
    with pytest.raises(Conflict) as caught:
        merge(district, first.uuid, second.number)
    assert caught.value.code == "bad_merge"
    assert district.row(first.uuid).state == "received"


def test_two_merged_into_each_other_at_once_leave_one_open(district: District) -> None:
    for _ in range(4):
        one, other = district.open(), district.open()
        at_once([lambda a=one, b=other: merge(district, a.uuid, b.number),
                 lambda a=one, b=other: merge(district, b.uuid, a.number)])  # fmt: skip
        states = sorted(district.row(each.uuid).state for each in (one, other))
        assert states in (["closed", "received"], ["received", "received"])


def test_an_extension_that_was_asked_for_does_not_outlive_raising(district: District) -> None:
    case = district.opened("in_progress")
    chief, street = district.chief("P1"), district.chief("S1")
    district.step(chief, case.uuid, "ask_extension", reason="缺件")
    district.step(district.desk("dispatcher"), case.uuid, "raise", reason="超出能力")
    with district.store.read() as work:
        assert get_case(work, district.desk("dispatcher"), district.book, case.uuid).extension_stage == ""
    owner = district.chief("C1") if district.row(case.uuid).owner_area_id == district.areas["C1"] else street
    district.step(owner, case.uuid, "sign")
    for who, step in ((district.desk("dispatcher"), "endorse_extension"), (district.desk("duty_officer"), "extend")):
        with pytest.raises(Conflict):
            district.step(who, case.uuid, step)
    district.step(owner, case.uuid, "ask_extension", reason="仍缺件")


@pytest.mark.parametrize("channel", ["patrol", "staff"])
def test_what_no_chief_may_answer_for_goes_the_long_way(district: District, channel: str) -> None:
    category = next(each.code for each in district.book.categories.in_use if each.no_chief)
    asker = district.patrol("P1") if channel == "patrol" else district.chief("P1")
    with pytest.raises(Forbidden) as caught:
        district.open(asker, channel=channel, workflow="quick", category=category)
    assert caught.value.code == "workflow_not_allowed"
    receipt = district.open(asker, channel=channel, category=category)
    assert district.row(receipt.uuid).workflow == "standard"
    made = district.open(SYSTEM, channel=channel, workflow="quick", category=category)
    assert district.row(made.uuid).workflow == "quick", "the program itself is not asked"
