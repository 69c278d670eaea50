"""One report from a resident's phone to its closing, each step by the one whose it is, in a real browser."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from mapsvc.demo.town import make_town

from . import town
from .conftest import Open, Watch, photograph

pytestmark = pytest.mark.browser


def _fill_position(page: Page) -> None:
    lon, lat = town.place_in(make_town(), "P07", 3)
    page.fill("[name=lon]", f"{lon:.7f}")
    page.fill("[name=lat]", f"{lat:.7f}")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A photo as a phone would send it."""
    path = tmp_path / "photo.jpg"
    buffer = io.BytesIO()
    Image.new("RGB", (800, 600), (120, 140, 90)).save(buffer, "JPEG")
    path.write_bytes(buffer.getvalue())
    return path


def report(page: Page, picture: Path | None = None, *, words: str = "路灯杆旁堆了垃圾") -> str:
    """Fill in and send the public form; return the code."""
    page.locator("summary", has_text=re.compile("手工输入坐标|Type coordinates")).click()
    _fill_position(page)
    page.locator("[name=lat]").dispatch_event("change")
    page.locator(".tile").first.click()
    expect(page.locator("div[data-preview]")).to_contain_text("07片区")
    page.fill("[name=description]", words)
    page.fill("[name=contact_name]", "王女士")
    page.fill("[name=contact_phone]", "13900001234")
    if picture:
        page.set_input_files("[name=photos]", picture)
        expect(page.locator("[data-thumbs] li")).to_have_count(1)
    page.click(".send button")
    page.wait_for_url(re.compile("/track/"))
    return page.locator("[data-code]").inner_text().strip()


def step(page: Page, name: str) -> None:
    """Take a step that needs nothing; the page comes anew once it was acknowledged."""
    with page.expect_navigation():
        page.locator(".step-grid").get_by_role("button", name=name, exact=True).click()


def send_step(page: Page) -> None:
    """Send the form of the step that is open; the page comes anew once it was acknowledged."""
    with page.expect_navigation():
        page.locator("details.step[open] form button").click()


def open_step(page: Page, name: str) -> None:
    """Open the form of a step."""
    page.locator("details.step > summary", has_text=re.compile(f"^{name}$")).click()


def find_case(page: Page, words: str) -> None:
    """Find a case by its words and open it."""
    page.goto(f"/cases?text={words}")
    page.locator("a[href^='/cases/2']:visible").first.click()
    page.wait_for_load_state()


def test_a_report_finds_its_chief_and_is_closed(open_page: Open, watch: Watch, picture: Path) -> None:
    words = "路灯杆旁堆了垃圾甲"
    resident = open_page("/report")
    expect(resident.locator(".emergency")).to_contain_text("紧急情况请拨打")
    code = report(resident, picture, words=words)
    expect(resident.locator("img.qr")).to_be_visible()
    photograph(resident, "journey-1-thanks")

    intake = open_page(who="hefang", desk=True)
    find_case(intake, words)
    expect(intake.locator("main")).to_contain_text("07片区")
    expect(intake.locator("main")).to_contain_text("责任认定依据")
    photograph(intake, "journey-2-intake")
    open_step(intake, "立案")
    intake.locator("[name=condition]").first.check()
    send_step(intake)
    expect(intake.get_by_role("status").first).to_contain_text("已办理: 立案")

    chief = open_page("/start", who="zhangmin")
    expect(chief.locator("h1")).to_contain_text("07片区")
    find_case(chief, words)
    open_step(chief, "派给责任单位")
    expect(chief.locator(".proposed")).to_contain_text("东北环卫所")
    chief.locator(".proposed button").click()
    expect(chief.get_by_role("status").first).to_contain_text("派遣")

    worker = open_page("/unit", who="maqiang")
    find_case(worker, words)
    step(worker, "签收")
    open_step(worker, "办结")
    worker.set_input_files("details.step[open] [name=photos]", picture)
    send_step(worker)
    expect(worker.locator("main")).to_contain_text("待核查")
    assert worker.locator(".step-grid", has_text="核查通过").count() == 0, "who handled a case must not check it"

    patrol = open_page(who="wanglei")
    find_case(patrol, words)
    step(patrol, "核查通过")

    duty = open_page(who="chenlan", desk=True)
    find_case(duty, words)
    photograph(duty, "journey-3-history")
    step(duty, "结案")
    expect(duty.locator("main")).to_contain_text("已结案")
    expect(duty.locator(".history")).to_contain_text("核查通过")

    resident.goto(f"/track/{code}")
    expect(resident.locator("h2").first).to_contain_text("已办结")
    expect(resident.locator("main")).not_to_contain_text("王女士")
    expect(resident.locator("main")).not_to_contain_text("马强")
    expect(resident.locator(".photos img")).to_have_count(1)
    photograph(resident, "journey-4-closed")


def test_sending_twice_is_one_report(open_page: Open) -> None:
    page = open_page("/report")
    words = "路灯杆旁堆了垃圾乙"
    page.evaluate(
        """() => {
          const real = window.fetch;
          let first = true;
          window.fetch = async (url, options) => {
            const answer = await real(url, options);
            if (options?.method === "POST" && first) { first = false; throw new TypeError("the answer was lost"); }
            return answer;
          };
        }"""
    )
    page.locator("summary", has_text="手工输入坐标").click()
    _fill_position(page)
    page.locator(".tile").first.click()
    page.fill("[name=description]", words)
    page.click(".send button")
    expect(page.locator("#problem")).to_contain_text("已存在这部手机上")
    page.click(".send button")
    page.wait_for_url(re.compile("/track/"))
    office = open_page(f"/cases?text={words}", who="zhaoxue", desk=True)
    expect(office.locator("tbody tr")).to_have_count(1)


def test_offline_keeps_everything(open_page: Open, watch: Watch) -> None:
    page = open_page("/report")
    page.fill("[name=place_text]", "惠民小区3号楼下")
    page.locator(".tile").nth(1).click()
    page.context.set_offline(True)
    page.click(".send button")
    expect(page.locator("#problem")).to_contain_text("已存在这部手机上")
    watch.problems.clear()  # the browser itself complains on the console about the lost network
    page.context.set_offline(False)  # what waits is sent by itself
    page.wait_for_url(re.compile("/track/"))


def test_a_form_works_without_script(open_page: Open) -> None:
    page = open_page("/report", java_script_enabled=False)
    page.fill("[name=place_text]", "城南菜场东门")
    page.locator(".tile input").nth(5).check()
    page.click(".send button")
    expect(page.locator("[data-code]")).to_be_visible()
    tray = open_page("/office", who="zhaoxue", desk=True)
    expect(tray.locator("section", has_text="未落格").last).to_contain_text("城南菜场东门")


def test_a_report_that_is_refused_keeps_what_was_written(open_page: Open, watch: Watch) -> None:
    watch.expected_status.add(400)
    page = open_page("/report", java_script_enabled=False)
    page.fill("[name=description]", "写了很多字")
    page.locator("summary", has_text="手工输入坐标").click()
    page.fill("[name=lon]", "不是数字")
    page.fill("[name=lat]", "41")
    page.locator(".tile input").first.check()
    page.click(".send button")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("[name=description]")).to_have_value("写了很多字")


def test_contact_is_revealed_with_a_reason_that_is_kept(open_page: Open) -> None:
    words = "路灯杆旁堆了垃圾丙"
    resident = open_page("/report")
    report(resident, words=words)
    chief = open_page("/start", who="zhangmin")
    find_case(chief, words)
    expect(chief.locator("main")).not_to_contain_text("13900001234")
    chief.locator("form[action$='/contact'] [name=reason]").fill("约时间上门")
    chief.locator("form[action$='/contact'] button").click()
    expect(chief.locator("main")).to_contain_text("13900001234")
    find_case(chief, words)
    expect(chief.locator("main")).not_to_contain_text("13900001234")
    expect(chief.locator(".history")).to_contain_text("查看联系方式")


def test_moving_the_pin_shows_the_new_chief_before_it_is_done(open_page: Open) -> None:
    words = "路灯杆旁堆了垃圾丁"
    report(open_page("/report"), words=words)
    dispatcher = open_page(who="zhaoxue", desk=True)
    find_case(dispatcher, words)
    dispatcher.get_by_role("button", name="移动点位").click()
    lon, lat = town.place_in(make_town(), "P08", 1)
    dispatcher.fill("[name=lon]", f"{lon:.7f}")
    dispatcher.fill("[name=lat]", f"{lat:.7f}")
    dispatcher.get_by_role("button", name="预览").click()
    expect(dispatcher.locator(".preview")).to_contain_text("08片区")
    expect(dispatcher.locator(".preview")).to_contain_text("周航")
    photograph(dispatcher, "journey-5-move")
    dispatcher.locator(".preview button").click()
    expect(dispatcher.locator("main")).to_contain_text("已办理: 移动点位")
    expect(dispatcher.locator("section[aria-labelledby=why-title]")).to_contain_text("08片区")
