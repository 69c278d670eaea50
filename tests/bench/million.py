"""A store of a million cases for figures: a city of 839 grids and three years of reports, from a fixed seed.

The areas come by `import_rows`; the case rows, far too many for the services, are written straight into their
tables, with what the queries of the work list look at: areas of every level, owners, units, states, times, words.
Two in a hundred are open, as in a district that keeps its terms; a third is history from a published import.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import shapely
from sqlalchemy import Table, insert, select, text

from mapsvc import catalog
from mapsvc.areas.models import Area, AreaVersion, Post
from mapsvc.areas.service.import_areas import import_rows
from mapsvc.areas.service.prepared import BorderRows, ImportOptions, MadeColumn
from mapsvc.base import paths
from mapsvc.base.settings import Settings
from mapsvc.cases.models import Case, CaseArea
from mapsvc.people.models import Person, Unit
from mapsvc.people.rules.actor import SYSTEM
from mapsvc.storage.imports import ImportRun
from mapsvc.storage.work import Store
from tests.bench.ground import make_areas

GRIDS, STREETS, UNITS = 839, 10, 60
DAYS = 1095
BATCH = 20_000

OPEN_STATES = ("received", "assigned", "in_progress", "fixed", "returned", "suspended")
OPEN_SHARES = (0.10, 0.28, 0.42, 0.10, 0.02, 0.08)
OUTCOMES, OUTCOME_SHARES = ("solved", "duplicate", "refused", "not_ours", "cannot"), (0.9, 0.05, 0.03, 0.015, 0.005)
CHANNELS = ("public", "patrol", "staff", "hotline", "api", "open311")
CHANNEL_SHARES = (0.3, 0.4, 0.09, 0.2, 0.008, 0.002)
THINGS = (
    "垃圾",
    "井盖",
    "路灯",
    "占道经营",
    "小广告",
    "污水",
    "绿化带",
    "共享单车",
    "消防通道",
    "噪音",
    "路面",
    "围挡",
)
TROUBLES = ("无人清理", "破损", "不亮", "堵塞", "堆放多日", "影响通行", "丢失", "外溢", "很危险", "存在安全隐患")
ROADS = (
    "人民路",
    "解放街",
    "光明巷",
    "和平里",
    "新华路",
    "建设大道",
    "友好街",
    "长江路",
    "黄河路",
    "太原街",
    "南湖路",
    "青年大街",
)


@dataclass(frozen=True)
class Town:
    """What the figures ask about, by ids: areas by level (spatially sorted), persons of patches, units, categories."""

    areas: dict[str, tuple[int, ...]]
    persons: tuple[int, ...]
    units: tuple[int, ...]
    categories: tuple[str, ...]


def build(store: Store, settings: Settings, count: int = 1_000_000) -> Town:
    """Fill an empty, migrated store; some minutes for a million."""
    levels = catalog.load_levels(paths.data_dir() / "levels.toml")
    categories = catalog.load_categories(paths.data_dir() / "categories.toml")
    shapes = make_areas(GRIDS)
    made = _columns(shapes)
    codes = tuple(f"G{number:04d}" for number in range(GRIDS))
    rows = BorderRows(
        rows=tuple(range(1, GRIDS + 1)), codes=codes, names=codes, geometries=shapes, kinds=("",) * GRIDS,
        households=(None,) * GRIDS, made=tuple(MadeColumn(level, column, column) for level, column in made.items()),
    )  # fmt: skip
    import_rows(store, settings, levels, SYSTEM, "grid", rows, ImportOptions(allow_gaps=True))
    town, paths_of, versions = _people(store, made, codes, tuple(each.code for each in categories.all))
    run = _run(store)
    _write(store, _cases(store.clock.now(), town, paths_of, versions, shapely.centroid(shapes), run, count))
    return town


def find_town(store: Store, settings: Settings) -> Town:
    """Return the town of a store that `build` filled before."""
    categories = catalog.load_categories(paths.data_dir() / "categories.toml")
    with store.read() as work:
        areas: dict[str, list[int]] = {}
        for area_id, level in work.session.execute(select(Area.id, Area.level).order_by(Area.code)):
            areas.setdefault(level, []).append(area_id)
        persons = tuple(work.session.scalars(select(Person.id).order_by(Person.id)))
        units = tuple(work.session.scalars(select(Unit.id).order_by(Unit.id)))
    found = {level: tuple(ids) for level, ids in areas.items()}
    return Town(found, persons, units, tuple(each.code for each in categories.all))


def _columns(shapes: np.ndarray[Any, Any]) -> dict[str, tuple[str, ...]]:
    """Streets are strips from west to east; communities and patches cut each strip from south to north, unlike."""
    middles = shapely.get_coordinates(shapely.centroid(shapes))
    street = np.argsort(np.argsort(middles[:, 0])) * STREETS // GRIDS
    made: dict[str, list[str]] = {level: [""] * GRIDS for level in ("district", "street", "community", "patch")}
    for number in range(STREETS):
        inside = np.flatnonzero(street == number)
        for place, grid in enumerate(inside[np.argsort(middles[inside, 1])]):
            made["district"][grid] = "D1"
            made["street"][grid] = f"S{number:02d}"
            made["community"][grid] = f"C{number:02d}{place * 11 // len(inside):02d}"
            made["patch"][grid] = f"P{number:02d}{place * 8 // len(inside):02d}"
    return {level: tuple(column) for level, column in made.items()}


def _people(
    store: Store, made: dict[str, tuple[str, ...]], codes: tuple[str, ...], categories: tuple[str, ...]
) -> tuple[Town, np.ndarray[Any, Any], dict[int, int]]:
    """Add units and one chief for each patch; return also the areas of each grid's path and the version of each."""
    with store.write() as work:
        by_code = {(level, code): area_id for area_id, level, code in work.session.execute(
            select(Area.id, Area.level, Area.code))}  # fmt: skip
        versions = dict(work.session.execute(select(AreaVersion.area_id, AreaVersion.id)).all())
        units = [Unit(code=f"U{number}", name=f"处置单位{number}") for number in range(UNITS)]
        patches = sorted({by_code["patch", code] for code in made["patch"]})
        persons = [Person(code=f"p{patch}", name=f"片区长{patch}") for patch in patches]
        work.session.add_all([*units, *persons])
        work.session.flush()
        for patch, person in zip(patches, persons, strict=True):
            work.session.add(Post(area_id=patch, person_id=person.id, role="chief", document="1"))
        areas: dict[str, list[int]] = {}
        for (level, _), area_id in sorted(by_code.items()):
            areas.setdefault(level, []).append(area_id)
        town = Town(
            {level: tuple(ids) for level, ids in areas.items()}, tuple(row.id for row in persons),
            tuple(row.id for row in units), categories,
        )  # fmt: skip
    levels = ("district", "street", "community", "patch")
    columns = [[by_code[level, code] for code in made[level]] for level in levels]
    path = np.array([*columns, [by_code["grid", code] for code in codes]])
    return town, path.T, versions


def _run(store: Store) -> int:
    with store.write() as work:
        run = ImportRun(
            kind="cases", file_name="old.csv", sha256="0" * 64, started_at=work.now, published_at=work.now, counts={}
        )
        work.session.add(run)
        work.session.flush()
        return run.id


def _cases(
    now: datetime,
    town: Town,
    path: np.ndarray[Any, Any],
    versions: dict[int, int],
    middles: np.ndarray[Any, Any],
    run: int,
    count: int,
) -> Iterator[tuple[list[dict[str, Any]], list[dict[str, Any]]]]:
    """Yield rows of cases and of their areas, in batches."""
    rng = np.random.default_rng(7)
    weights = 1 / np.arange(1, len(town.categories) + 1)
    person_of = dict(zip(sorted(set(path[:, 3].tolist())), town.persons, strict=True))
    busy = rng.gamma(2.0, size=len(path))
    points = shapely.get_coordinates(middles)
    for begin in range(0, count, BATCH):
        size = min(BATCH, count - begin)
        # The older third is history; what is open is of the last weeks, some of it much older.
        age = DAYS * (1 - (begin + np.sort(rng.random(size)) * size) / count)
        history = age > DAYS * 2 / 3
        is_open = rng.random(size) < np.select([age < 20, age < 60, age < 365], [0.75, 0.12, 0.008], 0)
        grid = rng.choice(len(path), size, p=busy / busy.sum())
        category = rng.choice(len(weights), size, p=weights / weights.sum())
        state = np.where(is_open, rng.choice(OPEN_STATES, size, p=OPEN_SHARES), "closed")
        outcome = np.where(is_open, "", rng.choice(OUTCOMES, size, p=OUTCOME_SHARES))
        channel = np.where(history, "import", rng.choice(CHANNELS, size, p=CHANNEL_SHARES))
        unit = np.where(rng.random(size) < 0.55, (category * 7 + path[grid, 1]) % UNITS, -1)
        term = rng.choice([0.2, 1, 3, 7, 15], size)
        took = term * rng.gamma(2.0, 0.4, size)
        unplaced, edge = is_open & (rng.random(size) < 0.004), rng.random(size) < 0.02
        where = points[grid] + rng.normal(0, 0.002, (size, 2))
        words = rng.integers(0, 10_000, (size, 4))
        cases, areas = [], []
        for n in range(size):
            number = begin + n + 1
            received = now - timedelta(days=float(age[n]))
            due = received + timedelta(days=float(term[n]))
            closed = None if is_open[n] else min(received + timedelta(days=float(took[n])), now)
            lost = bool(unplaced[n])
            patch = None if lost else int(path[grid[n], 3])
            cases.append({
                "id": number, "uuid": uuid.UUID(int=number + (4 << 76)), "number": f"N{number:08d}",
                "track_code": f"T{number:011d}", "import_key": f"k{number}" if history[n] else None,
                "import_run_id": run if history[n] else None, "content_sha256": f"{number:064x}",
                "channel": str(channel[n]), "source_number": f"12345-{number}" if channel[n] == "hotline" else "",
                "source_flag": "", "historic": bool(history[n]), "category": town.categories[category[n]],
                "condition": "", "workflow": "quick" if channel[n] == "patrol" else "standard",
                "description": _words(words[n]), "place_text": _place(words[n]),
                "lon": None if lost else round(float(where[n, 0]), 8),
                "lat": None if lost else round(float(where[n, 1]), 8),
                "accuracy_m": 8.0, "position_source": "gps", "input_datum": "wgs84", "observed_at": received,
                "received_at": received, "updated_at": closed or received + timedelta(hours=1), "closed_at": closed,
                "state": str(state[n]), "outcome": str(outcome[n]), "unplaced": lost, "edge": bool(edge[n]),
                "due_at": due, "sign_due_at": received + timedelta(hours=2) if state[n] == "assigned" else None,
                "owner_area_id": patch, "owner_person_id": None if lost else person_of[patch],
                "area_version_id": None if lost else versions[patch], "generation": 1,
                "unit_id": town.units[unit[n]] if unit[n] >= 0 and state[n] != "received" else None,
                "handover_area_id": (
                    int(path[(grid[n] + 40) % len(path), 3]) if edge[n] and is_open[n] and words[n, 3] < 1000 else None
                ),
                "sides_changed": 0, "returns": 0, "reworks": 0, "extensions": 0, "duplicate_of_id": None,
                "handled_by_user_id": None, "checked_by_user_id": None,
                "opened_by_user_id": None, "version": 1,
            })  # fmt: skip
            if not lost:
                names = ("district", "street", "community", "patch", "grid")
                areas += [
                    {"case_id": number, "level": level, "area_id": int(area)}
                    for level, area in zip(names, path[grid[n]], strict=True)
                ]
        yield cases, areas


def _words(pick: np.ndarray[Any, Any]) -> str:
    thing, trouble = THINGS[pick[0] % len(THINGS)], TROUBLES[pick[1] % len(TROUBLES)]
    return f"{ROADS[pick[2] % len(ROADS)]}{pick[2] % 300}号门前{thing}{trouble},请尽快处理"


def _place(pick: np.ndarray[Any, Any]) -> str:
    return f"{ROADS[pick[2] % len(ROADS)]}{pick[2] % 300}号附近{pick[3] % 500}米"


def _write(store: Store, batches: Iterator[tuple[list[dict[str, Any]], list[dict[str, Any]]]]) -> None:
    """Write the batches; both stores make their statistics afterwards, as their own upkeep would in time."""
    sqlite = store.engine.dialect.name == "sqlite"
    with store.engine.connect() as connection:
        if sqlite:
            connection.exec_driver_sql("PRAGMA cache_size=-1500000")  # the indexes of a million rows, in memory
            connection.commit()
        for cases, areas in batches:
            with connection.begin():
                for rows_of, rows in ((Case, cases), (CaseArea, areas)):
                    table = rows_of.__table__
                    assert isinstance(table, Table)
                    if sqlite:
                        connection.execute(insert(table), rows)
                    else:
                        _copy(connection, table, rows)
    if not sqlite:
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("SELECT setval('case_file_id_seq', (SELECT max(id) FROM case_file))"))
            connection.execute(text("VACUUM (ANALYZE) case_file"))
            connection.execute(text("VACUUM (ANALYZE) case_area"))


def _copy(connection: Any, table: Table, rows: list[dict[str, Any]]) -> None:
    names = list(rows[0])
    cursor = connection.connection.cursor()
    with cursor.copy(f"COPY {table.name} ({', '.join(names)}) FROM STDIN") as copy:  # names of our own columns
        for row in rows:
            copy.write_row([row[name] for name in names])
