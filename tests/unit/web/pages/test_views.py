"""The pages as the server answers them: to whom, in which tongue, and what they must never say."""

from __future__ import annotations

import io
import re
import uuid

import pytest
from flask.testing import FlaskClient
from PIL import Image

from tests import squares
from tests.town import REPORTER_NAME, REPORTER_PHONE, Town

HTML = {"Accept": "text/html"}


def page(town: Town, path: str, who: str = "", **headers: str) -> tuple[int, str]:
    answer = town.client().get(path, headers=HTML | town.headers(who) | headers)
    return answer.status_code, answer.get_data(as_text=True)


def field(html: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    assert found, name
    return found[1]


def fill(client: FlaskClient, **changed: object) -> dict[str, object]:
    """Open the public form as a browser does and return it filled in."""
    html = client.get("/report", headers=HTML).get_data(as_text=True)
    lon, lat = squares.middle(0, 0)
    form = {"csrf_token": field(html, "csrf_token"), "uuid": field(html, "uuid"), "tile": "rubbish"}
    return form | {"lon": str(lon), "lat": str(lat), "source": "tap"} | changed


EVERYBODY = ("/", "/report", "/track", "/login", "/device", "/guide")
STAFF = ("/cases", "/office", "/areas", "/patch/P0", "/areas/street/S0", "/cases/new")


@pytest.mark.parametrize("path", EVERYBODY)
@pytest.mark.parametrize("who", ["", "chief_0", "admin"])
def test_open_pages_open_for_everybody(town: Town, path: str, who: str) -> None:
    status, html = page(town, path, who)
    assert status in {200, 303}
    assert status == 303 or "<h1" in html


@pytest.mark.parametrize("path", STAFF)
def test_pages_of_staff_ask_strangers_to_log_in(town: Town, path: str) -> None:
    status, html = page(town, path)
    assert status == 401
    assert "请先登录" in html
    assert "chief P0" not in html
    status, html = page(town, path, "dispatcher")
    assert status == 200


def test_the_tongue_is_the_browsers_then_the_one_chosen(town: Town) -> None:
    assert 'lang="en"' in page(town, "/report", **{"Accept-Language": "en-GB"})[1]
    assert 'lang="zh-CN"' in page(town, "/report", **{"Accept-Language": "fr"})[1]
    client = town.client()
    client.get("/report?lang=en", headers=HTML)
    assert 'lang="en"' in client.get("/report", headers=HTML | {"Accept-Language": "zh-CN"}).get_data(as_text=True)


def test_the_public_map_has_no_border_and_no_case(town: Town) -> None:
    _, html = page(town, "/")
    assert "mapsvc.areas(" not in html
    assert "mapsvc.cases(" not in html
    assert page(town, "/map/cases")[0] == 401
    assert page(town, "/areas/patch/P0/card")[0] == 404


def test_names_that_are_not_posted_up_stay_inside(town: Town) -> None:
    lon, lat = squares.middle(0, 0)
    path = f"/report/preview?lon={lon}&lat={lat}&tile=rubbish"
    assert "chief P0" not in page(town, path)[1]
    assert "chief P0" in page(town, path, "dispatcher")[1]


def test_a_report_by_form_is_taken_once_and_leads_to_its_code(town: Town) -> None:
    client = town.client()
    form = fill(client, description="x", contact_name=REPORTER_NAME, contact_phone=REPORTER_PHONE)
    first = client.post("/report", data=form, headers=HTML)
    again = client.post("/report", data=form, headers=HTML)
    assert first.status_code == again.status_code == 303
    assert first.location == again.location
    tracked = client.get(first.location, headers=HTML).get_data(as_text=True)
    assert REPORTER_NAME not in tracked
    assert REPORTER_PHONE not in tracked
    assert client.post("/report", data=form | {"description": "other"}, headers=HTML).status_code == 409


def test_a_photo_comes_with_the_form_and_only_staff_see_it(town: Town) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), "navy").save(buffer, "JPEG")
    buffer.seek(0)
    client = town.client()
    form = fill(client, photos=(buffer, "a.jpg"))
    assert client.post("/report", data=form, headers=HTML).status_code == 303
    listed = page(town, "/cases", "dispatcher")[1]
    number = re.search(r'href="/cases/(\d{8}-\d+)"', listed)
    assert number
    html = page(town, f"/cases/{number[1]}", "dispatcher")[1]
    photo = re.search(r'src="(/photos/[0-9a-f-]+)"', html)
    assert photo
    assert town.get(photo[1], "dispatcher").mimetype == "image/jpeg"
    assert town.get(photo[1]).status_code == 401
    assert town.get(photo[1], "chief_1").status_code == 404


def test_something_that_is_no_photo_is_refused_and_nothing_is_lost(town: Town) -> None:
    client = town.client()
    form = fill(client, description="keep me", photos=(io.BytesIO(b"no photo"), "a.jpg"))
    answer = client.post("/report", data=form, headers=HTML)
    assert answer.status_code == 415
    assert "keep me" in answer.get_data(as_text=True)


def test_a_form_without_its_token_is_refused(town: Town) -> None:
    client = town.client()
    form = fill(client)
    assert client.post("/report", data=form | {"csrf_token": "wrong"}, headers=HTML).status_code == 403


@pytest.mark.parametrize("words", ["<script>alert(1)</script>", "{{ 7*7 }}", '"><img src=x onerror=alert(1)>'])
def test_words_of_reporters_are_shown_as_they_are_and_never_run(town: Town, words: str) -> None:
    case_uuid, _ = town.report(description=words)
    html = page(town, f"/cases/{case_uuid}", "dispatcher")[1]
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert "&lt;" in html or "{{ 7*7 }}" in html


def test_a_chief_sees_the_own_patch_and_not_the_cases_of_another(town: Town) -> None:
    own, _ = town.report(column=0)
    assert page(town, f"/cases/{own}", "chief_0")[0] == 200
    assert page(town, f"/cases/{own}", "chief_1")[0] == 404
    assert town.get("/start", "chief_0").location == "/patch/P0"


def test_cards_leave_out_what_is_not_the_askers(town: Town) -> None:
    _, answer = town.report(column=0)
    number = answer.get_json()["number"]
    row = int(number.split("-")[1])
    assert number in page(town, f"/cases/cards?ids={row}", "chief_0")[1]
    assert number not in page(town, f"/cases/cards?ids={row}", "chief_1")[1]
    assert page(town, "/cases/cards?ids=x", "chief_0")[0] == 400


def test_map_data_holds_dots_and_counts_within_scope(town: Town) -> None:
    town.report(column=0)
    assert len(town.get("/map/cases", "dispatcher").get_json()["cases"]) == 1
    assert town.get("/map/cases", "chief_1").get_json()["cases"] == []
    assert town.get("/map/figures?level=patch", "dispatcher").get_json()["open"] == {"P0": 1}
    assert town.get("/map/figures?level=nothing", "dispatcher").status_code == 400


def test_unknown_things_are_told_kindly(town: Town) -> None:
    for path, who in (
        ("/cases/20990101-000009", "dispatcher"),
        (f"/cases/{uuid.uuid4()}", "dispatcher"),
        ("/areas/patch/P99", "dispatcher"),
        ("/guide/no-such-page", ""),
        ("/guide/..%2Fsecret", ""),
        ("/track/AAAA-AAAA-AAAA", ""),
    ):
        status, html = page(town, path, who)
        assert status == 404, path
        assert 'lang="zh-CN"' in html


def test_the_code_of_a_report_is_drawn_as_svg_that_may_not_run(town: Town) -> None:
    client = town.client()
    location = client.post("/report", data=fill(client), headers=HTML).location
    code = re.search(r"/track/([^?]+)", location)
    assert code
    answer = client.get(f"/track/{code[1]}/qr.svg")
    assert answer.mimetype == "image/svg+xml"
    assert b"<svg" in answer.data
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert client.get("/track/WRONG/qr.svg").status_code == 404


def test_each_answer_has_a_nonce_of_its_own(town: Town) -> None:
    client = town.client()
    seen = set()
    for _ in range(3):
        answer = client.get("/", headers=HTML)
        policy = answer.headers["Content-Security-Policy"]
        nonce = re.search(r"'nonce-([^']+)'", policy)
        assert nonce
        assert f'nonce="{nonce[1]}"' in answer.get_data(as_text=True)
        assert "unsafe" not in policy
        seen.add(nonce[1])
    assert len(seen) == 3
