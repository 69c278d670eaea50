"""Stand-alone maps: who gets what, and that nothing is in a file that its reader may not see."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import shapely

from mapsvc.geo.sketch import decode_rings
from mapsvc.web.present.mapfile import asked as rules
from mapsvc.web.present.mapfile.asked import find_theme
from tests import squares
from tests.town import REPORTER_NAME, REPORTER_PHONE, Town

FILE = "/maps/export/file"


def parts(html: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the data of a file, and what its behaviour was given."""
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)[1])  # type: ignore[index]
    behaviour = re.search(r"mapsvc\.sheet\(\w+, (\{.*\})\);", html)
    assert behaviour is not None
    return data, json.loads(behaviour[1])


def file(town: Town, query: str, who: str) -> str:
    answer = town.get(f"{FILE}?{query}", who)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.mimetype == "text/html"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.get_data(as_text=True)


@pytest.fixture
def lived(town: Town) -> Town:
    """Open cases in two squares."""
    for _ in range(3):
        town.report(column=0, row=0)
    town.report(column=3, row=3)
    return town


def test_borders_for_the_office_meet_and_bear_no_person(lived: Town) -> None:
    html = file(lived, "audience=staff&level=grid", "planner")
    data, page = parts(html)
    assert page["level"] == "grid"
    grids = {one["code"]: decode_rings(one["rings"]) for one in data["areas/grid"]["areas"]}
    assert len(grids) == 16
    assert shapely.coverage_is_valid(list(grids.values()))
    patches = [decode_rings(one["rings"]) for one in data["areas/patch"]["areas"]]
    assert shapely.union_all(patches).equals(shapely.union_all(list(grids.values())))
    assert "chief P0" not in html
    assert "内部使用" in html
    assert "WGS 84" in html


def test_without_a_review_number_there_is_no_public_file(make_town: Callable[..., Town]) -> None:
    refused = make_town().get(FILE, "planner")
    assert refused.status_code == 400
    assert "MAPSVC_MAP_REVIEW_NUMBER" in refused.get_data(as_text=True)


def test_a_public_file_bears_the_review_number_and_no_warning(make_town: Callable[..., Town]) -> None:
    town = make_town(map_review_number="测试0001号", caption="虚构城区示意图")
    html = file(town, "lang=en", "planner")
    assert "测试0001号" in html
    assert "虚构城区示意图" in html
    assert 'class="warning">For staff' not in html


@pytest.mark.parametrize("theme", ["heat", "cases", "on_time", "整改率"])
def test_figures_are_never_public(make_town: Callable[..., Town], theme: str) -> None:
    town = make_town(map_review_number="测试0001号")
    assert town.get(f"{FILE}?theme={theme}", "leader").status_code == 400


@pytest.mark.parametrize(
    ("theme", "who", "status"),
    [
        ("borders", "unit_a", 200), ("borders", "admin", 200), ("borders", "", 401), ("borders", "bare", 403),
        ("cases", "unit_a", 200), ("cases", "planner", 403), ("cases", "leader", 200),
        ("heat", "planner", 403), ("heat", "chief_0", 200),
        ("on_time", "unit_a", 403), ("on_time", "planner", 403), ("on_time", "chief_0", 200),
        ("on_time", "leader", 200),
    ],
)  # fmt: skip
def test_who_gets_which_theme(lived: Town, theme: str, who: str, status: int) -> None:
    assert lived.get(f"{FILE}?audience=staff&theme={theme}", who).status_code == status


def test_cases_are_counts_at_rounded_places_of_what_one_may_see(lived: Town) -> None:
    html = file(lived, "audience=staff&theme=cases", "leader")
    (lon, lat), (far_lon, far_lat) = (
        tuple(round(value, 4) for value in squares.middle(*at)) for at in ((0, 0), (3, 3))
    )
    assert parts(html)[0]["points"]["points"] == [[lon, lat, 3, 0], [far_lon, far_lat, 1, 0]]
    for secret in (REPORTER_NAME, REPORTER_PHONE, "test report"):
        assert secret not in html
    own = parts(file(lived, "audience=staff&theme=cases", "chief_0"))[0]["points"]["points"]
    assert [lon, lat, 3, 0] in own
    assert all(point[:2] != [far_lon, far_lat] for point in own)
    assert parts(file(lived, "audience=staff&theme=cases", "unit_a"))[0]["points"]["points"] == []


def test_a_chief_gets_the_figures_of_the_own_areas_only(lived: Town) -> None:
    page = parts(file(lived, "audience=staff&theme=on_time&level=patch", "chief_0"))[1]
    assert set(page["frame"]) == {"P0"}
    assert set(parts(file(lived, "audience=staff&theme=on_time&level=patch", "leader"))[1]["frame"]) >= {"P0", "P1"}


def test_an_area_narrows_it(lived: Town) -> None:
    data, _ = parts(file(lived, "audience=staff&level=grid&area=patch:P0", "leader"))
    inside = {one["code"] for one in data["areas/grid"]["areas"]}
    assert 0 < len(inside) < 16
    assert [one["code"] for one in data["areas/patch"]["areas"]] == ["P0"]
    assert lived.get(f"{FILE}?audience=staff&area=patch:P9", "leader").status_code == 404


def test_too_many_areas_give_way_to_a_coarser_level_and_it_is_said(
    lived: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "MOST_AREAS", 10)
    html = file(lived, "audience=staff&level=grid&lang=en", "leader")
    data, page = parts(html)
    assert page["level"] != "grid"
    assert "areas/grid" not in data
    assert "16 areas do not fit into one file" in html
    monkeypatch.setattr(rules, "MOST_AREAS", 0)
    assert lived.get(f"{FILE}?audience=staff&level=grid", "leader").status_code == 400


def test_names_in_two_tongues_and_with_marks_are_only_text(lived: Town) -> None:
    html = file(lived, "audience=staff&level=grid", "leader")
    assert html.count("<script") == html.count("</script>") == 3


@pytest.mark.parametrize("query", ["level=galaxy", "theme=weather", "window=never"])
def test_what_cannot_be_meant_is_refused(lived: Town, query: str) -> None:
    assert lived.get(f"{FILE}?audience=staff&{query}", "leader").status_code == 400


def test_the_page_offers_what_one_may_have(lived: Town) -> None:
    planner = lived.get("/maps/export?lang=en", "planner").get_data(as_text=True)
    assert 'value="borders"' in planner
    assert 'value="heat"' not in planner
    assert re.search(r'value="public" disabled', planner)
    leader = lived.get("/maps/export?lang=en&theme=mended&level=grid", "leader").get_data(as_text=True)
    assert re.search(r'value="mended" selected', leader)
    assert re.search(r'value="grid" selected', leader)
    assert '/maps/export"' in lived.get("/", "leader").get_data(as_text=True)
    assert "/maps/export" not in lived.get("/").get_data(as_text=True)
    assert "/maps/export?theme=on_time" in lived.get("/insight", "leader").get_data(as_text=True)


def test_a_rate_may_be_named_by_its_title() -> None:
    assert find_theme("整改率") == "mended"
