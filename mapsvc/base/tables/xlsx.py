"""xlsx workbooks, streamed; a zip bomb is told by its own directory before anything is unpacked."""

from __future__ import annotations

import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from defusedxml.common import DefusedXmlException
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from mapsvc.base.errors import InvalidInput, NotFound, TooLarge, UnsupportedType
from mapsvc.base.tables.cells import Cell

_ALL_ZEROS = re.compile(r"0{2,30}")
_BROKEN = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    InvalidFileException,
    SyntaxError,  # what every XML parser raises: openpyxl reads with lxml where that is installed
    DefusedXmlException,
    KeyError,
    ValueError,
    TypeError,
    IndexError,
    AttributeError,
    EOFError,
    NotImplementedError,
    OSError,  # "File contains no valid workbook part"
)
"""What openpyxl lets through when a workbook is damaged: it has no error class of its own for that."""


@dataclass(frozen=True)
class Workbook:
    """An open workbook; rows can be streamed from each sheet, several times."""

    name: str
    visible_sheets: tuple[str, ...]
    _book: Any

    def rows(self, sheet: str) -> Iterator[tuple[int, tuple[Cell, ...]]]:
        """Yield the rows of a sheet with their numbers; formulas by the values that were kept with them."""
        if sheet not in self._book.sheetnames:
            raise NotFound(
                "sheet_not_found",
                f"{self.name} has no sheet {sheet!r}.",
                hint=f"It has: {', '.join(self.visible_sheets)}.",
            )
        with _broken_told(self.name):
            page = self._book[sheet]
            page.reset_dimensions()  # what the file says of its size is often wrong
            for number, row in enumerate(page.iter_rows(), start=1):
                yield number, tuple(_value(cell) for cell in row)


@contextmanager
def open_workbook(path: Path, most_unpacked_bytes: int) -> Iterator[Workbook]:
    """Open an xlsx file for streaming."""
    _check_archive(path, most_unpacked_bytes)
    with path.open("rb") as file:  # not the path: openpyxl refuses names that it does not like, and leaks on errors
        with _broken_told(path.name), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # openpyxl warns of styles and validations that it leaves out
            book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        try:
            sheets = tuple(page.title for page in book.worksheets if page.sheet_state == "visible")
            if not sheets:
                raise InvalidInput("table_empty", f"{path.name} has no visible sheet.")
            yield Workbook(path.name, sheets, book)
        finally:
            book.close()


def _check_archive(path: Path, most_unpacked_bytes: int) -> None:
    """Check what the archive holds. The sizes in its directory bound what is unpacked: zipfile reads no further."""
    with _broken_told(path.name), zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    names = {entry.filename for entry in entries}
    if "[Content_Types].xml" not in names or not any(name.startswith("xl/") for name in names):
        raise UnsupportedType(
            "not_an_xlsx", f"{path.name} is an archive, but no xlsx workbook.", hint="Unpack it, or save as .xlsx."
        )
    size = sum(entry.file_size for entry in entries)
    if size > most_unpacked_bytes or len(entries) > 10_000:
        raise TooLarge(
            "xlsx_too_large",
            f"{path.name} unpacks to {size:,} bytes; at most {most_unpacked_bytes:,} are read.",
            hint="Divide it, or save it as CSV.",
            detail={"limit": most_unpacked_bytes},
        )


@contextmanager
def _broken_told(name: str) -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        raise InvalidInput(
            "broken_xlsx", f"{name} is damaged: {error}.", hint="Open it in a spreadsheet and save it again."
        ) from error


def _value(cell: Any) -> Cell:
    """Return the value of a cell; a whole number shown with leading zeros keeps them, as text."""
    value: Cell = cell.value
    if isinstance(value, int | float) and not isinstance(value, bool) and float(value).is_integer() and value >= 0:
        shown = cell.number_format
        if isinstance(shown, str) and _ALL_ZEROS.fullmatch(shown):
            return str(int(value)).zfill(len(shown))
    return value
