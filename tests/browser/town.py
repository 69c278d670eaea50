"""The demo town with a few reports of its own on top: what browser tests walk through."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import shapely

from mapsvc.areas.index import Snapshots
from mapsvc.base.clock import FixedClock
from mapsvc.base.settings import Settings
from mapsvc.cases.rules.rulebook import Rulebook
from mapsvc.cases.rules.values import Contact, Intake, Position
from mapsvc.cases.service.intake import open_case
from mapsvc.cases.service.rulebook import load_calendar, make_rulebook
from mapsvc.catalog import load_catalog
from mapsvc.demo.build import PASSWORD, build_demo
from mapsvc.demo.town import Town, make_town
from mapsvc.people.rules.actor import SYSTEM
from mapsvc.storage import migrate
from mapsvc.storage.engine import make_engine
from mapsvc.storage.work import Store

__all__ = ["GRID", "PASSWORD", "build", "place_in", "present"]

GRID = "990101001003005"
"""The grid of 吴霞 (`wuxia`): the first one of P07."""

SPACE = UUID("5f0d7f6e-2f1c-4b8e-9b52-6f6d1c1b0a11")

REPORTS: tuple[tuple[str, str, str, str, float], ...] = (
    # patch, category, what, where, hours ago
    ("P07", "E0110", "垃圾桶旁堆满装修垃圾", "惠民路12号院门口", 30),
    ("P07", "E0410", "共享单车堵住盲道", "建设街公交站", 3),
    ("P07", "E0406", "摊贩占用人行道", "解放路与建设街交叉口向西80米路南", 1.2),
    ("P07", "E0128", "音响声音很大", "文化广场北侧", 0.6),
    ("P07", "C0103", "雨水井盖缺失", "柳林胡同口", 0.3),
    ("P08", "E0110", "垃圾外溢", "和平里3号楼后", 8),
    ("P13", "E0409", "机动车停在消防通道", "光明小区1号楼", 4),
)


def build(settings: Settings, now: datetime, cases: int = 300) -> None:
    """Build the town in an empty data folder, as of `now`."""
    engine = make_engine(settings.store_url)
    migrate.upgrade(engine)
    clock = FixedClock(now)
    store, catalog = Store(engine, clock), load_catalog(settings)
    build_demo(store, settings, lambda _stage, _done, _total: None, cases=cases)
    book = make_rulebook(settings, catalog.levels, catalog.categories, load_calendar(settings))
    _report(store, Snapshots(store, settings, catalog.levels), book, clock, now)
    engine.dispose()


def _report(store: Store, snapshots: Snapshots, book: Rulebook, clock: FixedClock, now: datetime) -> None:
    town = make_town()
    for number, (patch, category, what, where, hours) in enumerate(sorted(REPORTS, key=lambda report: -report[4])):
        clock.move_to(now - timedelta(hours=hours))
        lon, lat = place_in(town, patch, number)
        intake = Intake(
            uuid=uuid5(SPACE, str(number)),
            content_sha256=hashlib.sha256(what.encode()).hexdigest(),
            category=category,
            channel="staff",
            description=what,
            place_text=where,
            position=Position(lon, lat, source="tap"),
            contact=Contact("王女士", "13900000000") if number % 3 == 0 else None,
        )
        with store.write() as work:
            open_case(work, SYSTEM, snapshots.current(work.now), book, intake)
    clock.move_to(now - timedelta(hours=1))
    nowhere = Intake(
        uuid=uuid5(SPACE, "nowhere"),
        content_sha256=hashlib.sha256(b"nowhere").hexdigest(),
        category="E0110",
        channel="hotline",
        description="小区门口垃圾三天没清",
        place_text="惠民小区附近",
        source_number="12345-0001",
    )
    with store.write() as work:
        open_case(work, SYSTEM, snapshots.current(work.now), book, nowhere)
    clock.move_to(now)


def place_in(town: Town, patch: str, number: int = 0) -> tuple[float, float]:
    """Return a point well inside one of the grids of a patch."""
    grids = [grid for grid in town.at("grid") if grid.parents["patch"] == patch]
    point = shapely.point_on_surface(grids[number % len(grids)].border)
    return float(point.x), float(point.y)


def present() -> datetime:
    """Return the present moment; the server under test keeps the machine's own clock."""
    return datetime.now(UTC)
