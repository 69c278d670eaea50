"""The table of states and steps, against a table of what offices expect, written here and nowhere else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from mapsvc.base.errors import Conflict, Forbidden, InvalidInput
from mapsvc.cases.rules import workflow
from mapsvc.cases.rules.values import OUTCOMES, STATES
from mapsvc.cases.rules.workflow import NEUTRAL, UNDOABLE, PastStep, extension_of, last_taken, standing_steps
from mapsvc.people.rules.actor import ROLES

# workflows | step | from>to ... | roles. `=` stands for "stays". q quick, s standard.
EXPECTED_TEXT = """
s  | verify            | received=                                   | patrol grid_chief area_chief liaison
s  | accept            | received>assigned                           | intake duty_officer
qs | refuse            | received>closed                             | intake duty_officer
qs | assign            | received= assigned= in_progress= returned=  | intake dispatcher duty_officer street
qs | move_pin          | received= assigned= in_progress= returned=  | intake dispatcher duty_officer street patrol grid_chief area_chief liaison
qs | recategorise      | received= assigned= in_progress= returned=  | intake dispatcher duty_officer street area_chief liaison
qs | correct_owner     | received= assigned= in_progress= fixed= returned= suspended= | intake dispatcher duty_officer street area_chief liaison
qs | sign              | assigned>in_progress                        | grid_chief area_chief liaison street
qs | start             | in_progress= returned>in_progress           | grid_chief area_chief liaison street unit_staff
qs | dispatch          | assigned= in_progress>assigned              | dispatcher area_chief liaison street
qs | unit_sign         | assigned>in_progress                        | unit_staff
qs | return            | assigned>returned in_progress>returned      | grid_chief area_chief liaison street unit_staff
qs | redispatch        | returned>assigned                           | dispatcher area_chief liaison street
qs | fix               | in_progress>fixed                           | grid_chief area_chief liaison street unit_staff
q  | instant_fix       | assigned>fixed in_progress>fixed            | grid_chief area_chief liaison patrol
qs | check_pass        | fixed=                                      | grid_chief area_chief liaison street patrol
qs | check_fail        | fixed>in_progress                           | grid_chief area_chief liaison street patrol
q  | close             | fixed>closed                                | duty_officer system
s  | close             | fixed>closed                                | duty_officer
qs | mark_duplicate    | received>closed assigned>closed in_progress>closed returned>closed | intake dispatcher duty_officer
qs | not_ours          | received>closed assigned>closed in_progress>closed returned>closed | duty_officer
qs | cannot            | in_progress>closed returned>closed          | duty_officer
qs | reopen            | closed>assigned                             | intake duty_officer street reporter
qs | confirm           | closed=                                     | reporter
qs | suspend           | in_progress>suspended returned>suspended    | duty_officer
qs | resume            | suspended>in_progress                       | duty_officer system
qs | ask_extension     | in_progress=                                | grid_chief area_chief liaison street unit_staff
qs | endorse_extension | in_progress=                                | dispatcher street
qs | extend            | in_progress=                                | duty_officer
qs | refuse_extension  | in_progress=                                | dispatcher street duty_officer
qs | answer_side       | received= assigned=                         | intake patrol reporter
qs | hand_over         | assigned= in_progress=                      | grid_chief area_chief liaison street
qs | accept_hand_over  | assigned= in_progress=                      | grid_chief area_chief liaison street
qs | decline_hand_over | assigned= in_progress=                      | grid_chief area_chief liaison street
qs | decide_side       | received= assigned= in_progress= returned=  | dispatcher duty_officer
qs | raise             | assigned= in_progress= returned=            | grid_chief area_chief liaison street dispatcher duty_officer system
qs | ask_whistle       | assigned= in_progress= returned=            | grid_chief area_chief liaison
qs | blow_whistle      | assigned= in_progress>assigned returned>assigned | street
qs | decline_whistle   | assigned= in_progress= returned=            | street
qs | undo              | assigned= in_progress= fixed= closed= returned= | intake dispatcher duty_officer unit_staff patrol grid_chief area_chief liaison street
qs | comment           | received= assigned= in_progress= fixed= closed= returned= suspended= | intake dispatcher duty_officer unit_staff patrol grid_chief area_chief liaison street
qs | reveal_contact    | received= assigned= in_progress= fixed= closed= returned= suspended= | intake dispatcher duty_officer unit_staff patrol grid_chief area_chief liaison street
"""  # noqa: E501

EVERY_ROLE = (*ROLES, "reporter", "system")


def _expected() -> dict[tuple[str, str], tuple[dict[str, str], frozenset[str]]]:
    table = {}
    for line in EXPECTED_TEXT.strip().splitlines():
        flows, step, moves, roles = (part.strip() for part in line.split("|"))
        found = {}
        for move in moves.split():
            state, _, to = move.partition(">")
            found[state.rstrip("=")] = to or state.rstrip("=")
        for flow in flows:
            table[{"q": "quick", "s": "standard"}[flow], step] = (found, frozenset(roles.split()))
    return table


EXPECTED = _expected()
STEPS = sorted({step for _, step in EXPECTED})


def outcome_of(flow: str, step: str, state: str, role: str) -> str:
    """Return where the rules lead, or the code of their refusal."""
    try:
        rule = workflow.find_rule(flow, step)
        to = workflow.check_state(rule, state)
        workflow.choose_role(rule, {role})
    except (Conflict, Forbidden) as refused:
        return refused.code
    return to


def test_the_table_has_exactly_the_expected_steps() -> None:
    assert set(workflow.RULES) == set(EXPECTED)
    assert len(workflow.TABLE) == len({(rule.name, rule.workflows) for rule in workflow.TABLE})


@pytest.mark.parametrize("flow", ["quick", "standard"])
@pytest.mark.parametrize("step", STEPS)
def test_every_state_step_and_role_is_allowed_or_refused(flow: str, step: str) -> None:
    for state, role in product(STATES, EVERY_ROLE):
        found = outcome_of(flow, step, state, role)
        if (flow, step) not in EXPECTED:
            assert found == "step_not_in_workflow", (state, role)
            continue
        moves, roles = EXPECTED[flow, step]
        if state not in moves:
            assert found == "step_not_allowed", (state, role)
        elif role not in roles:
            assert found == "role_not_allowed", (state, role)
        else:
            assert found == moves[state], (state, role)


def test_the_number_of_triples_tried() -> None:
    tried = len(STEPS) * 2 * len(STATES) * len(EVERY_ROLE)
    allowed = sum(len(moves) * len(roles) for moves, roles in EXPECTED.values())
    assert (tried, allowed) == (41 * 2 * 7 * 15, 907)


@pytest.mark.parametrize("role", ["leader", "planner", "approver", "admin"])
def test_who_only_reads_takes_no_step(role: str) -> None:
    assert not any(role in rule.roles for rule in workflow.TABLE)


def test_who_dispatches_never_closes() -> None:
    for rule in workflow.TABLE:
        closes = any(to == "closed" != state for state, to in rule.moves.items())
        if closes and "dispatcher" in rule.roles:
            assert rule.name == "mark_duplicate", "merging two reports of one thing ends no work"


def test_every_state_can_be_left_and_all_but_the_first_are_reached() -> None:
    for flow in workflow.WORKFLOWS:
        rules = [rule for (name, _), rule in workflow.RULES.items() if name == flow]
        left = {state for rule in rules for state, to in rule.moves.items() if to != state}
        reached = {to for rule in rules for state, to in rule.moves.items() if to != state}
        assert left == set(STATES)
        assert reached == set(STATES) - {"received"}


def test_closing_always_has_an_outcome_and_nothing_else_has() -> None:
    for rule in workflow.TABLE:
        closes = set(rule.moves.values()) == {"closed"} and "closed" not in rule.moves
        assert bool(rule.outcome) == closes, rule.name
        assert rule.outcome in {"", *OUTCOMES}


def test_every_step_state_and_outcome_has_both_names() -> None:
    for names in (workflow.STEP_NAMES, workflow.STATE_NAMES, workflow.OUTCOME_NAMES):
        assert all(zh and en for zh, en in names.values())
    assert set(workflow.STATE_NAMES) == set(STATES)
    assert set(workflow.OUTCOME_NAMES) == set(OUTCOMES)


def test_an_unknown_step_is_bad_input() -> None:
    with pytest.raises(InvalidInput) as caught:
        workflow.find_rule("quick", "teleport")
    assert caught.value.code == "unknown_step"


@pytest.mark.parametrize(
    ("channel", "category_workflow", "emergency", "no_chief", "chosen"),
    [
        ("patrol", "quick", False, False, "quick"),
        ("staff", "quick", False, False, "quick"),
        ("patrol", "standard", False, False, "standard"),
        ("public", "quick", False, False, "standard"),
        ("patrol", "quick", True, False, "standard"),
        ("patrol", "quick", False, True, "standard"),
    ],
)
def test_the_workflow_follows_channel_and_category(
    channel: str, category_workflow: str, emergency: bool, no_chief: bool, chosen: str
) -> None:
    assert workflow.workflow_for(channel, category_workflow, emergency=emergency, no_chief=no_chief) == chosen


def test_the_sample_is_of_the_share_asked_for_and_the_same_each_time() -> None:
    codes = [f"CODE{number}" for number in range(5000)]
    drawn = [workflow.is_sampled(code, 0.08) for code in codes]
    assert 0.065 < sum(drawn) / len(drawn) < 0.095
    assert drawn == [workflow.is_sampled(code, 0.08) for code in codes]
    assert not any(workflow.is_sampled(code, 0.0) for code in codes)
    assert all(workflow.is_sampled(code, 1.0) for code in codes)


def test_how_far_an_extension_has_come_is_read_from_the_history() -> None:
    asked, endorsed = PastStep("ask_extension", 1), PastStep("endorse_extension", 2)
    assert extension_of([]) == ("", None, None)
    assert extension_of([asked]) == ("asked", 1, None)
    assert extension_of([asked, endorsed]) == ("endorsed", 1, 2)
    ends = ("extend", "refuse_extension", "fix", "instant_fix", "return", "suspend", "raise", "dispatch",
            "recategorise", "sign", "unit_sign", "cannot", "mark_duplicate")  # fmt: skip
    for end in ends:
        assert extension_of([asked, endorsed, PastStep(end, 3)]) == ("", None, None)
    for stays in ("comment", "move_pin", "start", "hand_over"):
        assert extension_of([asked, endorsed, PastStep(stays, 3)]) == ("endorsed", 1, 2)
    assert extension_of([asked, endorsed, PastStep("extend", 3), PastStep("ask_extension", 4)]) == ("asked", 4, None)


def _past(*steps: str, by: int | None = 1, role: str = "area_chief") -> list[PastStep]:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    return [
        PastStep(step, by, None, role, at + timedelta(minutes=number), number) for number, step in enumerate(steps, 1)
    ]


def test_only_steps_of_one_tap_can_be_taken_back_and_none_that_tells_somebody_outside() -> None:
    assert {name for _, name in workflow.RULES} >= UNDOABLE
    told = {"accept", "refuse", "close", "mark_duplicate", "not_ours", "cannot", "reopen", "return", "blow_whistle"}
    assert not UNDOABLE & (told | NEUTRAL | {"undo"})


def test_what_was_taken_back_no_longer_stands_and_remarks_do() -> None:
    signed, remark = _past("sign", "comment")
    undo = PastStep("undo", 1, None, "area_chief", signed.at, 3, undoes=1)
    assert standing_steps([signed, remark]) == (signed, remark)
    assert standing_steps([signed, remark, undo]) == (remark,)
    again = PastStep("sign", 1, None, "area_chief", signed.at, 4)
    assert last_taken([signed, remark, undo, again]) == again
    assert last_taken([signed, remark, undo]) is None
    opened = PastStep("open", None, None, "", signed.at, 0)
    assert last_taken([opened, signed, remark, undo]) == opened


def test_what_the_program_adds_at_once_belongs_to_the_step_and_later_work_of_its_ends_it() -> None:
    (fixed,) = _past("fix")
    at_once = PastStep("close", None, None, "system", fixed.at, 2)
    later = PastStep("resume", None, None, "system", fixed.at + timedelta(seconds=1), 2)  # type: ignore[operator]
    assert last_taken([fixed, at_once]) == fixed
    assert last_taken([fixed, later]) is None
    undo = PastStep("undo", 1, None, "area_chief", fixed.at, 3, undoes=1)
    assert standing_steps([fixed, at_once, undo]) == ()
