"""The city map as its user uses it: circles and their lists, areas of tiles, by mouse, finger and keyboard."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from mapsvc.base.settings import load_settings
from tests import squares
from tests.town import Town

from . import citytown
from .conftest import DESK, PHONE, Site, Watch, _listen, photograph, serve, settle

pytestmark = pytest.mark.browser


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


def spot(page: Page, column: int, row: int) -> tuple[float, float]:
    """Return where the middle of a square lies in the window."""
    x, y = page.evaluate(
        """([lon, lat]) => {
            const element = document.querySelector(".folium-map");
            const { left, top } = element.getBoundingClientRect();
            const { x, y } = element.map.latLngToContainerPoint([lat, lon]);
            return [x + left, y + top];
        }""",
        list(squares.middle(column, row)),
    )
    return x, y


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
    again.locator("#panel").get_by_role("link", name="在案件列表中打开").click()
    expect(again.locator("h1")).to_contain_text(f"{citytown.PILE:,}")


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
    page.evaluate("void document.querySelector('.folium-map').map.setZoom(18, { animate: false })")
    expect(page.locator(".map-toast")).to_contain_text("案件没有得到回应")
    page.unroute("**/tiles/cases/18/**")
    page.wait_for_timeout(5200)
    page.evaluate("void document.querySelector('.folium-map').map.panBy([10, 0], { animate: false })")
    assert one_with(page, citytown.PILE)
    watch.problems = [problem for problem in watch.problems if "503" not in problem]


def mean_colour(page: Page, width: int = 200) -> tuple[float, ...]:
    """Return the mean colour of a piece of the map in the middle of the window."""
    clip = {"x": DESK["width"] / 2 - width / 2, "y": DESK["height"] / 2 - 60, "width": width, "height": 120}
    pixels = np.asarray(Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB"))  # type: ignore[arg-type]
    return tuple(pixels.reshape(-1, 3).mean(axis=0).tolist())


def test_many_areas_are_drawn_by_tiles_named_and_found_under_the_mouse(open_city: Open) -> None:
    asked: list[str] = []
    page = open_city("about:blank")
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"/?level=grid&at={at(10, 10, 17)}")
    settle(page)
    page.wait_for_timeout(400)
    photograph(page, "city-tiles-desk-zh-light", whole=False)
    assert any("/tiles/grid/" in url and ".mvt?v=" in url for url in asked)
    assert not [url for url in asked if "areas?level=grid&limit=5000" in url]
    names = page.evaluate(
        """() => document.querySelector(".folium-map").map.mapsvc.areas
             .find((layer) => layer.options.level === "grid").list().map(({ properties }) => properties.name)"""
    )
    assert {"name G1010", "name G0909"} <= set(names)
    x, y = spot(page, 10, 10)
    page.mouse.move(x, y)
    page.mouse.move(x + 2, y)
    expect(page.locator(".map-hover")).to_have_text("name G1010")
    page.mouse.move(20, 20)
    expect(page.locator(".map-hover")).to_be_hidden()


def test_a_click_on_a_tile_opens_its_area_outlined_and_the_address_leads_back(open_city: Open) -> None:
    page = open_city(f"/?level=grid&at={at(10, 10, 17)}")
    page.mouse.click(*spot(page, 10, 10))
    panel = page.locator("#panel")
    expect(panel.locator("h2")).to_have_text("name G1010")
    expect(panel).to_contain_text("无人任职")
    expect(panel).to_contain_text("在办")
    expect(panel).to_contain_text("整改率")
    page.wait_for_timeout(500)
    photograph(page, "city-tile-chosen-desk-zh-light", whole=False)
    expect(page.locator(".level-grid svg path")).to_have_count(1)  # its exact border lies over the tiles
    again = open_city("/?area=grid:G2020")
    expect(again.locator("#panel h2")).to_have_text("name G2020")
    expect(again.locator("[data-leading]")).to_have_text("网格")
    again.wait_for_function("document.querySelector('.folium-map').map.getZoom() > 16")
    again.keyboard.press("Escape")
    expect(again.locator("#panel")).to_be_hidden()
    assert "area=" not in again.url


def test_colours_change_without_a_new_border(open_city: Open) -> None:
    page = open_city(f"/?level=grid&off=cases,labels&at={at(10, 10, 16)}")
    page.wait_for_timeout(400)
    plain = mean_colour(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.locator(".layers > summary").click()
    page.locator("[data-shade]").check()
    page.locator(".layers > summary").click()
    page.wait_for_timeout(600)
    assert np.abs(np.subtract(mean_colour(page), plain)).max() > 20, "the shade of none is not the tint"
    assert any("values.bin" in url for url in asked)
    assert not [url for url in asked if ".mvt" in url or ".ids" in url]
    page.goto(f"/?level=grid&off=cases,labels&shade=open&at={at(0, 0, 17)}")
    settle(page)
    page.wait_for_timeout(600)
    assert mean_colour(page, 40)[0] < 150, "ten thousand cases are the darkest shade"
    photograph(page, "city-tiles-shaded-desk-zh-light", whole=False)


def test_tiny_areas_are_drawn_from_numbers_of_pixels(open_city: Open) -> None:
    asked: list[str] = []
    page = open_city("about:blank")
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"/?level=grid&off=cases,labels&at={at(10, 10, 11)}")
    settle(page)
    page.wait_for_timeout(400)
    assert any("/tiles/grid/11/" in url and ".ids?v=" in url for url in asked)
    assert not [url for url in asked if ".mvt" in url]
    photograph(page, "city-ids-desk-zh-light", whole=False)
    page.mouse.click(*spot(page, 10, 10))
    expect(page.locator("#panel h2")).to_have_text("name G1010")


def test_borders_that_do_not_come_are_told(open_city: Open, watch: Watch) -> None:
    watch.expected_status.add(503)
    page = open_city("about:blank")
    page.route("**/tiles/grid/**", lambda route: route.fulfill(status=503, body=""))
    page.goto(f"/?level=grid&off=cases&at={at(10, 10, 17)}")
    expect(page.locator(".map-toast")).to_contain_text("辖区没有得到回应")
    watch.problems = [problem for problem in watch.problems if "503" not in problem]


@pytest.mark.parametrize(("desk", "language", "dark"), [(True, "zh", False), (False, "en", True)])
def test_hard_names_stay_on_the_map_and_in_the_panel(open_city: Open, desk: bool, language: str, dark: bool) -> None:
    for code, name in (("P0", citytown.TWO_TONGUES), ("P1", citytown.LONG_WORD)):
        page = open_city(f"/?lang={language}&area=patch:{code}", desk=desk, dark=dark)
        expect(page.locator("#panel h2")).to_have_text(name)
        settle(page)
        panel = page.locator("#panel")
        assert panel.evaluate("(element) => element.scrollWidth - element.clientWidth") <= 0, "the panel is too wide"
        wide = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0
        page.wait_for_timeout(400)
        photograph(page, f"city-name-{code}-{'desk' if desk else 'phone'}-{language}", whole=False)


def test_a_level_without_areas_is_not_offered(open_city: Open) -> None:
    page = open_city("/?level=compound")
    page.locator(".layers > summary").click()
    values = [radio.get_attribute("value") for radio in page.locator("[name=level]").all()]
    assert values == ["", "district", "street", "community", "patch", "grid"]
    expect(page.locator("[name=level][value=patch]")).to_be_attached()
    assert page.locator("[data-leading]").inner_text() != "", "a level that is unknown or empty gives way to the zoom"


@pytest.mark.parametrize("width", [320, 390])
def test_lists_of_a_pile_under_hard_names_stay_short_and_inside(open_city: Open, width: int) -> None:
    page = open_city("/areas?level=patch", desk=False)
    page.set_viewport_size({"width": width, "height": 844})
    for path in ("/areas?level=patch", "/patch/P0", "/patch/P1", "/cases", "/office"):
        page.goto(path)
        wide = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, path
        assert page.locator("main a[href^='/cases/2']").count() <= 120, path
    page.goto("/patch/P0")
    photograph(page, f"pile-patch-{width}", whole=False)
    expect(page.locator("main")).to_contain_text(citytown.TWO_TONGUES)


def test_a_layer_whose_source_is_empty_draws_nothing_and_breaks_nothing(open_city: Open) -> None:
    page = open_city("/", "unit_a")
    assert drawn(page) == [], "a unit without a case"
    expect(page.locator("button.case-focus")).to_have_attribute("aria-label", re.compile("视野内 0 处"))
    page.locator("button.case-focus").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#panel")).to_be_hidden()
    page.locator(".layers > summary").click()
    assert page.locator("[data-layer^='ground:']").count() == 0, "no ground was imported"
    page.locator("[data-layer=cases]").uncheck()
    page.locator("[data-layer=cases]").check()
    again = open_city("/?here=1,1,2,2", "unit_a")
    expect(again.locator("#panel")).to_contain_text("此处已没有在办案件")
