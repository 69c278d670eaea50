"""One step of the workflow is taken: permission and scope on the object, the rules, one event, in one transaction."""

from __future__ import annotations

import uuid as uuids
from dataclasses import asdict

from mapsvc.areas.index import Snapshot
from mapsvc.base.errors import Conflict, InvalidInput, NotFound
from mapsvc.base.events import CaseStepTaken
from mapsvc.cases.models import Case, CaseEvent
from mapsvc.cases.queries import standing as queries
from mapsvc.cases.rules import workflow
from mapsvc.cases.rules.codes import read_track_code
from mapsvc.cases.rules.guards import check_guards, check_needs
from mapsvc.cases.rules.marks import MARKED, Marks, mark
from mapsvc.cases.rules.rulebook import Rulebook
from mapsvc.cases.rules.standing import roles_on
from mapsvc.cases.rules.values import StepReceipt, StepRequest
from mapsvc.cases.service.effects import EFFECTS, Taking, given_inputs
from mapsvc.cases.service.intake import EVENT_SPACE, MAX_DESCRIPTION, attach_photos, check_text
from mapsvc.cases.service.records import add_event, start_clock
from mapsvc.cases.service.undo import capture
from mapsvc.people.rules.actor import SYSTEM, Actor, RoleHeld
from mapsvc.storage.work import Work

UNORDERED = frozenset({"comment"})
"""Steps that do not mind what happened in between."""

RAISE_AFTER_REOPENINGS = 2
"""The second time a reporter says that it is not solved the case goes one level up."""


def take_step(work: Work, actor: Actor, snapshot: Snapshot, book: Rulebook, request: StepRequest) -> StepReceipt:
    """Take one step, or recognise it as one that was taken.

    Idempotent by the step's UUID and content hash: `taken`, `same`, or `conflict` (the UUID holds other
    content). A case that the asker may not see is `NotFound`. A version other than the one the asker
    saw raises `Conflict` `somebody_was_first`, which tells who did what.
    """
    case = find_locked(work, actor, request.case_uuid, request.track_code)
    known = queries.find_event(work, request.step_uuid)
    if known is not None:
        return _receipt_again(work, actor, case, known, request)
    check_text("reason", request.reason, MAX_DESCRIPTION)
    if request.step == "reveal_contact":
        raise InvalidInput("use_disclosure", "A contact is revealed by its own address.", hint="See /api/openapi.json.")
    rule = workflow.find_rule(case.workflow, request.step)
    _check_version(work, actor, case, request)
    past = queries.load_past(work, case.id)
    role, held = choose_role(actor, case, past, rule, reporter=_is_reporter(work, case, request.track_code))
    to_state = _check_state(work, actor, case, rule)
    facts = queries.facts_of(work.now, actor, book, case, past, role=role, held=held, area_id=request.area_id)
    check_guards(rule, facts)
    taking = Taking(work, actor, snapshot, book, case, request, rule, past)
    check_needs(rule, given_inputs(taking))
    return _take(taking, role, held, to_state)


def find_locked(work: Work, actor: Actor, case_uuid: uuids.UUID, track_code: str = "") -> Case:
    """Return the case under its lock; `NotFound` where there is none or the asker may not know of it."""
    code = read_track_code(track_code) or "" if track_code else ""
    case = queries.lock_case(work, actor, case_uuid, code)
    if case is None:
        raise NotFound("no_such_case", "There is no such case, or it is not yours to see.", hint="Check its number.")
    return case


def _is_reporter(work: Work, case: Case, track_code: str) -> bool:
    """Whether a follow code of this very case was given: then its holder stands here as the reporter."""
    code = read_track_code(track_code) if track_code else None
    return code is not None and queries.is_followed_by(work, case.id, code)


def choose_role(
    actor: Actor, case: Case, past: queries.Past, rule: workflow.StepRule, *, reporter: bool = False
) -> tuple[str, RoleHeld | None]:
    """Return the role in which the step is taken here, and the holding that gives it; else `Forbidden`.

    `reporter`: the asker gave a follow code of this very case.
    """
    place = queries.place_of(case, past)
    roles = roles_on(actor, place, step=rule.name, reporter=reporter)
    role = workflow.choose_role(rule, roles)
    return role, roles.get(role)


def _check_version(work: Work, actor: Actor, case: Case, request: StepRequest) -> None:
    if request.version is None or request.version == case.version or request.step in UNORDERED:
        return
    raise _first_was(work, actor, case, "somebody_was_first", "Somebody else was first")


def _check_state(work: Work, actor: Actor, case: Case, rule: workflow.StepRule) -> str:
    try:
        return workflow.check_state(rule, case.state)
    except Conflict as refused:
        told = _first_was(work, actor, case, refused.code, refused.message.rstrip("."))
        raise Conflict(refused.code, told.message, hint=refused.hint, detail=told.detail | refused.detail) from None


def _first_was(work: Work, actor: Actor, case: Case, code: str, message: str) -> Conflict:
    """Say who did what last, so that the one who came second understands; a resident is told no person."""
    last = queries.find_last_event(work, case.id)
    assert last is not None
    event, by = last
    name = by if queries.knows_staff(actor) else ""
    zh, en = workflow.STEP_NAMES[event.step]
    return Conflict(
        code,
        f"{message}: {name or 'mapsvc'} took {zh} ({en}) at {event.at:%Y-%m-%d %H:%M} UTC.",
        hint="Load the case again.",
        detail={
            "step": event.step,
            "by": name,
            "at": event.at.isoformat(),
            "state": case.state,
            "version": case.version,
        },
    )


def _receipt_again(work: Work, actor: Actor, case: Case, event: CaseEvent, request: StepRequest) -> StepReceipt:
    if event.case_id != case.id or event.content_sha256 != request.content_sha256:
        return StepReceipt("conflict", request.step_uuid, request.case_uuid)
    return _receipt(work, actor, case, event, "same")


def _receipt(
    work: Work, actor: Actor, case: Case, event: CaseEvent, status: str, notices: tuple[str, ...] = ()
) -> StepReceipt:
    area_name, person_name = queries.owner_names(work, actor, case)
    return StepReceipt(
        status=status,
        step_uuid=event.uuid,
        case_uuid=case.uuid,
        step=event.step,
        sequence=event.sequence,
        from_state=event.from_state,
        state=case.state,
        outcome=case.outcome,
        version=case.version,
        due_at=case.due_at,
        sign_due_at=case.sign_due_at,
        area_name=area_name,
        person_name=person_name,
        notices=notices,
    )


def _take(taking: Taking, role: str, held: RoleHeld | None, to_state: str) -> StepReceipt:
    work, case, request, rule = taking.work, taking.case, taking.request, taking.rule
    from_state = case.state
    before = {"before": capture(work, case)} if rule.name in workflow.UNDOABLE else {}
    missing = len(request.photos) - attach_photos(work, case.id, request.photos)
    effect = EFFECTS.get(rule.name)
    result = effect(taking) if effect is not None else None
    data = dict(result.data) if result else {}
    if rule.reassigns and (case.owner_area_id != taking.owner_before or rule.name == "reopen"):
        to_state = _change_hands(taking, from_state)
    elif rule.reassigns and to_state == "received":
        # Another category may have brought the quick workflow, which has no filing that it could wait for.
        to_state = workflow.first_state(case.workflow, unplaced=case.unplaced)
    if rule.reverses:
        to_state = case.state
    else:
        _enter(taking, from_state, to_state)
    event = add_event(
        work, case, taking.actor, uuid=request.step_uuid, step=rule.name, from_state=from_state, to_state=to_state,
        role=role, for_person_id=held.for_person_id if held else None, said=request.reason.strip(),
        data=data | _about(taking, held) | before, content_sha256=request.content_sha256,
    )  # fmt: skip
    case.version += 1
    case.updated_at = work.now
    work.emit(CaseStepTaken(case_id=case.id, event_id=event.id, step=rule.name))
    work.session.flush()  # what follows reads the case again
    notices = (*(result.notices if result else ()), *(("photo_missing",) if missing else ()))
    _follow_up(taking, role, owes_proof=bool(missing))
    return _receipt(work, taking.actor, case, event, "taken", notices)


def _about(taking: Taking, held: RoleHeld | None) -> dict[str, object]:
    """What is kept beside every event: on whose behalf, when on the spot, which photos."""
    request = taking.request
    person_id = (held.for_person_id if held else None) or taking.actor.person_id
    about: dict[str, object] = {}
    if person_id is not None:
        about["person_id"] = person_id
    if request.taken_at is not None:
        about["taken_at"] = min(request.taken_at, taking.work.now).isoformat()
    if request.photos:
        about["photos"] = [str(photo) for photo in request.photos]
    return about


def _change_hands(taking: Taking, from_state: str) -> str:
    """A new owner signs for himself, and dispatches himself; a hand-over under way ends."""
    case = taking.case
    case.unit_id = None
    case.handover_area_id = None
    origin = from_state
    if taking.rule.name == "reopen":
        unfiled = case.outcome in {"refused", "not_ours"} and taking.past.last("accept") is None
        origin = "received" if unfiled else "assigned"  # what was refused is looked at again by who files
    return workflow.state_for_new_owner(case.workflow, origin, unplaced=case.unplaced)


def _enter(taking: Taking, from_state: str, to_state: str) -> None:
    """Enter the state: start the clock of signing, note the closing.

    What is said of a closed case (a remark, a resident's thanks) closes it no second time.
    """
    work, case, rule = taking.work, taking.case, taking.rule
    if from_state == to_state == "closed":
        return
    case.state = to_state
    case.outcome = rule.outcome
    before = Marks(*(getattr(case, name) for name in MARKED))
    for name, value in asdict(mark(before, rule.name, work.now)).items():
        setattr(case, name, value)
    changed = case.owner_area_id != taking.owner_before or rule.name in {"accept", "dispatch", "redispatch", "reopen"}
    changed = changed or rule.name == "blow_whistle"
    if to_state == "assigned" and (from_state != "assigned" or changed):
        start_clock(work, case, "sign", taking.book.sign_term(taking.condition), work.now, taking.book)
    elif to_state != "assigned":
        taking.meet("sign")
    if to_state == "closed":
        case.closed_at = work.now
        case.handover_area_id = None
        taking.meet("total")
        taking.meet("check")
    elif to_state not in {"assigned", "in_progress"}:
        case.handover_area_id = None
    if case.whistle == "asked" and (to_state not in workflow.AT_WORK or case.owner_area_id != taking.owner_before):
        case.whistle = ""  # nobody is left to be helped: mended, or another one answers


def _follow_up(taking: Taking, role: str, *, owes_proof: bool) -> None:
    """What the program does by itself: close a quick case, raise one returned three times or reopened twice.

    A mending whose photos have not arrived is not closed unseen: another person checks it, as in the sample.
    """
    case, step = taking.case, taking.rule.name
    if case.workflow == workflow.QUICK and case.state == "fixed" and step in {"fix", "instant_fix", "check_pass"}:
        sampled = owes_proof or workflow.is_sampled(case.track_code, taking.book.sample_share)
        if step == "check_pass" or not sampled:
            _system_step(taking, "close", "")
        return
    said = ""
    if step == "return" and case.returns % workflow.RAISE_AFTER_RETURNS == 0:
        said = f"退回{case.returns}次, 自动提级 / returned {case.returns} times"
    elif step == "reopen" and role == workflow.REPORTER and case.reworks >= RAISE_AFTER_REOPENINGS:
        said = "反映人再次反映未解决, 自动提级 / reported as unsolved again"
    if said and case.state in {"assigned", "returned"}:
        past = queries.load_past(taking.work, case.id)
        if queries.levels_above(taking.book, case, past):
            _system_step(taking, "raise", said)


def _system_step(taking: Taking, step: str, said: str) -> None:
    cause = taking.request
    own = StepRequest(
        case_uuid=cause.case_uuid,
        step_uuid=uuids.uuid5(EVENT_SPACE, f"{cause.step_uuid} {step}"),
        step=step,
        content_sha256="",
        reason=said,
    )
    take_step(taking.work, SYSTEM, taking.snapshot, taking.book, own)
