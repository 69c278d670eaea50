"""What a step is judged by: the case under its lock, its places, its past, its candidates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select, true

from mapsvc.areas.models import AreaVersion
from mapsvc.base.errors import Conflict
from mapsvc.cases.models import Assignment, Case, CaseArea, CaseEvent, Photo, Reporter
from mapsvc.cases.queries.scope import opened_by, visible_to
from mapsvc.cases.rules.guards import Facts
from mapsvc.cases.rules.rulebook import Rulebook
from mapsvc.cases.rules.standing import Place, persons_of
from mapsvc.cases.rules.workflow import PastStep, extension_of, last_taken, standing_steps
from mapsvc.people.models import Person, Unit, User
from mapsvc.people.rules.actor import Actor, RoleHeld
from mapsvc.storage.work import Work


@dataclass(frozen=True)
class Past:
    """The history of a case as the rules read it."""

    steps: tuple[PastStep, ...]
    areas: tuple[tuple[str, int], ...]
    candidates: tuple[dict[str, Any], ...]
    has_contact: bool

    @property
    def area_ids(self) -> frozenset[int]:
        """The areas that hold the case, of every level."""
        return frozenset(area_id for _, area_id in self.areas)

    def last(self, *steps: str) -> PastStep | None:
        """Return the last of these steps that was taken."""
        return next((each for each in reversed(self.standing) if each.step in steps), None)

    @cached_property
    def standing(self) -> tuple[PastStep, ...]:
        """The steps that were not taken back."""
        return standing_steps(self.steps)


def lock_case(work: Work, actor: Actor, uuid: UUID, track_code: str = "") -> Case | None:
    """Return a case under a lock until the end of the transaction; None where the asker may not know of it.

    The holder of its follow code may know of it too.
    """
    seen = visible_to(actor)
    allowed = or_(seen, opened_by(track_code)) if track_code else seen
    return work.session.scalar(
        select(Case).where(Case.uuid == uuid, allowed).with_for_update().execution_options(populate_existing=True)
    )


def is_followed_by(work: Work, case_id: int, track_code: str) -> bool:
    """Whether a follow code, as stored, opens this case: its reporter's, or that of one who met it too."""
    return work.session.scalar(select(Case.id).where(Case.id == case_id, opened_by(track_code))) is not None


def load_past(work: Work, case_id: int) -> Past:
    """Read what the rules need of a case's history; four queries."""
    events = work.session.execute(
        select(CaseEvent.step, CaseEvent.user_id, CaseEvent.data, CaseEvent.role, CaseEvent.at, CaseEvent.sequence)
        .where(CaseEvent.case_id == case_id)
        .order_by(CaseEvent.sequence)
    )
    steps = tuple(as_past(*event) for event in events)
    areas = work.session.execute(select(CaseArea.level, CaseArea.area_id).where(CaseArea.case_id == case_id))
    candidates = work.session.scalar(
        select(Assignment.candidates).where(Assignment.case_id == case_id).order_by(Assignment.id.desc()).limit(1)
    )
    contact = work.session.scalar(select(Reporter.id).where(Reporter.case_id == case_id).limit(1))
    return Past(steps, tuple((level, area) for level, area in areas), tuple(candidates or ()), contact is not None)


def as_past(
    step: str, user_id: int | None, data: Mapping[str, Any], role: str, at: datetime, sequence: int
) -> PastStep:
    """Return an event as the rules read it."""
    return PastStep(step, user_id, data.get("person_id"), role, at, sequence, data.get("undoes", 0))


def find_event(work: Work, uuid: UUID) -> CaseEvent | None:
    """Return the event with this UUID, of whatever case."""
    return work.session.scalar(select(CaseEvent).where(CaseEvent.uuid == uuid))


def find_last_event(work: Work, case_id: int) -> tuple[CaseEvent, str] | None:
    """Return the last event of a case and the name of who took it."""
    row = work.session.execute(
        select(CaseEvent, User.display_name)
        .outerjoin(User, User.id == CaseEvent.user_id)
        .where(CaseEvent.case_id == case_id)
        .order_by(CaseEvent.sequence.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else (row[0], row[1] or "")


def is_unit_in_service(work: Work, unit_id: int, on: date) -> bool:
    """Whether a unit exists and was not retired."""
    return (
        work.session.scalar(
            select(Unit.id).where(Unit.id == unit_id, or_(Unit.ended_on.is_(None), Unit.ended_on >= on))
        )
        is not None
    )


def find_by_number(work: Work, actor: Actor, text: str) -> Case | None:
    """Return the case that a number or UUID names, among those the asker may see."""
    try:
        named = Case.uuid == UUID(text)
    except ValueError:
        named = Case.number == text
    return work.session.scalar(select(Case).where(named, visible_to(actor)))


def lock_survivor(work: Work, actor: Actor, case: Case) -> Case:
    """Return the case that stays where `case` was merged into others, locked; itself where it was not.

    Locked, so that two who merge two cases into each other at once cannot both succeed; who finds it locked by
    somebody else is refused rather than made to wait, for the other one may wait for him.
    """
    seen: set[int] = set()
    found = case
    while True:
        locked = work.session.scalar(
            select(Case)
            .where(Case.id == found.id, visible_to(actor))
            .with_for_update(skip_locked=True)
            .execution_options(populate_existing=True)
        )
        if locked is None:
            raise Conflict(
                "somebody_was_first",
                f"Somebody else is changing the case {found.number} at this moment.",
                hint="Look at it again, then decide.",
            )
        if locked.duplicate_of_id is None or locked.id in seen:
            return locked
        seen.add(locked.id)
        found = work.session.get_one(Case, locked.duplicate_of_id)


def count_photos(work: Work, case_id: int) -> int:
    """Return how many photos are with a case."""
    return work.session.query(Photo).where(Photo.case_id == case_id).count()


def holds_proof(work: Work, case: Case, photos: tuple[UUID, ...]) -> bool:
    """Whether one of the photos may show the repair: not what came with the report, nor what is another case's.

    One that is not here yet counts: a phone sends its steps first, and owes the photos.
    """
    reported = and_(Photo.case_id == case.id, Photo.uploaded_at <= case.received_at)
    useless = select(Photo.uuid).where(Photo.uuid.in_(photos), or_(Photo.case_id != case.id, reported))
    return not set(photos) <= set(work.session.scalars(useless)) if photos else False


def owner_names(work: Work, actor: Actor, case: Case) -> tuple[str, str]:
    """Return the names of the owner area and of the person who answers; empty where there is none.

    The person's name is told to accounts, and to the public only where it is posted up (公示).
    """
    area = work.session.scalar(select(AreaVersion.name).where(AreaVersion.id == case.area_version_id))
    named = select(Person.name).where(Person.id == case.owner_person_id)
    if not knows_staff(actor):
        named = named.where(Person.public.is_(true()))
    return area or "", work.session.scalar(named) or ""


def knows_staff(actor: Actor) -> bool:
    """Whether the asker may be told who of the staff did something: whoever has an account, and the program."""
    return actor.user_id is not None or actor.system


def place_of(case: Case, past: Past) -> Place:
    """Return where a case stands, for the roles somebody has before it."""
    return Place(past.area_ids, case.unit_id, case.handover_area_id, case.unplaced)


def facts_of(
    now: datetime,
    actor: Actor,
    book: Rulebook,
    case: Case,
    past: Past,
    *,
    role: str,
    held: RoleHeld | None,
    area_id: int | None = None,
) -> Facts:
    """Return what the guards look at."""
    category = book.categories.find(case.category)
    condition = category.find_condition(case.condition) if category else None
    stage, asked_by, endorsed_by = extension_of(past.standing)
    asked, taken = past.last("ask_whistle"), last_taken(past.steps)
    handler, checker = past.last("fix", "instant_fix"), past.last("check_pass")
    return Facts(
        workflow=case.workflow,
        state=case.state,
        outcome=case.outcome,
        has_unit=case.unit_id is not None,
        unplaced=case.unplaced,
        edge=case.edge,
        historic=case.historic,
        checked=case.checked_by_user_id is not None,
        overdue=case.due_at is not None and case.due_at < now,
        has_contact=past.has_contact,
        instant_fix=bool(condition and condition.instant_fix and not condition.emergency),
        no_chief=bool(category and category.no_chief),
        has_upper_level=bool(levels_above(book, case, past)),
        suspended_before=past.last("suspend") is not None,
        confirmed=(last := past.last("confirm", "reopen")) is not None and last.step == "confirm",
        sides_changed=case.sides_changed,
        extensions=case.extensions,
        extension_stage=stage,
        extension_asked_by=asked_by,
        extension_endorsed_by=endorsed_by,
        hand_over_pending=case.handover_area_id is not None,
        whistle=case.whistle,
        whistle_asked_by=asked.user_id if asked and case.whistle == "asked" else None,
        last_step=taken.step if taken else "",
        last_by=taken.user_id if taken else None,
        since_last=now - taken.at if taken and taken.at else timedelta.max,
        candidate_area_ids=tuple(each["area_id"] for each in past.candidates if each["area_id"]),
        handled_by=(case.handled_by_user_id, handler.person_id if handler and case.handled_by_user_id else None),
        checked_by=(case.checked_by_user_id, checker.person_id if checker and case.checked_by_user_id else None),
        user_id=actor.user_id,
        person_ids=persons_of(actor, held),
        role=role,
        area_id=area_id,
    )


def levels_above(book: Rulebook, case: Case, past: Past) -> tuple[int, ...]:
    """Return the ids of the areas above the owner in the category's chain that hold the case, nearest first."""
    chain = book.chain_of(book.categories.find(case.category))
    by_level = dict(past.areas)
    owner_level = next((level for level, area_id in past.areas if area_id == case.owner_area_id), None)
    begin = chain.index(owner_level) + 1 if owner_level in chain else 0
    return tuple(by_level[level] for level in chain[begin:] if level in by_level)
