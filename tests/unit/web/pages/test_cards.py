"""Cards and side questions: one tap signs, an edge case names the possible areas, every map tells what it draws."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from flask.testing import FlaskClient

from mapsvc.base.paths import data_dir
from mapsvc.cases.queries import worklist
from mapsvc.catalog import load_categories
from mapsvc.web.present.speech import Speech
from mapsvc.web.words.book import load_book
from tests import squares
from tests.town import Town

HTML = {"Accept": "text/html"}


def html_of(client: FlaskClient, path: str, headers: dict[str, str]) -> str:
    answer = client.get(path, headers=HTML | headers)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def found(town: Town, **more: Any) -> str:
    """Let the patrol find something in patch P0; return its number. It waits to be signed for."""
    _, answer = town.report("patrol", channel="patrol", **more)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    assert answer.get_json()["state"] == "assigned"
    return str(answer.get_json()["number"])


def sign(town: Town, number: str, back: str) -> tuple[str, str, str]:
    """Sign from the card on the patch page; return where it led, and the deadline before and after."""
    client, headers = town.client(), town.headers("chief_0")
    before = html_of(client, "/patch/P0", headers)
    form = re.search(rf'action="(/cases/{number}/steps/sign)".*?</form>', before, re.S)
    assert form
    values = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[0]))
    assert values["back"] == "/patch/P0"
    answer = client.post(form[1], data=values | {"back": back}, headers=HTML | headers)
    assert answer.status_code == 303
    due = re.compile(r'<time class="due[^>]*>[^<]*</time>')
    after = html_of(client, "/patch/P0", headers)
    assert f"/cases/{number}/steps/sign" not in after
    assert "处置中" in after
    before_due, after_due = due.search(before), due.search(after)
    assert before_due
    assert after_due
    return answer.location, before_due[0], after_due[0]


def test_a_chief_signs_from_the_card_and_the_deadline_stands(town: Town) -> None:
    location, before, after = sign(town, found(town), "/patch/P0")
    assert location == "/patch/P0"
    assert before == after


def test_the_way_back_never_leads_to_another_site(town: Town) -> None:
    number = found(town)
    assert sign(town, number, "https://elsewhere.example/")[0] == f"/cases/{number}"


@pytest.mark.parametrize("who", ["dispatcher", "leader", "street", "patrol"])
def test_who_does_not_answer_for_a_case_is_not_offered_to_sign(town: Town, who: str) -> None:
    number = found(town)
    listed = html_of(town.client(), "/cases", town.headers(who))
    assert number in listed
    assert "/steps/sign" not in listed


def test_a_unit_signs_for_what_was_dispatched_to_it(town: Town) -> None:
    case_uuid, answer = town.report("patrol", channel="patrol")
    town.step(case_uuid, "dispatch", "chief_0", unit_id=town.units["A"])
    number = answer.get_json()["number"]
    unit = html_of(town.client(), "/unit", town.headers("unit_a"))
    assert f"/cases/{number}/steps/unit_sign" in unit
    assert re.search(r'href="/unit\?show=to_sign"[^>]*><span class="number">1</span>', unit)
    assert "/steps/" not in html_of(town.client(), "/cases", town.headers("chief_0")), "the unit signs for it now"


@pytest.mark.parametrize(("language", "said"), [("zh", "至少 1 件"), ("en", "at least 1")])
def test_a_list_that_was_not_counted_to_its_end_says_so(
    town: Town, monkeypatch: pytest.MonkeyPatch, language: str, said: str
) -> None:
    for _ in range(2):
        case_uuid, _ = town.report("patrol", channel="patrol")
        town.step(case_uuid, "dispatch", "chief_0", unit_id=town.units["A"])
    monkeypatch.setattr(worklist, "COUNT_CAP", 1)
    listed = html_of(town.client(), f"/cases?state=assigned&lang={language}", town.headers("dispatcher"))
    assert f'<span class="muted number">{said}</span>' in listed
    told = town.client().get("/api/v1/cases?status=assigned", headers=town.headers("dispatcher")).get_json()
    assert (told["matched"], told["matched_at_least"]) == (1, True)


def test_an_edge_case_asks_for_the_side_with_shares(town: Town) -> None:
    lon, lat = squares.WEST + 2 * squares.SIDE - 1e-5, squares.middle(0, 0)[1]
    number = found(town, position={"lon": lon, "lat": lat, "accuracy_m": 25.0, "source": "gps"})
    html = html_of(town.client(), f"/cases/{number}", town.headers("chief_0"))
    question = re.search(r'<fieldset class="choices sides-question">.*?</fieldset>', html, re.S)
    assert question
    assert "问题在哪一侧" in question[0]
    shares = [int(share) for share in re.findall(r"(\d+) %", question[0])]
    assert len(shares) == 2
    assert 95 <= sum(shares) <= 100
    assert question[0].count("disabled") == 1, "the area that has it already is shown, not chosen"
    other = re.search(r'value="(\d+)" required>', question[0])
    assert other
    client = town.client()
    page = html_of(client, f"/cases/{number}", town.headers("chief_0"))
    token = re.search(r'name="csrf_token" value="([^"]*)"', page)
    assert token
    data = {"csrf_token": token[1], "step_uuid": str(uuid.uuid4()), "area_id": other[1]}
    answer = client.post(f"/cases/{number}/steps/hand_over", data=data, headers=HTML | town.headers("chief_0"))
    assert answer.status_code == 303
    assert "已提出移交" in html_of(client, f"/cases/{number}", town.headers("chief_0"))
    offered = html_of(town.client(), "/patch/P1", town.headers("chief_1"))
    assert re.search(r'href="/patch/P1\?show=handed"[^>]*><span class="number">1</span><span>移交给我', offered)
    listed = html_of(town.client(), "/patch/P1?show=handed", town.headers("chief_1"))
    assert f"/cases/{number}/steps/accept_hand_over" in listed
    assert "待chief P1接收" in html_of(client, "/patch/P0", town.headers("chief_0")), (
        "and stays in the count of its owner"
    )


def test_every_map_tells_what_it_draws_and_nothing_else(town: Town) -> None:
    number = found(town)
    public = html_of(town.client(), "/report", {})
    assert "标出的位置" in public
    assert "片区界" not in public, "no border is drawn for the public"
    for path in ("/patch/P0", "/", "/cases/new", f"/cases/{number}"):
        legend = re.search(
            r'<details class="[^"]*legend.*?</details>', html_of(town.client(), path, town.headers("chief_0")), re.S
        )
        assert legend, path
        assert "片区界" in legend[0], path
    assert "data-legend" not in html_of(town.client(), "/", {})


def test_a_warning_of_late_signing_leads_to_its_list(town: Town) -> None:
    found(town)
    town.clock.move_to(town.clock.now().replace(year=town.clock.now().year + 1))
    html = html_of(town.client(), "/office", town.headers("dispatcher"))
    assert re.search(r'<strong><a href="/cases\?sign_due=1">1 ', html)


@pytest.mark.parametrize(
    ("language", "code", "condition", "said"),
    [
        ("zh", "E0201", "1", "非法小广告"),
        ("en", "E0201", "1", "Unlawful small posters"),
        ("en", "E0113", "1", "Broken road surface"),
        ("zh", "C0103", "2", "雨水井盖 · "),
    ],
)
def test_words_that_say_the_same_are_said_once(town: Town, language: str, code: str, condition: str, said: str) -> None:
    categories = load_categories(data_dir() / "categories.toml")
    speech = Speech(load_book(), language, None, None, categories)  # type: ignore[arg-type]  # names need neither
    name = speech.category_name(code, condition)
    assert name == said if "·" not in said else name.startswith(said)
