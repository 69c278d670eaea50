"""Stand-alone maps: downloaded from the page, opened from the disk with no network, in both tongues and sizes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request

from .conftest import DESK, OUTPUT, PHONE, Open, Watch, settle


@pytest.fixture
def from_disk(chromium: Browser, watch: Watch) -> Iterator[Open]:
    """Return a function that opens a file with the network cut; whatever it asks for beside itself is a problem."""
    contexts = []

    def open_file(path: Path, *, desk: bool, dark: bool = False) -> Page:
        context = chromium.new_context(
            viewport=DESK if desk else PHONE,  # type: ignore[arg-type]  # a plain dict with the two numbers
            has_touch=not desk,
            offline=True,
            color_scheme="dark" if dark else "light",
        )
        contexts.append(context)
        page = context.new_page()

        def on_request(request: Request) -> None:
            if request.url != path.as_uri():
                watch.outside.append(request.url[:200])

        page.on("request", on_request)
        page.on("console", lambda message: watch.problems.append(f"console {message.type}: {message.text}"))
        page.on("pageerror", lambda error: watch.problems.append(f"script: {error}"))
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-drawn]", state="attached")
        return page

    yield open_file
    for context in contexts:
        context.close()


def download(page: Page, to: Path) -> Path:
    with page.expect_download() as found:
        page.click("main form button")
    found.value.save_as(to)
    return to


def click_area(page: Page, code: str) -> None:
    """Click on the map where the label of an area stands."""
    at = page.evaluate(
        """(code) => {
          const { map } = document.querySelector(".folium-map");
          const layer = map.mapsvc.areas.find((one) => one.find(code));
          const [lon, lat] = layer.find(code).properties.label;
          const { x, y } = map.latLngToContainerPoint([lat, lon]);
          return { x, y };
        }""",
        code,
    )
    page.locator(".folium-map").click(position=at)


def drawn(page: Page, selector: str) -> int:
    """Return how many pixels of the canvases under a selector are painted, once the frames that were asked for are."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return int(
        page.evaluate(
            """(selector) => {
              let sum = 0;
              for (const canvas of document.querySelectorAll(`${selector} canvas, canvas${selector}`)) {
                const copy = document.createElement("canvas");
                [copy.width, copy.height] = [canvas.width, canvas.height];
                const pen = copy.getContext("2d", { willReadFrequently: true });
                pen.drawImage(canvas, 0, 0);
                const { data } = pen.getImageData(0, 0, copy.width, copy.height);
                for (let at = 3; at < data.length; at += 4) sum += Number(data[at] > 0);
              }
              return sum;
            }""",
            selector,
        )
    )


@pytest.mark.parametrize(("language", "desk"), [("zh-CN", False), ("zh-CN", True), ("en", False), ("en", True)])
def test_a_rate_opens_without_a_network(
    open_page: Open, from_disk: Open, tmp_path: Path, language: str, desk: bool
) -> None:
    page = open_page(f"/insight?window=28d&rate=on_time&lang={language[:2]}", who="gaoshan", desk=desk)
    page.click("main a[href*='/maps/export']")
    page.wait_for_url("**/maps/export?*")
    path = download(page, tmp_path / "rate.html")
    assert path.stat().st_size < 2_000_000
    opened = from_disk(path, desk=desk)
    zh = language == "zh-CN"
    assert opened.get_attribute("html", "lang") == language
    assert ("按期结案率" if zh else "closed in time") in opened.inner_text("h1")
    assert "虚构城区示意图" in opened.inner_text(".map-caption")
    assert ("请勿外传" if zh else "Do not pass on") in opened.inner_text(".warning")
    click_area(opened, "P01")
    card = opened.inner_text("[data-card]")
    assert "P01" in card
    assert ("95% 置信区间" if zh else "95 % interval") in card
    assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")
    before = drawn(opened, ".level-patch")
    assert before > 1000
    OUTPUT.mkdir(parents=True, exist_ok=True)
    opened.screenshot(path=OUTPUT / f"mapfile-{'desk' if desk else 'phone'}-{'zh' if zh else 'en'}.png")
    opened.keyboard.press("Escape")
    assert opened.locator("[data-card]").is_hidden()
    opened.uncheck("[data-layer=patch]")
    assert drawn(opened, ".level-patch") == 0
    opened.check("[data-layer=patch]")
    assert drawn(opened, ".level-patch") > 1000


def test_heat_and_cases_are_drawn_in_the_dark_too(open_page: Open, from_disk: Open, tmp_path: Path) -> None:
    page = open_page("/maps/export?theme=heat&window=90d&lang=zh", who="gaoshan", desk=True)
    heat = from_disk(download(page, tmp_path / "heat.html"), desk=True, dark=True)
    picture = heat.locator("img.heat-picture")
    assert picture.evaluate("(image) => image.complete && image.naturalWidth") > 200
    heat.uncheck("[data-layer=theme]")
    assert picture.count() == 0
    page.goto("/maps/export?theme=cases&audience=staff&level=grid")
    cases = from_disk(download(page, tmp_path / "cases.html"), desk=False)
    cases.wait_for_timeout(100)  # two frames: the circles are painted in the next one
    assert drawn(cases, ".leaflet-cases-pane") > 100


def test_the_city_map_leads_to_the_page(open_page: Open) -> None:
    page = open_page("/", who="zhaoxue", desk=True)
    page.click(".layers summary")
    page.click("a[href='/maps/export']")
    page.wait_for_url("**/maps/export")
    assert page.is_checked("input[value=staff]")
    assert page.is_disabled("input[value=public]")


@pytest.mark.parametrize(("language", "desk"), [("zh", False), ("en", True)])
def test_findings_per_km_are_drawn_and_what_is_divided_is_said(open_page: Open, language: str, desk: bool) -> None:
    page = open_page(f"/insight?show=heat_km&window=90d&lang={language}", who="gaoshan", desk=desk)
    page.wait_for_selector("[data-heat-legend] .hatch")
    settle(page)
    assert ("核宽" if language == "zh" else "per kilometre walked") in page.inner_text("[data-heat-legend]")
    assert page.locator("img.heat-tiles, .heat-tiles img").count() > 0
    page.goto("/insight?show=per_km&window=90d&level=patch")
    settle(page)
    rows = page.locator(".figure-map table tbody tr")
    assert rows.count() == 22
    assert page.locator(".figure-map .classes .nothing").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
