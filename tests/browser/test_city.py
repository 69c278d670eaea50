"""The city map as its user uses it: circles and their lists, by mouse, finger and keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from mapsvc.base.settings import load_settings
from tests import squares
from tests.town import Town

from . import citytown
from .conftest import DESK, PHONE, Site, Watch, _listen, photograph, serve, settle

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-city")]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    settings = load_settings({"MAPSVC_DATA_DIR": str(tmp_path_factory.mktemp("city")), "MAPSVC_SECRET_KEY": "x" * 40})
    return citytown.build(settings)


@pytest.fixture(scope="module")
def city(town: Town) -> Iterator[Site]:
    yield from serve(town.settings)


Open = Callable[..., Page]


@pytest.fixture
def open_city(chromium: Browser, city: Site, town: Town, watch: Watch) -> Iterator[Open]:
    """Return a function that opens the watched map as one of the town's accounts."""
    contexts = []

    def open_one(path: str = "/", who: str = "dispatcher", *, desk: bool = True, dark: bool = False) -> Page:
        context = chromium.new_context(
            base_url=city.url,
            viewport=DESK if desk else PHONE,  # type: ignore[arg-type]  # a plain dict with the two numbers
            has_touch=not desk,
            locale="zh-CN",
            color_scheme="dark" if dark else "light",
            extra_http_headers=town.headers(who),
        )
        contexts.append(context)
        page = context.new_page()
        _listen(page, watch)
        page.goto(path)
        settle(page)
        return page

    yield open_one
    for context in contexts:
        context.close()


def at(column: int, row: int, zoom: float) -> str:
    """Return the middle of a square as a place in the address."""
    lon, lat = squares.middle(column, row)
    return f"{zoom}/{lat:.5f}/{lon:.5f}"


def drawn(page: Page) -> list[dict[str, float]]:
    """Return what the map draws of cases in its view, with its place in the window."""
    found: list[dict[str, float]] = page.evaluate(
        """() => {
            const element = document.querySelector(".folium-map");
            const { left, top } = element.getBoundingClientRect();
            const { x: width, y: height } = element.map.getSize();
            return element.map.mapsvc.cases.drawn()
              .filter(({ x, y }) => x > 0 && y > 0 && x < width && y < height)
              .map(({ x, y, count, overdue, pile }) => ({ x: x + left, y: y + top, count, overdue, pile }));
        }"""
    )
    return found


def drawn_when(page: Page, done: Callable[[list[int]], bool]) -> list[dict[str, float]]:
    """Return what is drawn once its numbers are as wanted; the last state that was seen after some seconds."""
    for _ in range(60):
        found = drawn(page)
        if done([int(item["count"]) for item in found]):
            break
        page.wait_for_timeout(100)
    return found


def one_with(page: Page, count: int) -> dict[str, float]:
    found = drawn_when(page, lambda counts: counts.count(count) == 1)
    (one,) = [item for item in found if item["count"] == count]
    return one


def test_numbers_are_exact_and_hold_every_case_at_every_zoom(open_city: Open) -> None:
    page = open_city()
    assert sum(item["count"] for item in drawn(page)) == citytown.PILE + 3
    photograph(page, "city-circles-desk-zh-light", whole=False)
    for zoom in (12, 16.75, 17.25):
        page.goto(f"/?at={at(1, 1, zoom)}")
        found = drawn_when(page, lambda counts: sum(counts) == citytown.PILE + 3)
        assert sum(item["count"] for item in found) == citytown.PILE + 3


def test_a_circle_is_taken_apart_and_a_pile_opens_its_list_by_pages(open_city: Open) -> None:
    page = open_city(f"/?at={at(1, 1, 12)}")
    for _ in range(8):
        largest = max(drawn(page), key=lambda item: item["count"])
        if largest["pile"]:
            break
        zoom = page.evaluate("document.querySelector('.folium-map').map.getZoom()")
        page.mouse.click(largest["x"], largest["y"])
        page.wait_for_function("zoom => document.querySelector('.folium-map').map.getZoom() > zoom", arg=zoom)
        page.wait_for_timeout(350)
        settle(page)
    assert largest["count"] == citytown.PILE
    page.mouse.click(largest["x"], largest["y"])
    panel = page.locator("#panel")
    expect(panel.locator("h2")).to_have_text(f"此处案件 {citytown.PILE} 件")
    cards = panel.locator(".card")
    expect(cards).to_have_count(20)
    photograph(page, "city-pile-desk-zh-light", whole=False)
    panel.locator("[data-more]").click()
    expect(cards).to_have_count(40)
    expect(cards.nth(20).locator("a")).to_be_focused()
    links = [link.get_attribute("href") for link in cards.locator("a").all()]
    assert len(set(links)) == 40, "no case is listed twice"
    assert "here=" in page.url
    again = open_city(page.url)
    expect(again.locator("#panel h2")).to_have_text(f"此处案件 {citytown.PILE} 件")
    again.locator("#panel").get_by_role("link", name="在工作清单中打开").click()
    expect(again.locator("h1")).to_contain_text("10000")


def test_two_cases_close_together_come_apart_and_one_opens_at_once(open_city: Open) -> None:
    page = open_city(f"/?at={at(2, 1, 17)}")
    pair = one_with(page, 2)
    page.mouse.click(pair["x"], pair["y"])
    apart = [item for item in drawn_when(page, lambda counts: counts.count(1) == 2) if item["count"] == 1]
    assert len(apart) == 2
    page.wait_for_timeout(300)  # the zoom comes to its end
    single = next(item for item in drawn(page) if item["count"] == 1)
    page.mouse.click(single["x"], single["y"])
    expect(page.locator("#panel .card")).to_have_count(1)


def test_at_the_last_zoom_a_circle_opens_its_list(open_city: Open) -> None:
    page = open_city(f"/?at={at(0, 0, 20)}")
    pile = one_with(page, citytown.PILE)
    page.mouse.click(pile["x"], pile["y"])
    expect(page.locator("#panel .card")).to_have_count(20)


def test_a_finger_opens_the_pile_on_the_phone(open_city: Open) -> None:
    page = open_city(f"/?at={at(0, 0, 18)}", desk=False)
    pile = one_with(page, citytown.PILE)
    page.touchscreen.tap(pile["x"] + 15, pile["y"] - 10)
    expect(page.locator("#panel h2")).to_have_text(f"此处案件 {citytown.PILE} 件")
    photograph(page, "city-pile-phone-zh-light", whole=False)


def test_all_of_it_by_keys(open_city: Open) -> None:
    page = open_city(f"/?at={at(1, 1, 17)}")
    button = page.locator("button.case-focus")
    button.focus()
    expect(button).to_have_attribute("aria-label", re.compile("件案件"))
    places = {str(button.bounding_box())}
    for key in ("ArrowLeft", "ArrowDown", "ArrowRight", "ArrowUp", "ArrowUp"):
        page.keyboard.press(key)
        settle(page)
        places.add(str(button.bounding_box()))
    assert len(places) >= 3, "arrows lead to other circles"
    photograph(page, "city-keys-desk-zh-light", whole=False)
    page.goto(f"/?at={at(0, 0, 18)}")
    settle(page)
    button.focus()
    expect(button).to_have_attribute("aria-label", f"{citytown.PILE} 件案件, 其中超期 0 件")
    page.keyboard.press("Enter")
    expect(page.locator("#panel h2")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    expect(button).to_be_focused()


def test_circles_that_are_switched_off_take_no_click_and_no_key(open_city: Open) -> None:
    page = open_city(f"/?at={at(0, 0, 18)}&off=cases")
    assert drawn(page) == []
    expect(page.locator("button.case-focus")).to_be_hidden()


def test_cases_that_do_not_come_are_told_and_tried_again(open_city: Open, watch: Watch) -> None:
    page = open_city(f"/?at={at(0, 0, 16)}")
    watch.expected_status.add(503)
    page.route("**/tiles/cases/18/**", lambda route: route.fulfill(status=503, body=""))
    page.evaluate("document.querySelector('.folium-map').map.setZoom(18, { animate: false })")
    expect(page.locator(".map-toast")).to_contain_text("案件没有得到回应")
    page.unroute("**/tiles/cases/18/**")
    page.wait_for_timeout(5200)
    page.evaluate("document.querySelector('.folium-map').map.panBy([10, 0], { animate: false })")
    assert one_with(page, citytown.PILE)
    watch.problems = [problem for problem in watch.problems if "503" not in problem]
