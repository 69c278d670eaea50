"""A resident's day on a phone inside WeChat, by a real browser: from the board's code to the second "not solved"."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path

import pytest
import shapely
from PIL import Image
from playwright.sync_api import Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from mapsvc.cases.models import Case, Deadline, Photo
from mapsvc.demo.town import make_town
from mapsvc.storage.engine import make_engine
from mapsvc.storage.files import LocalFiles
from mapsvc.storage.outbox import OutboxRow

from . import town
from .conftest import Open, Site, Watch, photograph, settle
from .test_journey import find_case, open_step, send_step, step

pytestmark = pytest.mark.browser

WECHAT = (
    "Mozilla/5.0 (Linux; Android 12; P40) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/86.0.4240.99 "
    "XWEB/4313 MMWEBSDK/20220709 Mobile Safari/537.36 MicroMessenger/8.0.25.2200(0x28001953) WeChat/arm64 Weixin"
)
NO_WORKER = "delete Navigator.prototype.serviceWorker"
"""As in a web view: no service worker, whatever the address."""

GRID = town.GRID
LOSE_FIRST_ANSWER = """() => {
  const real = window.fetch;
  let first = true;
  window.fetch = async (url, options) => {
    const answer = await real(url, options);
    if (options?.method === "POST" && first) { first = false; throw new TypeError("the answer was lost"); }
    return answer;
  };
}"""


@pytest.fixture
def pictures(tmp_path: Path) -> tuple[Path, Path]:
    """A small photo with its place inside, and one of 40 MB that was taken with the phone on its side."""
    small, large = tmp_path / "near.jpg", tmp_path / "far.jpg"
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (41.0, 55.0, 1.0), 3: "E", 4: (123.0, 3.0, 1.0)})
    Image.new("RGB", (800, 600), (120, 140, 90)).save(small, "JPEG", exif=exif)
    sideways = Image.Exif()
    sideways[0x0112] = 6  # to be turned by a quarter before it is shown
    noise = Image.frombytes("RGB", (4200, 3000), os.urandom(4200 * 3000 * 3))
    out = io.BytesIO()
    noise.save(out, "JPEG", quality=100, subsampling=0, exif=sideways)
    body = out.getvalue()
    # What cameras append (a second view, a short film) makes them heavy; readers stop at the end of the picture.
    large.write_bytes(body + bytes(max(0, 40 * 1024 * 1024 - len(body))))
    return small, large


@pytest.fixture
def resident(open_page: Open) -> Page:
    """A phone without an account and without a position."""
    page = open_page("/track", user_agent=WECHAT, permissions=[])
    page.add_init_script(NO_WORKER)
    return page


def tap_map(page: Page, right: float = 0.5, down: float = 0.5) -> None:
    """Tap a place on the map, and wait until the page knows who will get it."""
    settle(page)
    frame = page.locator(".folium-map")
    box = frame.bounding_box()
    assert box is not None
    with page.expect_response(re.compile("/report/preview")):
        frame.click(position={"x": box["width"] * right, "y": box["height"] * down})


def stored(site: Site, words: str) -> tuple[Case, list[Photo]]:
    """Return the one case with these words and its photos, from the store itself."""
    engine = make_engine(site.settings.store_url)
    with Session(engine) as session:
        case = session.scalars(select(Case).where(Case.description == words)).one()
        photos = list(session.scalars(select(Photo).where(Photo.case_id == case.id)))
        session.expunge_all()
    engine.dispose()
    return case, photos


def clocks(site: Site, case: Case) -> int:
    """Return how many total clocks a case has had."""
    engine = make_engine(site.settings.store_url)
    with Session(engine) as session:
        statement = select(Deadline.id).where(Deadline.case_id == case.id, Deadline.clock == "total")
        found = len(session.scalars(statement).all())
    engine.dispose()
    return found


def times_told(site: Site, words: str) -> int:
    """Return how often the outbox tells that the case with these words lies with somebody."""
    case, _ = stored(site, words)
    engine = make_engine(site.settings.store_url)
    with Session(engine) as session:
        rows = session.scalars(select(OutboxRow).where(OutboxRow.kind == "case_assigned"))
        found = sum(row.payload["case_id"] == case.id for row in rows)
    engine.dispose()
    return found


def handled(open_page: Open, words: str, picture: Path, *, first: bool) -> None:
    """Let the office, the chief, the patrol and the duty officer do their work until the case is closed."""
    if first:
        intake = open_page(who="hefang", desk=True)
        find_case(intake, words)
        open_step(intake, "立案")
        intake.locator("[name=condition]").first.check()
        send_step(intake)
    chief = open_page("/start", who="zhangmin")
    find_case(chief, words)
    step(chief, "签收")
    open_step(chief, "办结")
    chief.set_input_files("details.step[open] [name=photos]", picture)
    send_step(chief)
    expect(chief.locator("main")).to_contain_text("待核查")
    patrol = open_page(who="wanglei")
    find_case(patrol, words)
    step(patrol, "核查通过")
    duty = open_page(who="chenlan", desk=True)
    find_case(duty, words)
    step(duty, "结案")
    expect(duty.locator("main")).to_contain_text("已结案")


def not_solved(page: Page, fact: str) -> None:
    """Say that it is not solved, with what is new."""
    page.fill("[name=reason]", fact)
    page.get_by_role("button", name="没有解决, 请重办").click()
    expect(page.get_by_role("status").first).to_contain_text("已转回重办")


def test_a_residents_day(
    open_page: Open, site: Site, resident: Page, watch: Watch, pictures: tuple[Path, Path]
) -> None:
    page, words = resident, "桥头花坛边堆了三袋装修垃圾"

    # 1 and 2: the code on the board, the emergency line, six tiles in plain words.
    page.goto(f"/report?area=grid:{GRID}")
    assert page.evaluate("'serviceWorker' in navigator") is False
    expect(page.locator("main > :first-child")).to_contain_text("紧急情况请拨打 110 / 119 / 120")
    assert page.locator(".tile span").all_inner_texts() == [
        "垃圾", "路面井盖", "乱停占道", "噪音油烟", "小区物业", "其他"
    ]  # fmt: skip
    photograph(page, "resident-1-report")

    # 3: the position is refused; the map stands on the board's grid, and a tap marks the place.
    page.get_by_role("button", name="用我现在的位置").click()
    expect(page.locator("[data-place-line]")).to_contain_text("没有允许定位")
    expect(page.locator("form")).to_contain_text("您扫的是")
    assert page.locator(".pane-areas").count() == 0, "no administrative border without a review number"
    tap_map(page)
    expect(page.locator("[data-place-line]")).to_contain_text("已标出位置")
    lon, lat = float(page.input_value("[name=lon]")), float(page.input_value("[name=lat]"))
    grid = next(one for one in make_town().at("grid") if one.code == GRID)
    assert grid.border.distance(shapely.Point(lon, lat)) < 0.001

    # 6: an open case of the same kind, some 40 m off, since yesterday: offered, and declined.
    neighbour = open_page("/report", user_agent=WECHAT)
    send_first(neighbour, lon, lat + 40 / 111_000, "邻居先反映的垃圾")
    page.locator(".tile", has_text="垃圾").first.click()
    expect(page.locator("div[data-nearby]")).to_contain_text("我也遇到")
    expect(page.locator("div[data-nearby]")).to_contain_text("约 40 米, 今天")
    expect(page.locator("div[data-nearby]")).not_to_contain_text("邻居")
    expect(page.get_by_label("不是同一个问题")).to_be_checked()

    # 4: two photos, one of 40 MB: smaller before they are sent, upright.
    page.set_input_files("[name=photos]", [*pictures])
    expect(page.locator("[data-photo-line]")).to_contain_text("已选 2 张照片", timeout=60_000)

    # 5: who gets it, and what the public sees.
    expect(page.locator("div[data-preview]")).to_contain_text("将分派给 07片区")
    expect(page.locator("div[data-preview]")).to_contain_text("张敏")  # whose name is posted up (公示) in this town
    page.fill("[name=description]", words)
    page.fill("[name=contact_phone]", "13900001234")
    expect(page.locator("[data-public]")).to_contain_text("电话、说明文字不公开")
    photograph(page, "resident-2-filled")

    # 7: a double tap, and the first answer is lost: one case, and its code.
    page.evaluate(LOSE_FIRST_ANSWER)
    page.evaluate("() => { const button = document.querySelector('.send button'); button.click(); button.click(); }")
    expect(page.locator("#problem")).to_contain_text("已存在这部手机上", timeout=60_000)
    page.click(".send button")
    page.wait_for_url(re.compile("/track/"), timeout=60_000)
    code = page.locator("[data-code]").inner_text().strip()
    expect(page.locator("img.qr")).to_be_visible()
    assert page.locator("img.qr").evaluate("image => image.naturalWidth") > 0
    page.get_by_role("button", name="复制查询地址").click()
    expect(page.locator("[data-copied]")).to_contain_text(re.compile("已复制|长按"))
    photograph(page, "resident-3-thanks")
    _, photos = stored(site, words)
    assert len(photos) == 2
    upright = next(photo for photo in photos if photo.width < photo.height)
    assert upright.height <= 2560
    files = LocalFiles(site.settings.data_dir / "photos")
    for photo in photos:
        with Image.open(io.BytesIO(files.read(photo.stored_sha256))) as image:
            assert not image.getexif(), "stored photos say neither place nor camera"

    # 8: the page of the report.
    handled(open_page, words, pictures[0], first=True)
    page.goto(f"/track/{code}")
    for secret in ("张敏", "王磊", "陈岚", "13900001234", "立案条件"):
        expect(page.locator("main")).not_to_contain_text(secret)

    # 9: closed, with the photo taken afterwards; not solved: opened again with a new clock.
    expect(page.locator("h2").first).to_contain_text("已办结")
    expect(page.locator("ul.photos img")).to_have_count(1)
    expect(page.locator("main")).to_contain_text("问题解决了吗?")
    photograph(page, "resident-4-closed")
    told, ticking = times_told(site, words), clocks(site, stored(site, words)[0])
    not_solved(page, "今天早上又堆了两袋")
    again, _ = stored(site, words)
    assert (again.reworks, again.state) == (1, "assigned")
    assert clocks(site, again) == ticking + 1, "a new clock runs"
    assert times_told(site, words) == told + 1, "the chief is told"
    expect(page.locator("h2").first).to_contain_text("已转回重办")
    expect(page.locator("main")).to_contain_text("预计办结")

    # 10: the second time it goes one level up, still in plain words.
    handled(open_page, words, pictures[0], first=False)
    page.goto(f"/track/{code}")
    not_solved(page, "第三天了, 还在")
    expect(page.locator("h2").first).to_contain_text("已转上一级办理")
    expect(page.locator("main")).to_contain_text("社区")
    expect(page.locator("main")).not_to_contain_text("提级次序")
    photograph(page, "resident-5-raised")
    assert stored(site, words)[0].reworks == 2


def send_first(page: Page, lon: float, lat: float, words: str) -> None:
    """Send a report at a place by its coordinates."""
    page.locator("summary", has_text="手工输入坐标").click()
    page.fill("[name=lon]", f"{lon:.7f}")
    page.fill("[name=lat]", f"{lat:.7f}")
    page.locator("[name=lat]").dispatch_event("change")
    page.locator(".tile", has_text="垃圾").first.click()
    page.fill("[name=description]", words)
    page.click(".send button")
    page.wait_for_url(re.compile("/track/"))


def test_one_who_met_it_too_joins_and_follows(open_page: Open, site: Site) -> None:
    lon, lat = town.place_in(make_town(), "P13", 2)
    first = open_page("/report", user_agent=WECHAT)
    send_first(first, lon, lat, "变电箱旁的垃圾")
    page = open_page(f"/report?lon={lon}&lat={lat}", user_agent=WECHAT)
    page.locator(".tile", has_text="垃圾").first.click()
    page.get_by_label("我也遇到").first.check()
    page.fill("[name=description]", "我也看到了这堆")
    photograph(page, "resident-6-me-too")
    page.click(".send button")
    page.wait_for_url(re.compile("/track/"))
    expect(page.locator("main")).to_contain_text("已并入")
    expect(page.locator("main")).not_to_contain_text("变电箱")
    office = open_page("/cases?text=变电箱旁的垃圾", who="zhaoxue", desk=True)
    office.locator("a[href^='/cases/2']:visible").first.click()
    expect(office.locator(".history")).to_contain_text("我也遇到")
    expect(office.locator(".history")).to_contain_text("我也看到了这堆")
    again = open_page("/cases?text=我也看到了这堆", who="zhaoxue", desk=True)
    assert again.locator("tbody tr").count() == 0, "it is no case of its own"
