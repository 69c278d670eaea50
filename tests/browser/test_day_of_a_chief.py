"""A day of 片区长 张敏 on the phone: script A, with undo, and with the bad minutes of a street corner."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from mapsvc.base.clock import FixedClock
from mapsvc.base.settings import Settings, load_settings
from mapsvc.demo.pictures import draw_street

from . import chief_day, town
from .conftest import Open, Site, Watch, log_in, photograph, serve, settle

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of the morning, never served itself."""
    folder = tmp_path_factory.mktemp("chief")
    chief_day.build(_settings(folder))
    return folder


def _settings(folder: Path) -> Settings:
    return load_settings(
        {
            "MAPSVC_DATA_DIR": str(folder),
            "MAPSVC_CAPTION": "虚构城区示意图",
            "MAPSVC_DISPLAY_NAME": "青禾区网格地图",
        }
    )


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(chief_day.MORNING.astimezone(UTC))


@pytest.fixture
def morning(built: Path, tmp_path: Path, clock: FixedClock) -> Iterator[Site]:
    """A morning of one's own: each test changes it."""
    folder = tmp_path / "data"
    shutil.copytree(built, folder)
    yield from serve(_settings(folder), clock)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "after.jpg"
    path.write_bytes(draw_street(5, mended=True))
    return path


def count(page: Page, text: str) -> int:
    """Return the number on the tile or chip of this name; 0 where it is not shown."""
    found = page.locator(".tiles a, .chips a").filter(has_text=re.compile(rf"(^|\s|\d){text}(\s|\d|$)"))
    return int(found.first.locator(".number").inner_text()) if found.count() else 0


def counts(page: Page) -> tuple[int, int, int, int]:
    """Return 待签收, 今日到期, 超期, 移交给我."""
    numbers = page.locator(".tiles .number").all_inner_texts()
    assert len(numbers) == 4
    return tuple(int(number) for number in numbers)  # type: ignore[return-value]  # four of them


def test_the_morning_in_one_go(morning: Site, open_page: Open, clock: FixedClock) -> None:
    page = open_page("/patch/P07", who="zhangmin", at=morning)
    # 1: the numbers of the day, the most urgent first, the patch on its map.
    expect(page.locator("h1")).to_have_text("07片区 · 片区长 张敏")
    assert counts(page) == (2, 3, 1, 1)
    expect(page.locator(".task").first).to_contain_text("超期14小时")
    expect(page.locator(".task").first).to_contain_text("惠民路12号院门口")
    settle(page)
    photograph(page, "chief-1-morning-phone-zh")

    # 2: sign for the first; it moves to 处置中 with its time, and its deadline stands.
    page.locator(".tiles a", has_text="待签收").click()
    page.wait_for_url("**/patch/P07?show=to_sign")
    waiting = page.locator("section#list .tasks").first
    expect(waiting.locator(".task")).to_have_count(2)
    first = waiting.locator(".task").first
    expect(first).to_contain_text("道路不洁")
    due = first.locator(".due").inner_text()
    first.get_by_role("button", name=re.compile("签收")).click()
    expect(page.locator("form.undo")).to_contain_text("已办理: 签收")
    assert counts(page)[0] == 1
    moved = page.locator("section#list .tasks").last.locator(".task", has_text="道路不洁")
    expect(moved).to_contain_text("处置中 08:05")
    expect(moved.locator(".due")).to_have_text(due)
    photograph(page, "chief-2-signed-phone-zh")

    # 3: the late one, whole.
    page.goto("/patch/P07?show=overdue")
    page.locator(".task").first.locator("a.task-what").click()
    main = page.locator("main")
    expect(main).to_contain_text("处置中")
    expect(page.locator(".photos li").first).to_contain_text("远景")
    expect(page.locator(".photos li").nth(1)).to_contain_text("近景")
    expect(main).to_contain_text("惠民路12号院门口")
    expect(main).to_contain_text("11月24日 周二 14:00 起, 4工作时 → 11月24日 周二 18:00")
    expect(main).to_contain_text("周二 11月24日 4 小时")
    why = page.locator("section[aria-labelledby=why-title]")
    expect(why).to_contain_text(re.compile(r"界线第\d+版次"))
    expect(why).to_contain_text("点位在界内")
    photograph(page, "chief-3-late-phone-zh")

    # 4: dispatch to the unit that the duty table proposes, with its reason.
    page.locator("details.step > summary", has_text="派给责任单位").click()
    proposed = page.locator(".proposed")
    expect(proposed).to_contain_text("东北环卫所")
    expect(proposed).to_contain_text("类别“暴露垃圾”")
    expect(proposed).to_contain_text("街道")
    photograph(page, "chief-4-proposal-phone-zh")
    proposed.get_by_role("button", name="派给 东北环卫所").click()
    expect(main).to_contain_text("已派遣")
    expect(page.locator("a.dial[href='tel:000-0001-0001']")).to_be_visible()
    photograph(page, "chief-4-dispatched-phone-zh")

    # 5: the case on the border: who has how much of it, which side; still mine until the other accepts.
    page.goto("/patch/P07")
    page.get_by_role("navigation", name="操作").get_by_role("button", name=re.compile("移交")).click()
    page.wait_for_url("**/patch/P07?show=side#list")
    edge = page.locator(".task")
    expect(edge).to_have_count(1)
    question = edge.locator("fieldset")
    expect(question).to_contain_text("07片区 61 %")
    expect(question).to_contain_text("08片区 39 %")
    expect(question).to_contain_text(re.compile("路[东南西北] · 08片区"))
    photograph(page, "chief-5-side-phone-zh")
    question.locator("label", has_text="08片区").locator("input").check()
    edge.get_by_role("button", name="移交").click()
    expect(page.locator("form.undo")).to_contain_text("移交")
    page.goto("/patch/P07?show=open")
    offered = page.locator(".task", has_text="两片区交界的路面上")
    expect(offered).to_contain_text("待周航接收")
    photograph(page, "chief-5-awaits-phone-zh")
    other = open_page("/patch/P08?show=handed", who="zhouhang", at=morning)
    other.locator(".task", has_text="两片区交界的路面上").get_by_role("button", name=re.compile("接收移交")).click()
    expect(other.locator("form.undo")).to_be_visible()
    page.reload()
    expect(page.locator(".task", has_text="两片区交界的路面上")).to_have_count(0)


def test_the_afternoon_leads_from_a_rate_to_exactly_its_cases(
    built: Path, tmp_path: Path, clock: FixedClock, open_page: Open
) -> None:
    # 9: the same address at the desk; the rate of the day, and the 42 findings behind it, 32 of them marked.
    folder = tmp_path / "afternoon"
    shutil.copytree(built, folder)
    chief_day.walk(_settings(folder))
    clock.move_to(chief_day.AFTERNOON.astimezone(UTC))
    serving = serve(_settings(folder), clock)
    page = open_page("/patch/P07", who="zhangmin", at=next(serving), desk=True)
    rate = page.locator(".rates > div", has_text="即查即改率")
    expect(rate).to_contain_text("76.2 %")
    expect(rate).to_contain_text("61.5 % – 86.5 %")
    expect(page.get_by_role("link", name="本辖区通报")).to_be_visible()
    photograph(page, "chief-9-rates-desk-zh")
    rate.get_by_role("link", name="n = 42").click()
    expect(page.locator("tbody tr")).to_have_count(chief_day.FOUND)
    expect(page.locator("tbody tr .counts-in")).to_have_count(chief_day.FIXED)
    photograph(page, "chief-9-list-desk-zh", whole=False)
    page.go_back()
    page.get_by_role("link", name="本辖区统计").click()
    expect(page.locator("main")).to_contain_text("07片区")
    settle(page)  # the map of the figures has what it asked for before the server goes
    next(serving, None)


def test_what_a_chief_may_not_mend_goes_to_the_street(morning: Site, open_page: Open, clock: FixedClock) -> None:
    # 10: 私搭乱建 offers no mending on the spot, but the whistle; and then the day is over.
    clock.move_to(chief_day.MORNING.replace(hour=17, minute=30).astimezone(UTC))
    page = open_page("/patch/P07?show=elsewhere", who="zhangmin", at=morning)
    page.locator(".task", has_text="私搭乱建").locator("a.task-what").click()
    steps = page.locator("section.steps")
    expect(steps).not_to_contain_text("当场已改")
    expect(steps).not_to_contain_text("签收")
    page.locator("details.step > summary", has_text="提请街道吹哨").click()
    page.get_by_role("button", name="需执法部门到场").click()
    expect(page.locator("main .note.warn").first).to_contain_text("待街道批准")
    photograph(page, "chief-10-whistle-phone-zh")
    page.goto("/patch/P07")
    assert count(page, "待街道批准") == 1
    page.locator(".menu > summary").click()
    page.get_by_role("button", name="退出").click()
    expect(page.locator("main")).to_contain_text("本机无未上传内容")
    photograph(page, "chief-10-out-phone-zh")


def test_a_slip_is_taken_back_and_only_for_two_minutes(morning: Site, open_page: Open, clock: FixedClock) -> None:
    page = open_page("/patch/P07?show=to_sign", who="zhangmin", at=morning)
    before = page.locator(".task").first.inner_text()
    page.locator(".task").first.get_by_role("button", name=re.compile("签收")).click()
    expect(page.locator("form.undo")).to_be_visible()
    page.locator("form.undo button").click()
    expect(page.get_by_role("status").first).to_contain_text("已撤销")
    assert counts(page) == (2, 3, 1, 1)
    assert page.locator(".task").first.inner_text() == before
    page.locator(".task").first.get_by_role("button", name=re.compile("签收")).click()
    expect(page.locator("form.undo")).to_be_visible()
    page.wait_for_load_state()  # its forms go by script from here on
    clock.move_to(clock.now() + timedelta(minutes=3))
    page.locator("form.undo button").click()
    expect(page.locator("form.undo [role=alert]")).to_contain_text("超过两分钟")
    assert counts(page)[0] == 1


@pytest.fixture(autouse=True)
def _refusals(watch: Watch) -> None:
    """What the tests below provoke: a refusal in time, a session that ended."""
    watch.expected_status.update({401, 403, 409})


def test_a_photo_is_all_it_takes_to_report_a_case_as_done(morning: Site, open_page: Open, picture: Path) -> None:
    page = open_page("/patch/P07?show=fix", who="zhangmin", at=morning)
    expect(page.locator(".task")).to_have_count(3)
    page.locator(".task").first.locator("input[type=file]").set_input_files(picture)
    expect(page.locator("form.undo")).to_contain_text("处置反馈")
    expect(page.locator(".task")).to_have_count(2)
    assert counts(page)[2] == 0


def test_a_double_tap_signs_once(morning: Site, open_page: Open) -> None:
    page = open_page("/patch/P07?show=to_sign", who="zhangmin", at=morning)
    href = page.locator(".task a.task-what").first.get_attribute("href")
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    page.locator(".task").first.get_by_role("button", name=re.compile("签收")).dblclick()
    expect(page.locator("form.undo")).to_be_visible()
    assert len(posts) == 1
    page.goto(str(href))
    expect(page.locator(".history li", has_text="签收")).to_have_count(1)


def test_a_lost_connection_keeps_the_words_and_sends_them_when_it_is_back(
    morning: Site, open_page: Open, watch: Watch
) -> None:
    page = open_page("/patch/P07?show=open", who="zhangmin", at=morning)
    page.locator(".task", has_text="柳林胡同3号楼前").locator("a.task-what").click()
    page.locator("details.step > summary", has_text="退回").click()
    step = page.locator("details.step[open]")
    step.locator("textarea").fill("这是三号楼物业的地方")
    page.context.set_offline(True)
    step.locator("form", has=page.locator("textarea")).get_by_role("button").first.click()
    expect(step.locator(".sending")).to_contain_text("没有网络")
    expect(step.locator("textarea")).to_have_value("这是三号楼物业的地方")
    photograph(page, "chief-offline-phone-zh", whole=False)
    page.context.set_offline(False)
    expect(page.locator(".history")).to_contain_text("这是三号楼物业的地方")
    watch.problems.clear()  # the browser itself complains on the console about the lost network


def test_words_survive_a_closed_page_and_never_reach_somebody_else(morning: Site, open_page: Open) -> None:
    page = open_page("/patch/P07?show=open", who="zhangmin", at=morning)
    page.locator(".task", has_text="柳林胡同3号楼前").locator("a.task-what").click()
    address = page.url
    page.locator("details.step > summary", has_text="退回").click()
    page.locator("details.step[open] textarea").fill("写到一半")
    page.goto("/patch/P07")
    page.goto(address)
    expect(page.locator("details.step[open] textarea")).to_have_value("写到一半")
    expect(page.locator("details.step[open] .sending")).to_contain_text("上次没有提交")
    page.locator(".menu > summary").click()
    page.get_by_role("button", name="退出").click()
    expect(page.locator("main")).to_contain_text("本机还有 1 份没有提交的内容")
    log_in(page, "zhaoxue")
    page.goto(address)
    assert page.get_by_text("写到一半").count() == 0
    assert all(value == "" for value in page.locator("textarea").evaluate_all("all => all.map((one) => one.value)"))


def test_a_session_that_ended_asks_for_the_log_in_and_then_sends(morning: Site, open_page: Open, picture: Path) -> None:
    page = open_page("/patch/P07?show=fix", who="zhangmin", at=morning)
    page.context.clear_cookies()
    page.locator(".task").first.locator("input[type=file]").set_input_files(picture)
    asked = page.locator(".relogin")
    expect(asked).to_contain_text("填写的内容和照片都还在")
    photograph(page, "chief-session-ended-phone-zh", whole=False)
    asked.locator("input").first.fill("zhangmin")
    asked.locator("input[type=password]").fill(town.PASSWORD)
    asked.get_by_role("button").click()
    expect(page.locator("form.undo")).to_contain_text("处置反馈")
    expect(page.locator(".task")).to_have_count(2)


def test_what_one_wrote_is_not_sent_by_the_next_who_logs_in(morning: Site, open_page: Open) -> None:
    page = open_page("/patch/P07?show=to_sign", who="zhangmin", at=morning)
    page.context.clear_cookies()
    page.locator(".task").first.get_by_role("button", name=re.compile("签收")).click()
    asked = page.locator(".relogin")
    asked.locator("input").first.fill("zhouhang")
    asked.locator("input[type=password]").fill(town.PASSWORD)
    asked.get_by_role("button").click()
    expect(page.locator(".tools")).to_contain_text("周航", use_inner_text=False)
    again = open_page("/patch/P07", who="zhangmin", at=morning)
    assert counts(again) == (2, 3, 1, 1)


def test_without_script_the_words_go_through_the_log_in(morning: Site, open_page: Open) -> None:
    page = open_page("/patch/P07?show=open", who="zhangmin", at=morning, java_script_enabled=False)
    page.locator(".task", has_text="柳林胡同3号楼前").locator("a.task-what").click()
    page.locator("details.step > summary", has_text="退回").click()
    step = page.locator("details.step[open]")
    step.locator("textarea").fill("没有脚本也不丢")
    page.context.clear_cookies()
    step.locator("form", has=page.locator("textarea")).get_by_role("button").click()
    expect(page.locator("main")).to_contain_text("内容没有丢")
    page.fill("form.login-form [name=name]", "zhangmin")
    page.fill("form.login-form [name=password]", town.PASSWORD)
    page.locator("form.login-form button").click()
    expect(page.locator("textarea[name=reason]")).to_have_value("没有脚本也不丢")
    page.get_by_role("button", name="提交").click()
    expect(page.locator(".history")).to_contain_text("没有脚本也不丢")
