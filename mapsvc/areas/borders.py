"""The borders in force during one interval, in memory; their indexes come from files that all workers map."""

from __future__ import annotations

import fcntl
import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mapsvc.areas.loose import LooseIndex, has_overlaps
from mapsvc.areas.queries import state as queries
from mapsvc.areas.queries.state import AreaTable, BordersState, Int32s
from mapsvc.areas.rules.located import AreaAt
from mapsvc.areas.rules.positions import Bounds
from mapsvc.base.errors import InvalidInput, NotFound, Unavailable
from mapsvc.catalog import Levels
from mapsvc.geo.locate.index import AreaIndex
from mapsvc.storage.work import Work

log = logging.getLogger(__name__)

KEPT_FILES = 24
"""Index files kept on disk; those unused for the longest time go first."""

FILE_FORMAT = 1
"""Part of every file's name: it grows when the same areas would give another file."""


class PointIndex(Protocol):
    """What a snapshot asks of an index: rows of areas for points in degrees, WGS 84; -1 for none."""

    def locate(self, lon: ArrayLike, lat: ArrayLike) -> NDArray[np.int32]: ...

    def locate_one(self, lon: float, lat: float) -> int: ...

    def candidates(self, lon: float, lat: float, accuracy_m: float, level: float = 0.95) -> list[tuple[int, float]]: ...

    def nearest(self, lon: float, lat: float, within_m: float) -> tuple[int, float] | None: ...


@dataclass(frozen=True, eq=False)
class Borders:
    """Tables of areas and the indexes that answer for them; immutable but for answers put together once.

    `lineage[source][level]` gives for each area of an answering level the row of the area above it,
    -1 for none; for the answering level itself it is the identity.
    """

    generation: int
    tables: Mapping[str, AreaTable]
    indexes: Mapping[str, PointIndex]
    answers: Mapping[str, str]
    lineage: Mapping[str, Mapping[str, Int32s]]
    ranks: Mapping[str, int]
    bounds: Bounds | None
    ids: tuple[NDArray[np.int64], NDArray[np.int64], tuple[str, ...]]
    """Area ids ascending, the row of each plus its level's number times 2**32, and the levels by number."""
    paths: dict[tuple[str, int], tuple[AreaAt, ...]] = field(default_factory=dict)
    """By answering level and row; at most one entry per area."""

    def area_at(self, level: str, row: int) -> AreaAt:
        """Return one row of a table as a value."""
        table = self.tables[level]
        ids = int(table.area_ids[row]), int(table.version_ids[row])
        return AreaAt(level, *ids, table.codes[row], table.names[row], table.kinds[row])

    def find_row(self, area_id: int) -> tuple[str, int] | None:
        """Return level and row of an area in force by its id, or None."""
        areas, places, levels = self.ids
        n = int(np.searchsorted(areas, area_id))
        if n == len(areas) or areas[n] != area_id:
            return None
        level, row = divmod(int(places[n]), 2**32)
        return levels[level], row

    def path(self, source: str, row: int) -> tuple[AreaAt, ...]:
        """Return the area of an answering level and all that its index answers above it, finest first."""
        found = self.paths.get((source, row))
        if found is None:
            above = [(level, int(rows[row])) for level, rows in self.lineage[source].items()]
            above.sort(key=lambda item: -self.ranks[item[0]])
            found = tuple(self.area_at(level, at) for level, at in above if at >= 0)
            self.paths[source, row] = found
        return found


def make_borders(work: Work, state: BordersState, levels: Levels, folder: Path, bounds: Bounds | None) -> Borders:
    """Put the borders of a state together; reads geometry only for indexes that no file holds yet."""
    sources = [level for level, source in state.answers.items() if level == source]
    indexes = {
        level: open_index(work, state.tables[level], folder, coverage=_is_coverage(levels, level)) for level in sources
    }
    return Borders(
        generation=state.generation,
        tables=state.tables,
        indexes=indexes,
        answers={level: follow(state.answers, level) for level in state.answers},
        lineage={source: _lineage(state, source) for source in sources},
        ranks=dict.fromkeys(state.tables, -1) | {level.code: level.order for level in levels},
        bounds=bounds,
        ids=_ids(state.tables),
    )


def _ids(tables: Mapping[str, AreaTable]) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[str, ...]]:
    levels = tuple(tables)
    areas = np.concatenate([np.zeros(0, np.int64), *(tables[level].area_ids for level in levels)])
    places = [np.arange(len(tables[level]), dtype=np.int64) + n * 2**32 for n, level in enumerate(levels)]
    order = np.argsort(areas, kind="stable")
    return areas[order], np.concatenate([np.zeros(0, np.int64), *places])[order], levels


def _is_coverage(levels: Levels, level: str) -> bool:
    """Say whether a level must be a coverage; one that the configuration no longer knows need not be."""
    found = levels.find(level)
    return found is not None and found.coverage


def follow(answers: Mapping[str, str], level: str) -> str:
    """Return the level whose index answers for `level`: the end of its chain of finer levels."""
    while answers[level] != level:
        level = answers[level]
    return level


def _lineage(state: BordersState, source: str) -> dict[str, Int32s]:
    """Return the rows above each area of an answering level, for all levels that it answers."""
    rows: dict[str, Int32s] = {source: np.arange(len(state.tables[source]), dtype=np.int32)}
    open_levels = [level for level in state.answers if level != source and follow(state.answers, level) == source]
    while open_levels:
        ready = [level for level in open_levels if state.answers[level] in rows]
        for level in ready:
            finer = state.answers[level]
            parents = state.tables[finer].parents.get(level)
            below = rows[finer]
            if parents is None:
                rows[level] = np.full(len(below), -1, dtype=np.int32)
            else:
                rows[level] = np.where(below >= 0, parents[below], np.int32(-1)).astype(np.int32)
        open_levels = [level for level in open_levels if level not in rows]
    return rows


def index_name(table: AreaTable) -> str:
    """Return the file name of a level's index: the same for the same codes and borders, on every machine."""
    digest = hashlib.sha256(f"{FILE_FORMAT} {table.level}\n".encode())
    for code, lattice_hash in zip(table.codes, table.hashes, strict=True):
        digest.update(f"{code}\t{lattice_hash}\n".encode())
    return f"{table.level}-{digest.hexdigest()[:24]}.index"


def open_index(work: Work, table: AreaTable, folder: Path, *, coverage: bool) -> PointIndex:
    """Map the index file of a level, building it when it is not there; one process builds, the others wait.

    Levels that need not be a coverage and do overlap have no such file: their index is made in memory.
    """
    path = folder / index_name(table)
    folder.mkdir(parents=True, exist_ok=True)
    found = _open(path)
    if found is not None:
        return found
    with _locked(folder / f"{table.level}.lock"):
        found = _open(path)
        if found is not None:
            return found
        geometries = queries.load_geometries(work, table)
        if not coverage and has_overlaps(geometries):
            return LooseIndex(geometries)
        index = AreaIndex.build(geometries)
        try:
            index.save(path)
        except Unavailable as error:
            # A full disk must not stop the answers; the next process will try to write the file again.
            log.warning("%s", error.message)
            return index
        _drop_old(folder, keep=path)
    return _open(path) or index


def _open(path: Path) -> AreaIndex | None:
    if not path.is_file():
        return None
    try:
        index = AreaIndex.open(path)
    except (InvalidInput, NotFound) as error:
        log.warning("%s", error.message)
        return None
    with suppress(OSError):
        path.touch()  # says that it is in use; a read-only folder does not matter
    return index


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)


def _drop_old(folder: Path, keep: Path) -> None:
    """Remove the files unused for the longest time; whoever has one mapped keeps what he mapped."""
    files = [path for path in folder.glob("*.index") if path != keep]
    for path in _by_age(files)[: max(0, len(files) + 1 - KEPT_FILES)]:
        path.unlink(missing_ok=True)


def _by_age(files: Iterable[Path]) -> list[Path]:
    aged = []
    for path in files:
        try:
            aged.append((path.stat().st_mtime, path))
        except FileNotFoundError:  # another process removed it meanwhile
            continue
    return [path for _, path in sorted(aged)]
