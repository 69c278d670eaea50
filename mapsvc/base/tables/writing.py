"""Tables out: the error workbook with its bad cells marked, and CSV that no spreadsheet runs as a formula."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from mapsvc.base.tables.cells import Cell, read_text
from mapsvc.base.tables.rows import CellProblem, TableRow

REASON, ROW_NUMBER = "原因 reason", "原行号 row"
_PLAIN_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_MOST_COMMENTS = 20_000
_MOST_CHARACTERS = 32_767


def write_error_workbook(
    path: Path, header: Sequence[str], rows: Iterable[TableRow], problems: Mapping[int, Sequence[CellProblem]]
) -> int:
    """Write rows with their original cells, the bad ones coloured with the reason as a comment; return how many.

    `problems` are by row number. Two columns are added behind the others: the reasons, and the row of the
    original file. Put right, the workbook can be imported as it is. Written aside and renamed.
    """
    aside = path.with_name(path.name + ".part")
    count = 0
    with xlsxwriter.Workbook(str(aside), {"constant_memory": True, "strings_to_formulas": False}) as book:
        page = book.add_worksheet("错误 errors")
        bold = book.add_format({"bold": True, "bg_color": "#DDE6EE"})
        bad = book.add_format({"bg_color": "#FFC7CE", "font_color": "#9C0006"})
        width = len(header)
        for place, name in enumerate((*header, REASON, ROW_NUMBER)):
            page.write_string(0, place, name, bold)
        page.freeze_panes(1, 0)
        page.set_column(0, max(0, width - 1), 16)
        page.set_column(width, width, 60)
        comments = 0
        for line, row in enumerate(rows, start=1):
            found = problems.get(row.number, ())
            marked = _marked(row, found)
            for place in range(width):
                value = row.cells[place] if place < len(row.cells) else None
                _write(page, line, place, value, bad if place in marked else None)
                if place in marked and comments < _MOST_COMMENTS:
                    page.write_comment(line, place, marked[place], {"x_scale": 2})
                    comments += 1
            page.write_string(line, width, _reason(found)[:_MOST_CHARACTERS])
            page.write_number(line, width + 1, row.number)
            count += 1
    os.replace(aside, path)  # noqa: PTH105  # says that it replaces
    return count


def _marked(row: TableRow, problems: Sequence[CellProblem]) -> dict[int, str]:
    marked: dict[int, str] = {}
    for problem in problems:
        place = row.places.get(problem.column)
        if place is not None:
            marked[place] = f"{marked[place]}\n{problem.message}" if place in marked else problem.message
    return marked


def _reason(problems: Sequence[CellProblem]) -> str:
    return "; ".join(
        f"{problem.column}: {problem.message}" if problem.column else problem.message for problem in problems
    )


def _write(page: Any, line: int, place: int, value: Cell, look: Any) -> None:
    if value is None or value == "":
        if look is not None:
            page.write_blank(line, place, None, look)
    elif isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15:
        page.write_number(line, place, value, look)
    else:
        page.write_string(line, place, read_text(value)[:_MOST_CHARACTERS], look)


def guard_formula(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: an apostrophe before =, +, -, @ and control signs.

    Plain numbers stay as they are.
    """
    if text[:1] in ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠") and not _PLAIN_NUMBER.fullmatch(text):
        return "'" + text
    return text


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """Yield the lines of a CSV file, guarded, each with its line end; the first begins with a byte order mark.

    Without the mark Excel takes UTF-8 for the local encoding.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    for row in _with_header(header, rows):
        writer.writerow([guard_formula(_shown(cell)) for cell in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _with_header(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[Sequence[Cell]]:
    yield header
    yield from rows


def _shown(cell: Cell) -> str:
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    return read_text(cell)


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> int:
    """Write a guarded CSV file, UTF-8 with its mark; return the number of rows. Written aside and renamed."""
    aside = path.with_name(path.name + ".part")
    count = -1
    with aside.open("w", encoding="utf-8", newline="") as file:
        for line in csv_lines(header, rows):
            file.write(line)
            count += 1
    os.replace(aside, path)  # noqa: PTH105  # says that it replaces
    return count
