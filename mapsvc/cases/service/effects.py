"""What each step does to the case beyond its state; a step without an entry only changes the state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from mapsvc.areas.index import Snapshot
from mapsvc.areas.rules.located import AreaAt
from mapsvc.base.errors import Conflict, InvalidInput, NotFound
from mapsvc.cases.models import Case, Deadline
from mapsvc.cases.queries import standing as queries
from mapsvc.cases.rules.assignment import Decision, decide_for_area
from mapsvc.cases.rules.deadlines import Span, due_after_pause, due_at
from mapsvc.cases.rules.rulebook import Rulebook
from mapsvc.cases.rules.values import StepRequest
from mapsvc.cases.rules.workflow import StepRule, last_taken
from mapsvc.cases.service import paths
from mapsvc.cases.service.intake import MAX_OWNER, check_text, decide_intake
from mapsvc.cases.service.positions import Placed, place
from mapsvc.cases.service.records import find_clock, meet_clock, put_clock, record_assignment, start_clock
from mapsvc.cases.service.undo import restore
from mapsvc.catalog import Category, Condition
from mapsvc.people.rules.actor import Actor
from mapsvc.storage.work import Work

VISIT_RESULTS = frozenset({"exists", "not_exists", "unable"})
FIRST_RECEIVER_AFTER = 2
"""From the second return on whoever dispatches again is told that the first receiver answers (首接负责)."""


@dataclass(frozen=True)
class Result:
    """What a step leaves on its event, and what its taker is told."""

    data: Mapping[str, Any] = field(default_factory=dict)
    notices: tuple[str, ...] = ()


@dataclass
class Taking:
    """A step while it is being taken."""

    work: Work
    actor: Actor
    snapshot: Snapshot
    book: Rulebook
    case: Case
    request: StepRequest
    rule: StepRule
    past: queries.Past
    owner_before: int | None = field(init=False)

    def __post_init__(self) -> None:
        self.owner_before = self.case.owner_area_id

    @property
    def category(self) -> Category:
        """The category of the case, retired or not."""
        return self.book.categories.get(self.case.category)

    @property
    def condition(self) -> Condition:
        """The filing condition that the term of the case hangs on."""
        return self.category.get_condition(self.case.condition)

    def meet(self, clock: str) -> None:
        """Note that a clock was met now."""
        meet_clock(self.work, self.case, clock)

    def path(self) -> tuple[AreaAt, ...]:
        """Return the areas in force that hold the case, coarsest first; one that ended meanwhile is left out."""
        order = self.snapshot.levels.codes
        found = [self.snapshot.find_area_by_id(area_id) for _, area_id in self.past.areas]
        return tuple(sorted((area for area in found if area), key=lambda area: order.index(area.level)))

    def placed(self) -> Placed | None:
        """Return the stored position, None while there is none."""
        case = self.case
        if case.lon is None or case.lat is None:
            return None
        return Placed(case.lon, case.lat, case.accuracy_m, case.position_source, case.input_datum)


def given_inputs(taking: Taking) -> frozenset[str]:
    """Return which inputs the request brings, each checked; one that is wrong raises and says how."""
    request, found = taking.request, set()
    if request.reason.strip():
        found.add("reason")
    if queries.holds_proof(taking.work, taking.case, request.photos):
        found.add("photo")
    if request.unit_id is not None:
        if not queries.is_unit_in_service(taking.work, request.unit_id, taking.book.local_day(taking.work.now)):
            raise InvalidInput(
                "unknown_unit", f"There is no unit {request.unit_id} in service.", hint="Choose another."
            )
        found.add("unit")
    if request.area_id is not None:
        paths.get_area(taking.snapshot, request.area_id)
        found.add("area")
    if request.position is not None:
        found.add("position")
    if request.owner is not None:
        check_text("owner", request.owner, MAX_OWNER)
        found.add("owner")
    if request.category:
        taking.book.categories.get_in_use(request.category).get_condition(request.condition)
        found.add("category")
    if request.condition or taking.case.condition or len(taking.category.conditions) == 1:
        found.add("condition")
    if request.until is not None:
        _check_until(taking)
        found.add("until")
    if request.duplicate_of:
        found.add("duplicate_of")
    if request.version is not None:
        found.add("version")
    if request.result:
        if request.result not in VISIT_RESULTS:
            raise InvalidInput("unknown_result", f"{request.result!r} is no result.", hint=", ".join(VISIT_RESULTS))
        found.add("result")
    return frozenset(found)


def _check_until(taking: Taking) -> None:
    until, now = taking.request.until, taking.work.now
    assert until is not None
    if until.tzinfo is None or not now < until <= now + taking.book.max_suspension:
        raise InvalidInput(
            "bad_until",
            "The day of return must lie ahead, within a year.",
            hint="Choose another day.",
        )


def _accept(taking: Taking) -> Result:
    case, request = taking.case, taking.request
    if request.condition and request.condition != case.condition:
        taking.category.get_condition(request.condition)
        case.condition = request.condition
        _restart_total(taking)
    return Result({"condition": case.condition})


def _restart_total(taking: Taking) -> None:
    """Another term runs from intake like the one before it; extensions that were granted are added again."""
    case, book = taking.case, taking.book
    row = start_clock(taking.work, case, "total", book.total_term(taking.condition), case.received_at, book)
    for _ in range(case.extensions):
        row.due_at = due_at(book.calendar, row.due_at, book.total_term(taking.condition))
    case.due_at = row.due_at


def _reassign(taking: Taking, decision: Decision) -> Result:
    """Record the assignment; the new owner is notified, an unchanged one only of a case that comes back to life."""
    unchanged = decision.owner is not None and decision.owner.area_id == taking.owner_before
    silent = unchanged and taking.rule.name != "reopen"
    before = taking.owner_before
    record_assignment(taking.work, taking.case, decision, taking.book, taking.actor, silent=silent)
    return Result({"from_area": before, "to_area": taking.case.owner_area_id}, decision.notices)


def _to_named_area(taking: Taking, area_id: int, rule: str) -> Result:
    area = paths.get_area(taking.snapshot, area_id)
    path = paths.path_to(taking.snapshot, area, taking.path())
    on = taking.book.local_day(taking.work.now)
    chain = taking.book.chain_of(taking.category)
    decision = decide_for_area(area, path, taking.snapshot, chain, on, rule=rule, generation=taking.snapshot.generation)
    return _reassign(taking, decision)


def _assign(taking: Taking) -> Result:
    assert taking.request.area_id is not None
    area = paths.get_area(taking.snapshot, taking.request.area_id)
    if taking.category.no_chief and not taking.book.levels.get(area.level).office:
        raise Conflict(
            "not_for_chiefs",
            f"{taking.category.zh} may not be given to a {area.level} as the main responsible body.",
            hint="Choose a street or the district, or dispatch it to a unit.",
        )
    return _to_named_area(taking, area.area_id, "manual")


def _move_pin(taking: Taking) -> Result:
    case, position = taking.case, taking.request.position
    assert position is not None
    placed = place(position, taking.snapshot)
    before = {"from_lon": case.lon, "from_lat": case.lat}
    case.lon, case.lat, case.accuracy_m = placed.lon, placed.lat, placed.accuracy_m
    case.position_source, case.input_datum = placed.source, placed.datum
    decision = decide_intake(taking.snapshot, taking.book, taking.category, placed, taking.work)
    result = _reassign(taking, decision)
    return Result({**before, "lon": placed.lon, "lat": placed.lat, **result.data}, result.notices)


def _recategorise(taking: Taking) -> Result:
    case, request, book = taking.case, taking.request, taking.book
    before = {"from_category": case.category, "from_condition": case.condition}
    case.category, case.condition = request.category, request.condition
    case.workflow = book.workflow_of(case.channel, taking.category, taking.condition)
    _restart_total(taking)
    told = {**before, "category": case.category, "condition": case.condition}
    placed = taking.placed()
    if placed is None and case.owner_area_id is not None:
        return Result(told)  # placed by hand: another category alone moves it nowhere
    result = _reassign(taking, decide_intake(taking.snapshot, book, taking.category, placed, taking.work))
    return Result({**told, **result.data}, result.notices)


def _correct_owner(taking: Taking) -> Result:
    """Whoever dispatches next is proposed the unit of the new owner; what a unit has in hand it keeps."""
    case, owner = taking.case, (taking.request.owner or "").strip()
    if owner == case.owner:
        raise InvalidInput(
            "same_owner", "The case names this owner already.", hint="Write whose the component is instead."
        )
    before, case.owner = case.owner, owner
    return Result({"from_owner": before, "owner": owner})


def _dispatch(taking: Taking) -> Result:
    case = taking.case
    case.unit_id = taking.request.unit_id
    notices = ("first_receiver",) if case.returns >= FIRST_RECEIVER_AFTER else ()
    return Result({"unit": case.unit_id}, notices)


def _return(taking: Taking) -> Result:
    case = taking.case
    unit_id, case.unit_id = case.unit_id, None
    case.returns += 1
    return Result({"unit": unit_id, "returns": case.returns})


def _fix(taking: Taking) -> Result:
    case = taking.case
    case.handled_by_user_id = taking.actor.user_id
    case.checked_by_user_id = None
    if taking.rule.name == "instant_fix" and queries.count_photos(taking.work, case.id) < 2:
        raise InvalidInput(
            "needs_proof", "An instant fix is proved by a photo before and one after.", hint="Add the missing photo."
        )
    start_clock(taking.work, case, "check", taking.book.check_term(), taking.work.now, taking.book)
    return Result({"unit": case.unit_id})


def _check_pass(taking: Taking) -> Result:
    taking.case.checked_by_user_id = taking.actor.user_id
    taking.meet("check")
    return Result()


def _check_fail(taking: Taking) -> Result:
    case = taking.case
    case.reworks += 1
    case.handled_by_user_id = None
    taking.meet("check")
    return Result({"reworks": case.reworks})


def _mark_duplicate(taking: Taking) -> Result:
    case = taking.case
    named = queries.find_by_number(taking.work, taking.actor, taking.request.duplicate_of.strip())
    if named is None:
        raise NotFound("no_such_case", f"There is no case {taking.request.duplicate_of!r}.", hint="Check its number.")
    kept = queries.lock_survivor(taking.work, taking.actor, named)
    if kept.id == case.id:
        raise Conflict("bad_merge", "A case is not merged into itself.", hint="Name the one that stays.")
    if kept.state == "closed" or kept.historic:
        raise Conflict(
            "merge_into_closed",
            f"The case {kept.number} is closed: what is merged into it would be worked on by nobody.",
            hint="Open that one again first, or merge it into this one.",
            detail={"number": kept.number},
        )
    case.duplicate_of_id = kept.id
    return Result({"duplicate_of": kept.number})


def _reopen(taking: Taking) -> Result:
    case = taking.case
    case.closed_at = None
    case.reworks += 1
    case.handled_by_user_id = case.checked_by_user_id = None
    case.extensions = 0
    start_clock(taking.work, case, "total", taking.book.total_term(taking.condition), taking.work.now, taking.book)
    placed = taking.placed()
    told = {"reworks": case.reworks}
    if placed is None:
        return Result(told)
    result = _reassign(taking, decide_intake(taking.snapshot, taking.book, taking.category, placed, taking.work))
    return Result({**told, **result.data}, result.notices)


def _suspend(taking: Taking) -> Result:
    """The total clock stands still from now; the day of return is a clock of its own, which the worker reads."""
    until = taking.request.until
    assert until is not None
    days = max((until - taking.work.now) / timedelta(days=1), 1e-6)
    row = Deadline(
        case_id=taking.case.id, clock="suspension", amount=days, unit="urgent_day", starts_at=taking.work.now,
        due_at=until, calendar=taking.book.calendar.fingerprint,
    )  # fmt: skip
    put_clock(taking.work, taking.case, row)
    return Result({"until": until.isoformat()})


def _resume(taking: Taking) -> Result:
    work, case, calendar = taking.work, taking.case, taking.book.calendar
    pause, total = find_clock(work, case.id, "suspension"), find_clock(work, case.id, "total")
    assert pause is not None
    assert total is not None
    taking.meet("suspension")
    moved = due_after_pause(calendar, total.unit, total.due_at, pause.starts_at, work.now)
    _move_total(taking, total, moved)
    return Result({"due_before": total.due_at.isoformat(), "due": moved.isoformat()})


def _extend(taking: Taking) -> Result:
    """One more of the original term, from where the last one ends."""
    total = find_clock(taking.work, taking.case.id, "total")
    assert total is not None
    taking.case.extensions += 1
    moved = due_at(taking.book.calendar, total.due_at, Span(total.amount, total.unit))
    _move_total(taking, total, moved)
    return Result({"due_before": total.due_at.isoformat(), "due": moved.isoformat()})


def _move_total(taking: Taking, total: Deadline, moved: Any) -> None:
    row = Deadline(
        case_id=total.case_id, clock="total", amount=total.amount, unit=total.unit, starts_at=total.starts_at,
        due_at=moved, calendar=taking.book.calendar.fingerprint,
    )  # fmt: skip
    put_clock(taking.work, taking.case, row)


def _hand_over(taking: Taking) -> Result:
    case, area_id = taking.case, taking.request.area_id
    if area_id == case.owner_area_id:
        raise InvalidInput("own_area", "The case lies with that area already.", hint="Choose the other side.")
    case.handover_area_id = area_id
    return Result({"to_area": area_id})


def _accept_hand_over(taking: Taking) -> Result:
    area_id = taking.case.handover_area_id
    assert area_id is not None
    taking.case.sides_changed += 1
    taking.case.handover_area_id = None
    return _to_named_area(taking, area_id, "hand_over")


def _decline_hand_over(taking: Taking) -> Result:
    area_id, taking.case.handover_area_id = taking.case.handover_area_id, None
    return Result({"to_area": area_id})


def _decide_side(taking: Taking) -> Result:
    assert taking.request.area_id is not None
    taking.case.handover_area_id = None
    if taking.request.area_id != taking.case.owner_area_id:
        taking.case.sides_changed += 1
    return _to_named_area(taking, taking.request.area_id, "decided")


def _answer_side(taking: Taking) -> Result:
    assert taking.request.area_id is not None
    return _to_named_area(taking, taking.request.area_id, "side")


def _raise(taking: Taking) -> Result:
    above = queries.levels_above(taking.book, taking.case, taking.past)[0]
    return _to_named_area(taking, above, "raised")


def _ask_whistle(taking: Taking) -> Result:
    taking.case.whistle = "asked"
    return Result()


def _blow_whistle(taking: Taking) -> Result:
    """The street summons a unit: from here on the unit signs for the case, as after a dispatch."""
    taking.case.whistle = "blown"
    taking.case.handover_area_id = None
    return _dispatch(taking)


def _decline_whistle(taking: Taking) -> Result:
    taking.case.whistle = "declined"
    return Result()


def _undo(taking: Taking) -> Result:
    taken = last_taken(taking.past.steps)
    assert taken is not None, "the guards looked"
    return Result(restore(taking.work, taking.case, taking.actor, taken.sequence))


def _verify(taking: Taking) -> Result:
    return Result({"result": taking.request.result})


EFFECTS: dict[str, Callable[[Taking], Result]] = {
    "verify": _verify,
    "accept": _accept,
    "assign": _assign,
    "move_pin": _move_pin,
    "recategorise": _recategorise,
    "correct_owner": _correct_owner,
    "dispatch": _dispatch,
    "redispatch": _dispatch,
    "return": _return,
    "fix": _fix,
    "instant_fix": _fix,
    "check_pass": _check_pass,
    "check_fail": _check_fail,
    "mark_duplicate": _mark_duplicate,
    "reopen": _reopen,
    "suspend": _suspend,
    "resume": _resume,
    "extend": _extend,
    "hand_over": _hand_over,
    "accept_hand_over": _accept_hand_over,
    "decline_hand_over": _decline_hand_over,
    "decide_side": _decide_side,
    "answer_side": _answer_side,
    "raise": _raise,
    "ask_whistle": _ask_whistle,
    "blow_whistle": _blow_whistle,
    "decline_whistle": _decline_whistle,
    "undo": _undo,
}
