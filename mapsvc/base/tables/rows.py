"""A row of a table, and a reader that finds every fault of a row in one look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import TypeVar

from mapsvc.base.errors import InvalidInput
from mapsvc.base.tables import cells
from mapsvc.base.tables.cells import Cell

T = TypeVar("T")


@dataclass(frozen=True)
class TableRow:
    """One row. `number` is the line of a CSV file or the row of a sheet, from 1, as its reader sees it."""

    number: int
    cells: tuple[Cell, ...]
    places: Mapping[str, int] = field(repr=False, compare=False)

    def get(self, column: str) -> Cell:
        """Return the cell of a column; None where the row or the table has none."""
        place = self.places.get(column)
        return self.cells[place] if place is not None and place < len(self.cells) else None


@dataclass(frozen=True)
class CellProblem:
    """Why a cell cannot be used; `column` is the program's name, or empty for the whole row."""

    row: int
    column: str
    message: str


@dataclass
class RowReader:
    """Reads the cells of one row and notes what is wrong with them, so that one look finds every fault."""

    row: TableRow
    problems: list[CellProblem] = field(default_factory=list)

    def text(self, column: str, *, required: bool = False, most: int = 1000) -> str:
        """Read a text of at most `most` characters."""
        value = self._read(column, cells.read_text, "")
        if len(value) > most:
            self.note(column, f"is longer than {most} characters")
            return ""
        return self._present(column, value, required)

    def code(self, column: str, *, required: bool = False) -> str:
        """Read a code."""
        return self._present(column, self._read(column, cells.read_code, ""), required)

    def phone(self, column: str) -> str:
        """Read a telephone number."""
        return self._read(column, cells.read_phone, "")

    def day(self, column: str, *, required: bool = False) -> date | None:
        """Read a day."""
        value = self._read(column, cells.read_date, None)
        return self._present(column, value, required)

    def number(self, column: str, *, required: bool = False) -> float | None:
        """Read a number."""
        value = self._read(column, cells.read_number, None)
        return self._present(column, value, required)

    def moment(self, column: str, zone: tzinfo, *, required: bool = False) -> datetime | None:
        """Read a moment; one without a zone of its own is local time in `zone`."""
        value = self._read(column, lambda cell: cells.read_moment(cell, zone), None)
        return self._present(column, value, required)

    def flag(self, column: str) -> bool:
        """Read yes or no; empty means no."""
        return self._read(column, cells.read_flag, False)

    def note(self, column: str, message: str) -> None:
        """Note that a cell cannot be used."""
        self.problems.append(CellProblem(self.row.number, column, message))

    def _read(self, column: str, read: Callable[[Cell], T], otherwise: T) -> T:
        try:
            return read(self.row.get(column))
        except InvalidInput as error:
            self.note(column, str(error))
            return otherwise

    def _present(self, column: str, value: T, required: bool) -> T:
        if required and not value and value != 0 and not self._noted(column):
            self.note(column, "is empty")
        return value

    def _noted(self, column: str) -> bool:
        return any(problem.column == column for problem in self.problems)
