"""How the city map gets its areas: whole where they are few, by tiles where they are many; and who answers for them."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest

from tests import squares
from tests.town import Town
from tests.unit.web.conftest import Make

from .test_views import page

SIZE = 21


def layers_of(html: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return the maker and the values of each area layer of a page, by its level."""
    found = re.findall(r"mapsvc\.(areas|areaTiles)\((\{.*?\})\);", html)
    values = [(maker, json.loads(text)) for maker, text in found]
    return {data["level"]: (maker, data) for maker, data in values}


@pytest.fixture
def large(make_town: Make) -> Town:
    return make_town(size=SIZE)


def box(columns: float = SIZE) -> str:
    side = squares.SIDE * columns
    return f"{squares.WEST},{squares.SOUTH},{squares.WEST + side},{squares.SOUTH + squares.SIDE * SIZE}"


def test_many_areas_come_by_tiles(large: Town) -> None:
    made = layers_of(page(large, "/", "dispatcher")[1])
    assert {level: maker for level, (maker, _) in made.items()} == {
        "district": "areas",
        "street": "areas",
        "community": "areas",
        "patch": "areas",
        "grid": "areaTiles",
    }


def test_few_areas_come_whole(town: Town) -> None:
    assert {maker for maker, _ in layers_of(page(town, "/", "dispatcher")[1]).values()} == {"areas"}


def test_addresses_of_tiles_bear_the_version_and_answer(large: Town) -> None:
    data = layers_of(page(large, "/", "dispatcher")[1])["grid"][1]
    assert (data["count"], data["ids_to_zoom"] < 14, 80 < data["side_m"] < 120) == (SIZE * SIZE, True, True)
    described = large.get("/tiles/grid.json", "dispatcher").get_json()
    assert described["v"] in data["tiles"]
    assert described["ids_to_zoom"] == data["ids_to_zoom"]
    for name in ("tiles", "ids"):
        assert not data[name].startswith("http"), "the page may be read under another name of the host"
        address = data[name].replace("{z}", "15").replace("{x}", "27579").replace("{y}", "12189")
        answer = large.get(address, "dispatcher")
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
    assert large.get(data["values"], "dispatcher").data[:4] == b"MVB1"


def test_the_public_gets_no_address_of_tiles_without_a_review_number(large: Town) -> None:
    assert layers_of(page(large, "/")[1]) == {}
    assert "/tiles/" not in page(large, "/")[1]


def test_figures_keep_to_borders_as_a_whole(large: Town) -> None:
    made = layers_of(page(large, "/insight?level=grid", "leader")[1])
    assert made["grid"][0] == "areas"


def test_one_area_is_found_by_its_code(town: Town) -> None:
    (feature,) = town.get("/api/v1/areas?level=grid&code=G0203", "dispatcher").get_json()["features"]
    assert feature["properties"]["code"] == "G0203"
    assert feature["geometry"]["type"] == "Polygon"
    for code in ("G02", "G9999", "zzz", "A"):
        assert town.get(f"/api/v1/areas?level=grid&code={code}", "dispatcher").get_json()["features"] == []
    (hidden,) = town.get("/api/v1/areas?level=grid&code=G0203").get_json()["features"]
    assert hidden["geometry"] is None


def test_chiefs_are_told_for_the_labels_in_a_box_only(town: Town) -> None:
    whole = town.get(f"/map/chiefs?level=patch&box={box()}", "dispatcher").get_json()["names"]
    assert whole == {"P0": "chief P0", "P1": "chief P1"}
    half = town.get(f"/map/chiefs?level=patch&box={box(2)}", "dispatcher").get_json()["names"]
    assert half == {"P0": "chief P0"}


def test_names_that_are_not_posted_up_are_not_told(town: Town) -> None:
    assert town.get(f"/map/chiefs?level=patch&box={box()}").get_json()["names"] == {}


def test_posted_names_are_told_to_the_public_only_where_borders_are(make_town: Make) -> None:
    reviewed = make_town(public_names=True, map_review_number="测试0000号")
    assert len(reviewed.get(f"/map/chiefs?level=patch&box={box()}").get_json()["names"]) == 2


def test_where_no_border_may_be_shown_a_box_tells_nothing(make_town: Make) -> None:
    town = make_town(public_names=True)
    assert town.get(f"/map/chiefs?level=patch&box={box()}").get_json()["names"] == {}


@pytest.mark.parametrize("query", ["level=patch", "level=nothing&box=1,1,2,2", "level=patch&box=2,2,1,1", "box=x"])
def test_a_question_that_is_none_is_refused(town: Town, query: str) -> None:
    assert town.get(f"/map/chiefs?{query}", "dispatcher").status_code == 400


def test_a_card_has_the_rates_of_its_area_with_what_they_were_counted_from(town: Town) -> None:
    for column in (0, 0, 3):
        town.report("dispatcher", column=column)
    town.clock.move_to(town.clock.now() + timedelta(days=20))
    card = page(town, "/areas/patch/P0/card", "leader")[1]
    assert re.search(r"<dt>按期结案率</dt><dd><b>0 %</b>", card)
    assert re.search(r'href="/cases\?[^"]*figure=on_time[^"]*">n = 2</a>', card)
    assert "整改率" in card
    assert "解决率" in card
    link = re.search(r'href="(/cases\?[^"]*figure=on_time[^"]*)">n = 2', card)
    assert link
    listed = page(town, unescape(link[1]), "leader")[1]
    assert len(set(re.findall(r"/cases/(\d{8}-\d+)", listed))) == 2


def test_rates_are_for_those_who_may_see_figures(town: Town) -> None:
    card = page(town, "/areas/patch/P0/card", "patrol")[1]
    assert "按期结案率" not in card
