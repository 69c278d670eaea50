"""Files as they come: encodings, delimiters, workbooks, damage, bombs."""

from __future__ import annotations

import csv
import tracemalloc
import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapsvc.base.errors import InvalidInput, MapsvcError, NotFound, TooLarge, UnsupportedType
from mapsvc.base.tables.cells import Cell
from mapsvc.base.tables.columns import Column
from mapsvc.base.tables.reading import Limits, open_table
from mapsvc.base.tables.rows import CellProblem, RowReader, TableRow

COLUMNS = (
    Column("code", ("编码", "网格编码"), required=True),
    Column("name", ("姓名",), required=True),
    Column("phone", ("电话",)),
    Column("since", ("日期",)),
    Column("count", ("户数",)),
    Column("public", ("公示",)),
)
HEADER = "编码,姓名,电话,日期\n"


def read(path: Path, *, limits: Limits | None = None, sheet: str = "") -> list[tuple[int, tuple[Cell, ...]]]:
    with open_table(path, COLUMNS, limits=limits, sheet=sheet) as table:
        return [(row.number, row.cells) for row in table.rows]


def refused(path: Path, **options: object) -> MapsvcError:
    with pytest.raises(MapsvcError) as caught:
        read(path, **options)  # type: ignore[arg-type]
    return caught.value


def workbook(path: Path, *sheets: tuple[str, Sequence[Sequence[object]]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        page = book.create_sheet(title)
        for row in rows:
            page.append(list(row))
    book.save(path)
    return path


# CSV.


@pytest.mark.parametrize(
    ("encoding", "told"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("gbk", "gb18030"), ("gb18030", "gb18030"), ("utf-16", "utf-16")],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_encodings_and_delimiters(tmp_path: Path, encoding: str, told: str, delimiter: str, line_end: str) -> None:
    text = (HEADER + "001,张敏,138,2026.3.1\n").replace(",", delimiter).replace("\n", line_end)
    path = tmp_path / "x.csv"
    path.write_bytes(text.encode(encoding))
    with open_table(path, COLUMNS) as table:
        assert (table.file_format, table.encoding) == ("csv", told)
        assert [row.cells for row in table.rows] == [("001", "张敏", "138", "2026.3.1")]


def test_lines_are_numbered_as_an_editor_does(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('名册\n\n编码,姓名\n1,"a\nb"\n,\n2,c\n', encoding="utf-8")
    assert read(path) == [(4, ("1", "a\nb")), (7, ("2", "c"))]


def test_the_delimiter_line_of_excel(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('sep=;\n编码;姓名\n1;"a;b"\n', encoding="utf-8-sig")
    assert read(path) == [(3, ("1", "a;b"))]


def test_short_and_long_rows(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(HEADER + "1\n2,b,c,d,e,f\n", encoding="utf-8")
    with open_table(path, COLUMNS) as table:
        first, second = table.rows
    assert first.get("name") is None
    assert first.get("count") is None
    assert second.get("since") == "d"
    assert first.get("no such column") is None


def test_broken_utf8_is_not_read_as_gbk(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes((HEADER + "001,张敏,,\n" * 20).encode() + b"002,\xff\xff,,\n")
    error = refused(path)
    assert error.code == "bad_encoding"
    assert error.detail["line"] == 22
    assert "UTF-8" in error.message


def test_neither_utf8_nor_gbk_says_that_gbk_was_tried(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes((HEADER + "1,张敏\n").encode("gbk") + b"2,\xff\xff\n")
    error = refused(path)
    assert error.code == "bad_encoding"
    assert "GBK" in error.message
    assert error.detail == {"tried": ["utf-8", "gb18030"], "line": 3}


def test_gbk_that_begins_late(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"code,name\n" + b"1,a\n" * 40_000 + "2,张敏\n".encode("gbk"))
    assert read(path)[-1] == (40_002, ("2", "张敏"))


def test_a_quotation_mark_that_is_never_closed(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(HEADER + '1,a,,\n2,"b,,\n' + "3,c,,\n" * 40_000, encoding="utf-8")
    error = refused(path)
    assert (error.code, error.detail["line"]) == ("broken_csv", 3)
    assert "quotation" in error.hint


def test_a_file_that_is_no_table(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    assert refused(path).code == "not_a_table"
    path.write_bytes(b"")
    assert refused(path).code == "table_empty"
    path.write_bytes(b"\n\n , \n")
    assert refused(path).code == "table_empty"
    path.write_text("编码\n1\n", encoding="utf-8")
    error = refused(path)
    assert (error.code, error.detail["missing"]) == ("missing_columns", ["name"])
    assert isinstance(refused(tmp_path / "none.csv"), NotFound)
    assert isinstance(refused(tmp_path), NotFound)


def test_limits_of_csv(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(HEADER + "1,a,,\n2,b,,\n3,c,,,,,\n4,dddddddddd,,,,,x\n", encoding="utf-8")
    assert refused(path, limits=Limits(rows=2)).code == "too_many_rows"
    assert refused(path, limits=Limits(cell_characters=9)).code == "cell_too_long"
    assert refused(path, limits=Limits(columns=6)).code == "too_many_columns"
    assert len(read(path, limits=Limits(columns=7, rows=4))) == 4
    error = refused(path, limits=Limits(file_bytes=10))
    assert isinstance(error, TooLarge)
    assert error.detail == {"limit": 10}
    path.write_text("x" * (9 * 1024 * 1024), encoding="utf-8")
    assert refused(path).code == "line_too_long"


def test_a_large_csv_is_streamed(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER)
        file.writelines(f"{number},张敏,13800000000,2026.3.1\n" for number in range(100_000))
    tracemalloc.start()
    with open_table(path, COLUMNS) as table:
        count = sum(1 for _row in table.rows)
        peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 100_000
    assert peak < 8 * 1024 * 1024


# Workbooks.


def test_a_workbook_as_an_office_keeps_it(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "x.xlsx",
        ("说明", [["请先阅读"]]),
        (
            "名册",
            [
                ["2026年名册"],
                ["编码", "责任人", None, "日期"],
                [None, "姓名", "电话", None],
                ["001", "张敏", 13812345678.0, datetime(2026, 3, 1)],
                [],
                [2, "周航", "139", 46082],
            ],
        ),
    )
    with open_table(path, COLUMNS) as table:
        assert (table.file_format, table.sheet, table.header.first_row) == ("xlsx", "名册", 1)
        rows = [RowReader(row) for row in table.rows]
        assert [row.row.number for row in rows] == [4, 6]
        assert [row.phone("phone") for row in rows] == ["13812345678", "139"]
        assert [row.day("since") for row in rows] == [date(2026, 3, 1)] * 2
        assert [row.code("code") for row in rows] == ["001", "2"]


def test_zeros_that_only_the_format_shows(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    book = openpyxl.Workbook()
    page = book.active
    page.append(["编码", "姓名"])
    page.append([42, "a"])
    page.append([42, "b"])
    page["A2"].number_format = "000000"
    book.save(path)
    assert [cells[0] for _number, cells in read(path)] == ["000042", 42]


def test_a_workbook_under_another_name_is_one_all_the_same(tmp_path: Path) -> None:
    path = workbook(tmp_path / "x.xlsx", ("a", [["编码", "姓名"], ["1", "a"]])).rename(tmp_path / "x.csv")
    assert read(path) == [(2, ("1", "a"))]


def test_choosing_a_sheet(tmp_path: Path) -> None:
    rows = [["编码", "姓名"], ["1", "a"]]
    path = workbook(tmp_path / "x.xlsx", ("one", rows), ("two", [*rows, ["2", "b"]]), ("three", []))
    assert len(read(path)) == 1
    assert len(read(path, sheet="two")) == 2
    error = refused(path, sheet="four")
    assert error.code == "sheet_not_found"
    assert "one, two, three" in error.hint
    assert refused(path, sheet="three").code == "table_empty"


def test_a_hidden_sheet_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    book = openpyxl.Workbook()
    book.active.append(["编码", "姓名"])
    book.active.sheet_state = "hidden"
    book.create_sheet("seen").append(["nothing"])
    book.save(path)
    assert refused(path).code == "missing_columns"


def test_a_text_named_xlsx(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    path.write_text(HEADER, encoding="utf-8")
    error = refused(path)
    assert isinstance(error, UnsupportedType)
    assert error.code == "not_an_xlsx"


def test_archives_that_are_no_workbook(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert refused(path).code == "not_an_xlsx"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100)
    assert refused(path).code == "old_xls"


def test_a_workbook_that_is_cut_off(tmp_path: Path) -> None:
    whole = workbook(tmp_path / "x.xlsx", ("a", [["编码", "姓名"], *([str(n), "张敏"] for n in range(500))]))
    data = whole.read_bytes()
    for part in (0.1, 0.5, 0.99):
        whole.write_bytes(data[: int(len(data) * part)])
        assert refused(whole).code == "broken_xlsx"


def changed(path: Path, member: str, data: bytes) -> Path:
    with zipfile.ZipFile(path) as archive:
        kept = {name: archive.read(name) for name in archive.namelist()}
    kept[member] = data
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in kept.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("member", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "[Content_Types].xml"])
@pytest.mark.parametrize("data", [b"", b"<no xml", b"<a/>"])
def test_workbooks_with_broken_parts(tmp_path: Path, member: str, data: bytes) -> None:
    path = changed(workbook(tmp_path / "x.xlsx", ("a", [["编码", "姓名"], ["1", "a"]])), member, data)
    assert refused(path).code in {"broken_xlsx", "table_empty"}


@pytest.mark.parametrize("flips", range(12))
def test_a_workbook_with_flipped_bytes_is_read_or_refused(tmp_path: Path, flips: int) -> None:
    path = workbook(tmp_path / "x.xlsx", ("a", [["编码", "姓名"], *([str(n), "张敏"] for n in range(50))]))
    data = bytearray(path.read_bytes())
    for place in range(40 + flips, len(data), 97):
        data[place] ^= 0xFF
    path.write_bytes(bytes(data))
    assert refused(path).code in {"broken_xlsx", "not_an_xlsx", "xlsx_too_large"}


def test_a_zip_bomb_is_refused_before_it_unpacks(tmp_path: Path) -> None:
    path = workbook(tmp_path / "x.xlsx", ("a", [["编码", "姓名"]]))
    changed(path, "xl/media/bomb.bin", b"\0" * 20_000_000)
    assert path.stat().st_size < 100_000
    tracemalloc.start()
    error = refused(path, limits=Limits(unpacked_bytes=10_000_000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert error.code == "xlsx_too_large"
    assert peak < 5_000_000


def test_an_entity_bomb_does_not_go_off(tmp_path: Path) -> None:
    lines = ['<!ENTITY a0 "aaaaaaaaaa">'] + [f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12)]
    sheet = (
        f'<?xml version="1.0"?><!DOCTYPE x [{"".join(lines)}]>'
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row r="1"><c r="A1" t="inlineStr"><is><t>&a11;</t></is></c></row></sheetData></worksheet>'
    )
    path = changed(workbook(tmp_path / "x.xlsx", ("a", [["编码"]])), "xl/worksheets/sheet1.xml", sheet.encode())
    tracemalloc.start()
    assert refused(path).code == "broken_xlsx"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000


@given(st.binary(max_size=400), st.sampled_from(["", "PK\x03\x04"]))
@settings(max_examples=150)
def test_any_bytes_are_read_or_refused_by_our_errors(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, head: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(head.encode() + data)
    with pytest.raises(MapsvcError):
        read(path)


@given(
    st.lists(
        st.tuples(*[st.text(st.characters(codec="gb18030", exclude_characters="\r\0"), max_size=8)] * 2), max_size=5
    )
)
@settings(max_examples=60)
def test_what_was_written_is_read(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]) -> None:
    path = tmp_path_factory.getbasetemp() / "written.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([("网格编码", "姓名"), *rows])
    expected = [
        cells
        for cells in rows
        if any(RowReader(TableRow(1, cells, {"code": 0, "name": 1})).text(c) for c in ("code", "name"))
    ]
    assert [cells for _number, cells in read(path)] == expected


# Rows with faults.


def row(**cells: Cell) -> RowReader:
    return RowReader(TableRow(9, tuple(cells.values()), {name: place for place, name in enumerate(cells)}))


def test_every_fault_of_a_row_is_found_at_once() -> None:
    reader = row(code="", name="x" * 50, phone="1.38E+10", since="2026.2.30", count="many", public="perhaps")
    reader.code("code", required=True)
    reader.text("name", most=40)
    reader.phone("phone")
    reader.day("since", required=True)
    reader.number("count", required=True)
    reader.flag("public")
    reader.text("absent", required=True)
    assert [problem.column for problem in reader.problems] == [
        "code",
        "name",
        "phone",
        "since",
        "count",
        "public",
        "absent",
    ]
    assert reader.problems[0] == CellProblem(9, "code", "is empty")


def test_a_row_without_faults() -> None:
    reader = row(code=" 001 ", name="张敏", phone=13812345678.0, since="2026.3.1", count=0, public="是")
    assert reader.code("code", required=True) == "001"
    assert reader.text("name", required=True) == "张敏"
    assert reader.phone("phone") == "13812345678"
    assert reader.day("since", required=True) == date(2026, 3, 1)
    assert reader.number("count", required=True) == 0
    assert reader.flag("public")
    assert reader.moment("since", ZoneInfo("Asia/Shanghai")) is not None
    assert reader.problems == []


def test_required_days_and_numbers_that_are_empty() -> None:
    reader = row(since=None, count="")
    assert reader.day("since", required=True) is None
    assert reader.number("count", required=True) is None
    assert reader.moment("since", ZoneInfo("UTC"), required=True) is None
    assert [problem.message for problem in reader.problems] == ["is empty", "is empty"]
    with pytest.raises(InvalidInput):
        raise InvalidInput("kept", "as it is")
