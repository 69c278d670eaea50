"""The town that crash tests import into, the files that they bring, and a look at everything that a store holds."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import geopandas
import shapely
from sqlalchemy import Table, select

from mapsvc.areas.index import Snapshots
from mapsvc.areas.service.import_areas import import_rows
from mapsvc.base.settings import Settings
from mapsvc.cases.queries.views import CaseFilters
from mapsvc.cases.service.export_cases import export_cases
from mapsvc.people.rules.actor import SYSTEM
from mapsvc.people.service.units import UnitData, upsert_units
from mapsvc.storage.base import Row
from mapsvc.storage.work import Store
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
