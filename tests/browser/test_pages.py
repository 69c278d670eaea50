"""Every page in both tongues, light and dark, on phone and desk: looked at, and checked by axe."""

from __future__ import annotations

import re
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from mapsvc.demo.town import make_town

from . import town
from .conftest import ROOT, Open, Site, Watch, photograph, settle

pytestmark = pytest.mark.browser

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
README_PICTURE = ROOT / "data" / "readme" / "city-map.png"
LARGEST_PICTURE = 300 * 1024
EAST_OF_LEGEND = 0.0106
"""By so many degrees the view lies east of the middle, so that the legend covers none of the town."""

PAGES: tuple[tuple[str, str, str], ...] = (
    # name, account, address
    ("home", "", "/"),
    ("report", "", "/report"),
    ("track-form", "", "/track"),
    ("login", "", "/login"),
    ("device", "", "/device"),
    ("guide", "", "/guide"),
    ("guide-people", "", "/guide/people"),
    ("city", "zhaoxue", "/"),
    ("cases", "zhaoxue", "/cases"),
    ("cases-none", "zhaoxue", "/cases?text=nothing-like-this"),
    ("intake", "hefang", "/cases/new"),
    ("office", "zhaoxue", "/office"),
    ("areas", "zhaoxue", "/areas?level=patch"),
    ("patch", "zhangmin", "/patch/P07"),
    ("patch-settle", "zhangmin", "/patch/P07?show=fix"),
    ("patch-none", "zhouhang", "/patch/P08?show=whistle"),
    ("patch-vacant", "zhaoxue", "/patch/P13"),
    ("log-out", "", "/login?out=1"),
    ("unit-none", "maqiang", "/unit?show=to_check"),
    ("grid", "zhangmin", f"/areas/grid/{town.GRID}"),
    ("unit", "maqiang", "/unit"),
)


def axe(page: Page) -> list[str]:
    """Return the serious findings of axe-core, with what they are about."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed; run npm ci")
    # Handed over by the debugger, not by a script element: the page's policy would refuse that.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{one['id']} ({one['impact']}): {node['target']} {node.get('failureSummary', '')}"
        for one in found["violations"]
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"][:3]
    ]


@pytest.mark.parametrize(("name", "who", "path"), PAGES, ids=[page[0] for page in PAGES])
def test_page_is_accessible_and_stays_in_the_house(
    open_page: Open, watch: Watch, name: str, who: str, path: str
) -> None:
    for desk, language, dark in ((False, "zh-CN", False), (True, "en-GB", True)):
        # An account has a tongue of its own, which goes before the browser's: the switch goes before both.
        asked = f"{path}{'&' if '?' in path else '?'}lang={language[:2]}" if who else path
        page = open_page(asked, who=who, desk=desk, language=language, dark=dark)
        settle(page)
        size, tongue = "desk" if desk else "phone", language[:2]
        assert page.locator("html").get_attribute("lang") == {"zh": "zh-CN", "en": "en"}[tongue]
        photograph(page, f"{name}-{size}-{tongue}-{'dark' if dark else 'light'}", whole=name not in {"home", "city"})
        assert not axe(page)
        wide = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} is {wide} px too wide on the {size}"


def test_targets_are_large_enough_on_the_phone(open_page: Open) -> None:
    for who, path in (("", "/report"), ("zhangmin", "/patch/P07"), ("zhaoxue", "/cases"), ("maqiang", "/unit")):
        page = open_page(path, who=who)
        settle(page)
        small = page.evaluate(
            """() => [...document.querySelectorAll("button, [role=button], select, .card a, .tile, nav.actions a")]
              .filter((element) => element.checkVisibility() && !element.closest("dialog"))
              .map((element) => [element.outerHTML.slice(0, 80), element.getBoundingClientRect()])
              .filter(([, box]) => box.height < 43.5 || box.width < 43.5)
              .map(([html, box]) => `${html} ${box.width}x${box.height}`)"""
        )
        assert not small


def test_the_public_sees_no_border_without_a_review_number(open_page: Open) -> None:
    page = open_page("/", desk=True)
    settle(page)
    assert page.locator(".pane-areas").count() == 0
    expect(page.locator(".welcome")).to_contain_text("审图号")
    areas = page.request.get("/api/v1/areas?level=patch").json()
    assert all(feature["geometry"] is None for feature in areas["features"])
    assert page.request.get("/map/cases").status == 401
    assert page.request.get("/areas/patch/P07/card").status == 404


def test_with_a_review_number_the_public_sees_borders_and_the_number(open_page: Open, reviewed_site: Site) -> None:
    page = open_page("/", desk=True, at=reviewed_site)
    settle(page)
    assert page.locator(".pane-areas").count() > 0
    expect(page.locator(".map-caption")).to_contain_text("审图号: 测试0000号")
    assert page.request.get("/map/cases").status == 401


def test_a_click_on_the_map_opens_the_area_and_the_address_keeps_it(open_page: Open) -> None:
    page = open_page("/", who="zhaoxue", desk=True)
    settle(page)
    box = page.locator(".folium-map").bounding_box()
    assert box is not None
    with page.expect_response(re.compile("/card")):
        page.mouse.click(box["x"] + box["width"] * 0.44, box["y"] + box["height"] * 0.6)
    expect(page.locator("#panel h2")).to_have_text(re.compile("片区"))
    name = page.locator("#panel h2").inner_text()
    photograph(page, "city-panel-desk-zh-light", whole=False)
    again = open_page(page.url.removeprefix(page.url.split("/?")[0]), who="zhaoxue", desk=True)
    expect(again.locator("#panel h2")).to_have_text(name)
    again.keyboard.press("Escape")
    expect(again.locator("#panel")).to_be_hidden()
    assert "area=" not in again.url


def test_levels_and_layers_can_be_chosen_and_are_kept(open_page: Open) -> None:
    page = open_page("/?level=street&off=cases&shade=open", who="zhaoxue", desk=True)
    settle(page)
    page.locator(".layers > summary").click()
    expect(page.locator("[name=level][value=street]")).to_be_checked()
    expect(page.locator("[data-layer=cases]")).not_to_be_checked()
    expect(page.locator("[data-shade-legend]")).to_be_visible()
    photograph(page, "city-shaded-desk-zh-light", whole=False)
    page.locator("[name=level][value=grid]").check()
    expect(page.locator("[data-leading]")).to_have_text("网格")
    assert "level=grid" in page.url


def test_keys_lead_through_the_desk(open_page: Open) -> None:
    page = open_page("/cases", who="zhaoxue", desk=True)
    page.keyboard.press("?")
    expect(page.locator("dialog#keys")).to_be_visible()
    assert not axe(page)
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("g")
    expect(page.locator("#search")).to_have_value("g")
    page.locator("h1").click()
    page.keyboard.press("g")
    page.keyboard.press("o")
    page.wait_for_url("**/office")


def test_tab_begins_with_the_way_to_the_content(open_page: Open) -> None:
    page = open_page("/cases", who="zhaoxue", desk=True)
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_language_size_and_contrast_are_kept(open_page: Open) -> None:
    page = open_page("/report?lang=en&size=large&contrast=high")
    expect(page.locator("h1")).to_have_text("Report a problem")
    page.goto("/report")
    expect(page.locator("h1")).to_have_text("Report a problem")
    assert page.locator("html").get_attribute("data-size") == "large"
    assert page.locator("html").get_attribute("data-contrast") == "high"
    photograph(page, "report-phone-en-large-contrast")
    assert not axe(page)
    page.get_by_role("link", name="切换到中文").click()
    expect(page.locator("h1")).to_have_text("反映问题")


def test_errors_say_what_to_do(open_page: Open, watch: Watch) -> None:
    watch.expected_status.update({401, 403, 404})
    for path, who, words in (
        ("/office", "", "请先登录"),
        ("/office", "maqiang", "没有权限"),
        ("/nowhere", "", "没有这个页面"),
        ("/cases/20990101-000001", "zhaoxue", "没有这个页面"),
        ("/patch/P99", "zhangmin", "没有这个页面"),
        ("/track/0000-0000-0000", "", "没有这个查询码"),
    ):
        page = open_page(path, who=who)
        expect(page.locator("main")).to_contain_text(words)
        assert not axe(page)
    photograph(page, "error-phone-zh-light")


def test_a_log_in_leads_back_and_never_out(open_page: Open, watch: Watch) -> None:
    watch.expected_status.add(401)
    page = open_page("/login?next=https://elsewhere.example/")
    page.fill("[name=name]", "zhangmin")
    page.fill("[name=password]", "wrong-wrong-wrong")
    page.click("main button")
    expect(page.get_by_role("alert")).to_contain_text("用户名或密码不对")
    page.fill("[name=password]", town.PASSWORD)
    page.click("main button")
    page.wait_for_url("**/patch/P07")


def test_picture_for_the_readme(open_page: Open) -> None:
    middle = make_town().at("district")[0].border.centroid
    page = open_page(
        f"/?legend=1&area=patch:P07&at=13.75/{middle.y:.5f}/{middle.x + EAST_OF_LEGEND:.5f}", who="zhaoxue", desk=True
    )
    settle(page)
    expect(page.locator("#panel h2")).to_have_text("07片区")
    expect(page.locator("[data-legend] li").first).to_be_visible()
    page.wait_for_timeout(400)  # the map makes room for the panel
    made = photograph(page, "readme", whole=False)
    with Image.open(made) as picture:  # a palette of its own is a third of the bytes, and no colour is off by a class
        few = picture.convert("RGB").quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(made, optimize=True)
    assert made.stat().st_size < LARGEST_PICTURE
    if not README_PICTURE.is_file():
        README_PICTURE.parent.mkdir(parents=True, exist_ok=True)
        README_PICTURE.write_bytes(made.read_bytes())
