"""The morning of 片区长 张敏: a quiet town with a handful of cases, put there through the services step by step.

It is Wednesday 25 November 2026, five past eight. Patch P07 has two cases to sign for, three that fall due
today, one that is late, one that P08 offers, one on the border with P08, and an unlawful structure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from itertools import count
from typing import Any
from uuid import UUID, uuid5

import numpy as np
import shapely

from mapsvc.areas.index import Snapshot, Snapshots
from mapsvc.areas.queries.posts import actor_posts
from mapsvc.base.clock import FixedClock
from mapsvc.base.settings import Settings
from mapsvc.cases.queries.columns.memory import ColumnsMemory
from mapsvc.cases.rules.cuts import light_of
from mapsvc.cases.rules.rulebook import Rulebook
from mapsvc.cases.rules.values import Intake, PhotoUpload, Position, StepRequest
from mapsvc.cases.service.intake import open_case
from mapsvc.cases.service.photos import prepare_photo, store_photo
from mapsvc.cases.service.rulebook import load_calendar, make_rulebook
from mapsvc.cases.service.steps import take_step
from mapsvc.catalog import load_catalog
from mapsvc.demo.build import build_demo
from mapsvc.demo.pictures import draw_street
from mapsvc.demo.town import Town, make_town
from mapsvc.insight.queries.figures import Figures, Question
from mapsvc.people.queries import find_user, load_actor
from mapsvc.people.rules.actor import SYSTEM, Actor
from mapsvc.storage import migrate
from mapsvc.storage.engine import make_engine
from mapsvc.storage.files import LocalFiles
from mapsvc.storage.work import Store

from .town import place_in

SPACE = UUID("0c4f6c1e-5c9b-4a51-9f62-1f0a3a2f9d10")
CHINA = timezone(timedelta(hours=8))
MORNING = datetime(2026, 11, 25, 8, 5, tzinfo=CHINA)
ACCURACY_M, M_PER_DEGREE = 30.0, 111_320.0
SHARES = (0.61, 0.39)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """Return a moment of that week in November, local time."""
    return datetime(2026, 11, day, hour, minute, tzinfo=CHINA).astimezone(UTC)


@dataclass
class Day:
    """The town while its morning is being made."""

    store: Store
    settings: Settings
    snapshots: Snapshots
    book: Rulebook
    clock: FixedClock
    town: Town
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def actor(self, name: str) -> Actor:
        """Return an account of the demo with the roles of its posts."""
        today = self.book.local_day(self.clock.now())
        with self.store.read() as work:
            user = find_user(work, name)
            assert user is not None, name
            found = load_actor(work, user.id, today)
            assert found is not None, name
            posts = actor_posts(work, found.person_id, today) if found.person_id is not None else ()
        return Actor(found.user_id, found.name, (*found.roles, *posts), person_id=found.person_id)

    def snapshot(self) -> Snapshot:
        return self.snapshots.current(self.clock.now(), fresh=True)

    def report(
        self, when: datetime, who: str, category: str, what: str, where: str, position: Position, **more: Any
    ) -> UUID:
        """Open a case at a moment; return its UUID."""
        self.clock.move_to(when)
        uuid = uuid5(SPACE, str(next(self.numbers)))
        intake = Intake(
            uuid=uuid, content_sha256=_sha(uuid), category=category, channel=more.pop("channel", "patrol"),
            description=what, place_text=where, position=position, **more,
        )  # fmt: skip
        asks = self.actor(who)
        with self.store.write() as work:
            open_case(work, asks, self.snapshot(), self.book, intake)
        return uuid

    def step(self, when: datetime, who: str, case: UUID, step: str, **given: Any) -> None:
        """Take one step at a moment."""
        self.clock.move_to(when)
        uuid = uuid5(SPACE, str(next(self.numbers)))
        request = StepRequest(case_uuid=case, step_uuid=uuid, step=step, content_sha256=_sha(uuid), **given)
        asks = self.actor(who)
        with self.store.write() as work:
            take_step(work, asks, self.snapshot(), self.book, request)

    def photo(self, when: datetime, who: str, case: UUID | None, number: int, kind: str) -> UUID:
        """Add a photo of a report, or one that a step brings along; return its UUID."""
        self.clock.move_to(when)
        uuid = uuid5(SPACE, str(next(self.numbers)))
        upload = PhotoUpload(uuid, draw_street(number, mended=False), kind=kind, case_uuid=case)
        prepared = prepare_photo(LocalFiles(self.settings.data_dir / "photos"), self.settings, upload)
        asks = self.actor(who)
        with self.store.write() as work:
            store_photo(work, asks, prepared)
        return uuid


def _sha(uuid: UUID) -> str:
    return hashlib.sha256(uuid.bytes).hexdigest()


def build(settings: Settings) -> None:
    """Build the town without any history, and its morning on top."""
    engine = make_engine(settings.store_url)
    migrate.upgrade(engine)
    clock = FixedClock(at(23, 7))
    store, catalog = Store(engine, clock), load_catalog(settings)
    build_demo(store, settings, lambda _stage, _done, _total: None, cases=0)
    book = make_rulebook(settings, catalog.levels, catalog.categories, load_calendar(settings))
    _live(Day(store, settings, Snapshots(store, settings, catalog.levels), book, clock, make_town()))
    engine.dispose()


AFTERNOON = datetime(2026, 11, 25, 16, tzinfo=CHINA)
FOUND, FIXED = 42, 32


def walk(settings: Settings) -> None:
    """Add what was found until the afternoon: 42 findings that may be fixed on the spot, 32 that were."""
    engine = make_engine(settings.store_url)
    clock = FixedClock(at(25, 9, 30))
    store, catalog = Store(engine, clock), load_catalog(settings)
    book = make_rulebook(settings, catalog.levels, catalog.categories, load_calendar(settings))
    day = Day(store, settings, Snapshots(store, settings, catalog.levels), book, clock, make_town(), count(10_000))
    known = _findings(day)
    for number in range(FOUND - known):
        when = at(25, 9, 30) + timedelta(minutes=8 * number)
        place = Position(*place_in(day.town, "P07", 5 + number), source="tap")
        case = day.report(when, "wanglei", "E0110", f"散落垃圾 {number}", f"惠民路{number + 1}号院旁", place)
        if number < FIXED:
            day.photo(when, "wanglei", case, 1, "before")
            after = day.photo(when, "wanglei", None, 2, "after")
            day.step(when + timedelta(minutes=4), "wanglei", case, "instant_fix", photos=(after,))
    engine.dispose()


def _findings(day: Day) -> int:
    """Return how many findings of P07 could have been fixed on the spot so far."""
    area = day.snapshot().find_area("patch", "P07")
    assert area is not None
    now = day.clock.now()
    light = light_of(day.book.categories)
    asked = Question(now - timedelta(days=20), now + timedelta(days=1), now, light=light, area_id=area.area_id)
    return Figures(ColumnsMemory(day.store).current(), SYSTEM, asked).rate("instant").n


def _live(day: Day) -> None:
    def inside(number: int) -> Position:
        return Position(*place_in(day.town, "P07", number), source="tap")

    late = day.report(at(24, 14), "zhangmin", "E0110", "垃圾桶旁堆满装修垃圾", "惠民路12号院门口", inside(0))
    for number, kind in enumerate(("far", "near")):
        day.photo(at(24, 14, 1), "zhangmin", late, number, kind)
    day.step(at(24, 14, 20), "zhangmin", late, "sign")
    today = day.report(at(24, 16), "wanglei", "E0110", "路口暴露垃圾无人清理", "建设街与惠民路口东侧", inside(1))
    day.step(at(24, 16, 10), "zhangmin", today, "sign")
    day.report(at(24, 17), "wanglei", "E0136", "楼前堆放杂物占用通道", "柳林胡同3号楼前", inside(2))
    day.report(at(25, 7, 50), "wanglei", "E0112", "人行道落叶和纸屑未清扫", "文化广场北侧人行道", inside(3))
    mine, theirs = edge_places(day)
    edge = day.report(
        at(24, 9), "zhangmin", "E0113", "人行道地砖松动破损", "两片区交界的路面上", mine, workflow="quick"
    )
    day.step(at(24, 9, 30), "zhangmin", edge, "sign")
    offered = day.report(
        at(24, 10), "zhouhang", "E0113", "路面坑洼, 积水绊人", "两片区交界的路口", theirs, workflow="quick"
    )
    day.step(at(24, 10, 30), "zhouhang", offered, "sign")
    area = day.snapshot().find_area("patch", "P07")
    assert area is not None
    day.step(at(24, 15), "zhouhang", offered, "hand_over", area_id=area.area_id)
    built = day.report(
        at(24, 11), "hefang", "E0101", "顶楼搭建彩钢房", "柳林胡同7号院", inside(4), channel="hotline", condition="2"
    )
    day.step(at(24, 11, 20), "hefang", built, "accept")
    day.clock.move_to(MORNING)


def edge_places(day: Day) -> tuple[Position, Position]:
    """Return two places by the border of P07 and P08: one 61 % in P07, and one 61 % in P08."""
    patches = {patch.code: patch.border for patch in day.town.at("patch")}
    shared = shapely.line_merge(shapely.intersection(patches["P07"], patches["P08"]))
    snapshot, found = day.snapshot(), {}
    for along in np.linspace(0.05, 0.95, 46):
        point = shapely.line_interpolate_point(shared, along, normalized=True)
        for metres in np.arange(-6.0, 6.0, 0.25):
            for lon, lat in ((point.x, point.y + metres / M_PER_DEGREE), (point.x + metres / M_PER_DEGREE, point.y)):
                owner = _owner(snapshot, float(lon), float(lat))
                if owner:
                    found.setdefault(owner, Position(float(lon), float(lat), accuracy_m=ACCURACY_M, source="gps"))
        if len(found) == 2:
            return found["P07"], found["P08"]
    raise AssertionError("no place on the border of P07 and P08 is 61 % in one of them")


def _owner(snapshot: Snapshot, lon: float, lat: float) -> str:
    """Return the patch that holds a place to 61 % where the other of the two holds the rest."""
    located = snapshot.locate(lon, lat, accuracy_m=ACCURACY_M)
    shares = {one.code: round(one.probability, 2) for one in located.candidates}
    first = located.candidates[0].code
    return first if sorted(shares) == ["P07", "P08"] and (shares[first] == SHARES[0]) else ""
