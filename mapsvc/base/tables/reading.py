"""Opens a table, xlsx or CSV, and streams its rows; says clearly what a file is when it is neither.

A file is what its bytes say, whatever its name. Memory stays bounded: sizes are checked first.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from mapsvc.base.errors import InvalidInput, NotFound, TooLarge, UnsupportedType
from mapsvc.base.tables.cells import Cell, read_text
from mapsvc.base.tables.columns import SEARCHED_ROWS, Column, Header, find_header
from mapsvc.base.tables.rows import TableRow
from mapsvc.base.tables.text import find_encoding, open_text
from mapsvc.base.tables.xlsx import open_workbook

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"


@dataclass(frozen=True)
class Limits:
    """How large a table may be: bytes of the file and unpacked, columns, characters in a cell, rows."""

    file_bytes: int = 512 * 1024**2
    unpacked_bytes: int = 2 * 1024**3
    columns: int = 512
    cell_characters: int = 32_767
    rows: int = 5_000_000


@dataclass(frozen=True)
class Table:
    """An open table: what it is, its header, and its rows, which can be run through once.

    `encoding` is of a CSV file, `sheet` the name of a sheet of a workbook. Blank rows are left out.
    """

    file_format: str
    encoding: str
    sheet: str
    header: Header
    rows: Iterator[TableRow]


@contextmanager
def open_table(
    path: Path,
    columns: Sequence[Column],
    *,
    chosen: Mapping[str, str] | None = None,
    sheet: str = "",
    limits: Limits | None = None,
) -> Iterator[Table]:
    """Open an xlsx or CSV file whose header names the columns.

    `chosen` maps names of columns to headers where the guess is not wanted; without `sheet` the first
    visible sheet is taken whose header fits. Raises `NotFound`, `UnsupportedType`, `TooLarge` or
    `InvalidInput` before the first row, and the last two also later, where a later part is broken.
    """
    limits = limits or Limits()
    if _is_workbook(path, limits):
        with open_workbook(path, limits.unpacked_bytes) as workbook:
            name = sheet or _choose_sheet(workbook.visible_sheets, workbook.rows, columns, chosen)
            header, rows = _begin(workbook.rows(name), columns, chosen)
            yield Table("xlsx", "", name, header, _limited(rows, header, limits))
        return
    encoding = find_encoding(path)
    with open_text(path, encoding, lambda rows: _fit(rows, columns, chosen)) as text_rows:
        header, rows = _begin(text_rows, columns, chosen)
        yield Table("csv", encoding, "", header, _limited(rows, header, limits))


NumberedRow = tuple[int, tuple[Cell, ...]]


def _is_workbook(path: Path, limits: Limits) -> bool:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise NotFound("file_not_found", f"{path} cannot be read: {error.strerror}.") from error
    if size == 0:
        raise InvalidInput("table_empty", f"{path.name} is empty.")
    if size > limits.file_bytes:
        raise TooLarge(
            "file_too_large",
            f"{path.name} has {size:,} bytes; at most {limits.file_bytes:,} are read.",
            hint="Divide it into several files.",
            detail={"limit": limits.file_bytes},
        )
    if head.startswith(_OLE):
        raise UnsupportedType(
            "old_xls", f"{path.name} is an old .xls workbook or is locked by a password.", hint="Save it as .xlsx."
        )
    if head.startswith(_ZIP):
        if not zipfile.is_zipfile(path):
            raise InvalidInput("broken_xlsx", f"{path.name} is cut off or damaged.", hint="Copy or save it again.")
        return True
    if path.suffix.casefold() in {".xlsx", ".xlsm"}:
        raise UnsupportedType(
            "not_an_xlsx", f"{path.name} is not an xlsx workbook, whatever its name.", hint="Save it as .xlsx or .csv."
        )
    return False


def _choose_sheet(
    names: Sequence[str],
    read: Callable[[str], Iterator[NumberedRow]],
    columns: Sequence[Column],
    chosen: Mapping[str, str] | None,
) -> str:
    """Return the first sheet whose header fits; where none does, the first that holds anything."""
    for name in names:
        if _fit([cells for _number, cells in islice(read(name), SEARCHED_ROWS)], columns, chosen) > 0:
            return name
    return next((name for name in names if any(_filled(cells) for _number, cells in read(name))), names[0])


def _fit(rows: Sequence[Sequence[Cell]], columns: Sequence[Column], chosen: Mapping[str, str] | None) -> int:
    """Return how many columns the header among these rows names; 0 where a required one is not there."""
    try:
        return len(find_header(rows, columns, chosen).places)
    except InvalidInput:
        return 0


def _begin(
    rows: Iterator[NumberedRow], columns: Sequence[Column], chosen: Mapping[str, str] | None
) -> tuple[Header, Iterator[NumberedRow]]:
    first = list(islice(rows, SEARCHED_ROWS + 1))
    header = find_header([cells for _number, cells in first], columns, chosen)
    return header, chain(first[header.end_row :], rows)


def _limited(rows: Iterable[NumberedRow], header: Header, limits: Limits) -> Iterator[TableRow]:
    count = 0
    for number, cells in rows:
        if not _filled(cells):
            continue
        count += 1
        if count > limits.rows:
            raise _beyond("too_many_rows", f"The table has more than {limits.rows:,} rows.", limits.rows)
        if len(cells) > limits.columns and _filled(cells[limits.columns :]):
            raise _beyond("too_many_columns", f"Row {number} has more than {limits.columns} columns.", limits.columns)
        for cell in cells:
            if isinstance(cell, str) and len(cell) > limits.cell_characters:
                raise _beyond(
                    "cell_too_long",
                    f"Row {number} has a cell of {len(cell):,} characters, more than {limits.cell_characters:,}.",
                    limits.cell_characters,
                )
        yield TableRow(number, cells[: limits.columns], header.places)


def _beyond(code: str, message: str, limit: int) -> TooLarge:
    return TooLarge(code, message, hint="Divide the table, or leave out what is not read.", detail={"limit": limit})


def _filled(cells: Iterable[Cell]) -> bool:
    return any(cell is not None and cell != "" and read_text(cell) for cell in cells)
