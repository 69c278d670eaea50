"""The error workbook, put right, can be imported again; no CSV runs as a formula."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsvc.base.tables.columns import Column
from mapsvc.base.tables.reading import open_table
from mapsvc.base.tables.rows import CellProblem, TableRow
from mapsvc.base.tables.writing import REASON, ROW_NUMBER, csv_lines, guard_formula, write_csv, write_error_workbook

COLUMNS = (Column("code", ("编码",), required=True), Column("phone", ("电话",)), Column("since", ("日期",)))
PLACES = {"code": 0, "phone": 1, "since": 2}
HEADER = ("编码", "电话", "日期")


def test_the_bad_cells_are_marked_with_their_reason(tmp_path: Path) -> None:
    path = tmp_path / "errors.xlsx"
    rows = [
        TableRow(4, ("007", "1.38E+10", datetime(2026, 3, 1)), PLACES),
        TableRow(9, ("", 13812345678.0), PLACES),
    ]
    problems = {
        4: [CellProblem(4, "phone", "lost its digits"), CellProblem(4, "", "the area is unknown")],
        9: [CellProblem(9, "code", "is empty"), CellProblem(9, "code", "and needed")],
    }
    assert write_error_workbook(path, HEADER, rows, problems) == 2
    assert [entry.name for entry in tmp_path.iterdir()] == ["errors.xlsx"]
    page = openpyxl.load_workbook(path).active
    assert page is not None
    shown = [[cell.value for cell in line] for line in page.iter_rows()]
    assert shown == [
        [*HEADER, REASON, ROW_NUMBER],
        ["007", "1.38E+10", "2026-03-01", "phone: lost its digits; the area is unknown", 4],
        [None, 13812345678, None, "code: is empty; code: and needed", 9],
    ]
    marked = {cell.coordinate: cell.comment.text for line in page.iter_rows() for cell in line if cell.comment}
    assert marked == {"B2": "lost its digits", "A3": "is empty\nand needed"}
    coloured = {
        cell.coordinate for line in page.iter_rows(min_row=2) for cell in line if cell.fill.fgColor.rgb == "FFFFC7CE"
    }
    assert coloured == set(marked)


def test_put_right_it_can_be_imported_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "errors.xlsx"
    write_error_workbook(path, HEADER, [TableRow(4, ("007", "138", "2026.3.1"), PLACES)], {})
    with open_table(path, COLUMNS) as table:
        assert table.header.places == PLACES
        assert [row.cells[:3] for row in table.rows] == [("007", "138", "2026.3.1")]


def test_a_formula_is_shown_and_not_run(tmp_path: Path) -> None:
    path = tmp_path / "errors.xlsx"
    evil = '=HYPERLINK("http://x","y")'
    write_error_workbook(path, HEADER, [TableRow(2, (evil, "http://x", "x" * 40_000), PLACES)], {})
    page = openpyxl.load_workbook(path).active
    assert page is not None
    assert (page["A2"].value, page["A2"].data_type) in {(evil, "s"), (evil, "f")}
    with zipfile.ZipFile(path) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")
    assert len(str(page["C2"].value)) == 32_767


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "-", "+86 138"]
)
def test_formulas_are_guarded(text: str) -> None:
    assert guard_formula(text) == "'" + text


@pytest.mark.parametrize("text", ["", "张敏", "-3", "+8613812345678", "-0.5", "a=b", "1-2", "'=1"])
def test_ordinary_texts_are_left(text: str) -> None:
    assert guard_formula(text) == text


@given(st.text())
def test_no_guarded_text_begins_a_formula(text: str) -> None:
    guarded = guard_formula(text)
    assert guarded in (text, "'" + text)
    assert guarded[:1] not in ("=", "@", "\t", "\r")


def test_csv_lines_begin_with_the_mark_that_excel_needs() -> None:
    lines = list(csv_lines(("编码", "=x"), [(1, "a,b"), (2.5, None), (date(2026, 3, 1), datetime(2026, 3, 1, 8, 30))]))
    assert lines[0] == "\ufeff编码,'=x\r\n"
    assert list(csv.reader(io.StringIO("".join(lines[1:])))) == [
        ["1", "a,b"],
        ["2.5", ""],
        ["2026-03-01", "2026-03-01T08:30:00"],
    ]


def test_a_csv_file_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    assert write_csv(path, HEADER, [("1", "2", "3"), ("4", "5", "6")]) == 2
    with open_table(path, COLUMNS) as table:
        assert table.encoding == "utf-8-sig"
        assert [row.cells for row in table.rows] == [("1", "2", "3"), ("4", "5", "6")]

    def broken() -> object:
        yield ("7", "8", "9")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_csv(path, HEADER, broken())  # type: ignore[arg-type]
    assert "4,5,6" in path.read_text(encoding="utf-8")
