"""The index as one file that any number of workers map into memory.

Layout, little-endian: a header of 128 bytes, then the table and the records, each begun on a multiple of 64 bytes.
The header holds a mark, the version of this layout, the file's length, the grid, where the arrays are, the CRC-32 of
all that follows it, and of itself. A file is never changed: it is written aside and renamed into place, because a
rewrite under a worker's map ends that worker with SIGBUS.
"""

from __future__ import annotations

import os
import secrets
import sys
import zlib
from pathlib import Path
from struct import Struct

import numpy as np

from mapsvc.base.errors import InvalidInput, NotFound, Unavailable
from mapsvc.geo.locate.layout import LINE_WORDS, Cells, Grid, Words

MARK = b"MAPSVCIX"
VERSION = 1

_HEADER = Struct("<8sIIqqqqqqqqqqqI")
_CHECK = Struct("<I")
_HEADER_BYTES = 128
_LINE_BYTES = 64


def write_cells(cells: Cells, path: Path) -> None:
    """Write the index beside `path`, make it durable, then rename it into place."""
    table = np.ascontiguousarray(cells.table, dtype="<i4")
    words = np.ascontiguousarray(cells.words, dtype="<i4")
    words_at = _aligned(_HEADER_BYTES + table.nbytes)
    gap = bytes(words_at - _HEADER_BYTES - table.nbytes)
    crc = zlib.crc32(words.data, zlib.crc32(gap, zlib.crc32(table.data)))
    grid = cells.grid
    header = _HEADER.pack(
        MARK,
        VERSION,
        _HEADER_BYTES,
        words_at + words.nbytes,
        cells.areas,
        grid.west,
        grid.south,
        grid.shift_x,
        grid.shift_y,
        grid.nx,
        grid.ny,
        len(table),
        words_at,
        len(words),
        crc,
    )
    header = header.ljust(_HEADER_BYTES - _CHECK.size, b"\0")
    header += _CHECK.pack(zlib.crc32(header))
    aside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.part")
    try:
        with aside.open("xb") as file:
            for piece in (header, table.data, gap, words.data):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise Unavailable(
            "index_not_written",
            f"The index file {path.name} could not be written: {error.strerror or error}.",
            hint="Check that the folder exists, can be written and has room.",
        ) from error


def read_cells(path: Path, *, verify: bool = True) -> Cells:
    """Map an index file into memory, read-only.

    Raises `NotFound` (`no_index_file`), or `InvalidInput` (`bad_index_file`) for a file that is foreign, of another
    version, cut short or damaged: build it again. With `verify=False` the arrays are not read through, and damage
    inside them goes unseen; the loops do not check positions, so only trust files just verified.
    """
    if sys.byteorder != "little":
        raise InvalidInput("bad_index_file", "Index files need a little-endian machine.", hint="Build it in memory.")
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
            cells, crc = _mapped(path, header, size)
    except FileNotFoundError as error:
        raise NotFound("no_index_file", f"There is no index file {path.name}.", hint="Build it.") from error
    except OSError as error:
        raise _bad(path, f"it cannot be read ({error.strerror or error})") from error
    if verify:
        raw = np.memmap(path, mode="r", dtype=np.uint8, offset=_HEADER_BYTES)
        if zlib.crc32(raw.data) != crc:
            raise _bad(path, "its checksum differs")
    return cells


def _mapped(path: Path, header: bytes, size: int) -> tuple[Cells, int]:
    if len(header) < _HEADER_BYTES or header[: len(MARK)] != MARK:
        raise _bad(path, "it is not an index file")
    if _CHECK.unpack(header[-_CHECK.size :])[0] != zlib.crc32(header[: -_CHECK.size]):
        raise _bad(path, "its header is damaged")
    _, version, _, length, areas, *rest = _HEADER.unpack_from(header)
    if version != VERSION:
        raise _bad(path, f"it has version {version}, this program writes {VERSION}")
    if length != size:
        raise _bad(path, f"it has {size} bytes instead of {length}")
    west, south, shift_x, shift_y, nx, ny, table_items, words_at, words_items, crc = rest
    grid = Grid(west, south, shift_x, shift_y, nx, ny)
    if table_items != grid.cells + 1 or words_items < LINE_WORDS or words_at + 4 * words_items != size:
        raise _bad(path, "its parts do not fit together")
    return Cells(grid, areas, _map(path, _HEADER_BYTES, table_items), _map(path, words_at, words_items)), int(crc)


def _map(path: Path, offset: int, items: int) -> Words:
    return np.asarray(np.memmap(path, mode="r", dtype=np.int32, offset=offset, shape=(items,)))


def _aligned(position: int) -> int:
    return -(-position // _LINE_BYTES) * _LINE_BYTES


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _bad(path: Path, why: str) -> InvalidInput:
    return InvalidInput(
        "bad_index_file",
        f"The index file {path.name} cannot be used: {why}.",
        hint="Delete it; it is built again from the borders.",
        detail={"file": path.name},
    )
