"""The working day on pages: lists of a patch and a unit, undo, the whistle, forms sent by script, sessions that end."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy import delete
from werkzeug.test import TestResponse

from mapsvc.areas.models import Post
from mapsvc.areas.service.writing import bump_revision
from mapsvc.cases.rules.values import Side
from mapsvc.people.models import Person
from mapsvc.people.rules.actor import SYSTEM
from mapsvc.people.rules.passwords import hash_password
from mapsvc.people.service.users import NewUser, add_user
from mapsvc.web.csrf import writer_of
from mapsvc.web.parts import EXTENSION
from mapsvc.web.present.sides import directions
from tests import squares
from tests.town import Town

HTML = {"Accept": "text/html"}
BY_SCRIPT = HTML | {"X-Mapsvc-Form": "1"}
PASSWORD = "a-long-enough-secret"  # of this test only


def page(town: Town, path: str, who: str) -> str:
    answer = town.client().get(path, headers=HTML | town.headers(who))
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def number_on(html: str, name: str) -> int:
    """Return the number of a tile or chip."""
    found = re.search(rf'show={name}(?:#list)?"[^>]*>.*?<span class="number">(\d+)</span>', html, re.S)
    return int(found[1]) if found else 0


def found_case(town: Town, **more: object) -> tuple[uuid.UUID, str]:
    case_uuid, answer = town.report("patrol", channel="patrol", **more)
    return case_uuid, str(answer.get_json()["number"])


def post(town: Town, number: str, step: str, who: str, headers: dict[str, str] = HTML, **data: str) -> TestResponse:
    """Take a step by a form, with a bearer token instead of a cookie."""
    fields = {"step_uuid": str(uuid.uuid4())} | data
    return town.client().post(f"/cases/{number}/steps/{step}", data=fields, headers=headers | town.headers(who))


def test_each_number_of_a_patch_leads_to_as_many_cards(town: Town) -> None:
    case_uuid, _ = found_case(town)
    found_case(town)
    town.step(case_uuid, "sign", "chief_0")
    at_unit, _ = found_case(town)
    town.step(at_unit, "dispatch", "chief_0", unit_id=town.units["A"])
    html = page(town, "/patch/P0", "chief_0")
    assert (number_on(html, "to_sign"), number_on(html, "in_progress"), number_on(html, "with_unit")) == (1, 1, 1)
    for name in ("to_sign", "due_today", "overdue", "handed", "in_progress", "with_unit", "open", "fix", "side"):
        listed = page(town, f"/patch/P0?show={name}", "chief_0")
        tasks = re.split(r"<h2>", re.split(r'id="list-title"', listed)[1])[0].count('<li class="task')
        assert tasks == number_on(html, name), name
    assert "unit A" in page(town, "/patch/P0?show=with_unit", "chief_0")


def test_who_does_not_answer_here_is_offered_no_step(town: Town) -> None:
    found_case(town)
    for who in ("dispatcher", "leader"):
        html = page(town, "/patch/P0", who)
        assert "/steps/" not in html.split("<main", 1)[1]
        assert "show=fix" not in html


def test_an_empty_day_says_what_to_do(town: Town) -> None:
    assert "今天没有待办" in page(town, "/patch/P0", "chief_0")
    assert "没有在办案件" in page(town, "/patch/P0", "dispatcher")
    assert "没有派给本单位的案件" in page(town, "/unit", "unit_a")


def test_a_patch_without_a_chief_says_who_answers(town: Town) -> None:
    with town.store.write() as work:
        work.session.execute(delete(Post).where(Post.area_id == town.areas["patch", "P1"]))
        bump_revision(work, "posts")
    vacant = page(town, "/patch/P1", "dispatcher")
    assert "片区长空缺" in vacant
    assert "目前无人任职" in vacant


def test_a_chief_whose_post_ended_is_told_so(town: Town) -> None:
    with town.store.write() as work:
        person = Person(code="OLD", name="former chief")
        work.session.add(person)
        work.session.flush()
        add_user(work, SYSTEM, NewUser("former", "former", hash_password("former", PASSWORD), person_id=person.id))
    client = town.client()
    assert log_in(client, "former").location == "/start"
    assert client.get("/start", headers=HTML).location == "/patch"
    assert "没有任职的片区" in client.get("/patch", headers=HTML).get_data(as_text=True)


def test_a_unit_signs_returns_and_sees_its_week(town: Town) -> None:
    case_uuid, number = found_case(town)
    town.step(case_uuid, "dispatch", "chief_0", unit_id=town.units["A"])
    html = page(town, "/unit", "unit_a")
    assert number_on(html, "to_sign") == 1
    assert f"/cases/{number}?do=return#do" in html
    assert "chief P0" in html
    assert post(town, number, "unit_sign", "unit_a").status_code == 303
    signed = page(town, "/unit?show=in_progress", "unit_a")
    assert "multipart/form-data" in signed
    assert "签收" in signed.split("近七天", 1)[1]
    assert "非本单位职责" in page(town, f"/cases/{number}?do=return", "unit_a")
    assert post(town, number, "return", "unit_a", reason="非本单位职责").location == "/cases", (
        "it is not theirs any more"
    )
    week = page(town, "/unit", "unit_a").split("近七天", 1)[1]
    assert "退回" in week
    assert number not in week, "what one may no longer see has no link"


def test_the_other_units_cases_are_not_on_the_page(town: Town) -> None:
    case_uuid, number = found_case(town)
    town.step(case_uuid, "dispatch", "chief_0", unit_id=town.units["A"])
    assert number not in page(town, "/unit", "unit_b")


def log_in(client: FlaskClient, name: str, password: str = PASSWORD, **more: str) -> TestResponse:
    token = client.get("/session").get_json()["csrf"]
    return client.post("/login", data={"csrf_token": token, "name": name, "password": password} | more, headers=HTML)


def with_passwords(town: Town) -> None:
    """Give the two chiefs log-ins of their own."""
    with town.store.write() as work:
        for name, code in (("ann", "P0"), ("ben", "P1")):
            person = work.session.query(Person).filter_by(code=code).one()
            add_user(work, SYSTEM, NewUser(name, name, hash_password(name, PASSWORD), person_id=person.id))


def test_a_slip_is_offered_to_be_taken_back_once_and_in_time(town: Town) -> None:
    with_passwords(town)
    _, number = found_case(town)
    client = town.client()
    log_in(client, "ann")
    html = client.get("/patch/P0", headers=HTML).get_data(as_text=True)
    form = dict(re.findall(r'name="(\w+)" value="([^"]*)"', html.split(f"/cases/{number}/steps/sign", 1)[1]))
    assert client.post(f"/cases/{number}/steps/sign", data=form, headers=HTML).location == "/patch/P0"
    offered = client.get("/patch/P0", headers=HTML).get_data(as_text=True)
    assert f"/cases/{number}/steps/undo" in offered
    undo = dict(re.findall(r'name="(\w+)" value="([^"]*)"', offered.split(f"/cases/{number}/steps/undo", 1)[1]))
    again = client.get("/patch/P0", headers=HTML).get_data(as_text=True)
    assert "/steps/undo" not in again, "it was said once"
    assert client.post(f"/cases/{number}/steps/undo", data=undo, headers=HTML).status_code == 303
    assert "已撤销" in client.get("/patch/P0", headers=HTML).get_data(as_text=True)
    form["step_uuid"], form["version"] = str(uuid.uuid4()), ""
    client.post(f"/cases/{number}/steps/sign", data=form, headers=HTML)
    town.clock.move_to(town.clock.now() + timedelta(seconds=121))
    assert "/steps/undo" not in client.get("/patch/P0", headers=HTML).get_data(as_text=True)


def test_a_form_sent_by_script_is_told_where_to_go(town: Town) -> None:
    _, number = found_case(town)
    answer = post(town, number, "sign", "chief_0", BY_SCRIPT, back="/patch/P0")
    assert (answer.status_code, answer.get_json()) == (200, {"to": "/patch/P0"})
    assert "Location" not in answer.headers
    refused = post(town, number, "sign", "chief_0", BY_SCRIPT)
    assert refused.status_code == 409
    assert 'role="alert"' in refused.get_data(as_text=True), "why, in words that the script shows"


def test_a_script_asks_whose_session_this_is(town: Town) -> None:
    with_passwords(town)
    client = town.client()
    nobody = client.get("/session")
    assert nobody.get_json()["user"] is None
    assert nobody.headers["Cache-Control"] == "no-store"
    log_in(client, "ann")
    somebody = client.get("/session").get_json()
    assert somebody["user"] is not None
    assert writer_of(somebody["csrf"]) == str(somebody["user"])
    assert writer_of(nobody.get_json()["csrf"]) == ""


def test_what_was_written_goes_through_the_log_in_of_its_writer(town: Town) -> None:
    with_passwords(town)
    _, number = found_case(town)
    client = town.client()
    log_in(client, "ann")
    token = client.get("/session").get_json()["csrf"]
    client.delete_cookie("mapsvc")
    fields = {"csrf_token": token, "step_uuid": str(uuid.uuid4()), "reason": "写了半天 <b>"}
    dead = client.post(f"/cases/{number}/steps/return", data=fields, headers=HTML)
    assert dead.status_code in {401, 403}
    html = dead.get_data(as_text=True)
    assert "内容没有丢" in html
    kept = {"kept-action", "kept-writer", "kept.reason", "kept.step_uuid"}
    carried = {n: v for n, v in re.findall(r'name="([\w.-]+)" value="([^"]*)"', html) if n in kept}
    carried["kept.reason"] = "写了半天 <b>"
    assert set(carried) == kept
    other = log_in(town.client(), "ben", **carried)
    assert other.status_code == 303
    assert "写了半天" not in other.get_data(as_text=True), "somebody else's words are nobody's"
    again = log_in(client, "ann", **carried)
    text = again.get_data(as_text=True)
    assert again.status_code == 200
    assert "写了半天 &lt;b&gt;</textarea>" in text
    resent = dict(re.findall(r'<input[^>]*name="(\w+)" value="([^"]*)"', text.split(f"/cases/{number}", 1)[1]))
    resent["reason"] = "写了半天 <b>"
    assert client.post(f"/cases/{number}/steps/return", data=resent, headers=HTML).status_code == 303


def test_nothing_is_carried_to_another_site(town: Town) -> None:
    with_passwords(town)
    client = town.client()
    user = str(client.get("/session").get_json()["user"] or 1)
    answer = log_in(client, "ann", **{"kept-action": "//elsewhere.example/", "kept-writer": user})
    assert "elsewhere.example" not in answer.get_data(as_text=True) + (answer.location or "")


def test_a_case_one_may_not_see_answers_like_one_that_is_not_there(town: Town) -> None:
    _, number = found_case(town)
    absent = "20990101-" + "0" * 5 + "9"
    told = []
    for name in (number, absent):
        answer = town.client().get(f"/cases/{name}", headers=HTML | town.headers("chief_1"))
        assert answer.status_code == 404
        text = answer.get_data(as_text=True).replace(name, "N")
        text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "", text)  # the number of the answer itself
        told.append(re.sub(r'(nonce="|csrf_token" value=")[^"]*', "", text))
    assert told[0] == told[1]


def test_the_street_finds_what_waits_for_its_whistle(town: Town) -> None:
    case_uuid, number = found_case(town)
    asked = town.step(case_uuid, "ask_whistle", "chief_0", reason="需执法部门到场")
    assert asked.status_code in {200, 201}
    assert number_on(page(town, "/patch/P0", "chief_0"), "whistle") == 1
    office = page(town, "/office", "street")
    assert re.search(r'待街道批准</dt><dd><a href="/cases\?whistle=1">1</a>', office)
    assert number in page(town, "/cases?whistle=1", "street")
    case = page(town, f"/cases/{number}", "street")
    assert "待街道批准" in case
    assert f"/cases/{number}/steps/blow_whistle" in case
    assert f"/cases/{number}/steps/decline_whistle" in case


def test_the_office_places_what_fell_outside_first(town: Town) -> None:
    _, number = found_case(town, position={"lon": squares.WEST - 0.05, "lat": squares.middle(0, 0)[1]})
    steps = page(town, f"/cases/{number}", "dispatcher").split('id="do"', 1)[1].split("</section>", 1)[0]
    assert steps.index("移动点位") < steps.index("分派") < steps.index('class="more-steps"')
    assert re.search(r'class="wide step-link"[^>]*>移动点位<', steps), "what comes next stands out"
    _, inside = found_case(town)
    chief = page(town, f"/cases/{inside}", "chief_0").split('class="more-steps"', 1)
    assert "移动点位" not in chief[0].split('id="do"', 1)[1], "a chief's day is made of other steps"
    assert "移动点位" in chief[1]


def test_the_sides_of_a_border_are_named_by_where_they_lie(town: Town) -> None:
    app = town.app
    lon, lat = squares.WEST + 2 * squares.SIDE - 1e-5, squares.middle(0, 0)[1]
    found = app.extensions[EXTENSION].snapshots.current(town.clock.now())
    sides = [Side(town.areas["patch", code], "patch", code, code, 0.5) for code in ("P0", "P1")]
    named = directions(found, lon, lat, None, sides)
    assert named == {town.areas["patch", "P0"]: "west", town.areas["patch", "P1"]: "east"}
    far = squares.middle(0, 0)
    assert set(directions(found, *far, None, sides)) <= {town.areas["patch", "P0"]}
