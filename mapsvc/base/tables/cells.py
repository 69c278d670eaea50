"""What a cell means: codes, phones, dates, numbers, whatever a spreadsheet has made of them.

Each function takes a cell as it was read (text, number, date, None) and raises `InvalidInput` with a
sentence that fits into an error workbook.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal, InvalidOperation

from mapsvc.base.errors import InvalidInput

Cell = str | int | float | bool | datetime | date | time | timedelta | None

FIRST_SERIAL, LAST_SERIAL = 10_000, 80_000
"""Numbers that are taken for days since 1899-12-30: from 1927 to 2119."""

_EPOCH = date(1899, 12, 30)
_HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_INVISIBLE = dict.fromkeys((0xFEFF, 0x200B, 0x200C, 0x200D, 0x2060, 0x00AD))
_DAY = re.compile(r"(\d{4})\s*[-./年]\s*(\d{1,2})\s*[-./月]\s*(\d{1,2})\s*(?:日|号)?")
_SHORT_DAY = re.compile(r"(\d{4})(\d{2})(\d{2})")
_TIME = re.compile(r"[T\s]*(\d{1,2})\s*[:：时点]\s*(\d{1,2})\s*(?:[:：分]\s*(\d{1,2})(?:\.\d+)?\s*秒?|分)?")
_ZONE = re.compile(r"\s*(Z|[+-]\d{2}:?\d{2})$")
_OPEN_END = frozenset({"", "-", "—", "——", "/", "无", "至今", "长期", "今", "now", "none"})
_YES = frozenset({"是", "有", "√", "✓", "y", "yes", "true", "1", "t"})
_NO = frozenset({"否", "无", "×", "✗", "n", "no", "false", "0", "f", ""})
_EXPONENT = re.compile(r"[+-]?(\d)(?:\.(\d+))?[eE]\+?(\d{1,3})")
_PHONE = re.compile(r"\+?[0-9][0-9()\-*#转, ]{1,38}[0-9#]")


def half_width(text: str) -> str:
    """Return a text with full-width letters, digits and signs as ordinary ones."""
    return text.translate(_HALF_WIDTH)


def read_text(cell: Cell) -> str:
    """Return a cell as text without spaces around it and without invisible characters; empty for None."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(sep=" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell).translate(_INVISIBLE).strip()


def read_code(cell: Cell) -> str:
    """Return a code: half-width, without spaces; leading zeros stay, a `.0` that a spreadsheet added goes."""
    text = re.sub(r"\s+", "", half_width(read_text(cell)))
    if re.fullmatch(r"\d+\.0+", text):
        return text.split(".")[0]
    if _EXPONENT.fullmatch(text):
        return _from_exponent(text, "code_lost_digits", "code")
    return text


def read_phone(cell: Cell) -> str:
    """Return a telephone number as text; one whose digits a spreadsheet has rounded away is refused."""
    text = half_width(read_text(cell)).strip()
    if not text:
        return ""
    if re.fullmatch(r"\d+\.0+", text):
        text = text.split(".")[0]
    elif _EXPONENT.fullmatch(text):
        text = _from_exponent(text, "phone_lost_digits", "telephone number")
    text = text.replace("—", "-").replace("–", "-")
    if re.fullmatch(r"1\d{2}[ -]\d{4}[ -]\d{4}", text):
        text = re.sub(r"[ -]", "", text)
    if not _PHONE.fullmatch(text):
        raise InvalidInput("bad_phone", f"{read_text(cell)!r} is not a telephone number.")
    return text


def _from_exponent(text: str, code: str, what: str) -> str:
    found = _EXPONENT.fullmatch(text)
    assert found is not None, "the caller matched it"
    fraction, exponent = found.group(2) or "", int(found.group(3))
    is_whole = len(fraction.rstrip("0")) <= exponent <= 30
    if not is_whole or (exponent > 7 and len(fraction) + 1 < exponent):
        raise InvalidInput(
            code,
            f"{text} is a {what} of which a spreadsheet kept only the first digits.",
            hint="Format the column as text and enter it again.",
        )
    return str(int(Decimal(text)))


def read_date(cell: Cell) -> date | None:
    """Return a day: 2026.3.1, 2026-03-01, 2026/3/1, 2026年3月1日, 20260301, a serial number or a date cell.

    None for an empty cell and for words such as 至今 and 长期.
    """
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = half_width(read_text(cell))
    if text.casefold() in _OPEN_END:
        return None
    found = _DAY.match(text) or _SHORT_DAY.fullmatch(text)
    if found is not None and _is_rest_of_day(text[found.end() :]):
        return _day(text, *(int(part) for part in found.groups()))
    serial = _number(text)
    if serial is not None and FIRST_SERIAL <= serial <= LAST_SERIAL:
        return _EPOCH + timedelta(days=int(serial))
    raise InvalidInput("bad_date", f"{read_text(cell)!r} is not a date.", hint="Write 2026-03-01 or 2026.3.1.")


def _is_rest_of_day(rest: str) -> bool:
    return not rest.strip() or _TIME.fullmatch(_ZONE.sub("", rest).rstrip()) is not None


def _day(text: str, year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError as error:
        raise InvalidInput("bad_date", f"{text!r} is no day of the calendar.") from error


def read_moment(cell: Cell, zone: tzinfo) -> datetime | None:
    """Return a moment in UTC; one without a zone of its own is local time in `zone`, one without a time midnight."""
    if isinstance(cell, datetime):
        return (cell if cell.tzinfo else cell.replace(tzinfo=zone)).astimezone(UTC)
    if isinstance(cell, date):
        return datetime.combine(cell, time(), zone).astimezone(UTC)
    text = half_width(read_text(cell))
    if text.casefold() in _OPEN_END:
        return None
    serial = _number(text)
    if serial is not None and FIRST_SERIAL <= serial <= LAST_SERIAL:
        local = datetime.combine(_EPOCH, time()) + timedelta(seconds=round(serial * 86_400))
        return local.replace(tzinfo=zone).astimezone(UTC)
    own_zone = _ZONE.search(text) if ":" in text else None
    plain = text[: own_zone.start()] if own_zone else text
    found = _DAY.match(plain) or _SHORT_DAY.match(plain)
    clock = _TIME.fullmatch(plain[found.end() :].rstrip()) if found else None
    if found is None or (clock is None and plain[found.end() :].strip()):
        raise InvalidInput("bad_time", f"{text!r} is not a time.", hint="Write 2026-03-01 08:30.")
    day = _day(text, *(int(part) for part in found.groups()))
    hour, minute, second = (int(part or 0) for part in clock.groups()) if clock else (0, 0, 0)
    if hour > 23 or minute > 59 or second > 59:
        raise InvalidInput("bad_time", f"{text!r} is no time of the day.")
    zone_used = datetime.fromisoformat(f"2000-01-01T00:00{own_zone.group(1)}").tzinfo if own_zone else zone
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=zone_used).astimezone(UTC)


def read_number(cell: Cell) -> float | None:
    """Return a finite number, None for an empty cell; `1,234` and full-width digits are read."""
    if isinstance(cell, bool | date | time | timedelta):
        raise InvalidInput("bad_number", f"{read_text(cell)!r} is not a number.")
    text = half_width(read_text(cell))
    if not text:
        return None
    number = _number(re.sub(r"(?<=\d),(?=\d{3}(?:\D|$))", "", text))
    if number is None:
        raise InvalidInput("bad_number", f"{text!r} is not a number.")
    return number


def read_flag(cell: Cell) -> bool:
    """Return 是/否, yes/no, √/×, 1/0; an empty cell means no."""
    if isinstance(cell, bool):
        return cell
    text = half_width(read_text(cell)).casefold()
    if text in _YES:
        return True
    if text in _NO:
        return False
    raise InvalidInput("bad_flag", f"{read_text(cell)!r} is neither 是 nor 否.")


def _number(text: str) -> float | None:
    try:
        number = float(Decimal(text))
    except (InvalidOperation, OverflowError):
        return None
    return number if math.isfinite(number) else None
