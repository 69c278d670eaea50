"""What a circle of the city map opens: all its cases by pages, counted without a limit, and only the asker's."""

from __future__ import annotations

import re
from html import unescape

import pytest

from tests import squares
from tests.town import Town

from .test_views import page

REPORTS = 45


def box_around(column: int = 0, row: int = 0, half: float = 1e-5) -> str:
    lon, lat = squares.middle(column, row)
    return f"{lon - half:.7f},{lat - half:.7f},{lon + half:.7f},{lat + half:.7f}"


@pytest.fixture
def pile(town: Town) -> list[str]:
    """The numbers of cases that lie on one point."""
    return [town.report(column=0)[1].get_json()["number"] for _ in range(REPORTS)]


def numbers_of(html: str) -> list[str]:
    return re.findall(r'<a href="/cases/(\d{8}-\d+)">', html)


def test_a_pile_is_listed_by_pages_without_repeating_or_leaving_out(town: Town, pile: list[str]) -> None:
    found: list[str] = []
    url = f"/cases/cards?box={box_around()}"
    for size in (20, 20, 5):
        status, html = page(town, url, "dispatcher")
        assert status == 200
        assert f"{REPORTS} " in html
        assert len(numbers_of(html)) == size
        found += numbers_of(html)
        more = re.search(r'data-more="([^"]+)"', html)
        url = unescape(more[1]) if more else ""
    assert url == ""
    assert sorted(found) == sorted(pile)


def test_a_box_lists_what_its_circle_counts_and_nothing_beside_it(town: Town, pile: list[str]) -> None:
    town.report(column=1)
    html = page(town, f"/cases/cards?box={box_around(1)}", "dispatcher")[1]
    assert len(numbers_of(html)) == 1
    assert numbers_of(html)[0] not in pile
    assert "data-more" not in html
    assert page(town, f"/cases/cards?box={box_around(3, 3)}", "dispatcher")[0] == 200


def test_a_box_shows_and_counts_only_what_is_the_askers(town: Town, pile: list[str]) -> None:
    html = page(town, f"/cases/cards?box={box_around()}", "chief_1")[1]
    assert numbers_of(html) == []
    assert "此处案件 0 件" in html
    assert page(town, f"/cases/cards?box={box_around()}")[0] == 401


@pytest.mark.parametrize("box", ["", "1,2,3", "a,b,c,d", "2,1,1,2", "0,0,nan,1", "-500,0,1,1", "1,1,1,1"])
def test_what_is_no_box_is_refused(town: Town, box: str) -> None:
    assert page(town, f"/cases/cards?box={box}", "dispatcher")[0] == 400


def test_the_work_list_opens_a_part_of_the_map_and_keeps_it(town: Town, pile: list[str]) -> None:
    other = town.report(column=1)[1].get_json()["number"]
    html = page(town, f"/cases?box={box_around(1)}", "dispatcher")[1]
    assert set(numbers_of(html)) == {other}
    assert f'name="box" value="{box_around(1)}"' in html
    every = page(town, "/cases?box=nonsense", "dispatcher")[1]
    assert {other, pile[-1]} <= set(numbers_of(every))
