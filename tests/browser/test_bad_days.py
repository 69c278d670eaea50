"""Bad days of the public pages: what fails is said in words, nothing typed is lost, nothing is sent twice."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect

from mapsvc.demo.town import make_town

from . import town
from .conftest import OUTPUT, Open, Watch, photograph, settle
from .test_resident import WECHAT, tap_map

pytestmark = pytest.mark.browser

GPS = {"permissions": ["geolocation"]}


def at(patch: str = "P07", number: int = 1) -> tuple[float, float]:
    return town.place_in(make_town(), patch, number)


def place(page: Page, lon: float, lat: float) -> None:
    """Mark a place by its coordinates."""
    page.locator("summary", has_text="手工输入坐标").click()
    page.fill("[name=lon]", f"{lon:.7f}")
    page.fill("[name=lat]", f"{lat:.7f}")
    page.locator("[name=lat]").dispatch_event("change")


def snap(page: Page, name: str) -> None:
    """Keep a picture of a page that has no script or no network to wait for."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=OUTPUT / f"{name}.png", full_page=True)


def forgive(watch: Watch) -> None:
    """Forget what the browser itself says of a network that the test took away; anything else is a fault."""
    assert [said for said in watch.problems if "net::ERR_" not in said] == []
    watch.problems.clear()


def no_position(page: Page) -> None:
    """Take the browser's position away, as old web views do."""
    page.add_init_script("Object.defineProperty(navigator, 'geolocation', { value: undefined })")
    page.reload()


# -- where


def test_without_a_position_it_says_so_and_a_tap_does(open_page: Open) -> None:
    page = open_page("/report", user_agent=WECHAT)
    no_position(page)
    page.get_by_role("button", name="用我现在的位置").click()
    expect(page.locator("[data-place-line]")).to_contain_text("不能定位")
    tap_map(page)
    expect(page.locator("[data-place-line]")).to_contain_text("已标出位置")


def test_a_position_that_is_refused_is_no_dead_end(open_page: Open) -> None:
    page = open_page("/report", user_agent=WECHAT, permissions=[])
    page.get_by_role("button", name="用我现在的位置").click()
    expect(page.locator("[data-place-line]")).to_contain_text("浏览器没有允许定位")
    assert page.input_value("[name=lon]") == ""
    place(page, *at("P07", 5))
    page.locator(".tile").first.click()
    page.click(".send button")
    page.wait_for_url(re.compile("/track/"))


def test_a_good_position_is_taken_with_its_accuracy(open_page: Open) -> None:
    lon, lat = at()
    page = open_page("/report", geolocation={"longitude": lon, "latitude": lat, "accuracy": 18}, **GPS)
    page.get_by_role("button", name="用我现在的位置").click()
    expect(page.locator("[data-place-line]")).to_contain_text("误差约 18 米")
    assert page.input_value("[name=source]") == "gps"
    assert page.input_value("[name=accuracy]") == "18"
    expect(page.locator("div[data-preview]")).to_contain_text("将分派给")


def test_a_position_off_by_two_kilometres_is_never_taken(open_page: Open) -> None:
    lon, lat = at()
    page = open_page("/report", geolocation={"longitude": lon, "latitude": lat, "accuracy": 2000}, **GPS)
    page.get_by_role("button", name="用我现在的位置").click()
    expect(page.locator("[data-place-line]")).to_contain_text("2000 米, 太大, 没有采用")
    assert page.input_value("[name=lon]") == ""
    photograph(page, "bad-day-vague")
    page.locator(".tile").first.click()
    page.click(".send button")
    expect(page.locator("#problem")).to_contain_text("请在地图上点出位置")
    page.get_by_role("button", name="用地图十字处的位置").click()
    expect(page.locator("[data-place-line]")).to_contain_text("已标出位置")
    # A place that somebody chose is not moved by a vague position afterwards.
    chosen = page.input_value("[name=lon]")
    page.get_by_role("button", name="用我现在的位置").click()
    expect(page.locator("[data-place-line]")).to_contain_text("没有采用")
    assert page.input_value("[name=lon]") == chosen


def test_the_place_is_chosen_by_keys_alone(open_page: Open) -> None:
    page = open_page("/report?area=patch:P07", desk=True)
    settle(page)
    page.locator(".folium-map").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(500)  # the map glides
    button = page.get_by_role("button", name="用地图十字处的位置")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-place-line]")).to_contain_text("已标出位置")
    assert page.input_value("[name=source]") == "tap"


# -- without script


def test_without_script_the_board_stands_for_the_place(open_page: Open) -> None:
    page = open_page(f"/report?area=grid:{town.GRID}", user_agent=WECHAT, java_script_enabled=False)
    expect(page.locator(".needs-script").first).to_be_hidden()
    expect(page.locator("form noscript .note")).to_be_visible()
    snap(page, "bad-day-no-script")
    page.locator(".tile input").first.check()
    page.fill("[name=description]", "门口无脚本上报")
    page.click(".send button")
    code = page.locator("[data-code]").inner_text()
    expect(page.locator("img.qr")).to_be_visible()
    page.goto(f"/track/{code}")
    expect(page.locator("main")).to_contain_text("预计办结")


def test_without_script_every_public_page_can_be_read(open_page: Open) -> None:
    for path, words in (("/", "发现问题"), ("/track", "查询码"), ("/guide", "mapsvc"), ("/device", "设备自检")):
        page = open_page(path, java_script_enabled=False)
        expect(page.locator("body")).to_contain_text(words)
    expect(page.locator("main noscript .note")).to_be_visible()


def test_without_script_it_says_what_is_missing_and_keeps_the_rest(open_page: Open, watch: Watch) -> None:
    watch.expected_status.add(400)
    page = open_page("/report", java_script_enabled=False)
    page.locator(".tile input").first.check()
    page.fill("[name=description]", "没写地点")
    page.click(".send button")
    expect(page.get_by_role("alert")).to_contain_text("写明地点")
    expect(page.locator("[name=description]")).to_have_value("没写地点")
    expect(page.locator(".tile input").first).to_be_checked()


# -- photos


def test_what_is_no_photo_is_left_out_by_name(open_page: Open, tmp_path: Path) -> None:
    page = open_page("/report", user_agent=WECHAT)
    text, document, good = tmp_path / "说明.txt", tmp_path / "通知.pdf", tmp_path / "好.png"
    text.write_text("这不是照片", encoding="utf-8")
    document.write_bytes(b"%PDF-1.7\n" + bytes(1000))
    Image.new("RGB", (40, 30), (10, 90, 90)).save(good)
    page.set_input_files("[name=photos]", [text, document, good])
    line = page.locator("[data-photo-line]")
    expect(line).to_contain_text("“说明.txt”不是照片")
    expect(line).to_contain_text("“通知.pdf”不是照片")
    expect(line).to_contain_text("已选 1 张照片")
    expect(page.locator("[data-thumbs] li")).to_have_count(1)


def test_without_script_another_kind_is_refused_in_words(open_page: Open, watch: Watch, tmp_path: Path) -> None:
    watch.expected_status.update({400, 415})
    page = open_page("/report", java_script_enabled=False)
    text = tmp_path / "note.txt"
    text.write_text("no photo", encoding="utf-8")
    page.fill("[name=place_text]", "城南菜场东门")
    page.locator(".tile input").first.check()
    page.set_input_files("[name=photos]", text)
    page.click(".send button")
    expect(page.get_by_role("alert")).to_contain_text("不是能识别的照片")
    expect(page.locator("[name=place_text]")).to_have_value("城南菜场东门")


# -- the network


def lose(page: Page) -> None:
    """Take the network away, with the photos' own addresses left alone."""
    page.context.set_offline(True)


def test_lost_while_sending_it_is_kept_and_sent_when_the_network_is_back(open_page: Open, watch: Watch) -> None:
    page = open_page("/report", user_agent=WECHAT)
    place(page, *at("P07", 2))
    page.locator(".tile").nth(3).click()
    page.fill("[name=description]", "断网时写的")
    settle(page)
    lose(page)
    page.click(".send button")
    expect(page.locator("#problem")).to_contain_text("已存在这部手机上")
    snap(page, "bad-day-offline")
    forgive(watch)
    page.context.set_offline(False)
    page.wait_for_url(re.compile("/track/"))
    assert stored_once(page, open_page, "断网时写的")


def stored_once(_page: Page, open_page: Open, words: str) -> bool:
    """Whether the office sees exactly one case with these words."""
    office = open_page(f"/cases?text={words}", who="zhaoxue", desk=True)
    return office.locator("tbody tr").count() == 1


def test_a_page_closed_without_network_sends_what_it_kept_the_next_time(
    open_page: Open, watch: Watch, tmp_path: Path
) -> None:
    page = open_page("/report", user_agent=WECHAT)
    picture = tmp_path / "a.jpg"
    Image.new("RGB", (300, 200), (90, 60, 60)).save(picture)
    page.set_input_files("[name=photos]", picture)
    place(page, *at("P07", 3))
    page.locator(".tile").nth(3).click()
    page.fill("[name=description]", "关了页面以后再送")
    settle(page)
    lose(page)
    page.click(".send button")
    expect(page.locator("#problem")).to_contain_text("已存在这部手机上")
    forgive(watch)
    page.context.set_offline(False)
    page.goto("about:blank")  # at once: before the page itself can send it again
    page.goto("/report")
    outbox = page.locator("[data-outbox]")
    expect(outbox).to_contain_text("已送达, 查询码", timeout=15_000)
    photograph(page, "bad-day-outbox")
    expect(page.locator("[name=description]")).to_have_value("")
    page.goto("/report")
    expect(outbox).to_be_hidden()
    assert stored_once(page, open_page, "关了页面以后再送")


def test_a_double_tap_on_send_is_one_report(open_page: Open) -> None:
    page = open_page("/report", user_agent=WECHAT)
    place(page, *at("P07", 6))
    page.locator(".tile").nth(3).click()
    page.fill("[name=description]", "连点两下提交")
    settle(page)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.locator(".send button").dblclick()
    page.wait_for_url(re.compile("/track/"))
    assert len(sent) == 1
    assert stored_once(page, open_page, "连点两下提交")


def test_what_was_typed_survives_a_reload(open_page: Open) -> None:
    page = open_page("/report", user_agent=WECHAT)
    uuid = page.input_value("[name=uuid]")
    page.fill("[name=description]", "还没提交就刷新了")
    page.locator(".tile").nth(1).click()
    place(page, *at("P07", 1))
    page.reload()
    expect(page.locator("[name=description]")).to_have_value("还没提交就刷新了")
    expect(page.locator(".tile input").nth(1)).to_be_checked()
    expect(page.locator("#problem")).to_contain_text("已恢复")
    expect(page.locator("div[data-preview]")).to_contain_text("07片区")
    assert page.input_value("[name=uuid]") == uuid
    page.click(".send button")
    page.wait_for_url(re.compile("/track/"))
    page.goto("/report")
    expect(page.locator("[name=description]")).to_have_value("")


def test_a_lost_answer_and_then_another_wording_is_still_one_case(open_page: Open, watch: Watch) -> None:
    watch.expected_status.add(409)
    page = open_page("/report", user_agent=WECHAT)
    place(page, *at("P07", 4))
    page.locator(".tile").nth(2).click()
    page.fill("[name=description]", "第一次的话")
    settle(page)
    lost: list[str] = []

    def lose_one(route: Route) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route.request.url)
            route.fetch()  # it arrives, and its answer does not
            route.abort()
        else:
            route.fallback()

    page.route("**/report", lose_one)
    page.click(".send button")
    expect(page.locator("#problem")).to_contain_text("已存在这部手机上")
    forgive(watch)
    page.fill("[name=description]", "后来改的话")
    page.click(".send button")
    page.wait_for_url(re.compile("/track/.*first=1"))
    expect(page.locator("main")).to_contain_text("以先前的为准")
    assert stored_once(page, open_page, "第一次的话")
    office = open_page("/cases?text=后来改的话", who="zhaoxue", desk=True)
    assert office.locator("tbody tr").count() == 0


def test_a_page_that_stayed_open_too_long_still_sends(open_page: Open, watch: Watch) -> None:
    watch.expected_status.add(403)
    page = open_page("/report", user_agent=WECHAT)
    page.fill("[name=place_text]", "旧页面的地点")
    page.locator(".tile").nth(4).click()
    page.context.clear_cookies()
    page.click(".send button")
    page.wait_for_url(re.compile("/track/"))


# -- links, codes, words


def test_a_link_that_one_may_not_see_looks_like_none(open_page: Open, watch: Watch) -> None:
    watch.expected_status.update({401, 404})
    page = open_page("/cases?text=装修垃圾", who="zhaoxue", desk=True)
    href = page.locator("tbody a[href^='/cases/2']").first.get_attribute("href")
    other = open_page("/unit", who="maqiang")
    answers = [other.request.get(path, headers={"Accept": "text/html"}) for path in (href, "/cases/20990101-000001")]
    assert [answer.status for answer in answers] == [404, 404]
    other.goto(str(href))
    expect(other.locator("main")).to_contain_text("您无权查看")


def test_an_old_browser_is_told_and_can_still_report(open_page: Open, watch: Watch) -> None:
    page = open_page("/track", user_agent=WECHAT)
    page.add_init_script("delete Element.prototype.replaceChildren")
    # The modules may fail there: what counts is what does without them.
    page.route("**/js/**/*.js", lambda route: route.fallback() if "floor" in route.request.url else route.abort())
    page.goto("/report")
    expect(page.locator("#old-browser")).to_be_visible()
    expect(page.locator(".needs-script").first).to_be_hidden()
    page.locator("#old-browser a").click()
    expect(page.locator("h1")).to_contain_text("浏览器版本较旧")
    snap(page, "bad-day-old-browser")
    page.get_by_role("button", name="我要上报").click()
    page.locator(".tile input").first.check()
    page.fill("[name=place_text]", "旧手机写的地点")
    page.click(".send button")
    expect(page.locator("[data-code]")).to_be_visible()
    page.wait_for_load_state("networkidle")  # the console names every script that was held back, one by one
    forgive(watch)


@pytest.mark.parametrize("width", [320, 390])
def test_long_words_and_two_tongues_stay_inside(open_page: Open, width: int) -> None:
    long, mixed = "W" * 180, "惠民小区Huimin Residential Quarter东门 (East Gate)" * 3
    page = open_page(f"/report?area={'x' * 80}&size=large", user_agent=WECHAT)
    page.set_viewport_size({"width": width, "height": 844})
    page.fill("[name=place_text]", long)
    page.fill("[name=description]", mixed + long)
    page.locator(".tile").nth(5).click()
    wide = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) <= 0
    page.click(".send button")
    page.wait_for_url(re.compile("/track/"))
    assert page.evaluate(wide) <= 0
    _, photos = stored_by(page, mixed + long)
    assert photos == []
    office = open_page(f"/cases?text={'W' * 40}", who="zhaoxue")
    assert office.evaluate(wide) <= 0
    office.locator("a[href^='/cases/2']:visible").first.click()
    office.wait_for_load_state()
    photograph(office, f"bad-day-long-words-{width}")
    assert office.evaluate(wide) <= 0


def stored_by(page: Page, words: str) -> tuple[str, list[object]]:
    """Return the code that the page shows, and the photos that it shows."""
    assert words not in page.inner_text("main"), "the page of a report repeats no words"
    return page.locator("[data-code]").inner_text(), page.locator("ul.photos img").all()
