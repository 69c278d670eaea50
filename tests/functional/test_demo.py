"""The demo towns: built through the services, every role can log in, and the figures come out to the digit."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import numpy as np
import pytest
import shapely
from sqlalchemy import func, select

from mapsvc.areas.ground import GroundFiles
from mapsvc.areas.index import Snapshot, Snapshots
from mapsvc.areas.models import Area, AreaVersion, Post
from mapsvc.areas.queries.posts import actor_posts
from mapsvc.base.clock import FixedClock
from mapsvc.base.settings import Settings
from mapsvc.cases.models import CaseEvent
from mapsvc.cases.queries.columns.masks import CaseFilter, filter_mask
from mapsvc.cases.queries.columns.memory import ColumnsMemory
from mapsvc.cases.queries.columns.table import CaseColumns
from mapsvc.cases.queries.views import CaseFilters
from mapsvc.cases.queries.worklist import list_cases
from mapsvc.cases.rules.cuts import light_of
from mapsvc.cases.rules.values import CHANNEL_GROUPS
from mapsvc.catalog import load_catalog
from mapsvc.demo.build import LEAST_WALKS, LIVED, PASSWORD, build_demo, built_at, built_profile
from mapsvc.demo.figures import window_name
from mapsvc.demo.profiles import PROFILES
from mapsvc.demo.staff import ACCOUNTS
from mapsvc.demo.town import make_town
from mapsvc.demo.walks import quiet_patch
from mapsvc.demo.year import HOT, HOT_REACH_M, WALKED, WALKED_REACH_M
from mapsvc.insight.queries.figures import Figures, Question
from mapsvc.insight.rules.intervals import WITHIN, control_limits
from mapsvc.insight.rules.windows import read_window
from mapsvc.insight.service.verify import verify
from mapsvc.patrols.models import Patrol
from mapsvc.patrols.queries.effort import effort_by_area, effort_cells
from mapsvc.people.queries import load_actor
from mapsvc.people.rules.actor import SYSTEM, Actor
from mapsvc.people.service.access import log_in
from mapsvc.storage.work import Store

pytestmark = pytest.mark.slow

DUTY_OFFICER = next(account for account in ACCOUNTS if account.role == "duty_officer")


def _log_in(store: Store, clock: FixedClock, name: str) -> Actor:
    user = log_in(store, name, PASSWORD)
    today = clock.now().date()
    with store.read() as work:
        actor = load_actor(work, user.id, today)
        assert actor is not None
        posts = actor_posts(work, user.person_id, today) if user.person_id else ()
    return Actor(user_id=user.id, name=actor.name, roles=(*actor.roles, *posts), person_id=user.person_id)


def _count(store: Store, query: object) -> int:
    with store.read() as work:
        return int(work.session.scalar(query) or 0)  # type: ignore[call-overload]


def _figures(store: Store, settings: Settings, now: datetime) -> tuple[Figures, Question]:
    window = read_window(window_name(now.astimezone(settings.timezone)), now, settings.timezone)
    light = light_of(load_catalog(settings).categories)
    question = Question(window.since, window.until, now, light=light)
    return Figures(ColumnsMemory(store).current(), SYSTEM, question), question


def test_the_demo_hangs_together(sqlite_store: Store, settings: Settings, clock: FixedClock) -> None:
    """One town serves all the checks: building it takes seconds."""
    store = sqlite_store
    with store.read() as work:
        assert list_cases(work, SYSTEM, CaseFilters()).count == 0
    assert built_at(store) is None
    assert built_profile(store) is None
    told: list[tuple[str, int, int]] = []
    build_demo(store, settings, lambda *stage: told.append(stage), cases=150)
    assert built_at(store) == clock.now()
    assert built_profile(store) == PROFILES["suzhou"]
    assert ("reports", 150, 150) in told
    assert told[-1] == ("walks", LEAST_WALKS, LEAST_WALKS)

    for account in ACCOUNTS:
        assert account.role in _log_in(store, clock, account.name).role_names, account.name

    officer = _log_in(store, clock, DUTY_OFFICER.name)
    with store.read() as work:
        page = list_cases(work, officer, CaseFilters(), limit=200)
    assert page.count == 150
    states = Counter(row.state for row in page.rows)
    assert states["closed"] > 90
    assert sum(states.values()) - states["closed"] >= 5, "a town without open cases shows nothing"
    assert len({row.number for row in page.rows}) == 150

    snapshot = Snapshots(store, settings, load_catalog(settings).levels).current(clock.now())
    today = clock.now().date()
    p07, p13 = snapshot.find_area("patch", "P07"), snapshot.find_area("patch", "P13")
    assert p07 is not None
    assert p13 is not None
    chief = snapshot.responsible(p07.area_id, today)
    assert chief is not None
    assert (chief.name, chief.liaison_name) == ("张敏", "徐宁")
    assert snapshot.responsible(p13.area_id, today) is None

    zhangmin = _log_in(store, clock, "zhangmin")
    with store.read() as work:
        own = list_cases(work, zhangmin, CaseFilters(), limit=200)
    assert 0 < own.count < 150, "a chief sees their own patch, not the town"

    files = GroundFiles(settings.data_dir)
    things = {code: files.find(code) for code in ("roads", "water", "green", "buildings", "compounds")}
    assert all(layer is not None and len(layer.rows) for layer in things.values())
    buildings = things["buildings"]
    assert buildings is not None
    assert sum(households or 0 for households in buildings.rows.households) > 50_000


def test_a_town_without_cases_is_quick_and_whole(sqlite_store: Store, settings: Settings) -> None:
    build_demo(sqlite_store, settings, lambda *_stage: None, cases=0, profile="suzhou")
    with sqlite_store.read() as work:
        assert list_cases(work, SYSTEM, CaseFilters()).count == 0


def test_the_core_of_a_city_prints_its_figures(sqlite_store: Store, settings: Settings, clock: FixedClock) -> None:
    """G3 and G4: 4 streets, 21 communities, 22 patches, 147 grids, 6,550 heads; 1,206 of 1,584 mended on the spot."""
    store = sqlite_store
    told: list[tuple[str, int, int]] = []
    build_demo(store, settings, lambda *stage: told.append(stage), profile="suzhou")
    assert ("ledger", 20_000 - LIVED, 20_000 - LIVED) in told

    areas = select(func.count(Area.id.distinct())).join(AreaVersion, AreaVersion.area_id == Area.id)
    for level, count in (("street", 4), ("community", 21), ("patch", 22), ("grid", 147)):
        assert _count(store, areas.where(Area.level == level)) == count
    assert _count(store, select(func.count(Post.id)).where(Post.valid_from.is_not(None))) == 6_550

    figures, question = _figures(store, settings, clock.now())
    rate = figures.rate("instant")
    assert (rate.numerator, rate.n) == (1_206, 1_584)
    assert rate.share is not None
    assert f"{rate.share:.1%}" == "76.1%"
    snapshot = Snapshots(store, settings, load_catalog(settings).levels).current(clock.now())
    patches = snapshot.tables["patch"].area_ids.tolist()
    counts = figures.by_area("instant", "patch", patches)
    assert counts.totals.sum() == 1_584
    below = counts.numerators / counts.totals < 0.75
    assert below.sum() == 2
    assert (control_limits(counts.numerators, counts.totals).standing == WITHIN).all()

    columns = figures.columns
    assert len(columns) == 20_000
    _check_walks(store, settings, snapshot, columns, clock.now())
    received = np.array([datetime.fromtimestamp(int(at), settings.timezone) for at in columns.received_at])
    days = Counter(at.weekday() for at in received)
    assert max(days[5], days[6]) < 0.85 * min(days[day] for day in range(5)), "a week has its rhythm"
    assert clock.now() - received.min() > timedelta(days=360)
    year = Figures(columns, SYSTEM, Question(received.min(), clock.now(), clock.now(), light=question.light))
    assert year.rate("reworked").numerator > 200
    assert year.rate("recurred").numerator > 200
    assert 0.9 < (year.rate("on_time").share or 0) < 0.97, "some were late"
    assert figures.tally().overdue > 0

    assert _count(store, select(func.count(CaseEvent.id))) > 60_000
    window = read_window(window_name(clock.now().astimezone(settings.timezone)), clock.now(), settings.timezone)
    with store.read() as work:
        assert verify(work, columns, question, window).agrees, "every figure is derived again from the log"


def _check_walks(store: Store, settings: Settings, snapshot: Snapshot, columns: CaseColumns, now: datetime) -> None:
    """The false trouble spot is busy because it is walked more; the true ones stay when divided by the kilometres."""
    town = make_town(profile="suzhou")
    today = now.astimezone(settings.timezone).date()
    first = today - timedelta(days=364)
    with store.read() as work:
        cells = effort_cells(work, SYSTEM, first, today)
        week = effort_by_area(work, SYSTEM, snapshot, "patch", today - timedelta(days=6), today)
        named = work.session.scalars(select(Patrol.ended_at).where(Patrol.person_id.is_not(None))).all()
    assert week.metres[week.codes.index(quiet_patch(town))] < 0.05 * np.median(week.metres)
    assert named
    assert min(named) >= now - timedelta(days=settings.track_days), "older tracks name nobody"
    found = filter_mask(columns, CaseFilter(channels=CHANNEL_GROUPS["patrol"]), now)[: columns.placed]
    frame = town.land.frame
    case_x, case_y = frame.to_metres(columns.lon[: columns.placed][found], columns.lat[: columns.placed][found])
    cell_x, cell_y = frame.to_metres(cells.lon, cells.lat)

    def near(use: str, reach_m: float) -> tuple[float, float]:
        """Return findings and kilometres within reach of a landmark."""
        x, y = next((x, y) for x, y, what in town.profile.plan.landmarks if what == use)
        count = (np.hypot(case_x - x, case_y - y) < reach_m).sum()
        return float(count), float(cells.metres[np.hypot(cell_x - x, cell_y - y) < reach_m].sum() / 1000)

    everywhere = found.sum() / (cells.metres.sum() / 1000)
    walked = cells.metres.sum() / 1000 / (shapely.area(frame.geometries_to_metres(
        [grid.border for grid in town.at("grid")])).sum() / 1e6)  # fmt: skip
    for landmark, _, _ in HOT:
        count, km = near(landmark, HOT_REACH_M)
        assert count / km > 2 * everywhere, landmark
    count, km = near(WALKED, WALKED_REACH_M)
    assert count / km < everywhere
    assert km / (np.pi * WALKED_REACH_M**2 / 1e6) > 1.5 * walked


def test_a_large_district_prints_its_figures(sqlite_store: Store, settings: Settings, clock: FixedClock) -> None:
    """G1 and G2: 4,663 received = 3,099 closed + 1,564 within their time + 0 overdue; 839 grids, 860 branches."""
    store = sqlite_store
    build_demo(store, settings, lambda *_stage: None, profile="heping")
    assert built_profile(store) == PROFILES["heping"]
    figures, question = _figures(store, settings, clock.now())
    tally = figures.tally()
    assert (tally.received, tally.closed, tally.in_time, tally.overdue) == (4_663, 3_099, 1_564, 0)
    assert tally.closed_of_received is not None
    assert f"{tally.closed_of_received:.2%}" == "66.46%"
    rate = figures.rate("on_time")
    assert (rate.share or 0) > 0.95, "which is another question than the 66.46 %"

    areas = select(func.count(Area.id.distinct())).join(AreaVersion, AreaVersion.area_id == Area.id)
    for level, count in (("street", 10), ("community", 112), ("grid", 839)):
        assert _count(store, areas.where(Area.level == level)) == count
    branches = select(Post).join(Area, Area.id == Post.area_id).where(Area.level == "grid", Post.role == "member")
    with store.read() as work:
        links = [(post.area_id, post.person_id) for post in work.session.scalars(branches)]
    assert len(links) == len({person for _, person in links}) == 860
    assert len({area for area, _ in links}) == 839

    window = read_window(window_name(clock.now().astimezone(settings.timezone)), clock.now(), settings.timezone)
    with store.read() as work:
        assert verify(work, figures.columns, question, window).agrees
