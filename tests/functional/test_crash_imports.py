"""kill -9 in the middle of imports of cases, posts, units and the ground, on both stores.

After each kill the store holds nothing of the import that anybody sees, or all of it; the next run completes it, and
the store is then what one undisturbed run leaves, row by row.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas
import openpyxl
import pytest
import shapely
from sqlalchemy import Table, select

from mapsvc.areas.ground import load
from mapsvc.areas.index import Snapshots
from mapsvc.areas.service.import_areas import import_rows
from mapsvc.base.clock import FixedClock
from mapsvc.base.settings import Settings, load_settings
from mapsvc.cases.queries.views import CaseFilters
from mapsvc.cases.service.export_cases import export_cases
from mapsvc.people.rules.actor import SYSTEM
from mapsvc.people.service.units import UnitData, upsert_units
from mapsvc.storage.base import Row
from mapsvc.storage.engine import make_engine
from mapsvc.storage.work import Store
from tests.conftest import settings_for
from tests.squares import grid_rows, middle, shipped_levels, square

from .crash_imports import BATCH, NOW

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "tests" / "functional" / "crash_imports.py"
LEVELS = shipped_levels()
ROWS = 2 * BATCH + 11

DRAWN = frozenset({"track_code", "number"})
"""Columns that are drawn by lot, or count imports: PostgreSQL uses no number twice, also after a kill."""


def settled(store: Store, settings: Settings) -> Store:
    """Fill an empty store with a town of 16 grids and two units, and build its index."""
    import_rows(store, settings, LEVELS, SYSTEM, "grid", grid_rows())
    with store.write() as work:
        upsert_units(work, SYSTEM, [UnitData("H1", "环卫所"), UnitData("H2", "市政公司")])
    Snapshots(store, settings, LEVELS).current(NOW)
    return store


@pytest.fixture
def town(store: Store, settings: Settings) -> Store:
    return settled(store, settings)


@pytest.fixture
def twin(tmp_path: Path, _sqlite_template: Path) -> Iterator[tuple[Store, Settings]]:
    """The same town in a second store, where nothing is killed."""
    settings = load_settings({"MAPSVC_DATA_DIR": str(tmp_path / "twin")})
    settings.data_dir.mkdir()
    shutil.copyfile(_sqlite_template, settings.data_dir / "mapsvc.db")
    engine = make_engine(settings.store_url)
    yield settled(Store(engine, FixedClock(datetime(2026, 11, 23, 1, 0, tzinfo=UTC))), settings), settings
    engine.dispose()


def contents(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of all tables; an id is told by its place in the order of ids, since a rollback skips some."""
    tables: Sequence[Table] = Row.metadata.sorted_tables
    with store.read() as work:
        rows = {
            table.name: work.session.execute(select(table).order_by(*table.primary_key)).mappings().all()
            for table in tables
        }
    places = {
        (table.name, column.name): {row[column.name]: n for n, row in enumerate(rows[table.name])}
        for table in tables
        for column in table.primary_key
    }

    def told(table: Table, name: str, value: Any) -> Any:
        column = table.c[name]
        if isinstance(value, dict):
            known = {"case_id": ("case_file", "id"), "run": ("import_run", "id")}
            return {key: places[known[key]][one] if key in known else one for key, one in value.items()}
        if isinstance(value, shapely.Geometry):
            return value.wkt
        for foreign in column.foreign_keys:
            return None if value is None else places[foreign.column.table.name, foreign.column.name].get(value, value)
        if column.primary_key and isinstance(value, int):
            return places[table.name, name][value]
        return value

    return {
        table.name: [
            tuple(f"{name}={told(table, name, row[name])}" for name in table.c.keys() if name not in DRAWN)  # noqa: SIM118
            for row in rows[table.name]
        ]
        for table in tables
    }


def visible_cases(store: Store, tmp_path: Path) -> int:
    """Return how many cases an export shows, which is what everybody sees."""
    with store.read() as work:
        return export_cases(work, SYSTEM, CaseFilters(), tmp_path / "seen.csv")


class Killer:
    """An import that can be begun again and again, and killed at a point of each try."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def at(self, point: str) -> str:
        """Try the import, to be killed at the point; return what became of it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{point}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


@contextmanager
def killer(kind: str, url: str, settings: Settings, *files: Path) -> Iterator[Killer]:
    with subprocess.Popen(
        [sys.executable, str(PROGRAM), kind, url, str(settings.data_dir), *map(str, files)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        yield Killer(process)


def address(store: Store) -> str:
    return store.engine.url.render_as_string(hide_password=False)


def undisturbed(kind: str, twin: tuple[Store, Settings], *files: Path) -> dict[str, list[tuple[Any, ...]]]:
    store, settings = twin
    with killer(kind, address(store), settings, *files) as run:
        assert run.at("none") == "done"
    return contents(store)


def tickets(path: Path) -> Path:
    """Write a table of live tickets, two of which cannot be read and one of which has no position."""
    header = ["工单编号", "类别", "内容", "经度", "纬度", "受理时间", "状态", "姓名", "电话", "处置单位"]
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(header)
        for n in range(ROWS):
            lon, lat = middle(n % 4, n // 4 % 4)
            word = "无此类别" if n in (3, ROWS - 2) else "垃圾"
            place = ["", ""] if n == 7 else [lon, lat]
            out.writerow([f"T{n}", word, f"内容{n}", *place, "2026-11-02 09:00", "在办", "王一", "13800000000", ""])
    return path


def test_cases_killed_on_their_way_are_unseen_and_complete(
    town: Store, settings: Settings, tmp_path: Path, twin: tuple[Store, Settings]
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    expected = undisturbed("cases", twin, tickets(other / "tickets.csv"))
    assert any("case_opened" in str(row) for row in expected["outbox"])
    # In each try the first transaction takes up the run; those that follow are the batches that are left, then the end.
    points = (
        "commit 1", "committed 1", "dml 2 1", "dml 2 5", "commit 2", "committed 2",
        "dml 2 3", "committed 2", "commit 2", "committed 2", "dml 2 1", "commit 2",
    )  # fmt: skip
    path = tickets(tmp_path / "tickets.csv")
    with killer("cases", address(town), settings_for(settings, town.engine), path) as run:
        for point in points:
            assert run.at(point) == "killed", point
            assert visible_cases(town, tmp_path) == 0, point
        assert not any("case_opened" in str(row) for row in contents(town)["outbox"]), "nobody was told yet"
        assert run.at("committed 2") == "killed"
        assert visible_cases(town, tmp_path) == ROWS - 2, "the last transaction is the one that shows them, all at once"
        assert contents(town) == expected
        assert run.at("none") == "done"
    assert contents(town) == expected, "the same file again adds nothing"
    bad = [openpyxl.load_workbook(folder / "tickets.bad.xlsx").active for folder in (tmp_path, other)]
    told, plain = ([[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in bad if sheet is not None)
    assert told == plain
    assert len(told) == 3


POSTS = """level,area_code,role,person_code,person,phone,deputy_code,document,from,to
patch,P0,chief,z1,张敏,13800138000,z2,文1,2026-01-01,
patch,P1,chief,z2,李强,13800138001,,文1,2026-01-01,
street,S0,chief,z3,王芳,,,文2,2026-01-01,
grid,G0000,chief,z4,赵磊,,,文3,2026-01-01,2026-12-31
"""

UNITS = """unit_code,unit_name,phone,category,level,area_code,owner,polygon
H1,环卫所,,E01,patch,P0,,
H2,市政公司,,E0107,,,国家电网,
H3,园林所,,E,,,,公园
H3,园林所,,E,,,,滨河
"""


def posts_file(folder: Path) -> list[Path]:
    path = folder / "posts.csv"
    path.write_text(POSTS, encoding="utf-8")
    return [path]


def units_files(folder: Path) -> list[Path]:
    path, zones = folder / "units.csv", folder / "zones.gpkg"
    path.write_text(UNITS, encoding="utf-8")
    shapes = {"name": ["公园", "滨河"]}
    geopandas.GeoDataFrame(shapes, geometry=[square(0, 0, 2, 1), square(2, 2, 2, 1)], crs="EPSG:4326").to_file(zones)
    return [path, zones]


@pytest.mark.parametrize(("kind", "make"), [("posts", posts_file), ("units", units_files)])
def test_posts_and_units_are_there_whole_or_not_at_all(
    town: Store,
    settings: Settings,
    tmp_path: Path,
    twin: tuple[Store, Settings],
    kind: str,
    make: Callable[[Path], list[Path]],
) -> None:
    files = make(tmp_path)
    expected = undisturbed(kind, twin, *files)
    before = contents(town)
    assert before != expected
    with killer(kind, address(town), settings, *files) as run:
        for point in ("dml 1 1", "dml 1 2", "dml 1 4", "commit 1"):
            assert run.at(point) == "killed", point
            assert contents(town) == before, point
        assert run.at("committed 1") == "killed"
        assert contents(town) == expected
        assert run.at("none") == "done"
    assert contents(town) == expected, "the same file again changes nothing"


def roads(path: Path, count: int) -> Path:
    lines = [shapely.LineString([(123.0, 41.8 + n / 1e4), (123.01, 41.8 + n / 1e4)]) for n in range(count)]
    names = {"name": [f"解放路{n}" for n in range(count)], "kind": ["main"] * count}
    geopandas.GeoDataFrame(names, geometry=lines, crs="EPSG:4326").to_file(path)
    return path


def test_a_layer_of_the_ground_is_the_old_one_or_the_new_one(settings: Settings, tmp_path: Path) -> None:
    """The ground lies in files, whatever the store is."""
    url = "sqlite:///unused"
    with killer("ground", url, settings, roads(tmp_path / "old.gpkg", 3)) as run:
        assert run.at("none") == "done"
    old = load(settings.data_dir, "roads")
    assert old is not None
    with killer("ground", url, settings, roads(tmp_path / "new.gpkg", 500)) as run:
        for point in ("fsync", "replace"):
            assert run.at(point) == "killed"
            found = load(settings.data_dir, "roads")
            assert found is not None
            assert (found.version, len(found.rows)) == (old.version, 3)
        assert run.at("replaced") == "killed"
        new = load(settings.data_dir, "roads")
        assert new is not None
        assert len(new.rows) == 500
        left = list((settings.data_dir / "ground").glob(".aside-*"))
        assert len(left) == 2, "what was killed before it had its name"
        for path in left:
            os.utime(path, (0, 0))
        assert run.at("none") == "done"
    assert [path.name for path in (settings.data_dir / "ground").iterdir()] == ["roads.parquet"]
    again = load(settings.data_dir, "roads")
    assert again is not None
    assert again.version == new.version
