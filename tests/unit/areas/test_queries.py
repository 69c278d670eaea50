"""Areas as maps, the API and exports read them: paged, by box, by date, in a fixed number of statements."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import event

from mapsvc.areas.queries import areas as queries
from mapsvc.areas.service.check_areas import check_areas
from mapsvc.areas.service.import_areas import import_rows
from mapsvc.areas.service.prepared import BorderRows, ImportOptions
from mapsvc.base.errors import Forbidden, NotAuthenticated, NotFound
from mapsvc.base.settings import Settings
from mapsvc.people.rules.actor import PUBLIC, SYSTEM, Actor
from mapsvc.storage.boxes import Box
from mapsvc.storage.work import Store
from tests.squares import SIDE, SOUTH, WEST, grid_rows, rows_of, shipped_levels, square

LEVELS = shipped_levels()


@pytest.fixture
def town(store: Store, settings: Settings) -> Store:
    import_rows(store, settings, LEVELS, SYSTEM, "grid", grid_rows())
    return store


def test_pages_go_on_where_the_last_one_ended(town: Store) -> None:
    with town.read() as work:
        first = queries.list_areas(work, "grid", work.now, limit=10)
        assert first.next_code == "G0201"
        rest = queries.list_areas(work, "grid", work.now, limit=10, after_code=first.next_code)
    codes = [area.code for area in (*first.areas, *rest.areas)]
    assert codes == sorted(codes)
    assert len(set(codes)) == 16
    assert rest.next_code is None
    assert first.areas[0].parents == {"community": "C00", "patch": "P0"}
    assert first.areas[0].area_m2 == pytest.approx(83.06 * 111.07, rel=1e-3)


def test_a_page_takes_two_statements_whatever_its_size(town: Store) -> None:
    seen: list[str] = []

    def note(*args: object) -> None:
        seen.extend([str(args[2])] if str(args[2]).startswith("SELECT") else [])

    with town.read() as work:
        now = work.now
        event.listen(town.engine, "before_cursor_execute", note)
        queries.list_areas(work, "grid", now, limit=2)
        queries.list_areas(work, "grid", now, limit=16)
        event.remove(town.engine, "before_cursor_execute", note)
    assert len(seen) == 4


def test_a_box_keeps_what_it_meets(town: Store) -> None:
    box = Box(WEST + 0.2 * SIDE, SOUTH + 0.2 * SIDE, WEST + 1.2 * SIDE, SOUTH + 0.8 * SIDE)
    with town.read() as work:
        found = queries.list_areas(work, "grid", work.now, box=box)
        nothing = queries.list_areas(work, "grid", work.now, box=Box(0, 0, 1, 1))
    assert [area.code for area in found.areas] == ["G0000", "G0001"]
    assert nothing.areas == ()


def test_areas_are_as_they_were_on_a_day(town: Store, settings: Settings) -> None:
    rows = grid_rows()
    fewer = rows.take(range(12))
    options = ImportOptions(effective_on=date(2026, 12, 1))
    import_rows(town, settings, LEVELS, SYSTEM, "grid", fewer, options)
    later = datetime(2026, 12, 1, tzinfo=UTC)
    with town.read() as work:
        assert queries.count_areas(work, work.now)["grid"] == 16
        assert queries.count_areas(work, later)["grid"] == 12
        assert queries.find_area(work, "grid", "G0303", work.now) is not None
        assert queries.find_area(work, "grid", "G0303", later) is None
        with pytest.raises(NotFound) as caught:
            queries.get_area(work, "grid", "G0303", later)
        ids = [area.area_id for area in queries.list_areas(work, "patch", later).areas]
        assert [area.code for area in queries.list_areas_by_id(work, ids, later)] == ["P0", "P1"]
        numbers = [(view.number, view.level, view.published_at is not None) for view in queries.list_generations(work)]
    assert caught.value.code == "unknown_area"
    assert numbers == [(2, "grid", True), (1, "grid", True)]


def test_the_check_finds_what_is_wrong_with_borders_in_force(store: Store, settings: Settings) -> None:
    import_rows(store, settings, LEVELS, SYSTEM, "street", rows_of({"S1": square(0, 0, 2, 2)}))
    gappy = rows_of({"C1": square(0, 0), "C2": square(1, 1), "C3": square(2, 0)})
    import_rows(store, settings, LEVELS, SYSTEM, "community", gappy, ImportOptions(allow_gaps=True))
    found = {check.level: check for check in check_areas(store, LEVELS, SYSTEM, store.clock.now())}
    assert found["street"].is_clean
    assert not found["community"].is_clean
    kinds = {(finding.kind, finding.codes) for finding in found["community"].findings if finding.severity == "error"}
    assert any(kind == "no_parent" and codes == ("C3",) for kind, codes in kinds)
    assert {kind for kind, _ in kinds} & {"gap", "inlet"}
    [only] = check_areas(store, LEVELS, SYSTEM, store.clock.now(), ["street"])
    assert only.level == "street"


def test_a_clean_town_checks_clean_at_every_level(town: Store) -> None:
    checks = check_areas(town, LEVELS, SYSTEM, town.clock.now())
    assert [(check.level, check.read_from) for check in checks] == [
        ("district", "street"),
        ("street", "community"),
        ("community", "grid"),
        ("patch", "grid"),
        ("grid", "grid"),
    ]
    assert all(check.is_clean for check in checks)


def test_households_outside_the_band_are_warned_of(store: Store, settings: Settings) -> None:
    rows = rows_of({"G1": square(0, 0), "G2": square(1, 0)}, households=(420, 900))
    import_rows(store, settings, LEVELS, SYSTEM, "grid", rows)
    [check] = check_areas(store, LEVELS, SYSTEM, store.clock.now(), households=(300, 500))
    assert [(finding.kind, finding.codes) for finding in check.findings] == [("load", ("G2",))]


@pytest.mark.parametrize("actor", [PUBLIC, Actor(user_id=3, name="x")])
def test_only_who_may_check_does(store: Store, actor: Actor) -> None:
    with pytest.raises((Forbidden, NotAuthenticated)):
        check_areas(store, LEVELS, actor, store.clock.now())


def test_rows_can_be_taken_in_part() -> None:
    rows: BorderRows = grid_rows(2, 1)
    part = rows.take([1])
    assert (part.rows, part.codes, len(part)) == ((2,), ("G0001",), 1)
    assert [column.codes for column in part.made] == [("C00",), ("P0",), ("S0",), ("D",)]
