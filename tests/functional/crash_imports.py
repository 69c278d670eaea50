"""Imports that are killed at a chosen point: `python crash_imports.py KIND URL DATA_DIR FILE [MORE]`.

Each line read is a point; a child of this process begins the import anew and is killed with -9 there, or comes to its
end. What became of it is answered by a line. Points: `dml N K` before the K-th writing statement of the N-th writing
transaction, `commit N` before its commit, `committed N` when that has returned, `fsync` and `replace` and `replaced`
for files, `none`. With `pause` before it a point of the store stops the child instead, which says `paused` and goes on
at the next line: time enough to kill the database.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from mapsvc.areas.index import Snapshot, Snapshots
from mapsvc.areas.service.duties import UnitImportOptions, import_units
from mapsvc.areas.service.duty_polygons import PolygonFile
from mapsvc.areas.service.ground import GroundFile, import_ground
from mapsvc.areas.service.import_posts import import_posts
from mapsvc.base import paths
from mapsvc.base.clock import FixedClock
from mapsvc.base.errors import MapsvcError
from mapsvc.base.settings import Settings, load_settings
from mapsvc.base.tables.reading import open_table
from mapsvc.cases.rules.rulebook import Rulebook
from mapsvc.cases.rules.tickets import COLUMNS, CategoryMap
from mapsvc.cases.service import import_cases as cases
from mapsvc.cases.service import import_rows
from mapsvc.catalog import load_categories, load_levels
from mapsvc.cli.cases import get_rulebook
from mapsvc.geo.crs import parse_crs
from mapsvc.people.rules.actor import SYSTEM
from mapsvc.storage.engine import make_engine
from mapsvc.storage.work import Store

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
BATCH = 20
"""Rows of cases in one transaction, so that a small file has several."""

LEVELS = load_levels(paths.data_dir() / "levels.toml")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def pause() -> None:
    print("paused", flush=True)
    sys.stdin.readline()


def arm(engine: Engine, point: list[str], act: Callable[[], None]) -> None:
    """Be killed, or pause, at a point of the store's work."""
    what, number, *rest = point
    transaction, statements = 1, 0

    def at_statement(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        nonlocal statements
        if statement.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
            statements += 1
            if what == "dml" and (transaction, statements) == (int(number), int(rest[0])):
                act()

    def before_commit(_connection: object) -> None:
        if what == "commit" and transaction == int(number):
            act()

    def after_commit(_session: object) -> None:
        nonlocal transaction, statements
        if what == "committed" and transaction == int(number):
            act()
        transaction, statements = transaction + 1, 0

    event.listen(engine, "before_cursor_execute", at_statement)
    event.listen(engine, "commit", before_commit)
    event.listen(Session, "after_commit", after_commit)


def arm_files(point: str) -> None:
    """Be killed while a file is put in place."""
    replace = Path.replace

    def deadly_replace(path: Path, target: Any) -> Path:
        if point == "replace":
            die()
        found = replace(path, target)
        if point == "replaced":
            die()
        return found

    Path.replace = deadly_replace  # type: ignore[method-assign,assignment]
    if point == "fsync":
        os.fsync = lambda _handle: die()


CASES = import_rows.ImportOptions("12345", categories=CategoryMap("", {"垃圾": "E0110"}), live=True)


@cache
def rules(settings: Settings) -> Rulebook:
    return get_rulebook(settings)


@cache
def borders(url: str, settings: Settings) -> Snapshot:
    """Return the borders, read by connections that are closed again: they must not live on in two processes."""
    engine = make_engine(url)
    try:
        return Snapshots(Store(engine, FixedClock(NOW)), settings, LEVELS).current(NOW)
    finally:
        engine.dispose()


def warm_up(url: str, settings: Settings, file: Path) -> None:
    """Make the rows ready once, so that no child has to load what the first look-up loads."""
    preparation = import_rows.Preparation(borders(url, settings), rules(settings), CASES, parse_crs(CASES.crs), NOW)
    with open_table(file, COLUMNS) as table:
        assert list(preparation.rows(table.rows))


def bring_cases(store: Store, settings: Settings, file: Path, _more: list[str]) -> None:
    import_rows.CHUNK = cases.CHUNK = BATCH  # type: ignore[attr-defined]
    snapshot = borders(store.engine.url.render_as_string(hide_password=False), settings)
    cases.import_cases(store, settings, snapshot, rules(settings), SYSTEM, file, CASES)


def bring_posts(store: Store, _settings: Settings, file: Path, _more: list[str]) -> None:
    import_posts(store, LEVELS, SYSTEM, file)


def bring_units(store: Store, _settings: Settings, file: Path, more: list[str]) -> None:
    categories = load_categories(paths.data_dir() / "categories.toml", LEVELS)
    options = UnitImportOptions(polygons=PolygonFile(Path(more[0])))
    import_units(store, LEVELS, categories, SYSTEM, file, options)


def bring_ground(_store: Store, settings: Settings, file: Path, _more: list[str]) -> None:
    import_ground(settings.data_dir, SYSTEM, "roads", GroundFile(file), settings.max_import_bytes)


IMPORTS: dict[str, Callable[[Store, Settings, Path, list[str]], None]] = {
    "cases": bring_cases,
    "posts": bring_posts,
    "units": bring_units,
    "ground": bring_ground,
}


def attempt(kind: str, url: str, settings: Settings, file: Path, more: list[str], point: list[str]) -> None:
    """Import, in a child of its own."""
    engine = make_engine(url)
    act = pause if point[0] == "pause" else die
    point = point[1:] if act is pause else point
    if point[0] in {"dml", "commit", "committed"}:
        arm(engine, point, act)
    else:
        arm_files(point[0])
    IMPORTS[kind](Store(engine, FixedClock(NOW)), settings, file, more)


def main() -> None:
    kind, url, data_dir, file, *more = sys.argv[1:]
    settings = load_settings({"MAPSVC_DATA_DIR": data_dir})
    if kind == "cases":
        warm_up(url, settings, Path(file))
    for line in sys.stdin:
        child = os.fork()
        if not child:
            try:
                attempt(kind, url, settings, Path(file), more, line.split())
            except MapsvcError as error:
                print(f"failed: {error}", flush=True)
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        ended = os.waitstatus_to_exitcode(status)
        print({0: "done", -signal.SIGKILL: "killed"}.get(ended, f"ended with {ended}"), flush=True)


if __name__ == "__main__":
    main()
