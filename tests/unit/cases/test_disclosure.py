"""Who sees a reporter's contact, and what is kept of it."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from mapsvc.base.errors import Conflict, Forbidden, InvalidInput, NotAuthenticated, NotFound
from mapsvc.cases.models import CaseEvent, Disclosure
from mapsvc.cases.rules.values import Contact
from mapsvc.cases.service.disclosure import disclose_contact
from mapsvc.people.rules.actor import PUBLIC, Actor

from .conftest import District


def reveal(district: District, actor: Actor, case: UUID, reason: str = "", uuid: UUID | None = None) -> Contact:
    with district.store.write() as work:
        return disclose_contact(work, actor, district.book, case, uuid or uuid4(), reason)


def disclosures(district: District) -> list[tuple[int, str]]:
    with district.store.read() as work:
        return [(row.user_id, row.reason) for row in work.session.scalars(select(Disclosure).order_by(Disclosure.id))]


def test_intake_and_call_back_see_it_at_once_and_it_is_on_record(district: District) -> None:
    case = district.open().uuid
    for role in ("intake", "duty_officer"):
        assert reveal(district, district.desk(role), case) == Contact("王一", "13800000000")
    assert disclosures(district) == [(district.users["intake"], ""), (district.users["duty_officer"], "")]


def test_others_give_a_reason_that_is_kept(district: District) -> None:
    case = district.open().uuid
    for reason in ("", "   "):
        with pytest.raises(InvalidInput) as caught:
            reveal(district, district.chief("P1"), case, reason)
        assert caught.value.code == "needs_reason"
    assert disclosures(district) == []
    assert reveal(district, district.chief("P1"), case, "核实具体位置").phone == "13800000000"
    assert disclosures(district) == [(district.users["P1"], "核实具体位置")]
    with district.store.read() as work:
        event = work.session.scalars(select(CaseEvent).order_by(CaseEvent.id.desc()).limit(1)).one()
        assert (event.step, event.reason) == ("reveal_contact", "核实具体位置")
        assert "13800000000" not in repr(event.data)


def test_the_same_disclosure_sent_twice_is_written_once(district: District) -> None:
    case, uuid = district.open().uuid, uuid4()
    for _ in range(2):
        reveal(district, district.chief("P1"), case, "回访", uuid)
    assert len(disclosures(district)) == 1


def test_those_it_is_not_for_do_not_see_it(district: District) -> None:
    case = district.open().uuid
    for actor, error in (
        (PUBLIC, NotAuthenticated),
        (district.desk("leader"), Forbidden),
        (district.desk("admin"), Forbidden),
        (district.desk("planner"), Forbidden),
        (district.chief("P2"), NotFound),
        (district.staff("U1"), NotFound),
    ):
        with pytest.raises(error):
            reveal(district, actor, case, "curious")
    assert disclosures(district) == []


def test_an_anonymous_report_has_none(district: District) -> None:
    case = district.open(contact=None).uuid
    with pytest.raises(Conflict) as caught:
        reveal(district, district.desk("intake"), case)
    assert caught.value.code == "no_contact"
