"""A reporter's contact is revealed: to intake and call-back at once, to others with a reason, always on record."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from mapsvc.base.errors import InvalidInput, NotFound
from mapsvc.base.events import CaseStepTaken
from mapsvc.cases.models import Disclosure, Reporter
from mapsvc.cases.queries import standing as queries
from mapsvc.cases.rules import workflow
from mapsvc.cases.rules.guards import check_guards
from mapsvc.cases.rules.rulebook import Rulebook
from mapsvc.cases.rules.values import Contact
from mapsvc.cases.service.intake import MAX_DESCRIPTION, check_text
from mapsvc.cases.service.records import add_event
from mapsvc.cases.service.steps import choose_role, find_locked
from mapsvc.people.rules.actor import Actor
from mapsvc.people.rules.permissions import allows, require
from mapsvc.storage.work import Work


def disclose_contact(
    work: Work, actor: Actor, book: Rulebook, case_uuid: UUID, disclosure_uuid: UUID, reason: str = ""
) -> Contact:
    """Return the reporter's contact and write who saw it, why and when, in the same transaction.

    Intake and duty officer (call-back) need no reason, everybody else does. The same
    `disclosure_uuid` again is not written twice.
    """
    require(actor, "contact.reveal")
    case = find_locked(work, actor, case_uuid)
    check_text("reason", reason, MAX_DESCRIPTION)
    past = queries.load_past(work, case.id)
    rule = workflow.find_rule(case.workflow, "reveal_contact")
    role, held = choose_role(actor, case, past, rule)
    facts = queries.facts_of(work.now, actor, book, case, past, role=role, held=held)
    check_guards(rule, facts)
    said = reason.strip()
    if not said and not allows(actor, "contact.see"):
        raise InvalidInput(
            "needs_reason", "The contact is revealed for a reason, which is kept.", hint="Say what you need it for."
        )
    if queries.find_event(work, disclosure_uuid) is None:
        assert actor.user_id is not None
        work.session.add(Disclosure(case_id=case.id, user_id=actor.user_id, at=work.now, reason=said))
        event = add_event(
            work, case, actor, uuid=disclosure_uuid, step=rule.name, from_state=case.state, to_state=case.state,
            role=role, for_person_id=held.for_person_id if held else None, said=said,
        )  # fmt: skip
        work.emit(CaseStepTaken(case_id=case.id, event_id=event.id, step=rule.name))
    reporter = work.session.scalar(select(Reporter).where(Reporter.case_id == case.id).order_by(Reporter.id))
    if reporter is None:
        raise NotFound("no_contact", "The reporter left no contact.")
    return Contact(reporter.name, reporter.phone)
