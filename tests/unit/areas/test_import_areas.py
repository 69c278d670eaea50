"""Imports of borders on both databases: what becomes visible when, what changes, what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
import shapely
from sqlalchemy import func, select

from mapsvc.areas.index import Snapshots
from mapsvc.areas.models import Area, AreaVersion, AreaVersionParent, Border, Generation
from mapsvc.areas.queries import areas as area_queries
from mapsvc.areas.queries import state as queries
from mapsvc.areas.service import writing
from mapsvc.areas.service.import_areas import import_rows
from mapsvc.areas.service.prepared import BorderRows, ImportOptions, ImportReport, MadeColumn
from mapsvc.base.clock import FixedClock
from mapsvc.base.errors import Conflict, Forbidden, InvalidInput
from mapsvc.base.settings import Settings
from mapsvc.geo.datums import wgs84_to_gcj02
from mapsvc.people.rules.actor import SYSTEM, Actor, RoleHeld
from mapsvc.storage.outbox import OutboxRow
from mapsvc.storage.work import Store
from tests.squares import SIDE, SOUTH, WEST, grid_rows, middle, rows_of, shipped_levels, square

LEVELS = shipped_levels()


def run(store: Store, settings: Settings, level: str, rows: BorderRows, **options: object) -> ImportReport:
    return import_rows(store, settings, LEVELS, SYSTEM, level, rows, ImportOptions(**options))  # type: ignore[arg-type]


def owners(store: Store, settings: Settings, at: datetime, column: int, row: int) -> dict[str, str]:
    located = Snapshots(store, settings, LEVELS).at(at).locate(*middle(column, row))
    return {area.level: area.code for area in located.areas} if located.rule == "inside" else {}


def count(store: Store, table: type) -> int:
    with store.read() as work:
        return work.session.scalar(select(func.count()).select_from(table)) or 0


def test_first_import_is_valid_from_always(store: Store, settings: Settings, clock: FixedClock) -> None:
    report = run(store, settings, "grid", grid_rows())
    assert report.generation == 1
    assert report.effective_from is None
    long_ago = clock.now() - timedelta(days=9000)
    expected = {"grid": "G0302", "patch": "P1", "community": "C11", "street": "S1", "district": "D"}
    assert owners(store, settings, clock.now(), 2, 3) == expected
    assert owners(store, settings, long_ago, 2, 3) == expected


def test_made_levels_are_answered_by_the_grid(store: Store, settings: Settings) -> None:
    report = run(store, settings, "grid", grid_rows())
    assert report.trees is not None
    assert report.trees.answers == {
        "district": "street",
        "street": "community",
        "community": "grid",
        "patch": "grid",
        "grid": "grid",
    }
    assert report.trees.independent == ()
    with store.read() as work:
        [generation] = area_queries.list_generations(work)
    assert generation.report["made"] == ["district", "street", "community", "patch"]
    assert generation.report["trees"][0]["answers"] == report.trees.answers


def test_publishing_emits_an_event_and_counts_a_revision(store: Store, settings: Settings) -> None:
    run(store, settings, "grid", grid_rows())
    with store.read() as work:
        assert queries.get_revisions(work) == queries.Revisions(1, 0)
        published, begun = work.session.scalars(select(OutboxRow).order_by(OutboxRow.id)).all()
    assert published.kind == "borders_published"
    assert published.payload == {"generation": 1, "effective_from": None}
    assert (begun.kind, begun.payload) == ("borders_took_effect", {"generation": 1})
    assert begun.due_at == published.due_at


def test_what_follows_from_borders_of_a_later_date_is_due_on_it(
    store: Store, settings: Settings, clock: FixedClock
) -> None:
    run(store, settings, "grid", grid_rows())
    begins = run(store, settings, "grid", grid_rows(prefix="H"), effective_on=date(2026, 12, 1)).effective_from
    with store.read() as work:
        newest = select(OutboxRow).where(OutboxRow.payload["generation"].as_integer() == 2)
        due = {row.kind: row.due_at for row in work.session.scalars(newest)}
    assert due == {"borders_published": clock.now(), "borders_took_effect": begins}


def test_an_import_after_which_nobody_would_answer_warns(store: Store, settings: Settings) -> None:
    grids = rows_of({"g1": square(0, 0), "g2": square(1, 0)})
    tried = run(store, settings, "grid", grids, dry_run=True)
    report = run(store, settings, "grid", grids)
    assert tried.warnings == report.warnings
    [warning] = report.warnings
    assert "(patch, community, street, district)" in warning
    assert "every case would be unplaced" in warning
    assert "--make-parents patch=FIELD" in warning
    with store.read() as work:
        assert work.session.get_one(Generation, 1).report["warnings"] == [warning]


def test_an_import_that_leaves_one_answering_level_is_quiet(store: Store, settings: Settings) -> None:
    assert run(store, settings, "patch", rows_of({"p1": square(0, 0, 2)})).warnings == ()
    assert run(store, settings, "grid", rows_of({"g1": square(0, 0), "g2": square(1, 0)})).warnings == ()


def test_same_import_twice_changes_nothing(store: Store, settings: Settings) -> None:
    run(store, settings, "grid", grid_rows())
    again = run(store, settings, "grid", grid_rows())
    assert again.generation is None
    assert again.changes_nothing
    assert count(store, Generation) == 1


def test_shared_border_is_stored_once(store: Store, settings: Settings) -> None:
    one = square(0, 0, 2, 2)
    run(store, settings, "community", rows_of({"C1": one}))
    run(store, settings, "patch", rows_of({"P1": shapely.reverse(one)}))
    assert count(store, Border) == 1
    assert count(store, AreaVersion) == 2


def test_second_import_begins_at_its_date(store: Store, settings: Settings, clock: FixedClock) -> None:
    run(store, settings, "patch", rows_of({"P1": square(0, 0), "P2": square(1, 0), "P3": square(0, 1)}))
    moved = rows_of({"P1": square(0, 0), "P2": square(1, 0, 1, 2), "P4": square(0, 1)})
    report = run(store, settings, "patch", moved, effective_on=date(2026, 12, 1))
    [level] = report.levels
    assert (level.changes.added, level.changes.changed) == (("P4",), ("P2",))
    assert (level.changes.unchanged, level.changes.removed) == (("P1",), ("P3",))
    midnight = datetime(2026, 11, 30, 16, tzinfo=UTC)
    assert report.effective_from == midnight
    before, after = midnight - timedelta(microseconds=1), midnight
    assert owners(store, settings, clock.now(), 0, 1) == {"patch": "P3"}
    assert owners(store, settings, before, 1, 1) == {}
    assert owners(store, settings, before, 0, 1) == {"patch": "P3"}
    assert owners(store, settings, after, 1, 1) == {"patch": "P2"}
    assert owners(store, settings, after, 0, 1) == {"patch": "P4"}


def test_unchanged_areas_keep_their_version_and_changed_ones_their_identity(store: Store, settings: Settings) -> None:
    run(store, settings, "patch", rows_of({"P1": square(0, 0), "P2": square(1, 0)}))
    run(store, settings, "patch", rows_of({"P1": square(0, 0), "P2": square(1, 0, 2, 1)}))
    with store.read() as work:
        ids = queries.load_tables(work, queries.open_versions())["patch"]
        versions = {code: area_queries.list_versions(work, int(ids.area_ids[n])) for n, code in enumerate(ids.codes)}
    assert [view.generation for view in versions["P1"]] == [1]
    assert [view.generation for view in versions["P2"]] == [2, 1]
    assert versions["P2"][1].valid_to == versions["P2"][0].valid_from


def test_an_added_vertex_makes_a_technical_version(store: Store, settings: Settings) -> None:
    run(store, settings, "patch", rows_of({"P1": square(0, 0), "P2": square(1, 0)}))
    ring = list(square(1, 0).exterior.coords)
    ring.insert(2, (WEST + 2 * SIDE, SOUTH + 0.5 * SIDE))
    report = run(store, settings, "patch", rows_of({"P1": square(0, 0), "P2": shapely.Polygon(ring)}))
    assert report.levels[0].changes.technical == ("P2",)
    with store.read() as work:
        rows = work.session.execute(select(AreaVersion.technical).order_by(AreaVersion.id)).all()
    assert [row[0] for row in rows] == [False, False, True]


def test_a_new_name_is_a_change(store: Store, settings: Settings) -> None:
    run(store, settings, "patch", rows_of({"P1": square(0, 0)}))
    report = run(store, settings, "patch", rows_of({"P1": square(0, 0)}, names={"P1": "河东片区"}))
    assert report.levels[0].changes.changed == ("P1",)
    assert count(store, Border) == 1


@pytest.mark.parametrize(
    ("wanted", "code"),
    [(date(2026, 11, 22), "date_in_past"), (date(2026, 12, 1), "date_runs_backwards")],
)
def test_dates_never_lie_in_the_past_and_never_run_backwards(
    store: Store, settings: Settings, wanted: date, code: str
) -> None:
    run(store, settings, "patch", rows_of({"P1": square(0, 0)}))
    run(store, settings, "patch", rows_of({"P1": square(0, 0, 2, 1)}), effective_on=date(2026, 12, 5))
    with pytest.raises((InvalidInput, Conflict)) as caught:
        run(store, settings, "patch", rows_of({"P1": square(0, 0, 3, 1)}), effective_on=wanted)
    assert caught.value.code == code
    assert count(store, Generation) == 2


def test_first_import_takes_no_later_date(store: Store, settings: Settings) -> None:
    with pytest.raises(InvalidInput) as caught:
        run(store, settings, "patch", rows_of({"P1": square(0, 0)}), effective_on=date(2026, 12, 5))
    assert caught.value.code == "first_import_is_always"


def test_dry_run_writes_nothing_and_says_what_it_would(store: Store, settings: Settings) -> None:
    report = run(store, settings, "grid", grid_rows(), dry_run=True)
    assert report.dry_run
    assert report.generation is None
    assert report.trees is not None
    assert {entry.level: len(entry.changes.added) for entry in report.levels}["grid"] == 16
    assert [count(store, table) for table in (Generation, Area, AreaVersion, Border)] == [0, 0, 0, 0]


with np.errstate(invalid="ignore"):
    NAN = shapely.from_wkt("POLYGON ((123 41, 123.1 41, NaN 41.1, 123 41))")
BOWTIE = shapely.Polygon([(123, 41), (123.1, 41.1), (123.1, 41), (123, 41.1)])


@pytest.mark.parametrize(
    ("geometry", "code"),
    [
        (None, "null_geometry"),
        (shapely.Polygon(), "empty_geometry"),
        (shapely.Point(123, 41), "not_polygon"),
        (shapely.LineString([(123, 41), (124, 41)]), "not_polygon"),
        (BOWTIE, "self_intersection"),
        (NAN, "not_finite"),
        (shapely.box(179, 41, 181, 42), "out_of_range"),
        (shapely.box(41, 123, 42, 124), "axes_swapped"),
        (shapely.Polygon([(123, 41), (123 + 4e-9, 41), (123, 41 + 4e-9)]), "too_small"),
    ],
)
def test_a_row_that_cannot_be_an_area_is_refused_with_its_number(
    store: Store, settings: Settings, geometry: shapely.Geometry | None, code: str
) -> None:
    rows = rows_of({"P1": square(0, 0), "P2": geometry})
    with pytest.raises(InvalidInput) as caught:
        run(store, settings, "patch", rows)
    assert caught.value.code == "borders_refused"
    [refused] = caught.value.detail["report"].refused
    assert (refused.row, refused.area_code, refused.code) == (2, "P2", code)
    assert count(store, Generation) == count(store, Area) == 0
    taken = run(store, settings, "patch", rows, skip_refused=True)
    assert (taken.read, taken.accepted) == (2, 1)


def test_duplicate_and_missing_codes_are_refused(store: Store, settings: Settings) -> None:
    rows = rows_of({"P1": square(0, 0), "P2": square(1, 0), "P3": square(2, 0)})
    doubled = BorderRows(rows.rows, ("P1", "P1", ""), rows.names, rows.geometries)
    with pytest.raises(InvalidInput) as caught:
        run(store, settings, "patch", doubled)
    found = [(refused.row, refused.code) for refused in caught.value.detail["report"].refused]
    assert found == [(2, "duplicate_code"), (3, "no_code")]


def test_overlaps_are_refused_where_a_level_must_be_a_coverage(store: Store, settings: Settings) -> None:
    rows = rows_of({"P1": square(0, 0, 2, 1), "P2": square(1, 0, 2, 1)})
    with pytest.raises(InvalidInput) as caught:
        run(store, settings, "patch", rows)
    report = caught.value.detail["report"]
    assert {(remark.kind, remark.codes) for remark in report.remarks if remark.blocking} == {("overlap", ("P1", "P2"))}
    assert count(store, Area) == 0


def test_loose_levels_may_overlap_and_the_smallest_code_answers(store: Store, settings: Settings) -> None:
    run(store, settings, "compound", rows_of({"B2": square(0, 0, 3, 1), "B1": square(2, 0, 3, 1)}))
    snapshot = Snapshots(store, settings, LEVELS).current(datetime(2026, 11, 23, tzinfo=UTC))
    places = np.array([middle(0, 0), middle(2, 0), middle(4, 0), middle(9, 9)])
    rows = snapshot.locate_rows(places[:, 0], places[:, 1])["compound"]
    assert [snapshot.tables["compound"].codes[row] if row >= 0 else "" for row in rows] == ["B2", "B1", "B1", ""]


def test_heights_are_dropped_and_said(store: Store, settings: Settings) -> None:
    high = shapely.force_3d(square(0, 0), 42.0)
    report = run(store, settings, "patch", rows_of({"P1": high}))
    assert any("Heights" in warning for warning in report.warnings)
    with store.read() as work:
        assert not area_queries.get_area(work, "patch", "P1", work.now).border.has_z  # type: ignore[union-attr]


def test_unknown_parents_are_listed(store: Store, settings: Settings) -> None:
    run(store, settings, "street", rows_of({"S1": square(0, 0, 4, 4)}))
    rows = rows_of({"C1": square(0, 0), "C2": square(1, 0)}, parents={"street": ("S1", "S9")})
    with pytest.raises(InvalidInput) as caught:
        run(store, settings, "community", rows)
    assert caught.value.code == "unknown_parents"
    assert caught.value.detail["codes"] == ["S9"]
    assert "--make-parents street" in caught.value.hint


def test_parents_come_from_the_largest_overlap_and_disagreements_are_listed(store: Store, settings: Settings) -> None:
    run(store, settings, "street", rows_of({"S1": square(0, 0, 2, 2), "S2": square(2, 0, 2, 2)}))
    rows = rows_of({"C1": square(0, 0, 1, 2), "C2": square(1, 0, 1, 2), "C3": square(2, 0, 2, 2)})
    by_overlap = run(store, settings, "community", rows)
    assert by_overlap.mismatches == ()
    assert owners(store, settings, datetime(2026, 11, 23, tzinfo=UTC), 3, 1)["street"] == "S2"
    wrong = rows_of({"C1": square(0, 0, 1, 2), "C2": square(1, 0, 1, 2)}, parents={"street": ("S1", "S2")})
    report = run(store, settings, "community", wrong, dry_run=True)
    [mismatch] = report.mismatches
    assert (mismatch.code, mismatch.by_field, mismatch.by_overlap, mismatch.share) == ("C2", "S2", "S1", 1.0)


def test_a_level_that_no_finer_one_adds_up_to_is_independent(store: Store, settings: Settings) -> None:
    alone = run(store, settings, "street", rows_of({"S1": square(0, 0, 2, 2), "S2": square(2, 0, 2, 2)}))
    assert alone.trees is not None
    assert alone.trees.independent == ("street",)
    part = run(store, settings, "community", rows_of({"C1": square(0, 0, 2, 2), "C2": square(2, 0, 2, 1)}))
    assert part.trees is not None
    assert part.trees.answers == {"street": "street", "community": "community"}
    assert "S2" in part.trees.reasons[0]
    whole = rows_of({"C1": square(0, 0, 2, 2), "C2": square(2, 0, 2, 1), "C3": square(2, 1, 2, 1)})
    report = run(store, settings, "community", whole)
    assert report.trees is not None
    assert report.trees.answers == {"street": "community", "community": "community"}
    assert report.trees.independent == ()


def test_a_made_level_follows_its_finer_one(store: Store, settings: Settings, clock: FixedClock) -> None:
    run(store, settings, "grid", grid_rows(4, 2))
    rows = grid_rows(4, 2)
    moved = ["C00" if code == "C01" and n % 4 == 2 else code for n, code in enumerate(rows.made[0].codes)]
    stated = BorderRows(
        rows.rows,
        rows.codes,
        rows.names,
        rows.geometries,
        parents={"community": tuple(moved), "patch": rows.made[1].codes},
    )
    clock.move_to(clock.now() + timedelta(days=1))
    report = run(store, settings, "grid", stated)
    changed = {entry.level: entry.changes.changed for entry in report.levels}
    assert changed["community"] == ("C00", "C01")
    assert changed["patch"] == ()
    assert report.trees is not None
    assert report.trees.answers["community"] == "grid"
    assert owners(store, settings, clock.now(), 2, 0)["community"] == "C00"
    assert owners(store, settings, clock.now() - timedelta(days=1), 2, 0)["community"] == "C01"


def test_made_areas_that_contradict_themselves_are_refused(store: Store, settings: Settings) -> None:
    made = MadeColumn("community", ("C1", "C1"), ("甲", "乙"))
    with pytest.raises(InvalidInput) as caught:
        run(store, settings, "grid", rows_of({"G1": square(0, 0), "G2": square(1, 0)}, made=[made]))
    assert caught.value.code == "made_area_contradicts"


def test_borders_that_look_like_gcj02_are_refused_unless_the_datum_was_stated(store: Store, settings: Settings) -> None:

    ground = {f"P{n}": square(n % 8 * 4, n // 8 * 4, 4, 4) for n in range(48)}
    run(store, settings, "patch", rows_of(ground))
    shifted = {
        code: shapely.transform(area, lambda c: np.column_stack(wgs84_to_gcj02(c[:, 0], c[:, 1])))
        for code, area in ground.items()
    }
    with pytest.raises(InvalidInput) as caught:
        run(store, settings, "patch", rows_of(shifted, datum_stated=False))
    assert caught.value.code == "looks_like_gcj02"
    assert count(store, Generation) == 1
    report = run(store, settings, "patch", rows_of(shifted), allow_gaps=True)
    assert any("look like GCJ-02" in warning for warning in report.warnings)


def test_a_killed_import_is_never_seen_and_the_next_one_cleans_it(
    store: Store, settings: Settings, clock: FixedClock
) -> None:
    run(store, settings, "patch", rows_of({"P1": square(0, 0)}))
    number = writing.begin_generation(store, "patch", "")
    with store.write() as work:  # what a batch leaves behind when the process is killed after it
        border = Border(lattice_hash="x", geometry=square(5, 5), west=0.0, south=0.0, east=1.0, north=1.0, area_m2=1.0)
        area = Area(level="patch", code="P9")
        work.session.add_all([border, area])
        work.session.flush()
        version = AreaVersion(
            area_id=area.id, generation=number, name="", border_id=border.id, label_lon=0.0, label_lat=0.0
        )
        work.session.add(version)
        work.session.flush()
        work.session.add(AreaVersionParent(version_id=version.id, level="district", parent_area_id=area.id))
    assert owners(store, settings, clock.now(), 5, 5) == {}
    run(store, settings, "patch", rows_of({"P1": square(0, 0, 2, 1)}))
    with store.read() as work:
        assert work.session.scalars(select(Area.code)).all() == ["P1"]
        assert work.session.scalar(select(func.count()).where(Border.lattice_hash == "x")) == 0
        abandoned = work.session.get(Generation, number)
    assert abandoned is not None
    assert abandoned.abandoned_at is not None
    assert abandoned.published_at is None


def test_an_import_that_was_overtaken_publishes_nothing(store: Store, settings: Settings) -> None:
    with store.read() as work:
        seen = queries.get_revisions(work)
    first = writing.begin_generation(store, "patch", "")
    writing.begin_generation(store, "patch", "")
    with pytest.raises(Conflict) as caught, store.write() as work:
        writing.publish(
            work,
            first,
            level="patch",
            effective_from=None,
            ended_versions=(),
            seen=seen,
            independent=(),
            report={},
        )
    assert caught.value.code == "import_superseded"


def test_two_who_publish_at_once_do_not_pass_each_other(store: Store, settings: Settings) -> None:
    with store.read() as work:
        seen = queries.get_revisions(work)
    number = writing.begin_generation(store, "patch", "")
    run(store, settings, "street", rows_of({"S1": square(0, 0)}))
    with pytest.raises(writing.BordersChangedMeanwhile), store.write() as work:
        writing.publish(
            work,
            number,
            level="patch",
            effective_from=None,
            ended_versions=(),
            seen=seen,
            independent=(),
            report={},
        )
    with store.read() as work:
        assert queries.get_revisions(work).borders == 1


def test_only_who_may_import_does(store: Store, settings: Settings) -> None:
    chief = Actor(user_id=1, name="张敏", roles=(RoleHeld("area_chief", area_id=1),))
    with pytest.raises(Forbidden):
        import_rows(store, settings, LEVELS, chief, "patch", rows_of({"P1": square(0, 0)}))


def test_unknown_level_is_refused(store: Store, settings: Settings) -> None:
    with pytest.raises(InvalidInput) as caught:
        run(store, settings, "village", rows_of({"V1": square(0, 0)}))
    assert caught.value.code == "unknown_level"


def test_many_batches_are_written(store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "BATCH", 7)
    seen: list[tuple[str, int, int]] = []
    import_rows(
        store, settings, LEVELS, SYSTEM, "grid", grid_rows(6, 6), ImportOptions(), lambda *step: seen.append(step)
    )
    written = [done for stage, done, _ in seen if stage == "write grid"]
    assert written == [7, 14, 21, 28, 35, 36]
    assert count(store, AreaVersion) == 36 + 9 + 3 + 3 + 1
