"""Files of points, CSV or Parquet, read and written chunk by chunk: the same rows, with one column more.

CSV cells are passed on as the text they are; nothing is read as a number but the two columns of the position. A row
whose position cannot be read keeps its place and has NaN.
"""

from __future__ import annotations

import csv
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mapsvc.base.errors import Conflict, InvalidInput, NotFound, Unavailable, UnsupportedType
from mapsvc.base.tables.text import DELIMITERS, find_encoding

CHUNK = 100_000

LON_NAMES = ("lon", "lng", "long", "longitude", "经度", "x")
LAT_NAMES = ("lat", "latitude", "纬度", "y")
"""Columns taken without being named, the first one present; compared without case and spaces around them."""

CSV_SUFFIXES = (".csv", ".txt", ".tsv")
PARQUET_SUFFIXES = (".parquet", ".pq", ".geoparquet")

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Chunk:
    """Some rows of a file as they are there, and their positions in degrees of the file's datum; NaN is unreadable."""

    rows: Any
    lon: Floats
    lat: Floats

    def __len__(self) -> int:
        return len(self.lon)


class PointFile(Protocol):
    """A file of points: its columns, which two are the position, its rows, and how rows like them are written."""

    path: Path
    columns: tuple[str, ...]
    lon_field: str
    lat_field: str

    def chunks(self, size: int = CHUNK) -> Iterator[Chunk]: ...

    def writer(self, path: Path, column: str) -> AbstractContextManager[PointSink]: ...


class PointSink(Protocol):
    """Takes chunks with a code for each row, an empty one for none."""

    def write(self, rows: Any, codes: Sequence[str]) -> None: ...


def open_points(
    path: Path, *, lon_field: str | None = None, lat_field: str | None = None, encoding: str | None = None
) -> PointFile:
    """Look at a file of points and choose its columns.

    Raises `NotFound` (`file_not_found`), `UnsupportedType` (`not_a_point_file`), `InvalidInput`: `missing_column`,
    which lists those there are, `empty_file`, `bad_encoding`, `broken_csv`, `unreadable_file`.
    """
    if not path.is_file():
        raise NotFound("file_not_found", f"There is no file {path}.", hint="Check the path.")
    if is_parquet(path):
        return ParquetPoints(path, lon_field, lat_field)
    return CsvPoints(path, lon_field, lat_field, encoding)


def is_parquet(path: Path) -> bool:
    """Say by its name whether a file is Parquet, not CSV; other names raise `UnsupportedType`."""
    suffix = path.suffix.lower()
    if suffix not in CSV_SUFFIXES + PARQUET_SUFFIXES:
        raise UnsupportedType(
            "not_a_point_file",
            f"{path.name} is neither CSV nor Parquet by its name.",
            hint="Points are read and written as .csv, .txt, .tsv or .parquet.",
        )
    return suffix in PARQUET_SUFFIXES


class CsvPoints:
    """A CSV file, in UTF-8 or GBK; what is written has the same encoding, delimiter and line ends."""

    def __init__(self, path: Path, lon_field: str | None, lat_field: str | None, encoding: str | None) -> None:
        self.path = path
        self.encoding = _known_encoding(encoding) if encoding else find_encoding(path)
        with _told(path), path.open(encoding=self.encoding, newline="") as file:
            first = file.readline()
        self.line_end = "\r\n" if first.endswith("\r\n") else "\n"
        self.delimiter = max(DELIMITERS, key=lambda sign: (first.count(sign), -DELIMITERS.index(sign)))
        with _told(path), path.open(encoding=self.encoding, newline="") as file:
            self.columns = tuple(next(csv.reader(file, delimiter=self.delimiter), ()))
        if not any(name.strip() for name in self.columns):
            raise InvalidInput(
                "empty_file", f"{path.name} has no header.", hint="Its first line must name the columns."
            )
        self.lon_field, self.lat_field = _choose_columns(path, self.columns, lon_field, lat_field)

    def chunks(self, size: int = CHUNK) -> Iterator[Chunk]:
        """Give the rows, `size` at a time; blank lines are skipped, short rows filled up."""
        at_lon, at_lat = self.columns.index(self.lon_field), self.columns.index(self.lat_field)
        with _told(self.path), self.path.open(encoding=self.encoding, newline="") as file:
            reader = csv.reader(file, delimiter=self.delimiter)
            next(reader)
            rows: list[list[str]] = []
            for row in reader:
                if not row:
                    continue
                rows.append(self._fitted(row, reader.line_num))
                if len(rows) == size:
                    yield Chunk(rows, read_numbers(rows, at_lon), read_numbers(rows, at_lat))
                    rows = []
            if rows:
                yield Chunk(rows, read_numbers(rows, at_lon), read_numbers(rows, at_lat))

    def _fitted(self, row: list[str], line: int) -> list[str]:
        if len(row) > len(self.columns):
            raise InvalidInput(
                "broken_csv",
                f"Line {line} of {self.path.name} has {len(row)} cells, the header {len(self.columns)}.",
                hint="Often a comma in a text lacks its quotation marks.",
                detail={"line": line},
            )
        return row + [""] * (len(self.columns) - len(row))

    @contextmanager
    def writer(self, path: Path, column: str) -> Iterator[PointSink]:
        """Open a file for rows of this one with one column more; see `_aside`."""
        with _aside(path) as part, part.open("w", encoding=self.encoding, newline="") as file:
            writer = csv.writer(file, delimiter=self.delimiter, lineterminator=self.line_end)
            writer.writerow([*self.columns, column])
            yield _CsvSink(writer)


class _CsvSink:
    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def write(self, rows: Any, codes: Sequence[str]) -> None:
        self._writer.writerows([*row, code] for row, code in zip(rows, codes, strict=True))


class ParquetPoints:
    """A Parquet file; rows keep their types, the new column is text, null for none."""

    def __init__(self, path: Path, lon_field: str | None, lat_field: str | None) -> None:
        self.path = path
        with _told(path):
            self.schema = pq.read_schema(path)
        self.columns = tuple(self.schema.names)
        self.lon_field, self.lat_field = _choose_columns(path, self.columns, lon_field, lat_field)

    def chunks(self, size: int = CHUNK) -> Iterator[Chunk]:
        """Give the rows, at most `size` at a time."""
        with _told(self.path), pq.ParquetFile(self.path) as file:
            for batch in file.iter_batches(batch_size=size):
                yield Chunk(batch, read_floats(batch.column(self.lon_field)), read_floats(batch.column(self.lat_field)))

    @contextmanager
    def writer(self, path: Path, column: str) -> Iterator[PointSink]:
        """Open a file for rows of this one with one column more; see `_aside`."""
        schema = self.schema.append(pa.field(column, pa.string()))
        with _aside(path) as part, pq.ParquetWriter(part, schema) as writer:
            yield _ParquetSink(writer, schema)


class _ParquetSink:
    def __init__(self, writer: Any, schema: Any) -> None:
        self._writer = writer
        self._schema = schema

    def write(self, rows: Any, codes: Sequence[str]) -> None:
        column = pa.array([code or None for code in codes], pa.string())
        self._writer.write_batch(pa.RecordBatch.from_arrays([*rows.columns, column], schema=self._schema))


def check_target(source: PointFile, path: Path, column: str, *, overwrite: bool) -> None:
    """Refuse to write where it would lose or mix something, before any work is done.

    Raises `Conflict` (`file_exists`), `InvalidInput` (`column_exists`, `same_file`, `format_differs`), `NotFound`.
    """
    if is_parquet(path) != isinstance(source, ParquetPoints):
        raise InvalidInput(
            "format_differs",
            f"{path.name} is of another kind than {source.path.name}.",
            hint="CSV gives CSV and Parquet gives Parquet; name OUT alike.",
        )
    if column in source.columns:
        raise InvalidInput(
            "column_exists",
            f"{source.path.name} already has a column {column}.",
            hint="Rename or drop that column first, so that nothing is overwritten.",
        )
    if not path.parent.is_dir():
        raise NotFound("folder_not_found", f"There is no folder {path.parent}.", hint="Make it first.")
    if path.exists():
        if path.samefile(source.path):
            raise InvalidInput("same_file", "OUT is the file of points itself.", hint="Write to another file.")
        if not overwrite:
            raise Conflict("file_exists", f"{path} is there already.", hint="Add --overwrite to replace it.")


def _choose_columns(path: Path, columns: Sequence[str], lon: str | None, lat: str | None) -> tuple[str, str]:
    folded = {name.strip().strip("\ufeff").casefold(): name for name in reversed(columns)}

    def choose(given: str | None, guesses: Sequence[str], what: str, option: str) -> str:
        wanted = [given] if given else guesses
        for name in wanted:
            if name in columns:
                return name
            if name.strip().casefold() in folded:
                return folded[name.strip().casefold()]
        raise InvalidInput(
            "missing_column",
            f"{path.name} has no column {given!r}." if given else f"No column of {path.name} is called a {what}.",
            hint=f"Name it by {option}; the columns are: {', '.join(columns)}.",
            detail={"columns": list(columns)},
        )

    return choose(lon, LON_NAMES, "longitude", "--lon"), choose(lat, LAT_NAMES, "latitude", "--lat")


def read_numbers(rows: Sequence[Sequence[str]], at: int) -> Floats:
    """Return one column of text cells as numbers, NaN where a cell is none."""
    cells = [row[at] for row in rows]
    try:
        return np.array(list(map(float, cells)), dtype=np.float64)
    except ValueError:
        return np.array([_number(cell) for cell in cells], dtype=np.float64)


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")


def read_floats(column: Any) -> Floats:
    """Return an Arrow column, of numbers or of text, as numbers; NaN where there is none."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return np.array([_number(cell or "") for cell in column.to_pylist()], dtype=np.float64)
    try:
        values = pc.cast(column, pa.float64(), safe=False)
    except pa.ArrowException as error:
        raise InvalidInput(
            "missing_column",
            f"A position cannot be read from a column of {column.type}.",
            hint="Name it by --lon, --lat.",
        ) from error
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)


def _known_encoding(encoding: str) -> str:
    try:
        "".encode(encoding)
    except LookupError as error:
        raise InvalidInput("bad_encoding", f"There is no encoding {encoding!r}.", hint="Usual: utf-8, gbk.") from error
    # Files called GBK hold characters of its successor as well.
    return "gb18030" if encoding.lower() in ("gbk", "gb2312", "cp936") else encoding


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn what the readers raise into errors that name the file."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise InvalidInput(
            "bad_encoding", f"{path.name} cannot be read as {error.encoding}.", hint="Name its encoding by --encoding."
        ) from error
    except csv.Error as error:
        raise InvalidInput(
            "broken_csv",
            f"{path.name} is broken: {error}.",
            hint="Often a quotation mark is opened and not closed.",
        ) from error
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise Unavailable("unreadable_file", f"{path.name}: {error.strerror}.", hint="Check the disk.") from error
        raise InvalidInput(
            "unreadable_file", f"{path.name} is no whole Parquet file.", hint="Was its copy cut short?"
        ) from error


@contextmanager
def _aside(path: Path) -> Iterator[Path]:
    """Give a path beside the wanted one, which is renamed into place when all went well and removed when not."""
    part = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.part")
    try:
        yield part
        part.replace(path)
    except OSError as error:
        raise Unavailable(
            "file_not_written",
            f"{path} could not be written: {error.strerror or error}.",
            hint="Check that the folder can be written and has room; nothing was left behind.",
        ) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
