"""The cases in memory: the same cases, the same sight and the same filters as in SQL, and nothing missed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from sqlalchemy import insert, select, update

from mapsvc.areas.models import Area
from mapsvc.cases.models import Case, CaseArea
from mapsvc.cases.queries.columns import masks
from mapsvc.cases.queries.columns.masks import CaseFilter, filter_mask, visible_mask
from mapsvc.cases.queries.columns.memory import ColumnsMemory
from mapsvc.cases.queries.columns.table import NONE_ID, NONE_SECONDS, ROW_COLUMNS, CaseColumns
from mapsvc.cases.queries.scope import visible_to
from mapsvc.cases.queries.views import CaseFilters
from mapsvc.cases.queries.worklist import conditions_of
from mapsvc.cases.rules.values import STATES, Position
from mapsvc.geo.tiles.mercator import Tile, to_unit
from mapsvc.people.rules.actor import PUBLIC, SYSTEM, Actor, RoleHeld
from mapsvc.storage.imports import ImportRun, publish_run
from mapsvc.storage.work import Store

from .conftest import CENTRES, START, District

CATEGORIES = ("E0110", "E0107", "E0201", "C0101")
CHANNELS = ("patrol", "public", "hotline", "staff")


def case_row(rng: np.random.Generator, district: District, number: int, **changed: Any) -> dict[str, Any]:
    """Return a random case as a row; whatever a service would or would not make of it."""

    def one(*values: Any) -> Any:
        return values[rng.integers(len(values))]

    lon, lat = CENTRES["G1"]
    placed = rng.random() > 0.2
    received = START - timedelta(seconds=int(rng.integers(0, 10_000_000)))
    areas, units = list(district.areas.values()), list(district.units.values())
    return {
        "uuid": uuid4(),
        "number": f"N{number}",
        "track_code": f"T{number}",
        "content_sha256": "0",
        "channel": one(*CHANNELS),
        "category": one(*CATEGORIES),
        "workflow": one("quick", "standard"),
        "state": one(*STATES),
        "outcome": one("", "solved", "refused"),
        "lon": lon + rng.normal() * 0.03 if placed else None,
        "lat": lat + rng.normal() * 0.03 if placed else None,
        "observed_at": received,
        "received_at": received,
        "updated_at": received,
        "closed_at": one(None, received + timedelta(days=1)),
        "due_at": one(None, START - timedelta(days=2), START + timedelta(days=2)),
        "owner_area_id": one(None, *areas),
        "handover_area_id": one(None, None, None, *areas),
        "unit_id": one(None, *units),
        "opened_by_user_id": one(None, *district.users.values()),
        "unplaced": bool(rng.random() < 0.2),
        "edge": bool(rng.random() < 0.2),
        "historic": bool(rng.random() < 0.2),
        "reworks": int(rng.integers(0, 3)),
        "version": 1,
        **changed,
    }


def add_cases(district: District, rows: Sequence[dict[str, Any]], rng: np.random.Generator) -> list[int]:
    """Write cases, each with areas at some levels and some with steps; return their ids."""
    ids = []
    with district.store.write() as work:
        levels = dict(work.session.execute(select(Area.code, Area.level)).all())
        for row in rows:
            case_id = work.session.execute(insert(Case).values(**row).returning(Case.id)).scalar_one()
            ids.append(case_id)
            chosen = {levels[code]: area for code, area in district.areas.items() if rng.random() < 0.25}
            for level, area_id in chosen.items():
                work.session.execute(insert(CaseArea).values(case_id=case_id, level=level, area_id=area_id))
            if rng.random() < 0.3:
                marks = {"instant_at": START, "filed_at": START, "check_result": "passed", "extensions": 1}
                work.session.execute(update(Case).where(Case.id == case_id).values(**marks))
    return ids


def random_cases(district: District, count: int, seed: int, **changed: Any) -> list[int]:
    rng = np.random.default_rng(seed)
    return add_cases(district, [case_row(rng, district, seed * 10_000 + n, **changed) for n in range(count)], rng)


def actors(district: District) -> list[Actor]:
    """Return one of every kind: each role as it is held, twice held, held nowhere, and nobody."""
    areas, units = district.areas, district.units
    desks = ("intake", "dispatcher", "duty_officer", "leader", "planner", "approver", "admin")
    return [
        *(district.desk(role) for role in desks),
        *(district.chief(code) for code in ("G1", "P1", "P3", "S1", "S2", "D1")),
        district.patrol("G5"),
        district.liaison("P2"),
        district.staff("U1"),
        district.staff("U2"),
        PUBLIC,
        SYSTEM,
        district.actor("patrol", RoleHeld("patrol")),
        district.actor("other", RoleHeld("area_chief")),
        district.actor("other", RoleHeld("dispatcher", area_id=areas["S1"])),
        district.actor(
            "other", RoleHeld("unit_staff", unit_id=units["U1"]), RoleHeld("grid_chief", area_id=areas["G7"])
        ),
        district.actor("other", RoleHeld("unit_staff", area_id=areas["P1"], unit_id=units["U1"])),
        district.actor("other"),
    ]


def pass_time(district: District, span: timedelta) -> None:
    district.clock.move_to(district.clock.now() + span)


def seen_in_sql(store: Store, *conditions: Any) -> set[int]:
    with store.read() as work:
        return set(work.session.scalars(select(Case.id).where(*conditions)))


def same_as_from_scratch(memory: ColumnsMemory, columns: CaseColumns) -> None:
    """Columns that followed the store are the columns that one would read now."""
    again = ColumnsMemory(memory.store).current()
    assert (columns.key, columns.placed) == (again.key, again.placed)
    for name in ROW_COLUMNS:
        followed, read = getattr(columns, name), getattr(again, name)
        if name in again.names:
            followed = np.array(columns.names[name], object)[followed]
            read = np.array(again.names[name], object)[read]
        assert followed.dtype == read.dtype, name
        np.testing.assert_array_equal(followed, read, err_msg=name)
    assert set(columns.areas) == set(again.areas)
    for level, column in again.areas.items():
        np.testing.assert_array_equal(columns.areas[level], column, err_msg=level)


def test_every_role_sees_the_same_as_in_sql(district: District) -> None:
    random_cases(district, 300, 1)
    columns = ColumnsMemory(district.store).current()
    some = 0
    for actor in actors(district):
        expected = seen_in_sql(district.store, visible_to(actor))
        assert set(columns.id[visible_mask(columns, actor)].tolist()) == expected, actor
        some += 0 < len(expected) < 300
    assert some > 8


def test_a_slice_shows_the_same_as_the_whole(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    random_cases(district, 120, 2)
    columns = ColumnsMemory(district.store).current()
    wanted = CaseFilter(open_only=True, category="E01")
    for small in (0, 10_000):
        monkeypatch.setattr(masks, "SMALL", small)
        for rows in (slice(0, 0), slice(10, 50), slice(0, len(columns))):
            for actor in actors(district):
                whole = visible_mask(columns, actor)
                np.testing.assert_array_equal(visible_mask(columns, actor, rows=rows), whole[rows])
            np.testing.assert_array_equal(
                filter_mask(columns, wanted, START, rows), filter_mask(columns, wanted, START)[rows]
            )


FILTERS: Sequence[tuple[CaseFilter, CaseFilters]] = (
    (CaseFilter(), CaseFilters(include_historic=False)),
    (CaseFilter(include_historic=True), CaseFilters()),
    (CaseFilter(open_only=True), CaseFilters(open_only=True, include_historic=False)),
    (CaseFilter(overdue=True, include_historic=True), CaseFilters(overdue=True)),
    (CaseFilter(category="E01", include_historic=True), CaseFilters(category="E01")),
    (CaseFilter(category="nothing", include_historic=True), CaseFilters(category="nothing")),
    (CaseFilter(channels=("hotline",), include_historic=True), CaseFilters(channel="hotline")),
    (CaseFilter(states=("closed", "fixed"), include_historic=True), CaseFilters(states=("closed", "fixed"))),
    (CaseFilter(outcome="solved", include_historic=True), CaseFilters(outcome="solved")),
    (
        CaseFilter(received_from=START - timedelta(days=30), include_historic=True),
        CaseFilters(received_since=START - timedelta(days=30)),
    ),
)


@pytest.mark.parametrize(
    ("ours", "theirs"), FILTERS, ids=lambda value: "" if isinstance(value, CaseFilters) else repr(value)[:60]
)
def test_filters_leave_the_same_as_the_work_list(district: District, ours: CaseFilter, theirs: CaseFilters) -> None:
    random_cases(district, 200, 3)
    columns = ColumnsMemory(district.store).current()
    expected = seen_in_sql(district.store, *conditions_of(theirs, SYSTEM, START))
    assert set(columns.id[filter_mask(columns, ours, START)].tolist()) == expected


def test_filters_by_area_unit_and_window(district: District) -> None:
    random_cases(district, 200, 4)
    columns = ColumnsMemory(district.store).current()
    area, unit = district.areas["P1"], district.units["U1"]
    within = filter_mask(columns, CaseFilter(area_id=area, include_historic=True), START)
    assert set(columns.id[within].tolist()) == seen_in_sql(
        district.store, *conditions_of(CaseFilters(area_id=area), SYSTEM, START)
    )
    of_unit = filter_mask(columns, CaseFilter(unit_id=unit, include_historic=True), START)
    assert set(columns.id[of_unit].tolist()) == seen_in_sql(district.store, Case.unit_id == unit)
    begin, end = START - timedelta(days=60), START - timedelta(days=30)
    window = filter_mask(columns, CaseFilter(received_from=begin, received_to=end, include_historic=True), START)
    expected = seen_in_sql(district.store, Case.received_at >= begin, Case.received_at < end)
    assert set(columns.id[window].tolist()) == expected


def test_columns_say_what_the_rows_say(district: District) -> None:
    random_cases(district, 60, 5)
    columns = ColumnsMemory(district.store).current()
    with district.store.read() as work:
        cases = {case.id: case for case in work.session.scalars(select(Case))}
        areas = work.session.execute(select(CaseArea.case_id, CaseArea.level, CaseArea.area_id)).all()
    assert set(columns.id.tolist()) == set(cases)
    for row, case_id in enumerate(columns.id.tolist()):
        case = cases[case_id]
        assert (row < columns.placed) == (case.lon is not None)
        for name in ("category", "channel", "state", "outcome", "workflow"):
            assert columns.names[name][getattr(columns, name)[row]] == getattr(case, name)
        for name in ("received_at", "updated_at", "due_at", "closed_at"):
            moment = getattr(case, name)
            expected = NONE_SECONDS if moment is None else int(moment.timestamp())
            assert getattr(columns, name)[row] == expected, name
        for name in ("owner_area_id", "handover_area_id", "unit_id"):
            assert getattr(columns, name)[row] == (getattr(case, name) or NONE_ID)
        assert columns.opened_by[row] == (case.opened_by_user_id or NONE_ID)
        for name in ("historic", "unplaced", "edge", "reworks", "version"):
            assert getattr(columns, name)[row] == getattr(case, name)
        for name, moment in (("instant_fix", case.instant_at), ("filed", case.filed_at)):
            assert getattr(columns, name)[row] == (moment is not None)
        assert columns.names["condition"][columns.condition[row]] == case.condition
        assert columns.names["check_result"][columns.check_result[row]] == (case.check_result or "")
        assert columns.on_time[row] == bool(
            case.state == "closed" and case.closed_at and case.due_at and case.closed_at <= case.due_at
        )
        assert columns.extensions[row] == case.extensions
    held = {(int(columns.id[row]), level, int(column[row])) for level, column in columns.areas.items()
            for row in np.flatnonzero(column)}  # fmt: skip
    assert held == {tuple(each) for each in areas}


def test_a_tile_is_one_slice(district: District) -> None:
    random_cases(district, 200, 6)
    columns = ColumnsMemory(district.store).current()
    x, y = to_unit(columns.lon, columns.lat)
    for z in (0, 6, 10, 13, 15, 22):
        seen = 0
        for column, row in {
            (int(a * 2**z), int(b * 2**z)) for a, b in zip(x[: columns.placed], y[: columns.placed], strict=True)
        }:
            tile = Tile(z, column, row)
            rows = columns.rows_in(tile)
            inside = (np.floor(x * 2**z) == column) & (np.floor(y * 2**z) == row)
            np.testing.assert_array_equal(np.flatnonzero(inside), np.arange(rows.start, rows.stop))
            seen += rows.stop - rows.start
        assert seen == columns.placed
    assert columns.rows_in(Tile(10, 0, 0)) == slice(0, 0)


def test_nobody_writes_to_the_columns(district: District) -> None:
    random_cases(district, 5, 7)
    columns = ColumnsMemory(district.store).current()
    for array in (columns.id, columns.state, columns.x, next(iter(columns.areas.values()))):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[0]


def test_an_empty_store_has_empty_columns(district: District) -> None:
    memory = ColumnsMemory(district.store)
    columns = memory.current()
    assert (len(columns), columns.placed, columns.key) == (0, 0, "0-0")
    assert not len(visible_mask(columns, district.desk("leader")))
    assert not filter_mask(columns, CaseFilter(open_only=True, category="E"), START).any()
    receipt = district.open()
    assert memory.current(fresh=True).id.tolist() == [receipt.case_id]


def test_what_services_do_is_followed(district: District) -> None:
    memory = ColumnsMemory(district.store)
    memory.current()
    for state in ("received", "in_progress", "returned", "fixed", "closed", "suspended"):
        district.opened(state)
        pass_time(district, timedelta(seconds=7))
        same_as_from_scratch(memory, memory.current(fresh=True))
    one = district.opened("received")
    memory.current(fresh=True)
    district.step(district.desk("intake"), one.uuid, "move_pin", position=Position(*CENTRES["G7"]))
    columns = memory.current(fresh=True)
    same_as_from_scratch(memory, columns)
    assert columns.areas["grid"][columns.rows_of(np.array([one.case_id]))[0]] == district.areas["G7"]


def test_random_changes_are_followed(district: District) -> None:
    random_cases(district, 80, 8)
    memory = ColumnsMemory(district.store)
    memory.current()
    rng = np.random.default_rng(9)
    for turn in range(12):
        pass_time(district, timedelta(seconds=float(rng.integers(0, 50))))
        now = district.clock.now()
        ids = [*random_cases(district, int(rng.integers(0, 4)), 20 + turn, updated_at=now)]
        with district.store.write() as work:
            some = rng.choice(work.session.scalars(select(Case.id)).all(), int(rng.integers(0, 6)), replace=False)
            for case_id in some.tolist():
                fresh = case_row(rng, district, 0)
                values = {name: fresh[name] for name in ("lon", "lat", "state", "category", "unit_id", "edge")}
                changes = update(Case).where(Case.id == case_id)
                work.session.execute(changes.values(**values, version=Case.version + 1, updated_at=now))
        columns = memory.current(fresh=True)
        assert set(ids) <= set(columns.id.tolist())
        same_as_from_scratch(memory, columns)


def test_an_import_is_seen_once_it_is_published(district: District) -> None:
    random_cases(district, 10, 11)
    memory = ColumnsMemory(district.store)
    with district.store.write() as work:
        run = ImportRun(kind="cases", file_name="f", sha256="s", started_at=work.now, cursor=0, counts={})
        work.session.add(run)
        work.session.flush()
        run_id = run.id
    hidden = random_cases(district, 30, 12, import_run_id=run_id)  # with moments of long ago, as imports have them
    pass_time(district, timedelta(hours=5))
    columns = memory.current(fresh=True)
    assert not set(hidden) & set(columns.id.tolist())
    assert memory.current(fresh=True) is columns
    with district.store.write() as work:
        publish_run(work, run_id)
    columns = memory.current(fresh=True)
    assert set(hidden) <= set(columns.id.tolist())
    same_as_from_scratch(memory, columns)


def test_a_quiet_store_is_asked_two_small_questions(district: District, count_queries: Callable[[], list[str]]) -> None:
    random_cases(district, 50, 13)
    memory = ColumnsMemory(district.store)
    before = memory.current()
    pass_time(district, timedelta(hours=1))
    memory.current(fresh=True)
    count_queries()
    assert memory.current(fresh=True) is before
    asked = count_queries()
    assert len(asked) == 2
    assert "import_run" in asked[0]
    assert "updated_at" in asked[1]


@pytest.mark.parametrize("store", [pytest.param("postgis", marks=pytest.mark.postgis)], indirect=True)
def test_a_transaction_that_commits_late_is_not_missed(district: District) -> None:
    """On PostgreSQL one that began earlier may become visible after one that began later was read."""
    memory = ColumnsMemory(district.store)
    memory.current()
    with district.store.write() as slow:
        values = case_row(np.random.default_rng(14), district, 14, updated_at=slow.now)
        late = slow.session.execute(insert(Case).values(**values).returning(Case.id)).scalar_one()
        pass_time(district, timedelta(seconds=20))
        early = district.open().case_id
        assert early in memory.current(fresh=True).id
        pass_time(district, timedelta(seconds=20))
        assert late not in memory.current(fresh=True).id
    assert late in memory.current(fresh=True).id
    same_as_from_scratch(memory, memory.current())


def test_what_fell_behind_for_good_is_found_by_the_look_over_everything(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = ColumnsMemory(district.store)
    memory.current()
    pass_time(district, timedelta(hours=1))
    memory.current(fresh=True)
    late = random_cases(district, 3, 15, updated_at=START)
    assert not set(late) & set(memory.current(fresh=True).id.tolist())
    monkeypatch.setattr(memory, "_compare_at", 0.0)
    columns = memory.current(fresh=True)
    assert set(late) <= set(columns.id.tolist())
    assert memory.current(fresh=True) is columns


def test_requests_go_on_with_what_is_known_while_a_refresh_is_under_way(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = ColumnsMemory(district.store, check_every_s=0.0)
    before = memory.current()
    begun, go_on = threading.Event(), threading.Event()
    follow = memory._follow

    def slow(*given: Any) -> Any:
        begun.set()
        go_on.wait(10)
        return follow(*given)

    monkeypatch.setattr(memory, "_follow", slow)
    monkeypatch.setattr("mapsvc.cases.queries.columns.memory.PATIENCE_S", 0.01)
    district.open()
    assert memory.current() is before
    assert begun.is_set()
    assert memory.current() is before  # the lock is taken: no second thread begins
    go_on.set()
    memory.wait()
    assert len(memory.current()) == 1
    memory.wait()


def test_a_store_that_fails_leaves_what_is_known(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = ColumnsMemory(district.store, check_every_s=0.0)
    before = memory.current()

    def broken(*_given: Any) -> Any:
        raise OSError("the disk is gone")

    monkeypatch.setattr(memory, "_follow", broken)
    assert memory.current() is before
    memory.wait()
    monkeypatch.undo()
    district.open()
    memory.current()
    memory.wait()
    assert len(memory.current(fresh=True)) == 1


def test_the_key_is_the_same_in_every_process_and_moves_with_every_change(district: District) -> None:
    one, other = ColumnsMemory(district.store), ColumnsMemory(district.store)
    seen = {one.current().key}
    receipt = district.open()
    seen.add(one.current(fresh=True).key)
    district.step(district.desk("intake"), receipt.uuid, "refuse", reason="no")
    seen.add(one.current(fresh=True).key)
    assert len(seen) == 3
    assert other.current().key == one.current().key


def test_moments_are_cut_to_the_second(district: District) -> None:
    moment = datetime.fromisoformat("2026-03-04T05:06:59.999700+00:00")
    ids = random_cases(district, 1, 16, received_at=moment)
    columns = ColumnsMemory(district.store).current()
    assert columns.received_at[columns.rows_of(np.array(ids))[0]] == int(moment.timestamp())
