"""The briefing: what is in its bytes and what never is, frozen months, figures derived again from the log."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest
from docx import Document
from PIL import Image
from sqlalchemy import update

from mapsvc.base.clock import FixedClock
from mapsvc.base.errors import Misconfigured
from mapsvc.base.settings import Settings
from mapsvc.cases.models import Case
from mapsvc.cases.rules.cuts import light_of
from mapsvc.insight.queries.figures import Question
from mapsvc.insight.queries.months import find_month
from mapsvc.insight.rules.windows import read_window
from mapsvc.insight.service.briefing.content import MapArea
from mapsvc.insight.service.briefing.fonts import find_font
from mapsvc.insight.service.briefing.picture import classes_of
from mapsvc.insight.service.verify import verify
from mapsvc.storage.work import Store
from mapsvc.web.parts import EXTENSION
from tests import town as towns
from tests.town import REPORTER_NAME, REPORTER_PHONE, Town

WORDS = "请找住在三单元的赵钱孙"


@pytest.fixture
def town(store: Store, store_settings: Settings, clock: FixedClock) -> Iterator[Town]:
    made = towns.build(store, store_settings, clock)
    yield made
    made.close()


@pytest.fixture
def busy(town: Town) -> Town:
    """November's cases, seen from the second of December."""
    for column in (0, 0, 1, 2, 3):
        town.report(column=column, description=WORDS, place_text=WORDS)
    refused = town.report(column=1, row=1)[0]
    town.report("chief_0", channel="staff", column=0)
    assert town.step(refused, "refuse", "duty_officer", reason="nothing there").status_code == 201
    town.clock.move_to(datetime(2026, 12, 2, 2, tzinfo=UTC))
    return town


def printed(town: Town, who: str, form: str, *, area: str = "", window: str = "2026-11") -> bytes:
    with town.client() as client:
        csrf = client.get("/insight", headers=town.headers(who)).get_data(as_text=True)
        assert csrf
        answer = client.post(
            "/insight/briefing", data={"form": form, "area": area, "window": window}, headers=town.headers(who)
        )
    assert answer.status_code == 200, answer.data[:400]
    assert "filename*=UTF-8''" in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.data


def everything_in(content: bytes) -> bytes:
    """Return the bytes of all parts of an Office file, or of a picture itself."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        return b"\n".join(parts.read(name) for name in parts.namelist())


@pytest.mark.parametrize("form", ["docx", "xlsx", "png"])
def test_nothing_of_a_reporter_is_in_the_bytes(busy: Town, form: str) -> None:
    for who, area in (("leader", ""), ("chief_0", "patch:P0")):
        found = everything_in(printed(busy, who, form, area=area))
        for secret in (REPORTER_NAME, REPORTER_PHONE, WORDS, "赵钱孙"):
            assert secret.encode() not in found, (who, secret)


def test_the_word_file_is_one_a4_page_of_real_styles_with_a_picture(busy: Town) -> None:
    document = Document(io.BytesIO(printed(busy, "leader", "docx")))
    section = document.sections[0]
    assert (round(section.page_width.mm), round(section.page_height.mm)) == (210, 297)
    text = "\n".join(paragraph.text for paragraph in document.paragraphs)
    assert "内部使用" in text
    assert "2026年11月共受理案件7件，其中已办结1件" in text
    assert [p.text for p in document.paragraphs if p.style.name == "Heading 1"][:2] == ["一、总体情况", "二、主要指标"]
    assert 'eastAsia="仿宋_GB2312"' in document.styles["Normal"].element.xml
    heads = [cell.text for cell in document.tables[0].rows[0].cells]
    assert heads == ["指标", "比率", "分子/分母", "95%置信区间", "计算公式"]
    assert len(document.inline_shapes) >= 1 or b"media/image1.png" in everything_in(printed(busy, "leader", "docx"))


def test_every_number_of_the_workbook_is_made_of_its_rows(busy: Town) -> None:
    content = printed(busy, "leader", "xlsx")
    formulas = openpyxl.load_workbook(io.BytesIO(content))
    values = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    assert formulas.sheetnames == ["通报", "分辖区", "案件明细", "数据口径"]
    rows = list(values["案件明细"].iter_rows(values_only=True))
    heads = rows[0]
    summary = {row[0].value: row for row in formulas["通报"].iter_rows(min_row=11) if row[0].value}
    cached = {row[0]: row for row in values["通报"].iter_rows(min_row=11, values_only=True) if row[0]}
    checked = 0
    for name, cells in summary.items():
        if name not in heads:
            continue
        column = [row[heads.index(name)] for row in rows[1:]]
        counted = [value for value in column if value is not None]
        assert cells[5].value.startswith("=SUM('案件明细'!"), name
        assert (cached[name][5], cached[name][6]) == (sum(counted), len(counted)), name
        checked += len(counted)
    assert checked > 10
    for name, count in (("办结", 1), ("未到期在办", 0), ("超期在办", 6)):
        assert sum(row[heads.index(name)] for row in rows[1:]) == count
    assert [values["通报"].cell(row, 3).value for row in range(5, 9)] == [7, 1, 0, 6]
    assert len(rows) - 1 == 7, "every case that any figure rests on, once"


def test_the_picture_is_a_picture(busy: Town) -> None:
    image = Image.open(io.BytesIO(printed(busy, "leader", "png")))
    assert image.size == (1080, 1560)
    assert not image.info, "nothing is noted in it but the picture"
    assert len(image.convert("RGB").getcolors(1_000_000) or ()) > 100


def test_who_may_print_what(busy: Town) -> None:
    def status(who: str, area: str) -> int:
        data = {"form": "xlsx", "area": area, "window": "2026-11"}
        return busy.client().post("/insight/briefing", data=data, headers=busy.headers(who)).status_code

    assert status("chief_0", "patch:P0") == 200
    assert status("chief_0", "patch:P1") == 404
    assert status("chief_0", "") == 404
    assert status("chief_0", "grid:G0000") == 200, "a grid within their patch"
    assert status("street", "patch:P0") == 200
    assert status("patrol", "patch:P0") == 403
    assert status("leader", "patch:NO") == 404
    assert status("", "patch:P0") in (401, 403)


def test_a_month_that_was_printed_keeps_its_figures_and_says_what_moved(busy: Town) -> None:
    printed(busy, "leader", "docx")
    case_uuid, answer = busy.report(column=0)
    assert answer.status_code == 201
    listed = busy.get("/api/v1/cases?status=received", "duty_officer").json["features"]
    late = next(case for case in listed if case["id"] != str(case_uuid))
    assert busy.step(late["id"], "refuse", "duty_officer", reason="gone").status_code == 201
    with busy.store.read() as work:
        frozen = find_month(work, "2026-11", None)
    assert frozen is not None
    assert (frozen.numbers.tally.received, frozen.numbers.tally.closed) == (7, 1)
    assert frozen.made_by == "leader"
    text = "\n".join(p.text for p in Document(io.BytesIO(printed(busy, "intake", "docx"))).paragraphs)
    assert "其中已办结1件" in text
    busy.app.extensions[EXTENSION].columns.current(fresh=True)
    page = busy.get("/insight?window=2026-11", "leader").get_data(as_text=True)
    assert "印发 1，现为 2" in page


def test_the_present_month_is_printed_and_not_frozen(busy: Town) -> None:
    printed(busy, "leader", "xlsx", window="2026-12")
    with busy.store.read() as work:
        assert find_month(work, "2026-12", None) is None


def test_figures_are_derived_from_the_log_and_a_row_changed_by_hand_is_found(busy: Town) -> None:
    printed(busy, "leader", "docx")
    window = read_window("2026-11", busy.clock.now(), busy.settings.timezone)
    light = light_of(busy.app.extensions[EXTENSION].rulebook.categories)
    question = Question(window.since, window.until, busy.clock.now().replace(microsecond=0), light)

    def check():
        columns = busy.app.extensions[EXTENSION].columns.current(fresh=True)
        with busy.store.read() as work:
            return verify(work, columns, question, window)

    assert check().agrees
    assert check().log.tally.received == 7
    with busy.store.write() as work:
        by_hand = {"state": "closed", "closed_at": busy.clock.now(), "outcome": "solved", "updated_at": work.now}
        work.session.execute(update(Case).where(Case.state == "received").values(**by_hand, version=Case.version + 1))
    found = check()
    assert not found.agrees
    assert {difference.name for difference in found.row_differences} >= {"closed"}
    assert not found.frozen_differences, "what was printed is still what the log said"


def test_a_machine_without_chinese_is_told_what_to_install(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="fonts-noto-cjk"):
        find_font(None, [tmp_path])
    with pytest.raises(Misconfigured, match="MAPSVC_FONT_FILE"):
        find_font(tmp_path / "none.ttf")
    (tmp_path / "fonts").mkdir()
    (tmp_path / "fonts" / "simhei.ttf").touch()
    assert find_font(None, [tmp_path]) == tmp_path / "fonts" / "simhei.ttf"
    assert replace(settings, font_file=tmp_path).font_file == tmp_path


def test_the_classes_of_a_map_hold_every_count() -> None:
    for most in (0, 1, 4, 5, 6, 19, 25, 76, 101, 4663):
        area = MapArea(None, "", most)  # type: ignore[arg-type]  # only the count is looked at
        classes = classes_of([area])
        assert len(classes) == 6
        assert classes[-1][0] is None
        assert most == 0 or int(classes[-1][2].split("–")[-1]) >= most
