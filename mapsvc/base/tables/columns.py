"""Which column is which: the header row is found, the names are guessed by synonyms in both tongues."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mapsvc.base.errors import InvalidInput
from mapsvc.base.tables.cells import Cell, half_width, read_text

SEARCHED_ROWS = 20
"""A header is sought in so many rows; above it stand titles and remarks."""


@dataclass(frozen=True)
class Column:
    """A column that an import reads: its name in the program, the headers that mean it, whether it must be there."""

    name: str
    synonyms: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True)
class Header:
    """The header found: the row numbers it takes (0-based, end excluded), its names, and which column is where."""

    first_row: int
    end_row: int
    names: tuple[str, ...]
    places: Mapping[str, int]


def fold(name: str) -> str:
    """Return a header without case, spaces, signs, stars and remarks in brackets."""
    text = half_width(name).casefold()
    text = re.sub(r"[(【\[].*?[)】\]]", "", text) or text
    return re.sub(r"[\s_\-*:.·/、,，。()\[\]【】]+", "", text)


def find_header(
    rows: Sequence[Sequence[Cell]], columns: Sequence[Column], chosen: Mapping[str, str] | None = None
) -> Header:
    """Find the header among the first rows of a table: the row, or the two rows, that name most columns.

    `chosen` maps names of columns to headers where the guess is not wanted. Raises `InvalidInput`
    with the headers seen where a required column is not there.
    """
    rows = rows[:SEARCHED_ROWS]
    best: Header | None = None
    for height in (1, 2):  # two rows must name more columns than any single one
        for number in range(len(rows) - height + 1):
            names = _names(rows[number : number + height])
            if not any(names):
                continue
            header = Header(number, number + height, names, guess_places(names, columns, chosen or {}))
            if best is None or len(header.places) > len(best.places):
                best = header
    if best is None:
        raise InvalidInput("table_empty", "The table is empty: there is no header.")
    _check(best, columns, chosen or {})
    return best


def _names(rows: Sequence[Sequence[Cell]]) -> tuple[str, ...]:
    """Return the names of a header of one or two rows; a merged cell of the upper one stands over several below."""
    upper = [read_text(cell) for cell in rows[0]]
    if len(rows) < 2:
        return tuple(upper)
    lower = [read_text(cell) for cell in rows[1]]
    width = max(len(upper), len(lower))
    upper += [""] * (width - len(upper))
    lower += [""] * (width - len(lower))
    names, over = [], ""
    for top, sub in zip(upper, lower, strict=True):
        over = top or over
        names.append(f"{over} {sub}".strip() if sub else top)
    return tuple(names)


def guess_places(names: Sequence[str], columns: Sequence[Column], chosen: Mapping[str, str]) -> dict[str, int]:
    """Return where each column stands; exact synonyms go before the lower part of a two-row header."""
    folded = [fold(name) for name in names]
    lower = [fold(name.rsplit(" ", 1)[-1]) if " " in name else "" for name in names]
    places: dict[str, int] = {}
    for name, header in chosen.items():
        wanted = fold(header)
        if wanted in folded:
            places[name] = folded.index(wanted)
    for candidates in (folded, lower):
        for column in columns:
            if column.name in places or column.name in chosen:
                continue
            for synonym in (column.name, *column.synonyms):
                wanted = fold(synonym)
                free = [i for i, text in enumerate(candidates) if text == wanted and i not in places.values()]
                if free:
                    places[column.name] = free[0]
                    break
    return places


def _check(header: Header, columns: Sequence[Column], chosen: Mapping[str, str]) -> None:
    seen = ", ".join(name for name in header.names if name) or "none"
    unmet = [f"{name}={text}" for name, text in chosen.items() if name not in header.places]
    if unmet:
        raise InvalidInput(
            "columns_not_found", f"These columns are not in the table: {', '.join(unmet)}.", hint=f"It has: {seen}."
        )
    missing = [column for column in columns if column.required and column.name not in header.places]
    if missing:
        raise InvalidInput(
            "missing_columns",
            "Columns are missing: "
            + "; ".join(f"{column.name} ({', '.join(column.synonyms[:3])})" for column in missing)
            + ".",
            hint=f"The table has: {seen}.",
            detail={"missing": [column.name for column in missing], "seen": list(header.names)},
        )
