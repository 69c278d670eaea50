"""What ground was walked: by area under any borders, by cell, by day; zero where nobody was; and no names."""

from __future__ import annotations

from dataclasses import fields
from datetime import date

import numpy as np
import pytest
from sqlalchemy import event

from mapsvc.areas.service.import_areas import import_rows
from mapsvc.base.errors import Forbidden, InvalidInput, NotAuthenticated
from mapsvc.geo.measure import distance_m
from mapsvc.patrols.queries.effort import AreaEffort, EffortCells, credit_areas, effort_by_area, effort_cells
from mapsvc.people.rules.actor import PUBLIC, SYSTEM, Actor, RoleHeld
from tests import squares

from .conftest import LEVELS, MORNING, Beat, east, patrol

DAY = date(2026, 11, 22)


def by_area(beat: Beat, level: str = "grid", begin: date = DAY, end: date = DAY, **more: object) -> AreaEffort:
    with beat.store.read() as work:
        return effort_by_area(work, SYSTEM, beat.snapshot, level, begin, end, **more)  # type: ignore[arg-type]


def test_each_grid_gets_what_was_walked_in_it_and_the_others_zero(beat: Beat) -> None:
    [receipt] = beat.record(patrol(fixes=east(0.5)))
    found = by_area(beat)
    assert len(found.codes) == 16
    walked = {code: metres for code, metres in zip(found.codes, found.metres.tolist(), strict=True) if metres}
    assert set(walked) == {"G0000", "G0001", "G0002", "G0003"}
    for metres in walked.values():
        assert metres == pytest.approx(83, abs=26), "to the cell"
    assert found.metres.sum() + found.elsewhere_metres == pytest.approx(receipt.metres)
    assert found.minutes.sum() + found.elsewhere_minutes == pytest.approx(receipt.seconds / 60)
    assert (found.metres[4:] == 0).all()
    assert (found.minutes[4:] == 0).all()


@pytest.mark.parametrize(("level", "areas"), [("patch", 2), ("community", 4), ("street", 2), ("district", 1)])
def test_upper_levels_add_up_to_the_same(beat: Beat, level: str, areas: int) -> None:
    beat.record(patrol(fixes=east(0.5)), patrol("b", east(2.5)))
    grids, found = by_area(beat), by_area(beat, level)
    assert len(found.codes) == areas
    assert found.metres.sum() == pytest.approx(grids.metres.sum())
    assert found.minutes.sum() == pytest.approx(grids.minutes.sum())


def test_what_was_walked_outside_is_told_apart(beat: Beat) -> None:
    [receipt] = beat.record(patrol(fixes=east(-3.0)))
    found = by_area(beat)
    assert (found.metres.sum(), found.elsewhere_metres) == (0, pytest.approx(receipt.metres))


def test_a_window_holds_both_its_days(beat: Beat) -> None:
    beat.record(patrol(), patrol(fixes=east(start=MORNING - 86_400)), patrol(fixes=east(start=MORNING - 2 * 86_400)))
    one = by_area(beat).metres.sum()
    assert by_area(beat, begin=date(2026, 11, 21)).metres.sum() == pytest.approx(2 * one)
    assert by_area(beat, begin=date(2026, 11, 1), end=date(2026, 11, 30)).metres.sum() == pytest.approx(3 * one)
    assert by_area(beat, begin=date(2026, 11, 23), end=date(2026, 11, 23)).metres.sum() == 0
    with pytest.raises(InvalidInput):
        by_area(beat, begin=DAY, end=date(2026, 11, 21))


def test_modes_may_be_asked_for(beat: Beat) -> None:
    beat.record(patrol(), patrol("b", east(2.5), mode="ebike"))
    assert by_area(beat, modes=["foot"]).metres.sum() < by_area(beat).metres.sum()
    assert by_area(beat, modes=["car"]).metres.sum() == 0


def test_after_a_redraw_the_same_days_belong_to_the_new_areas(beat: Beat) -> None:
    beat.record(patrol(fixes=east(0.5)))
    before = by_area(beat)
    import_rows(beat.store, beat.settings, LEVELS, SYSTEM, "grid", squares.grid_rows(prefix="N"))
    found = by_area(beat)
    assert set(found.codes).isdisjoint(before.codes)
    assert found.metres.tolist() == pytest.approx(before.metres.tolist())


def test_cells_lie_where_it_was_walked(beat: Beat) -> None:
    [receipt] = beat.record(patrol(fixes=east(0.5)))
    with beat.store.read() as work:
        cells = effort_cells(work, SYSTEM, DAY, DAY)
    assert cells.metres.sum() == pytest.approx(receipt.metres)
    assert cells.minutes.sum() == pytest.approx(receipt.seconds / 60)
    on_the_line = distance_m(cells.lon, cells.lat, cells.lon, np.full(len(cells), squares.SOUTH + 0.5 * squares.SIDE))
    assert on_the_line.max() < 13
    assert (np.diff(cells.cell) > 0).all()
    shared = credit_areas(beat.snapshot, "patch", cells)
    assert shared.metres.sum() == pytest.approx(by_area(beat, "patch").metres.sum())


def test_nothing_walked_is_zero_everywhere_and_no_error(beat: Beat) -> None:
    found = by_area(beat)
    assert (found.metres.sum(), found.minutes.sum(), found.elsewhere_metres) == (0, 0, 0)
    with beat.store.read() as work:
        assert len(effort_cells(work, SYSTEM, DAY, DAY)) == 0
    with pytest.raises(InvalidInput) as caught:
        by_area(beat, "galaxy")
    assert caught.value.code == "unknown_level"


def test_no_answer_has_room_for_a_person() -> None:
    for answer in (AreaEffort, EffortCells):
        names = {field.name for field in fields(answer)}
        assert not any(word in name for name in names for word in ("person", "user", "patrol", "uuid"))


def test_effort_is_for_those_who_patrol_and_those_who_plan(beat: Beat) -> None:
    allowed = {"patrol", "area_chief", "grid_chief", "liaison", "street", "leader", "planner", "dispatcher", "intake"}
    with beat.store.read() as work:
        for role in (*sorted(allowed), "unit_staff", "admin", "approver"):
            actor = Actor(user_id=1, name=role, roles=(RoleHeld(role),))
            if role in allowed:
                effort_cells(work, actor, DAY, DAY)
            else:
                with pytest.raises(Forbidden):
                    effort_cells(work, actor, DAY, DAY)
        with pytest.raises(NotAuthenticated):
            effort_by_area(work, PUBLIC, beat.snapshot, "grid", DAY, DAY)


def test_the_cells_of_a_window_are_one_query(beat: Beat) -> None:
    beat.record(*(patrol(fixes=east(start=MORNING - n * 86_400)) for n in range(5)))
    snapshot = beat.snapshot
    statements: list[str] = []

    def note(*given: object) -> None:
        statements.append(str(given[2]))

    event.listen(beat.store.engine, "before_cursor_execute", note)
    try:
        with beat.store.read() as work:
            effort_by_area(work, SYSTEM, snapshot, "grid", date(2026, 11, 1), DAY)
    finally:
        event.remove(beat.store.engine, "before_cursor_execute", note)
    assert [text for text in statements if "effort_cell" in text] == statements[-1:]
