"""A report comes in: once, whole, with its chief, its deadline and its reason, in one transaction."""

from __future__ import annotations

import re
import secrets
import uuid as uuids
from dataclasses import replace
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.dialects import postgresql, sqlite

from mapsvc.areas.index import Snapshot
from mapsvc.base.errors import Forbidden, InvalidInput, TooLarge
from mapsvc.base.events import CaseOpened
from mapsvc.cases.models import Case, Photo, Reporter
from mapsvc.cases.queries.receipts import find_intake, get_receipt
from mapsvc.cases.rules import codes
from mapsvc.cases.rules.assignment import Decision, decide, decide_for_area
from mapsvc.cases.rules.rulebook import Rulebook
from mapsvc.cases.rules.values import CHANNELS, Intake, Receipt
from mapsvc.cases.rules.workflow import CASE_WORKERS, CHIEFS, QUICK, QUICK_CHANNELS, WORKFLOWS, first_state
from mapsvc.cases.service import paths
from mapsvc.cases.service.positions import Placed, place
from mapsvc.cases.service.records import add_event, record_assignment, start_clock
from mapsvc.catalog import Category, Condition
from mapsvc.people.rules.actor import Actor
from mapsvc.storage.work import Work

MAX_DESCRIPTION = 4000
MAX_PLACE_TEXT = 500
MAX_CONTACT = 100
MAX_OWNER = 200
"""As long as an owner in the duty table may be."""
MAX_PHOTOS = 10
EARLIEST_YEAR = 1970
"""A phone whose clock was reset says 1970; what lies before is no time of observation."""
EVENT_SPACE = uuids.UUID("7c2f9f0e-0f55-4a53-9f57-3b6f3f1d2a10")
"""Events that the program appends have a UUID made from this and from what caused them, so that none is doubled."""

CHANNEL_ROLES: dict[str, frozenset[str] | None] = {
    "public": None,
    "open311": None,
    "api": CASE_WORKERS,
    "staff": CASE_WORKERS,
    "patrol": CHIEFS | {"patrol", "street"},
    "hotline": frozenset({"intake", "dispatcher", "duty_officer"}),
    "import": frozenset(),
}
"""Who may report by which channel; None: anybody, also without an account. The program itself may all."""


def open_case(work: Work, actor: Actor, snapshot: Snapshot, book: Rulebook, intake: Intake) -> Receipt:
    """Take a report in, or recognise it as one that is there.

    Idempotent by UUID and content hash: `created`, `same` (sent again, also after staff changed the
    case), or `conflict` (the UUID holds other content; nothing is told of it). What is refused
    raises and writes nothing. The total clock runs from now; `observed_at` is kept beside it.
    """
    known = find_intake(work, intake.uuid)
    if known is not None:
        return _receipt_again(work, actor, intake, known)
    check_intake(actor, intake)
    category = book.categories.get_in_use(intake.category)
    condition = category.get_condition(intake.condition)
    _check_workflow(actor, intake, category)
    placed = place(intake.position, snapshot) if intake.position else None
    decision = decide_intake(snapshot, book, category, placed, work, intake.side_area_id)
    case_id = _insert(work, actor, _values(work, actor, book, intake, category, condition, placed, decision))
    if case_id is None:  # somebody with the same UUID was first, between the look and the insert
        known = find_intake(work, intake.uuid)
        assert known is not None
        return _receipt_again(work, actor, intake, known)
    notices = _write_beside(work, actor, book, intake, condition, decision, case_id)
    if placed is not None and placed.belt:
        notices.append("uncertain_datum")
    return get_receipt(work, case_id, actor, status="created", notices=(*decision.notices, *notices))


def decide_intake(
    snapshot: Snapshot,
    book: Rulebook,
    category: Category,
    placed: Placed | None,
    work: Work,
    side_area_id: int | None = None,
) -> Decision:
    """Decide who answers for a position (None: nobody yet) and a category; shared by intake, preview and steps."""
    if placed is None:
        return Decision("none", None, None, (), (), (), 0.0, 0.0, snapshot.generation)
    chain = book.chain_of(category)
    located = snapshot.locate(placed.lon, placed.lat, placed.accuracy_m, answers=chain)
    on = book.local_day(work.now)
    decision = decide(located, snapshot, chain, on, certain=book.certain, office_only=category.no_chief)
    if side_area_id is None or not decision.edge:
        return decision
    if side_area_id not in {side.area_id for side in decision.sides}:
        raise InvalidInput(
            "not_a_candidate", "That area is not one of the possible ones.", hint="Choose among those offered."
        )
    area = paths.get_area(snapshot, side_area_id)
    path = paths.path_to(snapshot, area, decision.path)
    settled = decide_for_area(area, path, snapshot, chain, on, rule="side", generation=snapshot.generation)
    return replace(settled, sides=decision.sides, office_only=category.no_chief)


def _receipt_again(work: Work, actor: Actor, intake: Intake, known: tuple[int, str]) -> Receipt:
    case_id, content_sha256 = known
    if content_sha256 != intake.content_sha256:
        return Receipt(status="conflict", uuid=intake.uuid)
    return get_receipt(work, case_id, actor, status="same")


def check_intake(actor: Actor, intake: Intake) -> None:
    """Refuse a report that cannot be one, whoever sends it and by whichever channel; nothing is written."""
    if intake.channel not in CHANNELS:
        raise InvalidInput("unknown_channel", f"There is no channel {intake.channel!r}.", hint=", ".join(CHANNELS))
    roles = CHANNEL_ROLES[intake.channel]
    if roles is not None and not actor.system and not actor.role_names & roles:
        raise Forbidden(
            "channel_not_allowed", f"You may not report by the channel {intake.channel}.", hint="Use the public page."
        )
    if intake.workflow and intake.workflow not in WORKFLOWS:
        raise InvalidInput("unknown_workflow", f"There is no workflow {intake.workflow!r}.", hint=", ".join(WORKFLOWS))
    if intake.workflow == QUICK and intake.channel not in QUICK_CHANNELS and not actor.system:
        raise Forbidden(
            "workflow_not_allowed",
            "Only staff's own findings go without filing and check.",
            hint="Leave the workflow out: channel and category choose it.",
        )
    if not re.fullmatch("[0-9a-f]{64}", intake.content_sha256):
        raise InvalidInput("bad_hash", "The content hash is not 64 hexadecimal digits.", hint="Send its SHA-256.")
    check_text("description", intake.description, MAX_DESCRIPTION)
    check_text("place_text", intake.place_text, MAX_PLACE_TEXT)
    check_text("source_number", intake.source_number, MAX_CONTACT)
    check_text("owner", intake.owner, MAX_OWNER)
    if intake.owner and roles is None:
        raise InvalidInput(
            "owner_not_for_public",
            "Whose a component is, is for staff to say.",
            hint="Leave the owner out; write what you know into the description.",
        )
    if intake.contact is not None:
        check_text("contact", intake.contact.name, MAX_CONTACT)
        check_text("contact", intake.contact.phone, MAX_CONTACT)
    if intake.observed_at is not None and intake.observed_at.year < EARLIEST_YEAR:
        raise InvalidInput("bad_observed_at", "Nobody saw this at that time.", hint="Check the clock, or send no time.")
    if len(intake.photos) > MAX_PHOTOS:
        raise TooLarge(
            "too_many_photos", f"A report takes {MAX_PHOTOS} photos.", hint="Send fewer.", detail={"limit": MAX_PHOTOS}
        )
    if intake.position is None and not intake.place_text and intake.channel in {"public", "patrol", "open311"}:
        raise InvalidInput(
            "needs_position", "A report needs a position or a place in words.", hint="Tap the place on the map."
        )


def _check_workflow(actor: Actor, intake: Intake, category: Category) -> None:
    """Refuse the quick workflow where no chief may close the case: an office answers for it, and files it."""
    if intake.workflow == QUICK and category.no_chief and not actor.system:
        raise Forbidden(
            "workflow_not_allowed",
            "A category that no chief may answer for is filed and checked.",
            hint="Leave the workflow out: channel and category choose it.",
        )


def check_text(name: str, text: str, limit: int) -> None:
    """Refuse a text that is too long or that a store cannot hold."""
    if "\x00" in text or any(0xD800 <= ord(character) <= 0xDFFF for character in text):
        raise InvalidInput("bad_text", f"{name} holds characters that cannot be stored.", detail={"field": name})
    if len(text) > limit:
        raise TooLarge(
            "text_too_long", f"{name} is longer than {limit} characters.", hint="Shorten it.", detail={"limit": limit}
        )


def _values(
    work: Work,
    actor: Actor,
    book: Rulebook,
    intake: Intake,
    category: Category,
    condition: Condition,
    placed: Placed | None,
    decision: Decision,
) -> dict[str, Any]:
    workflow = intake.workflow or book.workflow_of(intake.channel, category, condition)
    # A phone's clock may be ahead; a report from the future would be news before it happened.
    observed = min(intake.observed_at or work.now, work.now)
    return {
        "uuid": intake.uuid,
        "number": intake.uuid.hex,  # replaced below by the one made from the row's id
        "track_code": codes.make_track_code(secrets.token_bytes(codes.RANDOM_BYTES)),
        "content_sha256": intake.content_sha256,
        "channel": intake.channel,
        "source_number": intake.source_number,
        "category": category.code,
        "condition": intake.condition,
        "workflow": workflow,
        "description": intake.description,
        "place_text": intake.place_text,
        "owner": intake.owner.strip(),
        "lon": placed.lon if placed else None,
        "lat": placed.lat if placed else None,
        "accuracy_m": placed.accuracy_m if placed else None,
        "position_source": placed.source if placed else "",
        "input_datum": placed.datum if placed else "wgs84",
        "observed_at": observed,
        "received_at": work.now,
        "updated_at": work.now,
        "state": first_state(workflow, unplaced=decision.unplaced),
        "unplaced": decision.unplaced,
        "edge": decision.edge,
        "opened_by_user_id": actor.user_id,
    }


def _insert(work: Work, actor: Actor, values: dict[str, Any]) -> int | None:
    dialect = sqlite.insert if work.on_sqlite else postgresql.insert
    statement = dialect(Case).values(**values).on_conflict_do_nothing(index_elements=["uuid"]).returning(Case.id)
    found: int | None = work.session.execute(statement).scalar()
    return found


def _write_beside(
    work: Work,
    actor: Actor,
    book: Rulebook,
    intake: Intake,
    condition: Condition,
    decision: Decision,
    case_id: int,
) -> list[str]:
    case = work.session.get_one(Case, case_id)
    case.number = codes.case_number(book.local_day(work.now), case_id)
    if intake.contact is not None and (intake.contact.name or intake.contact.phone):
        reporter = {"case_id": case_id, "name": intake.contact.name, "phone": intake.contact.phone}
        work.session.execute(insert(Reporter).values(**reporter))
    start_clock(work, case, "total", book.total_term(condition), work.now, book)
    if case.state == "assigned":
        start_clock(work, case, "sign", book.sign_term(condition), work.now, book)
    add_event(
        work, case, actor, uuid=uuids.uuid5(EVENT_SPACE, str(case.uuid)), step="open", from_state="",
        to_state=case.state, data={"channel": case.channel, "workflow": case.workflow},
    )  # fmt: skip
    work.emit(CaseOpened(case_id=case_id, emergency=condition.emergency))
    record_assignment(work, case, decision, book, actor)
    attached = attach_photos(work, case_id, intake.photos)
    return [] if attached == len(intake.photos) else ["photo_missing"]


def attach_photos(work: Work, case_id: int, photos: tuple[uuids.UUID, ...]) -> int:
    """Attach photos that were stored before and belong to no other case; return how many are with the case now."""
    if not photos:
        return 0
    work.session.execute(update(Photo).where(Photo.uuid.in_(photos), Photo.case_id.is_(None)).values(case_id=case_id))
    return work.session.query(Photo).where(Photo.uuid.in_(photos), Photo.case_id == case_id).count()
