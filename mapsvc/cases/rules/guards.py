"""What must hold for a step, beyond state and role: facts of the case, persons apart, inputs given."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import timedelta

from mapsvc.base.errors import Conflict, Forbidden, InvalidInput, MapsvcError
from mapsvc.cases.rules.workflow import CHIEFS, MAX_EXTENSIONS, SYSTEM_ROLE, UNDO_WINDOW, UNDOABLE, StepRule


@dataclass(frozen=True)
class Facts:
    """What the guards look at: the case as it stands and the one who asks (`user_id`, `acting_for`)."""

    workflow: str
    state: str
    outcome: str = ""
    has_unit: bool = False
    unplaced: bool = False
    edge: bool = False
    historic: bool = False
    checked: bool = False
    overdue: bool = False
    has_contact: bool = False
    instant_fix: bool = False
    no_chief: bool = False
    has_upper_level: bool = False
    suspended_before: bool = False
    confirmed: bool = False
    sides_changed: int = 0
    extensions: int = 0
    extension_stage: str = ""
    extension_asked_by: int | None = None
    extension_endorsed_by: int | None = None
    hand_over_pending: bool = False
    whistle: str = ""
    whistle_asked_by: int | None = None
    last_step: str = ""
    last_by: int | None = None
    since_last: timedelta = timedelta(0)
    """What was done last, by whom, and how long ago; what the program added to it counts as part of it."""
    candidate_area_ids: tuple[int, ...] = ()
    handled_by: tuple[int | None, int | None] = (None, None)
    checked_by: tuple[int | None, int | None] = (None, None)
    """The user, and the person on whose behalf (or who) that was: a liaison does not check the leader's work."""
    user_id: int | None = None
    person_ids: frozenset[int] = field(default_factory=frozenset)
    role: str = ""
    area_id: int | None = None


def _other_than(facts: Facts, who: tuple[int | None, int | None]) -> bool:
    user, person = who
    same_user = user is not None and user == facts.user_id
    return not same_user and not (person is not None and person in facts.person_ids)


Guard = tuple[Callable[[Facts], bool], type[MapsvcError], str, str]

GUARDS: dict[str, Guard] = {
    "placed": (lambda f: not f.unplaced, Conflict, "unplaced", "The case lies in no area: assign it or move its pin."),
    "no_unit": (lambda f: not f.has_unit, Conflict, "with_a_unit", "The case was dispatched: its unit signs for it."),
    "unit": (lambda f: f.has_unit, Conflict, "no_unit", "The case was not dispatched to a unit."),
    "body": (
        lambda f: not (f.no_chief and f.role in CHIEFS),
        Forbidden,
        "not_for_chiefs",
        "This category may not be given to a community, grid or chief as the main responsible body.",
    ),
    "whitelisted": (lambda f: f.instant_fix, Conflict, "no_instant_fix", "This category may not be fixed on the spot."),
    "checked": (lambda f: f.checked, Conflict, "unchecked", "The check has not been passed yet."),
    "checked_or_quick": (
        lambda f: f.checked or f.role == SYSTEM_ROLE,
        Conflict,
        "unchecked",
        "The check has not been passed yet.",
    ),
    "unchecked": (lambda f: not f.checked, Conflict, "checked_already", "The check was passed already."),
    "not_handler": (
        lambda f: _other_than(f, f.handled_by),
        Forbidden,
        "handler_is_not_checker",
        "Who handled a case neither checks nor closes it.",
    ),
    "not_checker": (
        lambda f: _other_than(f, f.checked_by),
        Forbidden,
        "checker_is_not_closer",
        "Who checked a case does not close it.",
    ),
    "live": (lambda f: not f.historic, Conflict, "historic", "The case is imported history and is not worked on."),
    "not_duplicate": (
        lambda f: f.outcome != "duplicate",
        Conflict,
        "is_duplicate",
        "The case was merged into another: open that one.",
    ),
    "unconfirmed": (
        lambda f: not f.confirmed,
        Conflict,
        "confirmed_already",
        "It was confirmed as solved already.",
    ),
    "never_suspended": (
        lambda f: not f.suspended_before,
        Conflict,
        "suspended_before",
        "A case is suspended once at most.",
    ),
    "not_overdue": (lambda f: not f.overdue, Conflict, "overdue", "A case is extended only before it is overdue."),
    "extensions_left": (
        lambda f: f.extensions < MAX_EXTENSIONS,
        Conflict,
        "no_extension_left",
        "The case was extended twice already.",
    ),
    "extension_none": (
        lambda f: not f.extension_stage,
        Conflict,
        "extension_pending",
        "An extension is asked for already.",
    ),
    "extension_asked": (
        lambda f: f.extension_stage == "asked",
        Conflict,
        "no_extension_asked",
        "No extension waits for this.",
    ),
    "extension_endorsed": (
        lambda f: f.extension_stage == "endorsed",
        Conflict,
        "extension_not_endorsed",
        "An extension needs its first approval before this one.",
    ),
    "extension_pending": (
        lambda f: bool(f.extension_stage),
        Conflict,
        "no_extension_asked",
        "No extension was asked for.",
    ),
    "not_asker": (
        lambda f: _other_than(f, (f.extension_asked_by, None)),
        Forbidden,
        "asker_is_not_approver",
        "Who asked for an extension does not approve it.",
    ),
    "not_endorser": (
        lambda f: _other_than(f, (f.extension_endorsed_by, None)),
        Forbidden,
        "two_approvals",
        "The two approvals of an extension come from two persons.",
    ),
    "edge": (lambda f: f.edge, Conflict, "not_an_edge", "The case does not lie between areas."),
    "side_unchanged": (
        lambda f: f.sides_changed == 0,
        Conflict,
        "sides_changed",
        "The case changed sides once: its receiver answers.",
    ),
    "no_hand_over": (
        lambda f: not f.hand_over_pending,
        Conflict,
        "hand_over_pending",
        "A hand-over waits for its answer.",
    ),
    "hand_over": (lambda f: f.hand_over_pending, Conflict, "no_hand_over", "No hand-over was proposed."),
    "candidate": (
        lambda f: f.area_id is None or f.area_id in f.candidate_area_ids,
        InvalidInput,
        "not_a_candidate",
        "That area is not one of the possible ones.",
    ),
    "upper_level": (
        lambda f: f.has_upper_level,
        Conflict,
        "no_upper_level",
        "There is no level above the present one.",
    ),
    "whistle_none": (
        lambda f: f.whistle not in {"asked", "blown"},
        Conflict,
        "whistle_pending",
        "The whistle was asked for or blown already.",
    ),
    "whistle_asked": (
        lambda f: f.whistle == "asked",
        Conflict,
        "no_whistle_asked",
        "Nobody asked for the whistle.",
    ),
    "not_whistle_asker": (
        lambda f: _other_than(f, (f.whistle_asked_by, None)),
        Forbidden,
        "asker_is_not_approver",
        "Who asked for the whistle does not blow it.",
    ),
    "undoable": (
        lambda f: f.last_step in UNDOABLE,
        Conflict,
        "nothing_to_undo",
        "The last step cannot be taken back.",
    ),
    "own_step": (
        lambda f: f.user_id is not None and f.last_by == f.user_id,
        Conflict,
        "somebody_went_on",
        "Somebody else took the last step: only one's own is taken back.",
    ),
    "in_time": (
        lambda f: f.since_last <= UNDO_WINDOW,
        Conflict,
        "too_late_to_undo",
        "A step is taken back within two minutes only.",
    ),
    "contact": (lambda f: f.has_contact, Conflict, "no_contact", "The reporter left no contact."),
}

NEEDS: dict[str, tuple[str, str]] = {
    "reason": ("needs_reason", "This step needs a reason."),
    "photo": ("needs_photo", "This step needs a photo taken afterwards."),
    "unit": ("needs_unit", "This step needs the unit."),
    "area": ("needs_area", "This step needs the area."),
    "position": ("needs_position", "This step needs the new position."),
    "category": ("needs_category", "This step needs the new category."),
    "owner": ("needs_owner", "This step needs whose the component is; an empty text says that nobody is known."),
    "condition": ("needs_condition", "Filing needs the condition (立案条件) of the category."),
    "until": ("needs_until", "Suspending needs the day on which the case comes back, within a year."),
    "duplicate_of": ("needs_duplicate_of", "Merging needs the case that stays."),
    "version": ("needs_version", "Taking a step back needs the version of the case that was seen."),
    "result": ("needs_result", "A visit answers exists, not_exists or unable."),
}


def check_guards(rule: StepRule, facts: Facts) -> None:
    """Raise the first guard that does not hold."""
    for name in rule.guards:
        holds, error, code, message = GUARDS[name]
        if not holds(facts):
            raise error(code, message, detail={"step": rule.name})


def check_needs(rule: StepRule, given: Collection[str]) -> None:
    """Raise for the first input that is missing from `given`."""
    for need in rule.needs:
        if need not in given:
            code, message = NEEDS[need]
            raise InvalidInput(code, message, detail={"step": rule.name, "need": need})


def is_possible(rule: StepRule, facts: Facts, roles: Collection[str]) -> bool:
    """Whether somebody with these roles could take the step now, given its inputs; for offering buttons."""
    if facts.state not in rule.moves or not rule.roles.intersection(roles):
        return False
    return all(GUARDS[name][0](facts) for name in rule.guards if name != "candidate")
