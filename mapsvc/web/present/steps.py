"""The steps that somebody may take on a case now, as forms with what each needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from mapsvc.cases.queries.views import AllowedStep, CaseRow, CaseView
from mapsvc.cases.rules.workflow import FIELD
from mapsvc.people.queries import UnitRecord
from mapsvc.people.rules.actor import Actor
from mapsvc.web.present.caseview import button_title
from mapsvc.web.present.sides import side_text
from mapsvc.web.present.speech import Speech
from mapsvc.web.present.worklist import Option

PREVIEWED = frozenset({"move_pin", "recategorise"})
"""Steps that change who answers: shown before they are taken, on a page of their own."""

ELSEWHERE = frozenset({"reveal_contact", "undo"})
SIDE_STEPS = frozenset({"hand_over", "decide_side", "answer_side"})
PRIMARY = (
    "sign", "unit_sign", "accept_hand_over", "accept", "fix", "check_pass", "close", "dispatch", "redispatch",
    "start", "resume", "extend", "endorse_extension", "verify",
)  # fmt: skip
"""What most often comes next; the first of these that is allowed stands on top."""


COMMON = frozenset(PRIMARY) | {
    "instant_fix", "return", "hand_over", "decline_hand_over", "decide_side", "ask_whistle", "blow_whistle",
    "decline_whistle", "check_fail", "refuse", "ask_extension", "refuse_extension", "reopen",
}  # fmt: skip
"""What a day is made of; all others stand under 更多."""
PLACING = ("move_pin", "assign")
"""What the day of those is made of who may say by hand whose a case is: the office. For a case without an area it is
what comes next."""
REASONS = ("return", "ask_extension", "ask_whistle")
"""Steps whose usual reasons are one tap each."""
MOST_REASONS = 4


@dataclass(frozen=True)
class QuickStep:
    """A step that is taken from a card by one tap."""

    name: str
    title: str
    uuid: UUID


def quick_step(words: Speech, actor: Actor, row: CaseRow, uuid: UUID) -> QuickStep | None:
    """Return the signing (签收) of a case that waits for this very actor; None where it is another's to sign for.

    A card says less than the rules read: what is offered here may still be refused, with its reason.
    """
    if row.state != "assigned" or row.historic:
        return None
    category = words.categories.find(row.category)
    if row.unit_name:
        name = "unit_sign" if actor.unit_ids else ""
    elif category is not None and category.no_chief:
        name = ""
    else:
        name = "sign" if row.area_id in (actor.areas_of(*FIELD) or ()) else ""
    return QuickStep(name, words.t("action.sign"), uuid) if name else None


@dataclass(frozen=True)
class StepForm:
    """One step as a button or a form."""

    name: str
    title: str
    url: str
    link: str
    needs: tuple[str, ...]
    primary: bool
    uuid: UUID
    version: int
    units: tuple[Option, ...] = ()
    proposed: str = ""
    sides: tuple[Option, ...] = ()
    owner: str = ""
    component_owner: str = ""
    areas: tuple[Option, ...] = ()
    conditions: tuple[Option, ...] = ()
    earliest: str = ""
    open: bool = False
    common: bool = True
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class StepContext:
    """What the forms need to know beside the case."""

    url: Callable[[str], str]
    change_url: Callable[[str], str]
    units: Sequence[UnitRecord]
    proposed_unit_id: int | None
    proposed_because: str
    areas: Sequence[Option]
    today: date
    uuid: Callable[[], UUID]
    asked: str = ""
    directions: Mapping[int, str] = field(default_factory=dict)


def step_forms(words: Speech, view: CaseView, context: StepContext) -> tuple[StepForm, ...]:
    """Return the forms, the one that most likely comes next first, a comment last."""
    allowed = [step for step in view.steps if step.name not in ELSEWHERE]
    places = any(step.name == "assign" for step in allowed)
    rank = {name: n for n, name in enumerate((*PLACING, *PRIMARY) if places and view.row.unplaced else PRIMARY)}
    common = COMMON.union(PLACING) if places else COMMON
    asks = {name for name in SIDE_STEPS if view.row.edge}
    ordered = sorted(
        allowed, key=lambda step: (step.name == "comment", step.name not in asks, rank.get(step.name, len(rank)))
    )
    done = {"dispatch"} if view.row.unit_name else set()  # it was dispatched: to another unit is not what comes next
    first = next((step.name for step in ordered if step.name in rank and step.name not in done), "")
    return tuple(
        _form(words, view, context, step, primary=step.name == first, common=step.name in common) for step in ordered
    )


def _form(
    words: Speech, view: CaseView, context: StepContext, step: AllowedStep, *, primary: bool, common: bool
) -> StepForm:
    sides = _sides(words, view, context.directions) if step.name in SIDE_STEPS else ()
    units, proposed = _units(words, context) if "unit" in step.needs else ((), "")
    return StepForm(
        name=step.name,
        title=button_title(words, step.name),
        url=context.url(step.name),
        link=context.change_url(step.name) if step.name in PREVIEWED else "",
        needs=step.needs,
        primary=primary,
        uuid=context.uuid(),
        version=view.row.version,
        units=units,
        proposed=proposed,
        sides=sides,
        owner=view.row.area_name,
        component_owner=view.row.owner,
        open=step.name == context.asked or (not context.asked and bool(sides) and view.row.edge),
        common=common and not (step.name == "start" and view.row.state == "in_progress"),
        reasons=_reasons(words, step.name),
        areas=tuple(context.areas) if "area" in step.needs and not sides else (),
        conditions=_conditions(words, view) if "condition" in step.needs else (),
        earliest=(context.today + timedelta(days=1)).isoformat() if "until" in step.needs else "",
    )


def _units(words: Speech, context: StepContext) -> tuple[tuple[Option, ...], str]:
    options = tuple(Option(str(u.id), u.name, u.id == context.proposed_unit_id) for u in context.units)
    proposed = next((option.text for option in options if option.here), "")
    return options, words.t("need.proposed", unit=proposed, why=context.proposed_because) if proposed else ""


def _reasons(words: Speech, step: str) -> tuple[str, ...]:
    """Return the usual reasons of a step."""
    if step not in REASONS:
        return ()
    found = (words.find(f"reason.{step}_{number}") for number in range(1, MOST_REASONS + 1))
    return tuple(text for text in found if text)


def _sides(words: Speech, view: CaseView, directions: Mapping[int, str]) -> tuple[Option, ...]:
    """Return the possible areas of an edge case, the most likely first; `here` is the one that it lies with."""
    with_sides = [assignment.sides for assignment in view.assignments if assignment.sides]
    latest = with_sides[-1] if with_sides else ()
    found = tuple(
        Option(str(side.area_id), side_text(words, side, directions), side.area_id == view.row.area_id)
        for side in latest
        if side.area_id
    )
    return found if any(not option.here for option in found) else ()


def _conditions(words: Speech, view: CaseView) -> tuple[Option, ...]:
    category = words.categories.find(view.row.category)
    if category is None:
        return ()
    chosen = view.row.condition or (category.conditions[0].code if len(category.conditions) == 1 else "")
    return tuple(
        Option(
            one.code,
            f"{one.title(words.language)} · {one.term.amount:g}{words.t('unit_of_time.' + one.term.unit)}",
            one.code == chosen,
        )
        for one in category.conditions
    )
