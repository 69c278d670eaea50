"""One table of states and steps for both workflows: who may take a step, from where, and what it needs.

`standard` has the seven steps (intake, filing, dispatch, handling, feedback, check, closing);
`quick` is a chief's or patrol's own finding: no filing, closed by the program once it is fixed, but
for a sample that another person checks first. Outcome is kept apart from state. Naming trap: 核实
(`verify`) looks whether a report is true before filing, 核查 (`check_*`) whether it is mended.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from mapsvc.base.errors import Conflict, Forbidden, InvalidInput
from mapsvc.cases.rules.values import STATES

QUICK, STANDARD = "quick", "standard"
WORKFLOWS = (QUICK, STANDARD)
QUICK_CHANNELS = frozenset({"patrol", "staff"})
OPEN_STATES = tuple(state for state in STATES if state != "closed")
MAX_EXTENSIONS = 2
RAISE_AFTER_RETURNS = 3

UNDO_WINDOW = timedelta(minutes=2)
"""For so long a slip of the finger may be taken back by whoever made it, while nobody went on."""
UNDOABLE = frozenset(
    {
        "sign", "unit_sign", "start", "dispatch", "redispatch", "fix", "instant_fix", "check_pass",
        "hand_over", "accept_hand_over", "ask_extension", "ask_whistle",
    }
)  # fmt: skip
"""Steps of one tap. What tells somebody outside is not among them: returns, closings, decisions with a reason."""
NEUTRAL = frozenset({"comment", "reveal_contact"})
"""Steps that change nothing: who writes a remark did not go on with the case."""

CHIEFS = frozenset({"area_chief", "grid_chief", "liaison"})
FIELD = CHIEFS | {"street"}
CASE_WORKERS = FIELD | {"intake", "dispatcher", "duty_officer", "unit_staff", "patrol"}
CONTACT_ROLES = frozenset({"intake", "duty_officer"})
"""Those who see a reporter's contact without giving a reason: intake and call-back."""

REPORTER, SYSTEM_ROLE = "reporter", "system"
"""Two that are not roles of an account: whoever holds the follow code, and the program itself."""


@dataclass(frozen=True)
class StepRule:
    """One row. `moves` maps each state it may be taken in to the one it leads to.

    `reassigns`: where the owner changes the case goes to `assigned` whatever `moves` says, see
    `state_for_new_owner`. `reverses`: the case goes back to what it was before the last step.
    `needs` are inputs, `guards` facts that must hold (`GUARDS`).
    """

    name: str
    zh: str
    en: str
    roles: frozenset[str]
    moves: Mapping[str, str]
    workflows: tuple[str, ...] = WORKFLOWS
    needs: tuple[str, ...] = ()
    guards: tuple[str, ...] = ()
    outcome: str = ""
    reassigns: bool = False
    reverses: bool = False


def _to(state: str, *origins: str) -> dict[str, str]:
    return dict.fromkeys(origins, state)


def _stay(*states: str) -> dict[str, str]:
    return {state: state for state in states}


def _roles(*names: str) -> frozenset[str]:
    return frozenset(names)


AT_WORK = ("assigned", "in_progress", "returned")
"""States in which somebody works on a case, or is to."""
_BEFORE_FIXED = ("received", *AT_WORK)

TABLE: tuple[StepRule, ...] = (
    # Filing (案卷建立): only in the standard workflow; what is refused never counts as filed.
    StepRule("verify", "核实", "verify on site", CHIEFS | {"patrol"}, _stay("received"), (STANDARD,), ("result",)),
    StepRule(
        "accept",
        "立案",
        "file",
        _roles("intake", "duty_officer"),
        _to("assigned", "received"),
        (STANDARD,),
        ("condition",),
        ("placed",),
    ),
    StepRule(
        "refuse",
        "不予立案",
        "refuse to file",
        _roles("intake", "duty_officer"),
        _to("closed", "received"),
        needs=("reason",),
        outcome="refused",
    ),
    # Who answers (分派): by hand, by moving the pin, by another category.
    StepRule(
        "assign",
        "分派",
        "assign",
        _roles("intake", "dispatcher", "duty_officer", "street"),
        _stay(*_BEFORE_FIXED),
        needs=("area", "reason"),
        reassigns=True,
    ),
    StepRule(
        "move_pin",
        "移动点位",
        "move the pin",
        CASE_WORKERS - {"unit_staff"},
        _stay(*_BEFORE_FIXED),
        needs=("position",),
        reassigns=True,
    ),
    StepRule(
        "recategorise",
        "变更类别",
        "change the category",
        CASE_WORKERS - {"unit_staff", "patrol", "grid_chief"},
        _stay(*_BEFORE_FIXED),
        needs=("category",),
        reassigns=True,
    ),
    # Whose the component is decides which unit is due, not who answers: the case stays with its chief and its clocks.
    StepRule(
        "correct_owner",
        "更正权属",
        "correct the owner",
        CASE_WORKERS - {"unit_staff", "patrol", "grid_chief"},
        _stay(*OPEN_STATES),
        needs=("owner", "reason"),
    ),
    # Handling (任务派遣, 任务处理, 处理反馈).
    StepRule("sign", "签收", "sign for", FIELD, _to("in_progress", "assigned"), guards=("no_unit", "body")),
    StepRule(
        "start",
        "开始处置",
        "start",
        FIELD | {"unit_staff"},
        {"in_progress": "in_progress", "returned": "in_progress"},
        guards=("body",),
    ),
    StepRule(
        "dispatch",
        "派遣",
        "dispatch to a unit",
        _roles("dispatcher", "area_chief", "liaison", "street"),
        _to("assigned", "assigned", "in_progress"),
        needs=("unit",),
        guards=("placed",),
    ),
    StepRule(
        "unit_sign",
        "单位签收",
        "sign for (unit)",
        _roles("unit_staff"),
        _to("in_progress", "assigned"),
        guards=("unit",),
    ),
    StepRule(
        "return",
        "退回",
        "return",
        FIELD | {"unit_staff"},
        _to("returned", "assigned", "in_progress"),
        needs=("reason",),
    ),
    StepRule(
        "redispatch",
        "重新派遣",
        "dispatch again",
        _roles("dispatcher", "area_chief", "liaison", "street"),
        _to("assigned", "returned"),
        needs=("unit",),
    ),
    StepRule(
        "fix",
        "处置反馈",
        "report as fixed",
        FIELD | {"unit_staff"},
        _to("fixed", "in_progress"),
        needs=("photo",),
        guards=("body",),
    ),
    StepRule(
        "instant_fix",
        "即查即改",
        "fixed on the spot",
        CHIEFS | {"patrol"},
        _to("fixed", "assigned", "in_progress"),
        (QUICK,),
        ("photo",),
        ("whitelisted", "body"),
    ),
    # Check and closing (核查, 结案): another person checks, a third one closes.
    StepRule(
        "check_pass",
        "核查通过",
        "check passed",
        FIELD | {"patrol"},
        _stay("fixed"),
        guards=("unchecked", "not_handler"),
    ),
    StepRule(
        "check_fail",
        "核查不通过",
        "check failed",
        FIELD | {"patrol"},
        _to("in_progress", "fixed"),
        needs=("reason",),
        guards=("unchecked", "not_handler"),
    ),
    StepRule(
        "close",
        "结案",
        "close",
        _roles("duty_officer", SYSTEM_ROLE),
        _to("closed", "fixed"),
        (QUICK,),
        guards=("checked_or_quick", "not_handler", "not_checker"),
        outcome="solved",
    ),
    StepRule(
        "close",
        "结案",
        "close",
        _roles("duty_officer"),
        _to("closed", "fixed"),
        (STANDARD,),
        guards=("checked", "not_handler", "not_checker"),
        outcome="solved",
    ),
    StepRule(
        "mark_duplicate",
        "并案",
        "merge as duplicate",
        _roles("intake", "dispatcher", "duty_officer"),
        _to("closed", *_BEFORE_FIXED),
        needs=("duplicate_of",),
        outcome="duplicate",
    ),
    StepRule(
        "not_ours",
        "非本级职责",
        "not ours",
        _roles("duty_officer"),
        _to("closed", *_BEFORE_FIXED),
        needs=("reason",),
        outcome="not_ours",
    ),
    StepRule(
        "cannot",
        "暂不具备解决条件",
        "cannot be solved now",
        _roles("duty_officer"),
        _to("closed", "in_progress", "returned"),
        needs=("reason",),
        outcome="cannot",
    ),
    StepRule(
        "reopen",
        "发回重办",
        "open again",
        _roles("intake", "duty_officer", "street", REPORTER),
        _to("assigned", "closed"),
        needs=("reason",),
        guards=("live", "not_duplicate"),
        reassigns=True,
    ),
    StepRule(
        "confirm",
        "反映人确认解决",
        "confirm as solved",
        _roles(REPORTER),
        _stay("closed"),
        guards=("live", "not_duplicate", "unconfirmed"),
    ),
    # Time (挂账, 延期): 挂账 once and for a year at most; an extension has two approvals, at most two of them.
    StepRule(
        "suspend",
        "挂账",
        "suspend",
        _roles("duty_officer"),
        _to("suspended", "in_progress", "returned"),
        needs=("reason", "until"),
        guards=("never_suspended",),
    ),
    StepRule("resume", "恢复办理", "resume", _roles("duty_officer", SYSTEM_ROLE), _to("in_progress", "suspended")),
    StepRule(
        "ask_extension",
        "申请延期",
        "ask for an extension",
        FIELD | {"unit_staff"},
        _stay("in_progress"),
        needs=("reason",),
        guards=("not_overdue", "extensions_left", "extension_none"),
    ),
    StepRule(
        "endorse_extension",
        "延期初审",
        "endorse the extension",
        _roles("dispatcher", "street"),
        _stay("in_progress"),
        guards=("not_overdue", "extension_asked", "not_asker"),
    ),
    StepRule(
        "extend",
        "批准延期",
        "grant the extension",
        _roles("duty_officer"),
        _stay("in_progress"),
        guards=("not_overdue", "extension_endorsed", "not_asker", "not_endorser"),
    ),
    StepRule(
        "refuse_extension",
        "不同意延期",
        "refuse the extension",
        _roles("dispatcher", "street", "duty_officer"),
        _stay("in_progress"),
        needs=("reason",),
        guards=("extension_pending",),
    ),
    # Borders (交界待定): changes sides once, then the first receiver answers (首接负责).
    StepRule(
        "answer_side",
        "选择道路一侧",
        "say which side",
        _roles("intake", "patrol", REPORTER),
        _stay("received", "assigned"),
        needs=("area",),
        guards=("edge", "candidate"),
        reassigns=True,
    ),
    StepRule(
        "hand_over",
        "移交",
        "propose to hand over",
        FIELD,
        _stay("assigned", "in_progress"),
        needs=("area",),
        guards=("edge", "side_unchanged", "no_hand_over", "candidate"),
    ),
    StepRule(
        "accept_hand_over",
        "接收移交",
        "accept the hand-over",
        FIELD,
        _stay("assigned", "in_progress"),
        guards=("hand_over",),
        reassigns=True,
    ),
    StepRule(
        "decline_hand_over",
        "不接收移交",
        "decline the hand-over",
        FIELD,
        _stay("assigned", "in_progress"),
        needs=("reason",),
        guards=("hand_over",),
    ),
    StepRule(
        "decide_side",
        "裁定归属",
        "decide the side",
        _roles("dispatcher", "duty_officer"),
        _stay(*_BEFORE_FIXED),
        needs=("area",),
        guards=("edge", "side_unchanged", "candidate"),
        reassigns=True,
    ),
    StepRule(
        "raise",
        "提级",
        "raise one level",
        FIELD | {"dispatcher", "duty_officer", SYSTEM_ROLE},
        _stay(*AT_WORK),
        needs=("reason",),
        guards=("upper_level",),
        reassigns=True,
    ),
    # Whistle (吹哨报到): the chief asks, the street approves and thereby summons a unit.
    StepRule(
        "ask_whistle",
        "提请街道吹哨",
        "ask the street to whistle",
        CHIEFS,
        _stay(*AT_WORK),
        needs=("reason",),
        guards=("placed", "whistle_none"),
    ),
    StepRule(
        "blow_whistle",
        "吹哨",
        "blow the whistle",
        _roles("street"),
        _to("assigned", *AT_WORK),
        needs=("unit",),
        guards=("whistle_asked", "not_whistle_asker"),
    ),
    StepRule(
        "decline_whistle",
        "不同意吹哨",
        "decline to whistle",
        _roles("street"),
        _stay(*AT_WORK),
        needs=("reason",),
        guards=("whistle_asked",),
    ),
    # At any time.
    StepRule(
        "undo",
        "撤销",
        "undo",
        CASE_WORKERS,
        _stay("assigned", "in_progress", "fixed", "closed", "returned"),
        needs=("version",),
        guards=("undoable", "own_step", "in_time"),
        reverses=True,
    ),
    StepRule("comment", "备注", "comment", CASE_WORKERS, _stay(*STATES), needs=("reason",)),
    StepRule("reveal_contact", "查看联系方式", "reveal the contact", CASE_WORKERS, _stay(*STATES), guards=("contact",)),
)

RULES: dict[tuple[str, str], StepRule] = {(workflow, rule.name): rule for rule in TABLE for workflow in rule.workflows}
STEP_NAMES: dict[str, tuple[str, str]] = {rule.name: (rule.zh, rule.en) for rule in TABLE} | {
    "open": ("受理登记", "received"),
    "joined": ("我也遇到", "met by somebody else too"),
    "recompute": ("时限重算", "deadline recomputed"),
    "hand_over_borders": ("界线调整移交", "handed over by new borders"),
    "owner_changed": ("交接", "handed over by new posts"),
}

STATE_NAMES: dict[str, tuple[str, str]] = {
    "received": ("待受理", "to be filed"),
    "assigned": ("待签收", "to be signed for"),
    "in_progress": ("处置中", "in progress"),
    "fixed": ("待核查", "awaits its check"),
    "closed": ("已结案", "closed"),
    "returned": ("已退回", "returned"),
    "suspended": ("挂账", "suspended"),
}
OUTCOME_NAMES: dict[str, tuple[str, str]] = {
    "solved": ("已解决", "solved"),
    "refused": ("不予立案", "refused"),
    "duplicate": ("重复", "duplicate"),
    "not_ours": ("非本级职责", "not ours"),
    "cannot": ("暂不具备解决条件", "cannot be solved now"),
}


def find_rule(workflow: str, step: str) -> StepRule:
    """Return the row of a step; an unknown one, or one that this workflow has not, raises."""
    rule = RULES.get((workflow, step))
    if rule is not None:
        return rule
    if step in STEP_NAMES:
        raise Conflict("step_not_in_workflow", f"The {workflow} workflow has no step {step!r}.")
    raise InvalidInput(
        "unknown_step", f"There is no step {step!r}.", hint=f"Steps are {', '.join(sorted(STEP_NAMES))}."
    )


def check_state(rule: StepRule, state: str) -> str:
    """Return the state that the step leads to, or raise where it cannot be taken in this state."""
    if state not in rule.moves:
        raise Conflict(
            "step_not_allowed",
            f"{rule.zh} ({rule.en}) is not possible in the state {STATE_NAMES[state][0]} ({STATE_NAMES[state][1]}).",
            hint=f"It is possible in: {', '.join(rule.moves)}.",
            detail={"step": rule.name, "state": state},
        )
    return rule.moves[state]


def choose_role(rule: StepRule, roles: Iterable[str]) -> str:
    """Return the role in which the step is taken, or raise `Forbidden` where none of them may."""
    fitting = sorted(rule.roles.intersection(roles))
    if not fitting:
        raise Forbidden(
            "role_not_allowed",
            f"{rule.zh} ({rule.en}) is not for you here.",
            hint=f"It is for: {', '.join(sorted(rule.roles))}.",
            detail={"step": rule.name},
        )
    return fitting[0]


def state_for_new_owner(workflow: str, state: str, *, unplaced: bool) -> str:
    """Return the state of a case that changed hands: unfiled and unplaced ones wait, others are to be signed for."""
    if unplaced or (workflow == STANDARD and state == "received"):
        return "received"
    return "assigned"


def first_state(workflow: str, *, unplaced: bool) -> str:
    """Return the state in which a case begins."""
    return "received" if unplaced or workflow == STANDARD else "assigned"


def workflow_for(channel: str, category_workflow: str, *, emergency: bool, no_chief: bool) -> str:
    """Choose the workflow: quick for staff's own findings of a category that allows it, else standard."""
    quick = category_workflow == QUICK and channel in QUICK_CHANNELS and not (emergency or no_chief)
    return QUICK if quick else STANDARD


def is_sampled(track_code: str, share: float) -> bool:
    """Whether a quick case is drawn for a check before it is closed.

    Drawn by the hash of the follow code, which the program made: nobody can choose a UUID that is
    never checked, and the draw can be repeated.
    """
    drawn = int.from_bytes(hashlib.sha256(track_code.encode()).digest()[:8], "big")
    return drawn < share * 2**64


@dataclass(frozen=True)
class PastStep:
    """What the rules read of an event: the step, who took it in which role, when, and which one it took back.

    `undoes` is the sequence of the step that an `undo` took back, 0 for every other event.
    """

    step: str
    user_id: int | None
    person_id: int | None = None
    role: str = ""
    at: datetime | None = None
    sequence: int = 0
    undoes: int = 0


def standing_steps(past: Iterable[PastStep]) -> tuple[PastStep, ...]:
    """Return the steps that still hold: without those that were taken back, and without the taking back.

    With a step goes what the program did because of it; a remark made in between stays.
    """
    found: list[PastStep] = []
    for event in past:
        if event.step != "undo":
            found.append(event)
            continue
        found = [one for one in found if one.sequence < event.undoes or one.step in NEUTRAL]
    return tuple(found)


def last_taken(past: Iterable[PastStep]) -> PastStep | None:
    """Return the last step that somebody took and nobody went on from; None where the program moved the case since.

    What the program did in the same moment belongs to the step: a quick case is closed by its mending.
    """
    followed: list[PastStep] = []
    for event in reversed(standing_steps(past)):
        if event.step in NEUTRAL:
            continue
        if event.role != SYSTEM_ROLE:
            return event if all(each.at == event.at for each in followed) else None
        followed.append(event)
    return None


ENDS_EXTENSION = frozenset(
    {"extend", "refuse_extension", "recategorise", "raise", "accept_hand_over", "sign", "unit_sign"}
    | {rule.name for rule in TABLE if rule.moves.get("in_progress", "in_progress") != "in_progress"}
)
"""Steps after which nothing waits for approval: it was decided, its term began anew, or the case left whoever asked.

What takes a case to another owner leads to a new signing, whatever the step was called.
"""


def extension_of(past: Iterable[PastStep]) -> tuple[str, int | None, int | None]:
    """Read from the history how far an extension has come: (`""`|`asked`|`endorsed`, who asked, who endorsed)."""
    stage, asked_by, endorsed_by = "", None, None
    for event in past:
        if event.step == "ask_extension":
            stage, asked_by, endorsed_by = "asked", event.user_id, None
        elif event.step == "endorse_extension":
            stage, endorsed_by = "endorsed", event.user_id
        elif event.step in ENDS_EXTENSION:
            stage, asked_by, endorsed_by = "", None, None
    return stage, asked_by, endorsed_by
