"""Snapshots: one owner for every point, answers that nest, old or new but never half, one file for all processes."""

from __future__ import annotations

import multiprocessing
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import event

from mapsvc.areas.borders import index_name
from mapsvc.areas.index import Snapshot, Snapshots
from mapsvc.areas.loose import LooseIndex, has_overlaps
from mapsvc.areas.service.import_areas import import_rows
from mapsvc.areas.service.posts import PostData, put_posts
from mapsvc.areas.service.prepared import ImportOptions
from mapsvc.base.clock import FixedClock, SystemClock
from mapsvc.base.errors import InvalidInput, Unavailable
from mapsvc.base.settings import Settings, load_settings
from mapsvc.geo.lattice import snap_geometries
from mapsvc.geo.locate.index import AreaIndex
from mapsvc.people.rules.actor import SYSTEM
from mapsvc.storage.engine import make_engine
from mapsvc.storage.work import Store
from tests.squares import SIDE, SOUTH, WEST, grid_rows, middle, rows_of, shipped_levels, square

LEVELS = shipped_levels()


def run(store: Store, settings: Settings, level: str, rows: object, **options: object) -> None:
    import_rows(store, settings, LEVELS, SYSTEM, level, rows, ImportOptions(**options))  # type: ignore[arg-type]


@pytest.fixture
def town(sqlite_store: Store, settings: Settings) -> Snapshot:
    run(sqlite_store, settings, "grid", grid_rows())
    return Snapshots(sqlite_store, settings, LEVELS).current(sqlite_store.clock.now())


def test_an_empty_store_answers_none(store: Store, settings: Settings) -> None:
    snapshot = Snapshots(store, settings, LEVELS).current(store.clock.now())
    found = snapshot.locate(123.0, 41.8, 30.0)
    assert (found.rule, found.areas, found.certainty, found.generation) == ("none", (), 0.0, 0)
    assert snapshot.locate_many([123.0], [41.8]) == {}
    assert snapshot.bounds is None


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_point_on_a_border_has_one_owner_and_answers_nest(town: Snapshot, data: st.DataObject) -> None:
    """Every corner and every point on a shared edge belongs to the smallest code, at every level by its parents."""
    column = data.draw(st.integers(0, 4))
    row = data.draw(st.integers(0, 4))
    along = data.draw(st.sampled_from([0.0, 0.25, 0.5, 1.0]))
    lon = WEST + (column + (along if data.draw(st.booleans()) else 0.0)) * SIDE
    lat = SOUTH + row * SIDE
    touching = [
        f"G{r:02}{c:02}"
        for r in (row - 1, row)
        for c in range(4)
        if 0 <= r < 4 and WEST + c * SIDE - 1e-10 <= lon <= WEST + (c + 1) * SIDE + 1e-10
    ]
    located = town.locate(lon, lat)
    if not touching:
        assert located.rule in ("nearest", "none")
        return
    grid = located.find_area("grid")
    assert grid is not None
    assert grid.code == min(touching)
    assert [area.code for area in located.areas] == _path_of(grid.code)
    many = town.locate_many([lon], [lat])
    assert {level: int(ids[0]) for level, ids in many.items()} == {a.level: a.area_id for a in located.areas}


def _path_of(code: str) -> list[str]:
    row, column = int(code[1:3]), int(code[3:5])
    return [code, f"P{column // 2}", f"C{row // 2}{column // 2}", f"S{column // 2}", "D"]


def test_certainty_is_of_the_owner_and_not_of_the_grid(town: Snapshot) -> None:
    inner = town.locate(WEST + SIDE, SOUTH + 0.5 * SIDE, 30.0)  # between two grids of one patch, 83 m from the next
    assert (inner.rule, inner.owner_level) == ("inside", "patch")
    assert inner.certainty > 0.99
    edge = town.locate(WEST + 2 * SIDE + 2e-5, SOUTH + 0.5 * SIDE, 30.0)  # 1.7 m into the second patch
    assert edge.rule == "edge"
    assert edge.owner is not None
    assert edge.owner.code == "P1"
    assert [candidate.code for candidate in edge.candidates[:2]] == ["P1", "P0"]
    assert sum(candidate.probability for candidate in edge.candidates) == pytest.approx(1.0, abs=0.01)
    assert edge.certainty == edge.candidates[0].probability
    by_grid = town.locate(WEST + SIDE + 2e-5, SOUTH + 0.5 * SIDE, 30.0, answers=("grid", "patch"))
    assert (by_grid.rule, by_grid.owner_level) == ("edge", "grid")


def test_outside_the_nearest_answers_and_beyond_it_nobody(town: Snapshot) -> None:
    near = town.locate(WEST - 0.0003, SOUTH + 0.5 * SIDE)
    assert near.rule == "nearest"
    assert near.distance_m == pytest.approx(24.9, abs=0.3)
    assert near.owner is not None
    assert near.owner.code == "P0"
    unsure = town.locate(WEST - 0.0003, SOUTH + 0.5 * SIDE, 40.0)
    assert unsure.rule == "nearest"
    assert 0 < unsure.certainty < 0.5
    assert unsure.candidates[0].area_id == 0
    far = town.locate(WEST - 0.001, SOUTH + 0.5 * SIDE)
    assert (far.rule, far.areas, far.owner) == ("none", (), None)


def test_never_given_to_outside_when_the_point_is_inside(town: Snapshot) -> None:
    found = town.locate(WEST + 1e-6, SOUTH + 1e-6, 100.0)  # a corner: most of the circle lies outside
    assert found.rule == "edge"
    assert found.owner is not None
    assert found.candidates[0].area_id == 0


def test_exchanged_coordinates_are_said_so(town: Snapshot) -> None:
    with pytest.raises(InvalidInput) as caught:
        town.locate(41.8005, 123.0005)
    assert caught.value.code == "lon_lat_swapped"


def test_many_points_agree_with_one_by_one(town: Snapshot) -> None:
    rng = np.random.default_rng(7)
    lon = WEST + rng.uniform(-1, 5, 500) * SIDE
    lat = SOUTH + rng.uniform(-1, 5, 500) * SIDE
    many = town.locate_many(lon, lat)
    for n in range(500):
        one = town.locate(float(lon[n]), float(lat[n]))
        inside = {area.level: area.area_id for area in one.areas} if one.rule == "inside" else {}
        assert {level: int(ids[n]) for level, ids in many.items() if ids[n]} == inside


def test_areas_are_found_by_code_and_by_id(town: Snapshot) -> None:
    found = town.find_area("grid", "G0102")
    assert found is not None
    assert town.find_area_by_id(found.area_id) == found
    assert town.find_area("grid", "G9999") is None
    assert town.find_area("village", "G0102") is None
    assert town.find_area_by_id(987654) is None


def test_the_effective_date_passes_without_any_question_to_the_store(
    sqlite_store: Store, settings: Settings, clock: FixedClock
) -> None:
    run(sqlite_store, settings, "patch", rows_of({"P1": square(0, 0), "P2": square(1, 0)}))
    run(sqlite_store, settings, "patch", rows_of({"P1": square(0, 0, 2, 1)}), effective_on=date(2026, 12, 1))
    snapshots = Snapshots(sqlite_store, settings, LEVELS, check_every_s=3600)
    midnight = datetime(2026, 11, 30, 16, tzinfo=UTC)
    snapshots.current(midnight - timedelta(seconds=1))
    snapshots.current(midnight)
    with _counted(sqlite_store) as statements:
        before = snapshots.current(midnight - timedelta(seconds=1))
        after = snapshots.current(midnight)
    assert statements == []
    assert before.find_area("patch", "P2") is not None
    assert after.find_area("patch", "P2") is None
    assert after.key != before.key


class _counted:  # noqa: N801  # reads as a block
    def __init__(self, store: Store) -> None:
        self._engine = store.engine
        self.statements: list[str] = []

    def _note(self, *args: object) -> None:
        self.statements.append(str(args[2]))

    def __enter__(self) -> list[str]:
        event.listen(self._engine, "before_cursor_execute", self._note)
        return self.statements

    def __exit__(self, *_: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._note)


def test_a_publication_is_seen_at_once_by_who_asks_freshly_and_soon_by_all(
    store: Store, settings: Settings, clock: FixedClock
) -> None:
    run(store, settings, "patch", rows_of({"P1": square(0, 0)}))
    patient = Snapshots(store, settings, LEVELS, check_every_s=3600)
    eager = Snapshots(store, settings, LEVELS, check_every_s=0)
    assert patient.current(clock.now()).generation == eager.current(clock.now()).generation == 1
    run(store, settings, "patch", rows_of({"P1": square(0, 0, 2, 1)}))
    assert patient.current(clock.now()).generation == 1
    assert eager.current(clock.now()).generation == 2
    assert patient.current(clock.now(), fresh=True).generation == 2
    assert patient.current(clock.now()).generation == 2


def test_a_change_of_posts_keeps_the_borders_in_memory(store: Store, settings: Settings, clock: FixedClock) -> None:
    run(store, settings, "patch", rows_of({"P1": square(0, 0)}))
    snapshots = Snapshots(store, settings, LEVELS, check_every_s=0)
    before = snapshots.current(clock.now())
    with store.write() as work:
        put_posts(work, LEVELS, SYSTEM, [PostData("patch", "P1", "chief", "z1", "张敏")])
    after = snapshots.current(clock.now())
    assert after.borders is before.borders
    area = after.find_area("patch", "P1")
    assert area is not None
    chief = after.responsible(area.area_id, date(2026, 11, 23))
    assert chief is not None
    assert chief.name == "张敏"
    assert before.responsible(area.area_id, date(2026, 11, 23)) is None


def test_who_answered_for_this_door_on_a_day(store: Store, settings: Settings, clock: FixedClock) -> None:
    run(store, settings, "patch", rows_of({"P1": square(0, 0)}))
    with store.write() as work:
        old = PostData("patch", "P1", "chief", "z1", "张敏", valid_to=date(2026, 5, 31))
        new = PostData("patch", "P1", "chief", "z2", "李静", valid_from=date(2026, 6, 1))
        put_posts(work, LEVELS, SYSTEM, [old, new])
    snapshot = Snapshots(store, settings, LEVELS).at(clock.now())
    area = snapshot.locate(*middle(0, 0)).owner
    assert area is not None
    names = [snapshot.responsible(area.area_id, day) for day in (date(2026, 5, 3), date(2026, 5, 31), date(2026, 6, 1))]
    assert [chief.name if chief else "" for chief in names] == ["张敏", "张敏", "李静"]


def test_readers_see_the_old_or_the_new_whole(sqlite_store: Store, settings: Settings) -> None:
    """While borders are published again and again, each reader's snapshot is one generation from end to end."""
    half, whole = {"P1": square(0, 0), "P2": square(1, 0)}, {"P1": square(0, 0, 2, 1)}
    live = Store(sqlite_store.engine, SystemClock())
    run(live, settings, "patch", rows_of(half))
    snapshots = Snapshots(live, settings, LEVELS, check_every_s=0)
    stop = threading.Event()
    faults: list[str] = []
    seen: set[int] = set()

    def read() -> None:
        while not stop.is_set():
            snapshot = snapshots.current(datetime.now(UTC))
            left, right = (snapshot.locate(*middle(column, 0)).owner for column in (0, 1))
            codes = snapshot.tables["patch"].codes
            seen.add(snapshot.generation)
            if left is None or right is None or (right.code, codes) not in (("P2", ("P1", "P2")), ("P1", ("P1",))):
                faults.append(f"{left} {right} {codes}")

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for n in range(6):
        run(live, settings, "patch", rows_of(whole if n % 2 == 0 else half))
    stop.set()
    for reader in readers:
        reader.join()
    assert faults == []
    assert len(seen) > 1


def _open_in_process(url: str, folder: str, gate: object, answers: object) -> None:
    settings = load_settings({"MAPSVC_DATA_DIR": folder})
    store = Store(make_engine(url), SystemClock())
    gate.wait()  # type: ignore[attr-defined]
    snapshot = Snapshots(store, settings, shipped_levels()).current(datetime.now(UTC))
    answers.put([area.code for area in snapshot.locate(*middle(3, 3)).areas])  # type: ignore[attr-defined]


def test_two_processes_that_build_the_index_at_once_share_one_file(sqlite_store: Store, settings: Settings) -> None:
    run(sqlite_store, settings, "grid", grid_rows(12, 12))
    context = multiprocessing.get_context("spawn")
    gate, answers = context.Barrier(3), context.Queue()
    arguments = (settings.store_url, str(settings.data_dir), gate, answers)
    workers = [context.Process(target=_open_in_process, args=arguments) for _ in range(2)]
    for worker in workers:
        worker.start()
    gate.wait(60)
    found = [answers.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join(60)
    assert found[0] == found[1] == ["G0303", "P1", "C11", "S1", "D"]
    names = sorted(path.name for path in (settings.data_dir / "index").iterdir())
    assert len([name for name in names if name.endswith(".index")]) == 1
    assert not [name for name in names if name.endswith(".part")]


def test_a_damaged_index_file_is_built_again(sqlite_store: Store, settings: Settings) -> None:
    run(sqlite_store, settings, "patch", rows_of({"P1": square(0, 0)}))
    now = sqlite_store.clock.now()
    first = Snapshots(sqlite_store, settings, LEVELS).current(now)
    path = settings.data_dir / "index" / index_name(first.tables["patch"])
    path.write_bytes(path.read_bytes()[:100])
    again = Snapshots(sqlite_store, settings, LEVELS).current(now)
    assert again.locate(*middle(0, 0)).rule == "inside"
    assert len(path.read_bytes()) > 100


def test_answers_go_on_where_the_index_cannot_be_written(
    sqlite_store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: AreaIndex, path: Path) -> None:
        raise Unavailable("index_not_written", "The disk is full.")

    run(sqlite_store, settings, "patch", rows_of({"P1": square(0, 0)}))
    monkeypatch.setattr(AreaIndex, "save", full)
    snapshot = Snapshots(sqlite_store, settings, LEVELS).current(sqlite_store.clock.now())
    assert snapshot.locate(*middle(0, 0)).rule == "inside"


def test_old_index_files_go(sqlite_store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mapsvc.areas.borders.KEPT_FILES", 2)
    for wide in range(1, 6):
        run(sqlite_store, settings, "patch", rows_of({"P1": square(0, 0, wide, 1)}))
        Snapshots(sqlite_store, settings, LEVELS).current(sqlite_store.clock.now())
    assert len(list((settings.data_dir / "index").glob("*.index"))) == 2


def test_the_snapshot_needs_no_sql(sqlite_store: Store, settings: Settings) -> None:
    run(sqlite_store, settings, "grid", grid_rows())
    snapshots = Snapshots(sqlite_store, settings, LEVELS, check_every_s=3600)
    now = sqlite_store.clock.now()
    snapshots.current(now)
    with _counted(sqlite_store) as statements:
        snapshot = snapshots.current(now)
        located = snapshot.locate(*middle(1, 1), 20.0)
        assert all(snapshot.responsible(area_id, date(2026, 11, 23)) is None for area_id in located.area_ids)
    assert statements == []


# -- the index of areas that may overlap


def test_loose_index_agrees_with_the_exact_one_on_a_coverage() -> None:
    cells = snap_geometries(np.array([square(c, r) for r in range(5) for c in range(5)], dtype=object))
    loose, exact = LooseIndex(cells), AreaIndex.build(cells)
    rng = np.random.default_rng(3)
    lon = WEST + np.round(rng.uniform(-1, 6, 2000) * 4) / 4 * SIDE
    lat = SOUTH + np.round(rng.uniform(-1, 6, 2000) * 4) / 4 * SIDE
    assert loose.locate(lon, lat).tolist() == exact.locate(lon, lat).tolist()
    assert not has_overlaps(cells)
    for n in range(40):
        one, other = (index.nearest(float(lon[n]), float(lat[n]), 60.0) for index in (loose, exact))
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert one[1] == pytest.approx(other[1], abs=0.01)


def test_loose_index_takes_overlaps_and_nan() -> None:
    cells = np.array([square(0, 0, 2, 1), square(1, 0, 2, 1)], dtype=object)
    index = LooseIndex(cells)
    assert has_overlaps(cells)
    places = [middle(0, 0), middle(1, 0), middle(2, 0), middle(3, 0), (float("nan"), 41.8)]
    assert index.locate(*np.array(places).T).tolist() == [0, 0, 1, -1, -1]
    assert [number for number, _ in index.candidates(*middle(1, 0), 10.0)] == [0]
