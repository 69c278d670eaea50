"""What residents meet: offers to join, boards, codes that are guessed, words without persons, old browsers."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy import func, select

from mapsvc.cases.models import Case, Follower
from mapsvc.web.outlines import ROUGH_LABEL_DIGITS
from mapsvc.web.pages.nearby import OFFER_ENDS_S, round_m
from tests import squares
from tests.town import REPORTER_NAME, REPORTER_PHONE, Town

from .test_views import HTML, field, fill, page

Make = Callable[..., Town]
LON, LAT = squares.middle(0, 0)
NEARBY = f"/report/nearby?lon={LON}&lat={LAT}&tile=rubbish"


def offer(html: str) -> str:
    found = re.search(r'name="join" value="([^"]+)"', html)
    assert found, html
    return found[1]


def send(client: FlaskClient, **changed: object) -> tuple[int, str]:
    answer = client.post("/report", data=fill(client, **changed), headers=HTML)
    return answer.status_code, answer.location or answer.get_data(as_text=True)


def count(town: Town, kind: type[Case] | type[Follower]) -> int:
    with town.store.read() as work:
        return work.session.scalar(select(func.count()).select_from(kind)) or 0


def test_what_is_open_close_by_is_told_without_words_and_persons(town: Town) -> None:
    case_uuid, answer = town.report(category="E0110", description="别人的话", place_text="别人的门口")
    town.clock.move_to(town.clock.now() + timedelta(days=1))
    status, html = page(town, NEARBY)
    assert status == 200
    assert "我也遇到" in html
    assert "约 10 米, 昨天" in html
    for secret in ("别人的话", "别人的门口", REPORTER_NAME, REPORTER_PHONE, str(case_uuid), "chief",
                   answer.json["number"], answer.json["track_code"]):  # fmt: skip
        assert secret not in html
    assert "我也遇到" not in page(town, NEARBY.replace("rubbish", "noise"))[1]
    assert "我也遇到" not in page(town, NEARBY.replace("rubbish", "other"))[1]
    assert "我也遇到" not in page(town, "/report/nearby?tile=rubbish")[1]


def test_distances_are_told_in_steps_of_ten_metres() -> None:
    assert [round_m(metres) for metres in (0, 4, 16, 44.9, 45.1)] == [10, 10, 20, 40, 50]


def test_an_offer_is_joined_once_with_a_code_of_its_own(town: Town) -> None:
    _, answer = town.report(category="E0110")
    client = town.client()
    form = fill(client, join=offer(page(town, NEARBY)[1]), description="也看到了")
    locations = [client.post("/report", data=form, headers=HTML).location for _ in range(2)]
    assert locations[0] == locations[1]
    assert (count(town, Case), count(town, Follower)) == (1, 1)
    html = client.get(locations[0], headers=HTML).get_data(as_text=True)
    assert "已并入" in html
    assert answer.json["track_code"] not in html.replace("-", "")
    # The same form without the offer is no second report.
    changed = client.post("/report", data=form | {"join": ""}, headers=HTML)
    assert changed.status_code == 409
    assert (count(town, Case), count(town, Follower)) == (1, 1)


def test_an_offer_that_was_not_made_or_has_ended_is_refused_and_kept(town: Town) -> None:
    town.report(category="E0110")
    token = offer(page(town, NEARBY)[1])
    for wrong in ("1", token + "x", "a.b.c"):
        status, html = send(town.client(), join=wrong, description="写了很多字")
        assert status == 400
        assert "写了很多字" in html
        assert 'name="join" value="1"' not in html
    assert OFFER_ENDS_S > 600
    assert count(town, Follower) == 0


def test_what_was_closed_meanwhile_is_told_and_the_form_kept(town: Town) -> None:
    case_uuid, _ = town.report(category="E0110")
    token = offer(page(town, NEARBY)[1])
    assert town.step(case_uuid, "refuse", "duty_officer", reason="no").status_code == 201
    status, html = send(town.client(), join=token, description="写了很多字")
    assert status == 409
    assert "单独上报" in html
    assert "写了很多字" in html


def test_looks_close_by_are_limited(make_town: Make) -> None:
    town = make_town(public_reports_per_hour=1)
    told = [page(town, NEARBY)[0] for _ in range(22)]
    assert told[:20] == [200] * 20
    assert told[20:] == [429] * 2


def test_a_board_opens_the_map_there_and_stands_for_a_place(town: Town) -> None:
    client = town.client()
    html = client.get("/report?area=grid:G0101", headers=HTML).get_data(as_text=True)
    assert "name G0101" in html
    lon, lat = squares.middle(1, 1)
    told = re.search(r'"center":\[([\d.]+),([\d.]+)\]', html)
    assert told is not None
    for text, exact in zip(told.groups(), (lat, lon), strict=True):
        assert len(text.partition(".")[2]) <= ROUGH_LABEL_DIGITS, "the public is told no middle of a border"
        assert abs(float(text) - exact) < 0.5 * 10**-ROUGH_LABEL_DIGITS + 1e-7
    status, location = send(client, lon="", lat="", board="grid:G0101", place_text="3号楼下")
    assert (status, "/track/" in location) == (303, True)
    with town.store.read() as work:
        case = work.session.scalars(select(Case)).one()
    assert (round(case.lon or 0, 4), round(case.lat or 0, 4)) == (round(lon, 4), round(lat, 4))
    assert 30 < (case.accuracy_m or 0) < 80, "as vague as the grid is large"
    assert case.place_text == "3号楼下 (扫码处: name G0101)"
    assert not case.unplaced


def test_a_board_that_is_none_is_no_place(town: Town) -> None:
    assert "二维码" not in page(town, "/report?area=grid:NONE")[1]
    status, html = send(town.client(), lon="", lat="", board="grid:NONE", place_text="")
    assert status == 400
    assert "请在地图上点出位置, 或写明地点" in html


def test_the_larger_the_area_of_a_board_the_vaguer_the_place(town: Town) -> None:
    assert send(town.client(), lon="", lat="", board="patch:P0", place_text="")[0] == 303
    with town.store.read() as work:
        case = work.session.scalars(select(Case)).one()
    assert (case.accuracy_m or 0) > 120
    assert case.place_text == "(扫码处: name P0)"


def test_before_sending_the_public_is_told_who_and_when_and_no_name(make_town: Make) -> None:
    path = f"/report/preview?lon={LON}&lat={LAT}&tile=rubbish"
    html = page(make_town(), path)[1]
    assert "将分派给" in html
    assert "name P0" in html
    assert "chief P0" not in html
    assert "预计 11月23日前办结" in html


def test_a_name_is_told_where_it_is_posted_up(make_town: Make) -> None:
    town = make_town(public_names=True)
    assert "chief P0" in page(town, f"/report/preview?lon={LON}&lat={LAT}&tile=rubbish")[1]


def test_wrong_codes_all_look_alike_and_many_end_the_answers(make_town: Make) -> None:
    town = make_town(public_reports_per_hour=5)
    _, answer = town.report()
    client = town.client()

    def told(code: str) -> tuple[int, str]:
        found = client.get(f"/track/{code}", headers=HTML)
        return found.status_code, found.get_data(as_text=True).replace(code, "")

    malformed, unknown = told("AAAA-AAAA-AAAA"), told("0000-0000-0000")
    assert malformed == unknown
    assert malformed[0] == 404
    right = answer.json["track_code"]
    assert [told(right)[0] for _ in range(10)] == [200] * 10, "right codes are not counted"
    assert [told(f"AAAA-AAAA-AAA{n}")[0] for n in range(5)] == [404, 404, 404, 429, 429]
    assert told(right)[0] == 429, "then nobody is told which one is right"
    step = client.post(f"/track/{right}/steps/reopen", headers=HTML, data={"csrf_token": "x"})
    assert step.status_code in {403, 429}


def test_the_page_of_a_report_says_by_when_and_names_nobody(town: Town) -> None:
    case_uuid, answer = town.report(category="E0110")
    code = answer.json["track_code"]
    assert "预计办结" in page(town, f"/track/{code}")[1]
    assert "11月23日前" in page(town, f"/track/{code}")[1]
    town.step(case_uuid, "comment", "duty_officer", reason="内部意见")
    for secret in (REPORTER_NAME, REPORTER_PHONE, "chief", "内部意见", "duty_officer", "test report"):
        assert secret not in page(town, f"/track/{code}")[1]


def test_a_resident_confirms_or_opens_again_in_plain_words(town: Town) -> None:
    case_uuid, answer = town.report(category="E0110")
    code = answer.json["track_code"]
    assert town.step(case_uuid, "not_ours", "duty_officer", reason="x").status_code == 201
    html = page(town, f"/track/{code}")[1]
    assert "没有解决, 请重办" in html
    assert "已经解决" not in html, "nobody confirms what was not done"
    client = town.client()
    html = client.get(f"/track/{code}", headers=HTML).get_data(as_text=True)
    form = {"csrf_token": field(html, "csrf_token"), "step_uuid": str(uuid.uuid4()), "reason": "今天又堆满了"}
    assert client.post(f"/track/{code}/steps/reopen", data=form, headers=HTML).status_code == 303
    assert "已转回重办" in client.get(f"/track/{code}", headers=HTML).get_data(as_text=True)


def test_an_old_browser_is_told_kindly_on_every_page(town: Town) -> None:
    status, html = page(town, "/device/browser")
    assert status == 200
    assert "Chromium 86" in html
    assert "Safari 15" in html
    for path in ("/", "/report", "/track", "/login", "/device", "/guide"):
        html = page(town, path)[1]
        assert 'id="old-browser" hidden' in html, path
        assert re.search(r'<script src="/static/[^"]*floor\.js', html), "a plain script, which old browsers run"
