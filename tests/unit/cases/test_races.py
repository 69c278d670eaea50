"""Two at once: the same report, the same case, numbers side by side; on both stores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar
from uuid import uuid4

from mapsvc.base.errors import Conflict
from mapsvc.cases.rules.values import Receipt, StepReceipt

from .conftest import District

T = TypeVar("T")


def at_once(tasks: Sequence[Callable[[], T]]) -> list[T | Conflict]:
    """Run all tasks in threads of their own and return what each gave, a conflict included."""

    def run(task: Callable[[], T]) -> T | Conflict:
        try:
            return task()
        except Conflict as conflict:
            return conflict

    with ThreadPoolExecutor(len(tasks)) as threads:
        return list(threads.map(run, tasks))


def statuses(receipts: Sequence[Receipt | Conflict]) -> list[str]:
    return sorted(receipt.status for receipt in receipts if not isinstance(receipt, Conflict))


def test_the_same_report_sent_at_once_is_one_case(district: District) -> None:
    intake = district.intake()
    receipts = at_once([lambda: district.open(intake=intake)] * 6)
    assert (
        sorted(receipt.status for receipt in receipts if not isinstance(receipt, Conflict))
        == ["created"] + ["same"] * 5
    )
    assert district.steps_of(intake.uuid) == ["open"]


def test_two_contents_under_one_uuid_at_once_make_one_case_and_one_conflict(district: District) -> None:
    intake = district.intake()
    other = replace(intake, content_sha256="f" * 64)
    receipts = at_once([lambda: district.open(intake=intake), lambda: district.open(intake=other)])
    assert sorted(receipt.status for receipt in receipts if not isinstance(receipt, Conflict)) == [
        "conflict",
        "created",
    ]


def test_reports_at_once_have_numbers_and_codes_of_their_own(district: District) -> None:
    receipts = [each for each in at_once([district.open] * 8) if not isinstance(each, Conflict)]
    assert len({receipt.number for receipt in receipts}) == 8
    assert len({receipt.track_code for receipt in receipts}) == 8


def test_of_two_who_take_the_same_step_one_is_told_that_the_other_was_first(district: District) -> None:
    case = district.opened("assigned").uuid
    seen = district.row(case).version
    chiefs = [district.chief("P1"), district.chief("C1"), district.chief("S1"), district.chief("G1")]
    found = at_once([lambda chief=chief: district.step(chief, case, "sign", version=seen) for chief in chiefs])  # type: ignore[misc]
    taken = [each for each in found if isinstance(each, StepReceipt)]
    refused = [each for each in found if isinstance(each, Conflict)]
    assert (len(taken), len(refused)) == (1, 3)
    assert {each.code for each in refused} == {"somebody_was_first"}
    assert len({each.detail["by"] for each in refused}) == 1
    assert district.steps_of(case).count("sign") == 1


def test_the_same_step_sent_at_once_is_taken_once(district: District) -> None:
    case, step = district.opened("assigned").uuid, uuid4()
    found = at_once([lambda: district.step(district.chief("P1"), case, "sign", step_uuid=step)] * 4)
    assert sorted(each.status for each in found if isinstance(each, StepReceipt)) == ["same"] * 3 + ["taken"]
    assert district.row(case).version == 3
