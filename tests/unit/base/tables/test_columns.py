"""Headers are found where offices put them."""

from __future__ import annotations

import pytest

from mapsvc.base.errors import InvalidInput
from mapsvc.base.tables.cells import Cell
from mapsvc.base.tables.columns import SEARCHED_ROWS, Column, find_header, fold

COLUMNS = (
    Column("area_code", ("网格编码", "辖区编码", "area"), required=True),
    Column("person", ("姓名", "网格长", "name"), required=True),
    Column("phone", ("电话", "手机号码", "联系电话")),
    Column("since", ("任职日期", "from")),
)


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        (" 网格 编码 ", "网格编码"),
        ("网格编码（必填）", "网格编码"),
        ("*Area_Code:", "areacode"),
        ("ＡＲＥＡ　ＣＯＤＥ", "areacode"),
        ("面积(m2)", "面积"),
        ("(all)", "all"),
        ("联系\n电话", "联系电话"),
    ],
)
def test_headers_are_compared_without_their_dress(written: str, folded: str) -> None:
    assert fold(written) == folded


def test_a_plain_header() -> None:
    header = find_header([["姓名", "网格编码", "备注"], ["张敏", "001", ""]], COLUMNS)
    assert (header.first_row, header.end_row) == (0, 1)
    assert header.places == {"area_code": 1, "person": 0}
    assert header.names == ("姓名", "网格编码", "备注")


def test_program_names_are_headers_too() -> None:
    assert find_header([["area_code", "person", "phone", "since"]], COLUMNS).places["since"] == 3


def test_a_header_below_a_title_and_remarks() -> None:
    rows: list[list[Cell]] = [
        ["2026年网格长名册"],
        [],
        ["填表日期", "2026.3.1"],
        ["网格编码", "姓名", "电话"],
        ["001", "张敏", "1"],
    ]
    header = find_header(rows, COLUMNS)
    assert (header.first_row, header.end_row) == (3, 4)


def test_a_header_of_two_rows_with_merged_cells() -> None:
    rows: list[list[Cell]] = [
        ["网格编码", "责任人", None, "任职日期"],
        [None, "姓名", "联系电话", None],
        ["001", "张敏", "138", "2026.3.1"],
    ]
    header = find_header(rows, COLUMNS)
    assert (header.first_row, header.end_row) == (0, 2)
    assert header.names == ("网格编码", "责任人 姓名", "责任人 联系电话", "任职日期")
    assert header.places == {"area_code": 0, "person": 1, "phone": 2, "since": 3}


def test_data_is_never_taken_for_a_second_header_row() -> None:
    header = find_header([["网格编码", "姓名"], ["001", "电话亭"]], COLUMNS)
    assert header.end_row == 1


def test_a_choice_goes_before_the_guess() -> None:
    rows: list[list[Cell]] = [["编号", "网格编码", "姓名", "姓名2"]]
    header = find_header(rows, COLUMNS, {"area_code": "编号", "person": "姓名2"})
    assert header.places == {"area_code": 0, "person": 3}


def test_a_choice_that_is_not_there_is_told() -> None:
    with pytest.raises(InvalidInput) as caught:
        find_header([["网格编码", "姓名"]], COLUMNS, {"person": "负责人"})
    assert caught.value.code == "columns_not_found"
    assert "负责人" in caught.value.message
    assert "姓名" in caught.value.hint


def test_missing_columns_are_told_with_those_seen() -> None:
    with pytest.raises(InvalidInput) as caught:
        find_header([["网格编码", "负责人", "电话"]], COLUMNS)
    assert caught.value.code == "missing_columns"
    assert caught.value.detail == {"missing": ["person"], "seen": ["网格编码", "负责人", "电话"]}
    assert "负责人" in caught.value.hint


def test_one_header_serves_one_column() -> None:
    columns = (Column("a", ("name",)), Column("b", ("name",)))
    assert find_header([["name", "name"]], columns).places == {"a": 0, "b": 1}
    assert find_header([["name"]], columns).places == {"a": 0}


@pytest.mark.parametrize("rows", [[], [[]], [[None, ""], ["  "]]])
def test_an_empty_table(rows: list[list[Cell]]) -> None:
    with pytest.raises(InvalidInput) as caught:
        find_header(rows, COLUMNS)
    assert caught.value.code == "table_empty"


def test_a_header_too_far_down_is_not_found() -> None:
    rows: list[list[Cell]] = [["x"]] * SEARCHED_ROWS + [["网格编码", "姓名"]]
    with pytest.raises(InvalidInput):
        find_header(rows, COLUMNS)
