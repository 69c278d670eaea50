"""The briefing as a workbook: every figure is a formula over the rows of its cases, which have a sheet of their own."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from mapsvc.cases.queries.lines import CaseLine
from mapsvc.cases.rules.rulebook import Rulebook
from mapsvc.cases.rules.workflow import OUTCOME_NAMES, STATE_NAMES
from mapsvc.insight.rules.rates import FORMULAS, TALLY_PARTS
from mapsvc.insight.service.briefing.content import NOTES, Briefing, CaseTable, interval_text

TALLY_NAMES = {"closed": "办结", "in_time": "未到期在办", "overdue": "超期在办"}
CHANNELS = {
    "public": "公众上报", "staff": "工作人员上报", "patrol": "巡查发现", "hotline": "12345 热线", "open311": "Open311",
    "api": "系统对接", "import": "批量导入",
}  # fmt: skip
LINE_HEADS = (
    ("案件编号", 20), ("来源编号", 16), ("问题类别", 18), ("来源", 12), ("责任辖区", 14), ("状态", 9), ("结果", 10),
    ("受理时间", 17), ("处置时限", 17), ("办结时间", 17), ("返工次数", 9),
)  # fmt: skip
SUMMARY, CASES, PARTS, ABOUT = "通报", "案件明细", "分辖区", "数据口径"


def write_xlsx(briefing: Briefing, table: CaseTable, book: Rulebook, timezone: ZoneInfo) -> bytes:
    """Return the bytes of the workbook. Nothing in it is taken from a reporter or from free text."""
    out = io.BytesIO()
    workbook = xlsxwriter.Workbook(out, {"in_memory": True, "default_date_format": "yyyy-mm-dd hh:mm"})
    workbook.set_properties({"title": briefing.title, "author": briefing.office, "comments": briefing.marking})
    lined: dict[str, Any] = {"border": 1, "valign": "vcenter"}
    styles = {
        "title": workbook.add_format({"bold": True, "font_size": 16, "font_name": "黑体"}),
        "head": workbook.add_format(
            {"bold": True, "bg_color": "#E4EDF7", "border": 1, "text_wrap": True, "valign": "vcenter"}
        ),
        "cell": workbook.add_format(lined),
        "wrap": workbook.add_format({**lined, "text_wrap": True}),
        "share": workbook.add_format({**lined, "num_format": "0.0%"}),
        "time": workbook.add_format({**lined, "num_format": "yyyy-mm-dd hh:mm"}),
    }
    sheets = {name: workbook.add_worksheet(name) for name in (SUMMARY, PARTS, CASES, ABOUT)}
    columns = _cases(sheets[CASES], styles, table, book, timezone)
    _summary(sheets[SUMMARY], styles, briefing, columns, len(table.lines))
    _parts(sheets[PARTS], styles, briefing)
    _about(sheets[ABOUT], styles)
    workbook.close()
    return out.getvalue()


def _cases(sheet: Any, styles: dict[str, Any], table: CaseTable, book: Rulebook, timezone: ZoneInfo) -> dict[str, str]:
    """Write the cases; return the letter of the column of each figure."""
    heads = [head for head, _ in LINE_HEADS] + [_name(name) for name in table.columns]
    for at, head in enumerate(heads):
        sheet.write(0, at, head, styles["head"])
        sheet.set_column(at, at, LINE_HEADS[at][1] if at < len(LINE_HEADS) else 8)
    sheet.set_row(0, 48)
    sheet.freeze_panes(1, 1)
    for row, line in enumerate(table.lines, start=1):
        for at, value in enumerate(_values(line, book)):
            sheet.write_string(row, at, value, styles["cell"])
        for at, moment in enumerate((line.received_at, line.due_at, line.closed_at), start=7):
            _write_time(sheet, row, at, moment, timezone, styles)
        sheet.write_number(row, 10, line.reworks, styles["cell"])
    for number, values in enumerate(table.columns.values(), start=len(LINE_HEADS)):
        for row, counts in enumerate(values, start=1):
            if counts is not None:
                sheet.write_number(row, number, counts, styles["cell"])
    sheet.autofilter(0, 0, max(len(table.lines), 1), len(heads) - 1)
    return {name: xl_col_to_name(len(LINE_HEADS) + at) for at, name in enumerate(table.columns)}


def _values(line: CaseLine, book: Rulebook) -> tuple[str, ...]:
    category = book.categories.find(line.category)
    return (
        line.number,
        line.source_number,
        category.zh if category else line.category,
        CHANNELS.get(line.channel, line.channel),
        line.area_name or line.area_code or "未落格",
        STATE_NAMES[line.state][0],
        OUTCOME_NAMES[line.outcome][0] if line.outcome else "",
    )


def _write_time(
    sheet: Any, row: int, at: int, moment: datetime | None, timezone: ZoneInfo, styles: dict[str, Any]
) -> None:
    if moment is None:
        sheet.write_blank(row, at, None, styles["cell"])
    else:
        sheet.write_datetime(row, at, moment.astimezone(timezone).replace(tzinfo=None), styles["time"])


def _name(name: str) -> str:
    return TALLY_NAMES.get(name) or FORMULAS[name].zh


def _summary(sheet: Any, styles: dict[str, Any], briefing: Briefing, columns: dict[str, str], rows: int) -> None:
    """Write the figures: printed ones as numbers, those of the rows as formulas over the sheet of cases."""
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 7, 14)
    sheet.set_column(8, 8, 60)
    sheet.write(0, 0, briefing.title, styles["title"])
    frozen = "，本月数字已于首次印发时固定" if briefing.frozen else ""
    window = f"统计期 {briefing.window.first} 至 {briefing.window.last}"
    sheet.write(1, 0, f"{briefing.marking}　{window}　截至 {briefing.as_of_text}{frozen}")
    last = max(rows, 1) + 1
    sheet.write_row(3, 0, ["受理与办理", "印发数", "按明细重算"], styles["head"])
    received = f"COUNT('{CASES}'!{columns['closed']}2:{columns['closed']}{last})"
    tally, now = briefing.tally, briefing.now.tally
    sheet.write(4, 0, "受理", styles["cell"])
    sheet.write(4, 1, tally.received, styles["cell"])
    sheet.write_formula(4, 2, f"={received}", styles["cell"], now.received)
    for row, part in enumerate(TALLY_PARTS, start=5):
        cells = f"'{CASES}'!{columns[part]}2:{columns[part]}{last}"
        sheet.write(row, 0, TALLY_NAMES[part], styles["cell"])
        sheet.write(row, 1, getattr(tally, part), styles["cell"])
        sheet.write_formula(row, 2, f"=SUM({cells})", styles["cell"], getattr(now, part))
    heads = ["指标", "印发分子", "印发分母", "印发比率", "95%置信区间", "重算分子", "重算分母", "重算比率", "计算公式"]
    sheet.write_row(9, 0, heads, styles["head"])
    sheet.freeze_panes(10, 1)
    for row, rate in enumerate(briefing.rates.values(), start=10):
        k, n = briefing.now.counts.get(rate.name, (0, 0))
        cells = f"'{CASES}'!{columns[rate.name]}2:{columns[rate.name]}{last}"
        at = row + 1
        sheet.set_row(row, 48)
        sheet.write(row, 0, rate.formula.zh, styles["cell"])
        sheet.write(row, 1, rate.numerator, styles["cell"])
        sheet.write(row, 2, rate.n, styles["cell"])
        none = NOTES[rate.standing] if rate.share is None else ""
        share = rate.share if rate.share is not None else none
        sheet.write_formula(row, 3, f'=IF(C{at}=0,"{none or "—"}",B{at}/C{at})', styles["share"], share)
        few = f"（{NOTES['few']}）" if rate.standing == "few" else ""
        sheet.write(row, 4, f"{interval_text(rate)}{few}", styles["wrap"])
        sheet.write_formula(row, 5, f"=SUM({cells})", styles["cell"], k)
        sheet.write_formula(row, 6, f"=COUNT({cells})", styles["cell"], n)
        sheet.write_formula(row, 7, f'=IF(G{at}=0,"—",F{at}/G{at})', styles["share"], k / n if n else "—")
        sheet.write(row, 8, rate.formula.formula_zh, styles["wrap"])
    row = 11 + len(briefing.rates)
    sheet.write(row, 0, "明细表每个指标一列：1=计入分子，0=只在分母，空=不在本指标内。分子=求和，分母=计数。")
    sheet.write(row + 1, 0, "不含反映人姓名、电话和描述文字。办结占受理不是整改率。")
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def _parts(sheet: Any, styles: dict[str, Any], briefing: Briefing) -> None:
    sheet.set_column(0, 1, 18)
    sheet.set_column(2, 6, 14)
    sheet.write_row(
        0,
        0,
        ["编码", briefing.level_name or "辖区", "受理", "按期结案", "应结案", "按期结案率", "95%置信区间", "说明"],
        styles["head"],
    )
    for row, line in enumerate(briefing.parts, start=1):
        rate = line.rate
        sheet.write_string(row, 0, line.code, styles["cell"])
        sheet.write_string(row, 1, line.name, styles["cell"])
        sheet.write_row(row, 2, [line.received, rate.numerator, rate.n], styles["cell"])
        share = rate.share if rate.n else "—"
        sheet.write_formula(row, 5, f'=IF(E{row + 1}=0,"—",D{row + 1}/E{row + 1})', styles["share"], share)
        sheet.write(row, 6, interval_text(rate), styles["cell"])
        sheet.write(row, 7, NOTES[rate.standing], styles["cell"])


def _about(sheet: Any, styles: dict[str, Any]) -> None:
    sheet.set_column(0, 1, 26)
    sheet.set_column(2, 3, 80)
    sheet.write_row(0, 0, ["指标", "Name", "计算公式", "Formula"], styles["head"])
    for row, formula in enumerate(FORMULAS.values(), start=1):
        sheet.write_row(row, 0, [formula.zh, formula.en, formula.formula_zh, formula.formula_en], styles["wrap"])
