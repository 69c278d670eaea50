"""The district's own base map on disk: one file per layer, written aside and renamed, read once per process.

The files belong to the data folder as photos do, not to the store: they are drawing, no record, and nothing is ever
decided by them. The format is Parquet with the geometry as WKB in WGS 84 degrees, so that other programs read it too.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray
from pyarrow.lib import ArrowException

from mapsvc.base.errors import InvalidInput, Unavailable

Geometries = NDArray[np.object_]

FOLDER = "ground"
FORMAT = b"mapsvc-ground-1"
LEFT_AFTER_S = 3600
_ASIDE = ".aside-"
_CODE = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_SCHEMA = pa.schema(
    [("geometry", pa.binary()), ("name", pa.string()), ("kind", pa.string()), ("households", pa.int32())]
)


@dataclass(frozen=True, eq=False)
class GroundRows:
    """Things on the ground, a column each: lines, polygons or points in WGS 84 degrees, longitude first.

    `names` and `kinds` are as people write them, empty for none; `households` belong to buildings.
    """

    geometries: Geometries
    names: Sequence[str] = ()
    kinds: Sequence[str] = ()
    households: Sequence[int | None] = ()

    def __len__(self) -> int:
        return len(self.geometries)


@dataclass(frozen=True, eq=False)
class GroundLayer:
    """One layer as it was read: `version` changes with every byte of the file."""

    code: str
    version: str
    rows: GroundRows


def check_code(code: str) -> str:
    """Return the code of a ground layer, which is a file's name as well."""
    if not _CODE.fullmatch(code):
        raise InvalidInput(
            "bad_ground_layer",
            f"{code[:60]!r} cannot be the name of a ground layer.",
            hint="Small letters, digits, - and _, a letter first: roads, water, green, buildings.",
        )
    return code


def path_of(data_dir: Path, code: str) -> Path:
    """Return where a layer's file lies, whether it is there or not."""
    return data_dir / FOLDER / f"{check_code(code)}.parquet"


def save(data_dir: Path, code: str, rows: GroundRows, source: str = "") -> Path:
    """Write a layer whole or not at all; readers see the old file or the new one."""
    path = path_of(data_dir, code)
    blank = [""] * len(rows)
    table = pa.table(
        {
            "geometry": shapely.to_wkb(rows.geometries),
            "name": list(rows.names) or blank,
            "kind": list(rows.kinds) or blank,
            "households": list(rows.households) or [None] * len(rows),
        },
        schema=_SCHEMA.with_metadata({b"mapsvc": FORMAT, b"source": source.encode()}),
    )
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd")
    _write_aside(path, out.getvalue())
    return path


def _write_aside(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=_ASIDE)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        _drop_leftovers(path)
    except OSError as error:
        raise Unavailable(
            "ground_not_written",
            f"The ground layer cannot be written: {error.strerror}.",
            hint="Check that MAPSVC_DATA_DIR is there, may be written and has room. The layer is as it was.",
        ) from error


def _drop_leftovers(written: Path) -> None:
    """Remove what killed writers left beside a file just written; one still at work has a file of this hour."""
    now = written.stat().st_mtime
    for leftover in written.parent.glob(f"{_ASIDE}*"):
        with suppress(FileNotFoundError):
            if now - leftover.stat().st_mtime > LEFT_AFTER_S:
                leftover.unlink()


def load(data_dir: Path, code: str) -> GroundLayer | None:
    """Read a layer; None where there is no file. One that is damaged raises `Unavailable`."""
    path = path_of(data_dir, code)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        table = pq.read_table(io.BytesIO(content))
        if (table.schema.metadata or {}).get(b"mapsvc") != FORMAT:
            raise ValueError("it is of another format")
        rows = GroundRows(
            shapely.from_wkb(np.array(table["geometry"].to_pylist(), dtype=object)),
            tuple(table["name"].to_pylist()),
            tuple(table["kind"].to_pylist()),
            tuple(table["households"].to_pylist()),
        )
    except (ValueError, KeyError, ArrowException, shapely.errors.ShapelyError) as error:
        raise Unavailable(
            "ground_damaged",
            f"The ground layer {code} cannot be read: {str(error).splitlines()[0][:120]}.",
            hint=f"Import it again with `mapsvc ground import`, or remove {path.name}.",
        ) from error
    return GroundLayer(code, hashlib.sha256(content).hexdigest()[:12], rows)


class GroundFiles:
    """The layers of one process: each file is read when first asked for, and again after it was replaced."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self._lock = threading.Lock()
        self._known: dict[str, tuple[tuple[int, int, int], GroundLayer]] = {}

    def find(self, code: str) -> GroundLayer | None:
        """Return a layer, or None where it is not there or has no rows."""
        try:
            found = path_of(self.data_dir, code).stat()
        except FileNotFoundError:
            self._known.pop(code, None)
            return None
        mark = (found.st_ino, found.st_mtime_ns, found.st_size)
        known = self._known.get(code)
        if known is None or known[0] != mark:
            with self._lock:
                known = self._known.get(code)
                if known is None or known[0] != mark:
                    layer = load(self.data_dir, code)
                    if layer is None:
                        return None
                    known = (mark, layer)
                    self._known[code] = known
        return known[1] if len(known[1].rows) else None

    def find_all(self, codes: Sequence[str]) -> Mapping[str, GroundLayer]:
        """Return those of the layers that have something to draw."""
        found = {code: self.find(code) for code in dict.fromkeys(codes)}
        return {code: layer for code, layer in found.items() if layer is not None}
