"""Tiles of borders: made from a snapshot, kept on disk by what is in them.

A level's tiles bear a version, the hash of its codes, names, label points and borders: the same areas give the same
version on every machine, and other areas never get an address that was used before. Whatever is asked for is looked
for in `tiles/` of the data folder first; it is written beside its place and renamed, so all workers share it.
"""

from __future__ import annotations

import gzip
import hashlib
import logging
import math
import os
import shutil
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import uuid4
from weakref import WeakKeyDictionary

import numpy as np
import shapely
from numpy.typing import NDArray

from mapsvc.areas.borders import Borders
from mapsvc.areas.index import Snapshot
from mapsvc.areas.queries.state import load_geometries, sum_area_m2
from mapsvc.catalog import Levels
from mapsvc.geo.tiles import raster
from mapsvc.geo.tiles.areas import Areas
from mapsvc.geo.tiles.mercator import Tile, to_unit
from mapsvc.storage.work import Store, Work

log = logging.getLogger(__name__)

Kind = Literal["mvt", "ids"]

MAX_ZOOM = 16
"""The finest tiles: a unit of them is 15 cm; whoever draws nearer enlarges these."""

AHEAD_ZOOM = 12
"""Down to this zoom the tiles of a level with many areas are made when its borders are published."""

MANY = 2_000
"""With up to this many areas a zoom is simplified while the first tile of it is asked for: a quarter of a second."""

KEPT_VERSIONS = 3
"""Versions of each level kept on disk; of the others the one unused for the longest time goes first."""

KEPT_AREAS = 3
"""Levels whose geometry stays in the memory of a process: some 2 kB an area."""

FORMAT = 1
"""Part of every version: it grows when the same areas would give other tiles."""

EMPTY = gzip.compress(b"", 5, mtime=0)
_GRID_DEGREES = 1e-8


@dataclass(frozen=True)
class Made:
    """A tile, gzipped. One that is not `final` shows the same and weighs more: a better one is being made."""

    content: bytes
    final: bool = True


class AreaTiles:
    """The tiles of one process."""

    def __init__(self, store: Store, levels: Levels, folder: Path) -> None:
        self.store = store
        self.levels = levels
        self.folder = folder
        self._lock = threading.Lock()
        self._versions: WeakKeyDictionary[Borders, dict[str, str]] = WeakKeyDictionary()
        self._sides: dict[str, float] = {}
        self._areas: OrderedDict[tuple[str, str], Areas] = OrderedDict()
        self._loading: dict[tuple[str, str], threading.Lock] = {}
        self._preparing: dict[tuple[str, str], threading.Thread] = {}

    def version(self, snapshot: Snapshot, level: str) -> str:
        """Return the version of a level's tiles; "" for a level without areas in force."""
        known = self._versions.setdefault(snapshot.borders, {})
        if level not in known:
            known[level] = _version(snapshot, level) if level in snapshot.tables else ""
        return known[level]

    def mean_side_m(self, snapshot: Snapshot, level: str) -> float:
        """Return the side of a square as large as the mean area of a level, in metres; 0 without areas."""
        version = self.version(snapshot, level)
        if not version:
            return 0.0
        if version not in self._sides:
            with self.store.read() as work:
                total = sum_area_m2(work, snapshot.tables[snapshot.borders.answers[level]])
            self._sides[version] = math.sqrt(total / len(snapshot.tables[level]))
        return self._sides[version]

    def get(self, snapshot: Snapshot, level: str, tile: Tile, kind: Kind) -> Made:
        """Return a tile; an empty one where no area is near, or the level has none in force."""
        version = self.version(snapshot, level)
        if not version or not _touches(snapshot, tile):
            return Made(EMPTY)
        path = self._path(level, version, tile, kind)
        with suppress(OSError):
            return Made(path.read_bytes())
        made = self._number_raster(snapshot, level, tile) if kind == "ids" else self._vector(snapshot, level, tile)
        if made.final:
            self._keep(path, made.content)
        return made

    def make_ahead(self, snapshot: Snapshot, level: str, max_zoom: int = AHEAD_ZOOM) -> int:
        """Make the tiles of a level down to a zoom, both kinds, and return how many were not there yet."""
        version, count = self.version(snapshot, level), 0
        if not version or snapshot.bounds is None:
            return 0
        areas: Areas | None = None
        for tile in tiles_over(snapshot.bounds, max_zoom):
            for kind in ("mvt", "ids"):
                path = self._path(level, version, tile, kind)
                if path.exists():
                    continue
                if kind == "mvt" and areas is None:
                    areas = self._load(snapshot, level, version)
                if areas is not None and kind == "mvt":
                    areas.prepare(tile.z)
                self.get(snapshot, level, tile, kind)
                count += 1
        return count

    def wait(self) -> None:
        """Wait for what is being prepared: before the program ends."""
        for thread in list(self._preparing.values()):
            thread.join()

    # -- making

    def _vector(self, snapshot: Snapshot, level: str, tile: Tile) -> Made:
        version = self.version(snapshot, level)
        areas = self._load(snapshot, level, version)
        if not areas.is_ready(tile.z):
            if areas.count <= MANY:
                areas.prepare(tile.z)
            else:
                self._prepare_behind(level, version, areas)
        final = areas.is_ready(tile.z)
        return Made(gzip.compress(areas.encode(tile), 5, mtime=0), final)

    def _number_raster(self, snapshot: Snapshot, level: str, tile: Tile) -> Made:
        """Ask the index at the middle of each pixel: exact, and without any geometry."""
        lon, lat = raster.pixel_centres(tile)
        rows = snapshot.locate_rows(lon, lat)[level]
        return Made(gzip.compress(raster.encode_numbers(rows), 5, mtime=0))

    def _prepare_behind(self, level: str, version: str, areas: Areas) -> None:
        key = level, version
        with self._lock:
            if key in self._preparing:
                return

            def prepare() -> None:
                try:
                    areas.prepare(0)
                finally:
                    del self._preparing[key]

            self._preparing[key] = threading.Thread(target=prepare, name=f"tiles-{level}", daemon=True)
            self._preparing[key].start()

    def _load(self, snapshot: Snapshot, level: str, version: str) -> Areas:
        """Return the geometry of a level; read by one thread, and only those who want this level wait for it."""
        key = level, version
        with self._lock:
            loading = self._loading.setdefault(key, threading.Lock())
        with loading:
            found = self._areas.get(key)
            if found is None:
                with self.store.read() as work:
                    found = self._areas[key] = load_areas(work, snapshot, level, self.levels)
        with self._lock:
            self._areas.setdefault(key, found)
            self._areas.move_to_end(key)
            while len(self._areas) > KEPT_AREAS:
                self._loading.pop(self._areas.popitem(last=False)[0], None)
        return found

    # -- on disk

    def _path(self, level: str, version: str, tile: Tile, kind: Kind) -> Path:
        return self.folder / f"{level}-{version}" / kind / str(tile.z) / f"{tile.x}-{tile.y}.gz"

    def _keep(self, path: Path, content: bytes) -> None:
        """Write a tile; a disk that is full or may not be written only makes the next answer slower."""
        aside = path.with_name(f"{path.name}.{os.getpid()}-{uuid4().hex}")
        try:
            known = path.parents[2].exists()
            path.parent.mkdir(parents=True, exist_ok=True)
            aside.write_bytes(content)
            aside.replace(path)
        except OSError as error:
            log.warning("A tile could not be kept: %s", error)
            with suppress(OSError):
                aside.unlink(missing_ok=True)
            return
        if not known:
            self._drop_old(path.parents[2])

    def _drop_old(self, keep: Path) -> None:
        """Remove versions of a level beyond those kept, the oldest first."""
        level = keep.name.rsplit("-", 1)[0]
        others = [
            path for path in self.folder.glob(f"{level}-*") if path != keep and path.name.rsplit("-", 1)[0] == level
        ]
        others.sort(key=_age)
        for path in others[: max(0, len(others) + 1 - KEPT_VERSIONS)]:
            shutil.rmtree(path, ignore_errors=True)


def load_areas(work: Work, snapshot: Snapshot, level: str, levels: Levels) -> Areas:
    """Read the borders of a level and make them ready to be drawn; levels above are put together from the finer one."""
    table = snapshot.tables[level]
    source = snapshot.borders.answers[level]
    known = levels.find(source)
    coverage = known is not None and known.coverage
    geometries = load_geometries(work, snapshot.tables[source])
    if source != level:
        geometries = unite(geometries, snapshot.borders.lineage[source][level], len(table), coverage=coverage)
    return Areas(geometries, table.label_lonlat, table.names, table.codes, coverage=coverage)


def unite(
    geometries: NDArray[np.object_], above: NDArray[np.int32], count: int, *, coverage: bool
) -> NDArray[np.object_]:
    """Return the unions of areas by the row above each (-1: none), None where a row has no areas."""
    result = np.full(count, None, dtype=object)
    order = np.argsort(above, kind="stable")
    rows, starts = np.unique(above[order], return_index=True)
    for row, members in zip(rows.tolist(), np.split(order, starts[1:]), strict=True):
        parts = [geometry for geometry in geometries[members] if geometry is not None]
        if row >= 0 and parts:
            united = (
                shapely.coverage_union_all(parts) if coverage else shapely.union_all(parts, grid_size=_GRID_DEGREES)
            )
            result[row] = united
    return result


def tiles_over(bounds: tuple[float, float, float, float], max_zoom: int) -> Iterator[Tile]:
    """Yield the tiles that meet a box (degrees), from the finest zoom to the coarsest."""
    west, south, east, north = bounds
    x, y = to_unit([west, east], [north, south])
    for z in range(max_zoom, -1, -1):
        last = (1 << z) - 1
        columns = [min(last, max(0, int(value * (1 << z)))) for value in x]
        rows = [min(last, max(0, int(value * (1 << z)))) for value in y]
        for column in range(columns[0], columns[1] + 1):
            for row in range(rows[0], rows[1] + 1):
                yield Tile(z, column, row)


def _touches(snapshot: Snapshot, tile: Tile) -> bool:
    """Whether a tile, with the margin that its geometry goes on for, meets the box of all borders."""
    if snapshot.bounds is None:
        return False
    west, south, east, north = snapshot.bounds
    x, y = to_unit([west, east], [north, south])
    x0, y0, x1, y1 = tile.box
    margin = tile.side / 32
    return bool(x[0] <= x1 + margin and x[1] >= x0 - margin and y[0] <= y1 + margin and y[1] >= y0 - margin)


def _version(snapshot: Snapshot, level: str) -> str:
    table = snapshot.tables[level]
    source = snapshot.borders.answers[level]
    digest = hashlib.sha256(f"{FORMAT} {level} {source}\n".encode())
    for code, name in zip(table.codes, table.names, strict=True):
        digest.update(f"{code}\t{name}\n".encode())
    digest.update(np.ascontiguousarray(table.label_lonlat).tobytes())
    if source != level:
        digest.update(np.ascontiguousarray(snapshot.borders.lineage[source][level]).tobytes())
    digest.update("\n".join(snapshot.tables[source].hashes).encode())
    return digest.hexdigest()[:16]


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # another process removed it meanwhile
        return 0.0
