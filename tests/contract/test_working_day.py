"""The working day as role x route x somebody else's object: patch, unit, steps, undo, and what somebody typed."""

from __future__ import annotations

import re
import uuid

import pytest
from werkzeug.test import TestResponse

from mapsvc.cases.rules.workflow import TABLE, UNDOABLE
from mapsvc.people.models import Person
from mapsvc.people.rules.actor import SYSTEM
from mapsvc.people.rules.passwords import hash_password
from mapsvc.people.service.users import NewGrant, NewUser, add_user
from tests.town import Town

MARK = "MARK-OF-SOMEBODY-ELSE"
HTML = {"Accept": "text/html"}
PASSWORD = "a-long-enough-secret"  # of this test only

SEES = {"intake", "dispatcher", "duty_officer", "leader", "chief_0", "grid_chief", "street", "patrol"}
BLIND = {"chief_1", "unit_a", "unit_b"}
NO_CASES = {"planner", "approver", "admin", "bare"}
LISTS = ("to_sign", "due_today", "overdue", "handed", "in_progress", "open", "fix", "side")
SHOWS = ("", *(f"?show={name}" for name in LISTS))
STEPS = sorted({rule.name for rule in TABLE} | {"undo", "no_such_step"})


@pytest.fixture
def theirs(either_town: Town) -> tuple[uuid.UUID, str]:
    """A case of P0, found by the patrol there; its number."""
    case_uuid, answer = either_town.report("patrol", channel="patrol", description=MARK, place_text=MARK)
    assert answer.status_code == 201, answer.data
    return case_uuid, str(answer.get_json()["number"])


def send(town: Town, number: str, step: str, who: str, **data: str) -> TestResponse:
    fields = {"step_uuid": str(uuid.uuid4()), "reason": "because"} | data
    return town.client().post(f"/cases/{number}/steps/{step}", data=fields, headers=HTML | town.headers(who))


def as_it_stands(town: Town, case_uuid: uuid.UUID) -> tuple[int, str, int]:
    """Return version, state and number of events of a case."""
    seen = town.get(f"/api/v1/cases/{case_uuid}", "duty_officer").get_json()
    return seen["properties"]["version"], seen["properties"]["state"], len(seen["events"])


def test_who_opens_the_pages_of_a_day(either_town: Town) -> None:
    expected = {
        "/patch/P0": SEES | {"chief_1", "planner"},
        "/unit": {"unit_a", "unit_b"},
        "/patch": set(either_town.logins),
    }
    for path, may in expected.items():
        assert either_town.client().get(path, headers=HTML).status_code in (302, 303, 401), path
        for who in either_town.logins:
            answer = either_town.client().get(path, headers=HTML | either_town.headers(who))
            assert (answer.status_code in (200, 303)) == (who in may), (path, who, answer.status_code)


def test_the_patch_of_another_shows_no_case_of_it(either_town: Town, theirs: tuple[uuid.UUID, str]) -> None:
    for who in sorted(BLIND | NO_CASES):
        for show in SHOWS:
            answer = either_town.client().get(f"/patch/P0{show}", headers=HTML | either_town.headers(who))
            assert MARK.encode() not in answer.data, (who, show)
            assert theirs[1].encode() not in answer.data, (who, show)
    seen = either_town.client().get("/patch/P0", headers=HTML | either_town.headers("chief_0"))
    assert MARK.encode() in seen.data, "and the mark would be found"


def test_no_step_is_taken_on_a_case_of_another(either_town: Town, theirs: tuple[uuid.UUID, str]) -> None:
    case_uuid, number = theirs
    before = as_it_stands(either_town, case_uuid)
    extra = {"unit_id": str(either_town.units["A"]), "area_id": str(either_town.areas["patch", "P1"])}
    for who in ("", *sorted(BLIND | NO_CASES | {"leader"})):
        # Without an account the form's own token is missing first; to who works on cases it looks like nothing.
        expected = (401, 403) if not who else (404,) if who in BLIND else (403,)
        for step in STEPS:
            answer = send(either_town, number, step, who, **extra)
            assert answer.status_code in expected, (who, step, answer.status_code)
            assert MARK.encode() not in answer.data, (who, step)
            told = either_town.step(case_uuid, step, who, reason="because")
            assert told.status_code in (400, 401, 403, 404), (who, step, told.status_code)
    assert as_it_stands(either_town, case_uuid) == before


def test_a_case_of_another_answers_a_step_like_no_case(either_town: Town, theirs: tuple[uuid.UUID, str]) -> None:
    told = []
    for number in (theirs[1], "20990101-000009"):
        html = send(either_town, number, "sign", "chief_1").get_data(as_text=True).replace(number, "N")
        html = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "", html)
        told.append(re.sub(r'(nonce="|csrf_token" value=")[^"]*', "", html))
    assert told[0] == told[1]


def test_what_one_unit_has_the_other_never_sees(either_town: Town, theirs: tuple[uuid.UUID, str]) -> None:
    town, (case_uuid, number) = either_town, theirs
    assert town.step(case_uuid, "dispatch", "chief_0", unit_id=town.units["A"]).status_code == 201
    pages = {who: town.client().get("/unit", headers=HTML | town.headers(who)).data for who in ("unit_a", "unit_b")}
    assert number.encode() in pages["unit_a"]
    assert number.encode() not in pages["unit_b"]
    assert MARK.encode() not in pages["unit_b"]
    before = as_it_stands(town, case_uuid)
    for step in ("unit_sign", "return", "fix", "ask_extension", "undo"):
        assert send(town, number, step, "unit_b").status_code == 404, step
    assert as_it_stands(town, case_uuid) == before
    assert send(town, number, "unit_sign", "unit_a").status_code == 303


@pytest.mark.parametrize("step", ["sign", "dispatch"])
def test_only_who_took_a_step_takes_it_back(either_town: Town, theirs: tuple[uuid.UUID, str], step: str) -> None:
    town, (case_uuid, number) = either_town, theirs
    assert step in UNDOABLE
    more = {"unit_id": town.units["A"]} if step == "dispatch" else {}
    assert town.step(case_uuid, step, "chief_0", **more).status_code == 201
    before = as_it_stands(town, case_uuid)
    version = str(before[0])
    for who in sorted(set(town.logins) - {"chief_0"}):
        answer = send(town, number, "undo", who, version=version)
        assert answer.status_code in (400, 403, 404, 409), (who, answer.status_code)
        assert town.step(case_uuid, "undo", who, version=before[0]).status_code in (400, 403, 404, 409), who
    assert as_it_stands(town, case_uuid) == before
    assert send(town, number, "undo", "chief_0", version=version).status_code == 303
    assert as_it_stands(town, case_uuid)[1] == "assigned"


def test_an_offer_is_answered_by_the_one_it_was_made_to(either_town: Town, theirs: tuple[uuid.UUID, str]) -> None:
    town, (case_uuid, number) = either_town, theirs
    for step in ("accept_hand_over", "decline_hand_over"):
        for who in ("chief_0", "street", "dispatcher", "patrol", "grid_chief"):
            assert send(town, number, step, who).status_code in (400, 403, 409), (step, who)
        assert send(town, number, step, "chief_1").status_code == 404, "nothing was offered"
    assert as_it_stands(town, case_uuid)[1] == "assigned"


def test_a_whistle_is_blown_by_the_street_only(either_town: Town, theirs: tuple[uuid.UUID, str]) -> None:
    town, (case_uuid, number) = either_town, theirs
    assert town.step(case_uuid, "ask_whistle", "chief_0", reason="needed").status_code == 201
    before = as_it_stands(town, case_uuid)
    unit = str(town.units["A"])
    for step in ("blow_whistle", "decline_whistle"):
        for who in sorted(set(town.logins) - {"street"}):
            assert send(town, number, step, who, unit_id=unit).status_code in (400, 403, 404, 409), (step, who)
    assert as_it_stands(town, case_uuid) == before
    assert send(town, number, "blow_whistle", "street", unit_id=unit).status_code == 303


# -- what somebody typed, and the next who logs in


def with_passwords(town: Town) -> dict[str, int]:
    """Give accounts that log in by name: the chiefs of both patches, both units; return their numbers."""
    ids = {}
    with town.store.write() as work:
        for name, code in (("ann", "P0"), ("ben", "P1")):
            person = work.session.query(Person).filter_by(code=code).one()
            ids[name] = add_user(
                work, SYSTEM, NewUser(name, name, hash_password(name, PASSWORD), person_id=person.id)
            ).id
        for name, unit in (("una", "A"), ("urs", "B")):
            grants = (NewGrant("unit_staff", unit_id=town.units[unit]),)
            ids[name] = add_user(work, SYSTEM, NewUser(name, name, hash_password(name, PASSWORD), grants=grants)).id
    return ids


def test_what_one_typed_is_handed_to_nobody_else_who_logs_in(either_town: Town, theirs: tuple[uuid.UUID, str]) -> None:
    town, (case_uuid, number) = either_town, theirs
    ids = with_passwords(town)
    before = as_it_stands(town, case_uuid)
    for who in sorted(ids):
        client = town.client()
        token = client.get("/session").get_json()["csrf"]
        carried = {
            "kept-action": f"/cases/{number}/steps/return",
            "kept-writer": str(ids["ann"]),
            "kept.reason": "WORDS-OF-ANN",
            "kept.step_uuid": str(uuid.uuid4()),
        }
        sent = {"csrf_token": token, "name": who, "password": PASSWORD, **carried}
        answer = client.post("/login", data=sent, headers=HTML)
        assert (b"WORDS-OF-ANN" in answer.data) == (who == "ann"), who
        assert answer.status_code == (200 if who == "ann" else 303), who
        for path in ("/start", f"/cases/{number}", "/patch", "/unit"):
            assert b"WORDS-OF-ANN" not in client.get(path, headers=HTML, follow_redirects=True).data, (who, path)
    assert as_it_stands(town, case_uuid) == before, "a log-in alone sends nothing"


def test_a_form_of_one_is_not_sent_in_the_session_of_the_next(either_town: Town, theirs: tuple[uuid.UUID, str]) -> None:
    town, (case_uuid, number) = either_town, theirs
    ids = with_passwords(town)
    before = as_it_stands(town, case_uuid)
    client = town.client()

    def log_in(name: str) -> str:
        token = client.get("/session").get_json()["csrf"]
        client.post("/login", data={"csrf_token": token, "name": name, "password": PASSWORD}, headers=HTML)
        session = client.get("/session").get_json()
        assert session["user"] == ids[name]
        return str(session["csrf"])

    of_ann = log_in("ann")
    for name in ("ben", "una", "urs"):
        assert log_in(name) != of_ann
        fields = {"csrf_token": of_ann, "step_uuid": str(uuid.uuid4()), "reason": "WORDS-OF-ANN"}
        answer = client.post(f"/cases/{number}/steps/return", data=fields, headers=HTML)
        assert answer.status_code == 403, name
        assert b"WORDS-OF-ANN" not in answer.data, name
    assert as_it_stands(town, case_uuid) == before
