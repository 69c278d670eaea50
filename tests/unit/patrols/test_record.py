"""Patrols on both stores: each once, whole, credited to the ground, and nobody's time twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import numpy as np
import pytest
from sqlalchemy import func, select

from mapsvc.base.errors import Forbidden, InvalidInput, MapsvcError, NotAuthenticated, NotFound, TooLarge
from mapsvc.geo.tracks import make_fixes, measure_track
from mapsvc.patrols.models import EffortCell, Patrol, PatrolTrack
from mapsvc.patrols.service import record
from mapsvc.patrols.service.forget import forget_tracks
from mapsvc.patrols.service.packing import pack_fixes, unpack_fixes
from mapsvc.people.rules.actor import PUBLIC, SYSTEM, Actor, RoleHeld

from .conftest import MORNING, Beat, east, patrol


def totals(beat: Beat) -> tuple[int, float, float]:
    """Patrols, metres and seconds of all cells."""
    with beat.store.read() as work:
        metres, seconds = work.session.execute(select(func.sum(EffortCell.metres), func.sum(EffortCell.seconds))).one()
        return work.session.scalar(select(func.count()).select_from(Patrol)) or 0, metres or 0.0, seconds or 0.0


def test_a_patrol_is_recorded_with_its_track_and_its_ground(beat: Beat) -> None:
    fixes = east()
    [receipt] = beat.record(patrol(fixes=fixes))
    measured = measure_track(fixes, "foot")
    assert (receipt.status, receipt.metres, receipt.seconds) == ("created", measured.metres, measured.seconds)
    count, metres, seconds = totals(beat)
    assert (count, metres, seconds) == (1, pytest.approx(measured.metres), pytest.approx(measured.seconds))
    with beat.store.read() as work:
        row = work.session.scalars(select(Patrol)).one()
        kept = unpack_fixes(work.session.scalars(select(PatrolTrack.fixes)).one())
        assert {day.isoformat() for day in work.session.scalars(select(EffortCell.day))} == {"2026-11-22"}
    assert (row.person_id, row.mode, row.fixes) == (beat.persons["a"], "foot", len(fixes))
    assert (row.started_at.timestamp(), row.ended_at.timestamp()) == (fixes.at[0], fixes.at[-1])
    assert np.array_equal(kept.lon, fixes.lon)


def test_the_same_patrol_again_changes_nothing(beat: Beat) -> None:
    one = patrol()
    [first] = beat.record(one)
    before = totals(beat)
    again = beat.record(one, one, replace(one, uuid=uuid4()))
    assert [each.status for each in again] == ["same"] * 3, "also under another UUID"
    assert totals(beat) == before
    assert first.status == "created"


def test_one_call_may_hold_the_same_patrol_twice(beat: Beat) -> None:
    one = patrol()
    assert [each.status for each in beat.record(one, one)] == ["created", "same"]
    assert totals(beat)[0] == 1


def test_a_uuid_holds_one_track_and_a_track_has_one_walker(beat: Beat) -> None:
    one = patrol()
    beat.record(one)
    before = totals(beat)
    [other_track] = beat.record(replace(one, fixes=east(2.5, start=MORNING + 9_000)))
    [other_person] = beat.record(patrol("b", one.fixes))
    assert (other_track.status, other_person.status) == ("conflict", "conflict")
    assert totals(beat) == before


def test_time_that_another_patrol_covers_is_not_credited_twice(beat: Beat) -> None:
    """A phone and a logger in the same pocket: one walk."""
    fixes = east()
    beat.record(patrol(fixes=fixes))
    before = totals(beat)
    half = len(fixes) // 2
    later = replace(fixes, at=fixes.at + float(fixes.at[half] - fixes.at[0]) + 2.0)
    [receipt] = beat.record(patrol(fixes=later))
    assert receipt.overlapping == pytest.approx(half, abs=2)
    assert 0 < receipt.metres < before[1] * 0.6
    [inside] = beat.record(patrol(fixes=replace(fixes.take(np.arange(10, 40)), lat=fixes.lat[10:40] + 1e-6)))
    assert (inside.status, inside.metres, inside.seconds, inside.overlapping) == ("created", 0, 0, 30)
    count, metres, seconds = totals(beat)
    assert (count, metres) == (3, pytest.approx(before[1] + receipt.metres))
    assert seconds == pytest.approx(before[2] + receipt.seconds)


def test_two_of_one_call_that_overlap_are_credited_once(beat: Beat) -> None:
    fixes = east()
    first, second = beat.record(patrol(fixes=fixes), patrol(fixes=replace(fixes, lat=fixes.lat + 1e-6)))
    assert (first.overlapping, second.overlapping) == (0, len(fixes))
    assert second.metres == 0


def test_another_person_at_the_same_time_is_credited(beat: Beat) -> None:
    fixes = east()
    first, second = beat.record(patrol("a", fixes), patrol("b", replace(fixes, lat=fixes.lat + 1e-6)))
    assert second.metres == pytest.approx(first.metres)
    assert totals(beat)[1] == pytest.approx(first.metres * 2)


def test_modes_are_kept_apart(beat: Beat) -> None:
    beat.record(patrol(), patrol(fixes=east(start=MORNING + 9_000), mode="ebike"))
    with beat.store.read() as work:
        found = work.session.execute(select(EffortCell.mode, func.count()).group_by(EffortCell.mode)).all()
    assert dict(tuple(row) for row in found).keys() == {"foot", "ebike"}


def test_twenty_at_once_make_one(beat: Beat) -> None:
    one = patrol()
    with ThreadPoolExecutor(8) as threads:
        receipts = list(threads.map(lambda _: beat.record(one)[0].status, range(20)))
    assert sorted(receipts) == ["created"] + ["same"] * 19
    assert totals(beat)[1] == pytest.approx(measure_track(one.fixes, "foot").metres)


def test_two_walkers_at_once_add_up_in_the_same_cells(beat: Beat) -> None:
    patrols = [
        patrol(code, east(start=MORNING + n * 2_000 + (7 if code == "b" else 0))) for code in "ab" for n in range(6)
    ]
    with ThreadPoolExecutor(6) as threads:
        receipts = [receipt for [receipt] in threads.map(beat.record, patrols)]
    assert {receipt.status for receipt in receipts} == {"created"}
    assert totals(beat)[1] == pytest.approx(sum(receipt.metres for receipt in receipts))


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"mode": "horse"}, "unknown_mode"),
        ({"source": "rumour"}, "unknown_source"),
        ({"person_code": "nobody"}, "unknown_person"),
        ({"fixes": east().take(np.zeros(0, dtype=np.int64))}, "no_fixes"),
        ({"fixes": east(start=MORNING + 2 * 86_400)}, "bad_times"),
        ({"fixes": east(start=0.0)}, "bad_times"),
        ({"fixes": make_fixes([MORNING - 9e5, MORNING], [123.0, 123.0], [41.8, 41.8])}, "bad_times"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_recorded(beat: Beat, changed: dict[str, object], code: str) -> None:
    with pytest.raises(MapsvcError) as caught:
        beat.record(patrol("b"), replace(patrol(), **changed))  # type: ignore[arg-type]
    assert caught.value.code == code
    assert totals(beat)[0] == 0


def test_exchanged_coordinates_are_told() -> None:
    """At these longitudes latitude and longitude exchanged are no position at all."""
    fixes = east()
    with pytest.raises(InvalidInput) as caught:
        make_fixes(fixes.at, fixes.lat, fixes.lon)
    assert caught.value.code == "bad_fix"
    assert "Longitude comes first" in caught.value.hint


def test_a_track_has_an_end(beat: Beat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "MOST_FIXES", 10)
    with pytest.raises(TooLarge):
        beat.record(patrol())


def test_ones_own_patrols_and_those_of_others(beat: Beat) -> None:
    for n, role in enumerate(("patrol", "area_chief", "grid_chief", "street")):
        fixes = east(start=MORNING + 9_000 * n)
        [receipt] = beat.record(patrol("a", fixes), actor=beat.walker("a", role))
        assert receipt.status == "created"
        with pytest.raises(Forbidden):
            beat.record(patrol("b"), actor=beat.walker("a", role))
        with pytest.raises(Forbidden):
            beat.record(patrol("nobody"), actor=beat.walker("a", role))
    for n, role in enumerate(("dispatcher", "admin")):
        actor = Actor(user_id=beat.user_id, name=role, roles=(RoleHeld(role),))
        assert beat.record(patrol("b", east(start=MORNING - 9_000 * (n + 1))), actor=actor)[0].status == "created"
        with pytest.raises(NotFound):
            beat.record(patrol("nobody"), actor=actor)
    for role in ("leader", "unit_staff", "planner", "intake"):
        with pytest.raises(Forbidden):
            beat.record(patrol("a"), actor=beat.walker("a", role))
    with pytest.raises(NotAuthenticated):
        beat.record(patrol(), actor=PUBLIC)


def test_tracks_are_forgotten_and_ground_is_not(beat: Beat) -> None:
    beat.record(patrol(), patrol("b", east(2.5)))
    before = totals(beat)
    with beat.store.write() as work:
        assert forget_tracks(work, SYSTEM, work.now - timedelta(days=90)) == 0
        assert forget_tracks(work, SYSTEM, work.now) == 2
        assert forget_tracks(work, SYSTEM, work.now) == 0
    with beat.store.read() as work:
        assert work.session.scalars(select(PatrolTrack.patrol_id)).all() == []
        assert set(work.session.scalars(select(Patrol.person_id))) == {None}
    assert totals(beat) == before
    assert [each.status for each in beat.record(patrol(), patrol("b", east(2.5)))] == ["same", "same"]


def test_packing_keeps_every_fix() -> None:
    fixes = east(accuracy_m=np.where(np.arange(len(east())) % 2, 5.0, np.nan))
    kept = unpack_fixes(pack_fixes(fixes))
    for name in ("at", "lon", "lat", "accuracy_m", "segment"):
        assert np.array_equal(getattr(kept, name), getattr(fixes, name), equal_nan=True), name
