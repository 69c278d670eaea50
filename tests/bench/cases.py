"""What cases cost: durable intake beside the disk's own syncs, steps, lists, and Chicago's file by `cases import`.

Run by `python -m tests.bench.cases [FOLDER]`; the folder decides which disk is measured. Intake is measured at
the service: receipt, case, areas, assignment, event, clock and notices in one transaction that is on disk.
Chicago's 74,401 rows need ../shared/data. Quote the ratios: a shared machine moves the rest by a factor of two.
"""

from __future__ import annotations

import hashlib
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import geopandas
import numpy as np
import shapely

from mapsvc import catalog
from mapsvc.areas.index import Snapshot, Snapshots
from mapsvc.areas.service.import_areas import import_areas, import_rows
from mapsvc.areas.service.prepared import BorderFile, BorderRows, MadeColumn
from mapsvc.areas.service.prepared import ImportOptions as BorderOptions
from mapsvc.base import paths
from mapsvc.base.clock import SystemClock
from mapsvc.base.settings import Settings, load_settings
from mapsvc.cases.queries.counters import counters
from mapsvc.cases.queries.views import CaseFilters
from mapsvc.cases.queries.worklist import list_cases
from mapsvc.cases.rules.rulebook import Rulebook
from mapsvc.cases.rules.tickets import CategoryMap
from mapsvc.cases.rules.values import Intake, Position, StepRequest
from mapsvc.cases.service.import_cases import import_cases
from mapsvc.cases.service.import_rows import ImportOptions
from mapsvc.cases.service.intake import open_case
from mapsvc.cases.service.rulebook import load_calendar, make_rulebook
from mapsvc.cases.service.steps import take_step
from mapsvc.people.rules.actor import PUBLIC, SYSTEM, Actor, RoleHeld
from mapsvc.storage import migrate
from mapsvc.storage.engine import make_engine
from mapsvc.storage.work import Store
from tests.bench.ground import make_areas

CHICAGO = Path(__file__).resolve().parents[3] / "shared" / "data" / "chicago_311"
LEVELS = Path(__file__).resolve().parents[1] / "functional" / "levels_chicago.toml"
ROUNDS = 400
PAGES = b"\0" * 4096 * 12  # an intake touches about a dozen pages of rows and indexes


def main() -> None:
    chosen = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory(dir=chosen) as name:
        intake(Path(name) / "intake")
        if CHICAGO.is_dir():
            chicago(Path(name) / "chicago")
        else:
            print("../shared/data is not there: Chicago's file was not measured")


def opened(folder: Path, levels_file: Path | None, timezone: str) -> tuple[Store, Settings, catalog.Levels, Rulebook]:
    environ = {"MAPSVC_DATA_DIR": str(folder), "MAPSVC_TIMEZONE": timezone}
    if levels_file is not None:
        environ["MAPSVC_LEVELS_FILE"] = str(levels_file)
    settings = load_settings(environ)
    store = Store(make_engine(settings.store_url), SystemClock())
    migrate.upgrade(store.engine)
    levels = catalog.load_levels(levels_file or paths.data_dir() / "levels.toml")
    categories = catalog.load_categories(paths.data_dir() / "categories.toml")
    return store, settings, levels, make_rulebook(settings, levels, categories, load_calendar(settings))


def intake(folder: Path) -> None:
    store, settings, levels, book = opened(folder, None, "Asia/Shanghai")
    areas = make_areas(839)
    codes = tuple(f"G{number:04d}" for number in range(len(areas)))
    patches = tuple(f"P{number // 10:03d}" for number in range(len(areas)))
    rows = BorderRows(
        rows=tuple(range(1, len(areas) + 1)), codes=codes, names=codes, geometries=areas, kinds=("",) * len(areas),
        households=(None,) * len(areas), made=(MadeColumn("patch", patches, patches),),
    )  # fmt: skip
    import_rows(store, settings, levels, SYSTEM, "grid", rows, BorderOptions(allow_gaps=True))
    snapshot = Snapshots(store, settings, levels).current(store.clock.now())
    points = shapely.get_coordinates(shapely.point_on_surface(areas))
    turn = np.random.default_rng(1).permutation(np.resize(np.arange(len(points)), ROUNDS * 2))
    cases: list[Intake] = []

    def take_in() -> None:
        lon, lat = points[turn[len(cases)]].tolist()
        report = Intake(
            uuid=uuid4(), content_sha256=hashlib.sha256(os.urandom(8)).hexdigest(), category="E0110", channel="public",
            position=Position(lon, lat, accuracy_m=12.0, source="gps"), description="路边有垃圾",
        )  # fmt: skip
        cases.append(report)
        with store.write() as work:
            open_case(work, PUBLIC, snapshot, book, report)

    with (folder / "plain").open("ab", buffering=0) as plain:

        def sync() -> None:
            plain.write(PAGES)
            os.fdatasync(plain.fileno())

        took = in_turns([sync, take_in])
    syncs, intakes = report_line("append 48 KiB and fdatasync", took[0]), report_line("intake, durable", took[1])
    print(f"durable intakes are {intakes / syncs:.2f} of the disk's syncs")
    measure_steps(store, snapshot, book, cases)
    measure_reads(store, book)
    store.engine.dispose()


def measure_steps(store: Store, snapshot: Snapshot, book: Rulebook, cases: list[Intake]) -> None:
    clerk = Actor(None, "clerk", (RoleHeld("intake"),), system=True)
    waiting = iter(cases)

    def file() -> None:
        request = StepRequest(next(waiting).uuid, uuid4(), "accept", "0" * 64)
        with store.write() as work:
            take_step(work, clerk, snapshot, book, request)

    report_line("one step, durable", in_turns([file])[0])


def measure_reads(store: Store, book: Rulebook) -> None:
    def page() -> None:
        with store.read() as work:
            list_cases(work, SYSTEM, CaseFilters(open_only=True))

    def office() -> None:
        with store.read() as work:
            counters(work, SYSTEM, book)

    for name, took in zip(("a page of the work list", "the office's counters"), in_turns([page, office]), strict=True):
        report_line(name, took)


def in_turns(calls: list[Callable[[], None]]) -> list[np.ndarray]:
    """Return the seconds of each call in each round; the rivals take turns, so that a busy moment meets them alike."""
    took = np.zeros((len(calls), ROUNDS))
    for turn in range(ROUNDS):
        for number, call in enumerate(calls):
            begun = time.perf_counter()
            call()
            took[number, turn] = time.perf_counter() - begun
    return list(took)


def report_line(name: str, took: np.ndarray) -> float:
    median, last = float(np.median(took)), float(np.quantile(took, 0.99))
    print(f"{name:<32} {1 / median:8,.0f}/s   median {median * 1e3:6.2f} ms   p99 {last * 1e3:6.2f} ms")
    return 1 / median


def chicago(folder: Path) -> None:
    store, settings, levels, book = opened(folder, LEVELS, "America/Chicago")
    for level, name, code in (
        ("police_district", "police_districts_2013.geojson", "police_district"),
        ("beat", "police_beats_2013.geojson", "BEAT_NUM"),
        ("community_area", "community_areas.geojson", "community_area"),
    ):
        geopandas.read_file(CHICAGO / name).dissolve(code, as_index=False).to_file(folder / name)
        source = BorderFile(folder / name, code_field=code, crs="wgs84")
        import_areas(store, settings, levels, SYSTEM, level, source, BorderOptions(allow_gaps=True))
    snapshot = Snapshots(store, settings, levels).current(store.clock.now())
    options = ImportOptions("chicago", categories=CategoryMap("E0110"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun, busy = time.perf_counter(), time.process_time()
    report = import_cases(store, settings, snapshot, book, SYSTEM, CHICAGO / "records.csv", options)
    took, busy = time.perf_counter() - begun, time.process_time() - busy
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    load = os.getloadavg()[0]
    print(f"cases import: {report.imported:,} rows in {took:.1f} s ({busy:.1f} s of CPU, load {load:.1f})")
    print(f"{report.imported / took:,.0f} rows/s; memory grew by {grown:.0f} MiB")
    store.engine.dispose()


if __name__ == "__main__":
    main()
