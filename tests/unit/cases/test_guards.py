"""What must hold for a step beyond state and role."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from mapsvc.base.errors import Conflict, Forbidden, InvalidInput, MapsvcError
from mapsvc.cases.rules import workflow
from mapsvc.cases.rules.guards import GUARDS, NEEDS, Facts, check_guards, check_needs, is_possible

GOOD = Facts(
    workflow="standard", state="in_progress", has_contact=True, has_upper_level=True, user_id=1, role="area_chief"
)

TAKEN: dict[str, object] = {"last_step": "sign", "last_by": 1, "since_last": timedelta(seconds=120)}
"""The asker signed for it at the very end of the time in which that may be taken back."""


def test_every_guard_and_need_of_the_table_is_defined_and_used() -> None:
    assert {guard for rule in workflow.TABLE for guard in rule.guards} == set(GUARDS)
    assert {need for rule in workflow.TABLE for need in rule.needs} == set(NEEDS)


@pytest.mark.parametrize(
    ("step", "good", "bad", "error", "code"),
    [
        ("accept", {}, {"unplaced": True}, Conflict, "unplaced"),
        ("sign", {}, {"has_unit": True}, Conflict, "with_a_unit"),
        ("unit_sign", {"has_unit": True}, {"has_unit": False}, Conflict, "no_unit"),
        ("sign", {}, {"no_chief": True}, Forbidden, "not_for_chiefs"),
        (
            "fix",
            {"no_chief": True, "role": "street"},
            {"no_chief": True, "role": "liaison"},
            Forbidden,
            "not_for_chiefs",
        ),
        ("fix", {"no_chief": True, "role": "unit_staff"}, {"no_chief": True}, Forbidden, "not_for_chiefs"),
        ("check_pass", {"handled_by": (2, None)}, {"handled_by": (1, None)}, Forbidden, "handler_is_not_checker"),
        ("check_pass", {}, {"checked": True}, Conflict, "checked_already"),
        ("close", {"checked": True}, {"checked": False}, Conflict, "unchecked"),
        ("close", {"checked": True}, {"checked": True, "handled_by": (1, None)}, Forbidden, "handler_is_not_checker"),
        ("close", {"checked": True}, {"checked": True, "checked_by": (1, None)}, Forbidden, "checker_is_not_closer"),
        ("reopen", {}, {"historic": True}, Conflict, "historic"),
        ("reopen", {"outcome": "cannot"}, {"outcome": "duplicate"}, Conflict, "is_duplicate"),
        ("suspend", {}, {"suspended_before": True}, Conflict, "suspended_before"),
        ("ask_extension", {"extensions": 1}, {"extensions": 2}, Conflict, "no_extension_left"),
        ("ask_extension", {}, {"overdue": True}, Conflict, "overdue"),
        ("ask_extension", {}, {"extension_stage": "asked"}, Conflict, "extension_pending"),
        ("endorse_extension", {"extension_stage": "asked"}, {}, Conflict, "no_extension_asked"),
        (
            "endorse_extension",
            {"extension_stage": "asked", "extension_asked_by": 2},
            {"extension_stage": "asked", "extension_asked_by": 1},
            Forbidden,
            "asker_is_not_approver",
        ),
        ("extend", {"extension_stage": "endorsed"}, {"extension_stage": "asked"}, Conflict, "extension_not_endorsed"),
        (
            "extend",
            {"extension_stage": "endorsed", "extension_endorsed_by": 2},
            {"extension_stage": "endorsed", "extension_endorsed_by": 1},
            Forbidden,
            "two_approvals",
        ),
        ("refuse_extension", {"extension_stage": "endorsed"}, {}, Conflict, "no_extension_asked"),
        ("hand_over", {"edge": True}, {}, Conflict, "not_an_edge"),
        ("hand_over", {"edge": True}, {"edge": True, "sides_changed": 1}, Conflict, "sides_changed"),
        ("hand_over", {"edge": True}, {"edge": True, "hand_over_pending": True}, Conflict, "hand_over_pending"),
        (
            "hand_over",
            {"edge": True, "area_id": 7, "candidate_area_ids": (7,)},
            {"edge": True, "area_id": 8, "candidate_area_ids": (7,)},
            InvalidInput,
            "not_a_candidate",
        ),
        ("accept_hand_over", {"hand_over_pending": True}, {}, Conflict, "no_hand_over"),
        ("raise", {}, {"has_upper_level": False}, Conflict, "no_upper_level"),
        ("ask_whistle", {"whistle": "declined"}, {"whistle": "asked"}, Conflict, "whistle_pending"),
        ("ask_whistle", {}, {"whistle": "blown"}, Conflict, "whistle_pending"),
        ("blow_whistle", {"whistle": "asked"}, {}, Conflict, "no_whistle_asked"),
        (
            "blow_whistle",
            {"whistle": "asked", "whistle_asked_by": 2},
            {"whistle": "asked", "whistle_asked_by": 1},
            Forbidden,
            "asker_is_not_approver",
        ),
        ("decline_whistle", {"whistle": "asked"}, {"whistle": "blown"}, Conflict, "no_whistle_asked"),
        ("undo", TAKEN, TAKEN | {"last_step": "return"}, Conflict, "nothing_to_undo"),
        ("undo", TAKEN, TAKEN | {"last_step": ""}, Conflict, "nothing_to_undo"),
        ("undo", TAKEN, TAKEN | {"last_by": 2}, Conflict, "somebody_went_on"),
        ("undo", TAKEN, TAKEN | {"last_by": None, "user_id": None}, Conflict, "somebody_went_on"),
        ("undo", TAKEN, TAKEN | {"since_last": timedelta(seconds=121)}, Conflict, "too_late_to_undo"),
        ("reveal_contact", {}, {"has_contact": False}, Conflict, "no_contact"),
    ],
)
def test_a_guard_holds_or_refuses_with_its_code(
    step: str, good: dict[str, object], bad: dict[str, object], error: type[MapsvcError], code: str
) -> None:
    rule = workflow.find_rule("standard", step)
    check_guards(rule, replace(GOOD, **good))  # type: ignore[arg-type]
    with pytest.raises(error) as caught:
        check_guards(rule, replace(GOOD, **bad))  # type: ignore[arg-type]
    assert caught.value.code == code
    assert caught.value.detail["step"] == step


def test_only_whitelisted_categories_are_fixed_on_the_spot() -> None:
    rule = workflow.find_rule("quick", "instant_fix")
    check_guards(rule, replace(GOOD, instant_fix=True))
    with pytest.raises(Conflict) as caught:
        check_guards(rule, GOOD)
    assert caught.value.code == "no_instant_fix"


def test_the_program_closes_quick_cases_unchecked_and_people_do_not() -> None:
    rule = workflow.find_rule("quick", "close")
    check_guards(rule, replace(GOOD, role="system", user_id=None, handled_by=(1, None)))
    with pytest.raises(Conflict, match="check"):
        check_guards(rule, replace(GOOD, role="duty_officer"))


def test_a_liaison_does_not_check_what_the_leader_handled() -> None:
    rule = workflow.find_rule("standard", "check_pass")
    leader_handled = replace(GOOD, handled_by=(2, 50))
    check_guards(rule, leader_handled)
    with pytest.raises(Forbidden):
        check_guards(rule, replace(leader_handled, person_ids=frozenset({50})))


def test_nobody_known_is_nobody_the_same() -> None:
    """The public and the program have no user id: two of them are not taken for one person."""
    rule = workflow.find_rule("standard", "check_pass")
    check_guards(rule, replace(GOOD, user_id=None, handled_by=(None, None)))


def test_the_first_missing_input_is_named() -> None:
    rule = workflow.find_rule("standard", "suspend")
    check_needs(rule, {"reason", "until"})
    with pytest.raises(InvalidInput) as caught:
        check_needs(rule, {"until"})
    assert (caught.value.code, caught.value.detail["need"]) == ("needs_reason", "reason")


def test_a_button_is_offered_only_where_the_step_would_be_taken() -> None:
    rule = workflow.find_rule("standard", "fix")
    assert is_possible(rule, GOOD, {"area_chief"})
    assert not is_possible(rule, replace(GOOD, state="assigned"), {"area_chief"})
    assert not is_possible(rule, GOOD, {"dispatcher"})
    assert not is_possible(rule, replace(GOOD, no_chief=True), {"area_chief"})
