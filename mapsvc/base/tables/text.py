"""CSV: which encoding, which delimiter, and rows with their line numbers."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TextIO

from mapsvc.base.errors import InvalidInput, TooLarge, UnsupportedType
from mapsvc.base.tables.cells import Cell
from mapsvc.base.tables.columns import SEARCHED_ROWS

DELIMITERS = (",", "\t", ";", "|")
_BLOCK = 1 << 20
_LONGEST_LINE = 8 * 1024 * 1024


def find_encoding(path: Path) -> str:
    """Return the encoding of a text file: by its mark, else UTF-8, else GBK (as GB18030), tried on all of it."""
    with path.open("rb") as file:
        head = file.read(65_536)
    if head.startswith(b"\xef\xbb\xbf"):
        candidates, tried = ["utf-8-sig"], "UTF-8, as its first bytes say"
    elif head.startswith((b"\xff\xfe", b"\xfe\xff")):
        candidates, tried = ["utf-16"], "UTF-16, as its first bytes say"
    elif b"\0" in head:
        raise UnsupportedType(
            "not_a_table", f"{path.name} is neither an xlsx workbook nor text.", hint="Save it as .xlsx or .csv."
        )
    else:
        candidates, tried = ["utf-8", "gb18030"], "UTF-8, nor GBK, which was tried too"
    lines = []
    for encoding in candidates:
        line = _first_bad_line(path, encoding)
        if line is None:
            return encoding
        lines.append(line)
        if encoding == "utf-8" and _is_mostly_utf8(head):
            tried = "UTF-8, which most of it is"
            break  # GBK would take most of it too, and make nonsense of it
    raise InvalidInput(
        "bad_encoding",
        f"{path.name} cannot be read as {tried}: line {max(lines)} is broken.",
        hint="Save it as CSV UTF-8.",
        detail={"tried": candidates[: len(lines)], "line": max(lines)},
    )


def _is_mostly_utf8(head: bytes) -> bool:
    text = head.decode("utf-8", errors="replace")
    broken = text.count("\ufffd")
    return sum(character > "\x7f" for character in text) - broken > 4 * broken


def _first_bad_line(path: Path, encoding: str) -> int | None:
    """Return the number of the first line that cannot be decoded, or None."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line, unfinished = 1, 0
    with path.open("rb") as file:
        while True:
            block = file.read(_BLOCK)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                return line + error.object[: error.start].count(b"\n")
            if not block:
                return None
            line += text.count("\n")
            last_end = max(text.rfind("\n"), text.rfind("\r"))
            unfinished = len(text) - last_end - 1 + (unfinished if last_end < 0 else 0)
            if unfinished > _LONGEST_LINE:
                raise TooLarge(
                    "line_too_long",
                    f"Line {line} of {path.name} has more than {_LONGEST_LINE:,} characters.",
                    hint="This is hardly a table; save it as CSV again.",
                    detail={"limit": _LONGEST_LINE},
                )


@contextmanager
def open_text(
    path: Path, encoding: str, fit: Callable[[Sequence[Sequence[Cell]]], int]
) -> Iterator[Iterator[tuple[int, tuple[Cell, ...]]]]:
    """Open the rows of a CSV file; the delimiter is the one by which `fit` finds most columns in its beginning."""
    with path.open(encoding=encoding, newline="") as file:
        delimiter = _find_delimiter(file, fit)
        file.seek(0)
        yield _rows(file, delimiter, path.name)


def _find_delimiter(file: TextIO, fit: Callable[[Sequence[Sequence[Cell]]], int]) -> str:
    lines = list(islice(file, 4 * SEARCHED_ROWS))
    if lines and lines[0].casefold().startswith("sep=") and len(lines[0].strip()) == 5:
        return lines[0][4]
    best, best_score = ",", (-1, 0)
    for delimiter in DELIMITERS:
        try:
            rows = list(islice(csv.reader(lines, delimiter=delimiter), SEARCHED_ROWS))
        except csv.Error:
            continue
        score = (fit(rows), max((len(row) for row in rows), default=0))
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _rows(file: TextIO, delimiter: str, name: str) -> Iterator[tuple[int, tuple[Cell, ...]]]:
    reader = csv.reader(file, delimiter=delimiter)
    while True:
        number = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InvalidInput(
                "broken_csv",
                f"{name} cannot be read from line {number} on: {error}.",
                hint="Often a quotation mark is opened there and not closed.",
                detail={"line": number},
            ) from error
        if number == 1 and len(row) == 1 and row[0].casefold().startswith("sep="):
            continue
        yield number, tuple(row)
