"""What the store costs: durable commits beside the disk's own fsync rate, imports in batches, boxes.

Run by `python -m tests.bench.storage [FOLDER]`; the folder decides which disk is measured. Quote the
ratios: the absolute figures move by a factor of two from run to run.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import shapely
from sqlalchemy import column, func, insert, select, table

from mapsvc.areas.models import Border
from mapsvc.base.clock import SystemClock
from mapsvc.base.events import CaseOpened
from mapsvc.people.models import Person
from mapsvc.storage import migrate
from mapsvc.storage.boxes import Box, borders_in_box
from mapsvc.storage.engine import make_engine
from mapsvc.storage.imports import begin_run, write_batches
from mapsvc.storage.work import Store, Work

TURNS = 10
TURN_S = 0.2
PAGES = b"\0" * 4096 * 3  # a commit of one row with its indexes writes about three pages
IMPORTED_ROWS = 20_000
BORDERS = 100_000


def main() -> None:
    chosen = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory(dir=chosen) as name:
        folder = Path(name)
        store = Store(make_engine(f"sqlite:///{folder / 'mapsvc.db'}"), SystemClock())
        migrate.upgrade(store.engine)
        sync, raw, work, read = timed(
            appender(folder / "plain"), raw_sqlite(folder / "raw.db"), one_work(store), one_read(store)
        )
        syncs = report("append 12 KiB and fdatasync", sync)
        raws = report("raw sqlite3, one row, WAL, synchronous=FULL", raw)
        works = report("Store.write, one row and one event", work)
        report("Store.read, one row by its key", read)
        print(f"durable works are {works / syncs:.2f} of the disk's syncs, {works / raws:.2f} of raw sqlite3")
        print(f"import in batches of 500: {imported_rows_per_s(store):,.0f} rows/s")
        boxes(store)
        store.engine.dispose()


def timed(*calls: Callable[[], object]) -> list[np.ndarray]:
    """Return the seconds that each call took; the rivals take turns, so that a busy moment meets them all alike."""
    took: list[list[float]] = [[] for _ in calls]
    for once in calls:
        for _ in range(20):
            once()
    for _ in range(TURNS):
        for once, seconds in zip(calls, took, strict=True):
            end = time.perf_counter() + TURN_S
            while (began := time.perf_counter()) < end:
                once()
                seconds.append(time.perf_counter() - began)
    return [np.array(seconds) for seconds in took]


def report(what: str, took: np.ndarray) -> float:
    """Print and return the rate."""
    rate = len(took) / took.sum()
    p50, p99 = np.percentile(took, [50, 99]) * 1e3
    print(f"{what:45} {rate:8,.0f} /s   p50 {p50:6.2f} ms   p99 {p99:6.2f} ms")
    return float(rate)


def appender(path: Path) -> Callable[[], None]:
    handle = os.open(path, os.O_CREAT | os.O_WRONLY)

    def once() -> None:
        os.write(handle, PAGES)
        os.fdatasync(handle)

    return once


def raw_sqlite(path: Path) -> Callable[[], None]:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT)")

    def once() -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO person (name) VALUES ('x')")
        connection.execute("COMMIT")

    return once


def one_work(store: Store) -> Callable[[], None]:
    numbers = iter(range(10**9))

    def once() -> None:
        number = next(numbers)
        with store.write() as work:
            work.session.add(Person(code=f"p{number}", name="王芳"))
            work.emit(CaseOpened(number))

    return once


def one_read(store: Store) -> Callable[[], None]:
    def once() -> None:
        with store.read() as work:
            assert work.session.scalar(select(Person.name).where(Person.id == 1)) == "王芳"

    return once


def imported_rows_per_s(store: Store) -> float:
    def write(work: Work, batch: Sequence[int]) -> dict[str, int]:
        work.session.execute(
            insert(Person), [{"code": f"i{number}", "name": "x", "phone": "", "public": False} for number in batch]
        )
        return {"written": len(batch)}

    began = time.perf_counter()
    with store.write() as work:
        run = begin_run(work, kind="bench", file_name="bench", sha256="0" * 64)
    write_batches(store, run, range(IMPORTED_ROWS), write)
    return IMPORTED_ROWS / (time.perf_counter() - began)


def boxes(store: Store) -> None:
    """A hundred thousand borders: the R*Tree against a comparison of the four columns, answers compared."""
    side = int(BORDERS**0.5) + 1
    rows = []
    for number in range(BORDERS):
        west, south = 123 + (number % side) / 1000, 41 + (number // side) / 1000
        square = shapely.box(west, south, west + 0.001, south + 0.001)
        rows.append(
            {"lattice_hash": str(number), "geometry": square, "area_m2": 1.0}
            | dict(zip(("west", "south", "east", "north"), square.bounds, strict=True))
        )
    with store.write() as work:
        work.session.execute(insert(Border), rows)
    asked = Box(123.1003, 41.1003, 123.1027, 41.1027)
    border = table("border", *(column(name) for name in ("id", "west", "south", "east", "north"))).c
    plain = select(func.count(border.id)).where(
        border.west <= asked.east, border.east >= asked.west, border.south <= asked.north, border.north >= asked.south
    )
    with store.read() as work:
        by_tree = select(func.count()).select_from(borders_in_box(work, asked).subquery())
        counts = {work.session.scalar(plain), work.session.scalar(by_tree)}
        assert counts == {9}, counts
        by_index, by_columns = timed(lambda: work.session.scalar(by_tree), lambda: work.session.scalar(plain))
        tree = report("borders in a box by R*Tree", by_index)
        scan = report("the same by comparing columns", by_columns)
    print(f"the R*Tree is {tree / scan:,.0f} times as fast among {BORDERS:,} borders")


if __name__ == "__main__":
    main()
