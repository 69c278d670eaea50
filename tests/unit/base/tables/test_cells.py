"""What cells mean, whatever a spreadsheet has made of them."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsvc.base.errors import InvalidInput
from mapsvc.base.tables.cells import (
    Cell,
    half_width,
    read_code,
    read_date,
    read_flag,
    read_moment,
    read_number,
    read_phone,
    read_text,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, ""),
        ("  张 敏 \u3000", "张 敏"),
        ("\ufeff\u200b片区\u00a0", "片区"),
        (101, "101"),
        (101.0, "101"),
        (1.5, "1.5"),
        (True, "是"),
        (False, "否"),
        (datetime(2026, 3, 1), "2026-03-01"),
        (datetime(2026, 3, 1, 8, 30), "2026-03-01 08:30:00"),
        (date(2026, 3, 1), "2026-03-01"),
        (time(8, 30), "08:30:00"),
    ],
)
def test_text(cell: Cell, text: str) -> None:
    assert read_text(cell) == text


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("007", "007"),
        (" ０１ ０２ ", "0102"),
        ("Ｐ０７", "P07"),
        ("110101001.0", "110101001"),
        (110101001001.0, "110101001001"),
        (7, "7"),
        ("1.101E+3", "1101"),
        ("A-1.0", "A-1.0"),
        (None, ""),
    ],
)
def test_code(cell: Cell, code: str) -> None:
    assert read_code(cell) == code


@pytest.mark.parametrize("cell", ["1.1E+11", "1.10101E+14", "1e40"])
def test_a_code_whose_digits_were_rounded_away(cell: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_code(cell)
    assert caught.value.code == "code_lost_digits"


@pytest.mark.parametrize(
    ("cell", "phone"),
    [
        (13812345678.0, "13812345678"),
        (13812345678, "13812345678"),
        ("13812345678.0", "13812345678"),
        ("1.3812345678E+10", "13812345678"),
        ("１３８ １２３４ ５６７８", "13812345678"),
        ("138-1234-5678", "13812345678"),
        ("+86 138 1234 5678", "+86 138 1234 5678"),
        ("010-6512—3456转8", "010-6512-3456转8"),
        ("010-65123456,65123457", "010-65123456,65123457"),
        ("000-0001-0001", "000-0001-0001"),
        ("110", "110"),
        ("12345", "12345"),
        ("  ", ""),
        (None, ""),
    ],
)
def test_phone(cell: Cell, phone: str) -> None:
    assert read_phone(cell) == phone


@pytest.mark.parametrize(
    ("cell", "code"), [("1.38E+10", "phone_lost_digits"), ("张敏", "bad_phone"), ("#N/A", "bad_phone")]
)
def test_a_phone_that_cannot_be_dialled_is_refused(cell: str, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_phone(cell)
    assert caught.value.code == code


@given(st.integers(10_000_000_000, 19_999_999_999))
def test_a_mobile_number_survives_every_way_of_keeping_it(number: int) -> None:
    for cell in (number, float(number), str(number), f"{number}.0", f" {number} ", f"{number:.10E}"):
        assert read_phone(cell) == str(number)


@pytest.mark.parametrize(
    "cell",
    [
        "2026.3.1",
        "2026-03-01",
        "2026/3/1",
        "2026年3月1日",
        "2026年 3月 1号",
        "２０２６．３．１",
        "20260301",
        "2026.03.01 ",
        "2026-03-01 08:30:00",
        "2026-03-01T08:30Z",
        46082,
        46082.0,
        "46082",
        46082.75,
        datetime(2026, 3, 1, 23, 59),
        date(2026, 3, 1),
    ],
)
def test_the_ways_of_writing_a_day(cell: Cell) -> None:
    assert read_date(cell) == date(2026, 3, 1)


@pytest.mark.parametrize("cell", [None, "", " ", "至今", "长期", "-", "/", "无"])
def test_no_day(cell: Cell) -> None:
    assert read_date(cell) is None


@pytest.mark.parametrize(
    "cell", ["2026.3", "2026年3月", "3.1", "2026-02-30", "2026.13.1", "soon", 7, 1e9, "2026.3.1起", True]
)
def test_what_is_no_day(cell: Cell) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_date(cell)
    assert caught.value.code == "bad_date"


@given(st.dates(date(1930, 1, 1), date(2100, 1, 1)))
def test_a_day_survives_every_way_of_writing_it(day: date) -> None:
    serial = (day - date(1899, 12, 30)).days
    for cell in (
        day.isoformat(),
        f"{day.year}.{day.month}.{day.day}",
        f"{day.year}年{day.month}月{day.day}日",
        f"{day:%Y%m%d}",
        serial,
        float(serial),
    ):
        assert read_date(cell) == day


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2026-03-01 08:30", datetime(2026, 3, 1, 0, 30)),
        ("2026.3.1 8:30:05", datetime(2026, 3, 1, 0, 30, 5)),
        ("2026年3月1日8时30分", datetime(2026, 3, 1, 0, 30)),
        ("2026-03-01T08:30:00Z", datetime(2026, 3, 1, 8, 30)),
        ("2026-03-01T08:30:00.250+02:00", datetime(2026, 3, 1, 6, 30)),
        ("2026-03-01", datetime(2026, 2, 28, 16)),
        ("20260301", datetime(2026, 2, 28, 16)),
        (date(2026, 3, 1), datetime(2026, 2, 28, 16)),
        (datetime(2026, 3, 1, 8, 30), datetime(2026, 3, 1, 0, 30)),
        (datetime(2026, 3, 1, 8, 30, tzinfo=timezone(timedelta(hours=1))), datetime(2026, 3, 1, 7, 30)),
        (46082.5, datetime(2026, 3, 1, 4)),
    ],
)
def test_moments_are_local_unless_they_say_otherwise(cell: Cell, moment: datetime) -> None:
    assert read_moment(cell, SHANGHAI) == moment.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "cell", ["2026-03-01 25:00", "2026-03-01 08:61", "2026-03-01 noon", "2026-02-30 08:00", "08:30"]
)
def test_what_is_no_moment(cell: str) -> None:
    with pytest.raises(InvalidInput):
        read_moment(cell, SHANGHAI)
    assert read_moment("", SHANGHAI) is None


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("1,234.5", 1234.5),
        ("１２", 12.0),
        (" -3 ", -3.0),
        (7, 7.0),
        (2.5, 2.5),
        ("", None),
        (None, None),
        ("1e3", 1000.0),
    ],
)
def test_numbers(cell: Cell, number: float | None) -> None:
    assert read_number(cell) == number


@pytest.mark.parametrize("cell", ["abc", "1,23", "nan", "inf", "1e999", True, date(2026, 3, 1), "--"])
def test_what_is_no_number(cell: Cell) -> None:
    with pytest.raises(InvalidInput):
        read_number(cell)


def test_flags() -> None:
    assert [read_flag(cell) for cell in ("是", "√", "Y", 1, True, "ＹＥＳ")] == [True] * 6
    assert [read_flag(cell) for cell in ("否", "×", "n", 0, False, None, "")] == [False] * 7
    with pytest.raises(InvalidInput):
        read_flag("perhaps")


@given(st.text())
def test_nothing_but_our_errors_comes_out(text: str) -> None:
    for read in (read_text, read_code, read_phone, read_date, read_number, read_flag):
        with suppress(InvalidInput):
            read(text)
    with suppress(InvalidInput):
        read_moment(text, SHANGHAI)
    assert len(half_width(text)) == len(text)
