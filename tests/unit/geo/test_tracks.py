"""What a track is worth: never more than was walked, however it was recorded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsvc.base.errors import InvalidInput
from mapsvc.geo.measure import distance_m
from mapsvc.geo.tracks import (
    CELL_M,
    FILTER_M,
    Fixes,
    Measured,
    cell_at,
    cell_centre,
    collect,
    leave_out,
    local_days,
    make_fixes,
    measure_track,
    tidy,
)

LON, LAT = 123.0, 41.8
NORTH, EAST = 1 / 111_050.0, 1 / 83_140.0  # degrees per metre there
NOON = 1_764_043_200.0


def walk(
    metres: float, *, speed: float = 1.25, every: float = 1.0, noise: float = 0.0, start: float = NOON, **more: Any
) -> Fixes:
    """Walk north at a steady speed (m/s), with a fix every so many seconds."""
    at = np.arange(0.0, metres / speed + every / 2, every)
    wobble = np.random.default_rng(7).normal(0.0, noise, (2, len(at))) if noise else np.zeros((2, len(at)))
    lat = LAT + (at * speed + wobble[0]) * NORTH
    return make_fixes(start + at, LON + wobble[1] * EAST, lat, **more)


def join(*parts: Fixes) -> Fixes:
    columns = ("at", "lon", "lat", "accuracy_m", "segment")
    return Fixes(*(np.concatenate([getattr(part, name) for part in parts]) for name in columns))


def worth(fixes: Fixes, mode: str = "foot") -> Measured:
    found = measure_track(fixes, mode)
    assert found.effort.metres.sum() == pytest.approx(found.metres)
    assert found.effort.seconds.sum() == pytest.approx(found.seconds)
    pairs = list(zip(found.effort.day.tolist(), found.effort.cell.tolist(), strict=True))
    assert pairs == sorted(set(pairs)), "each pair once, in order"
    return found


@pytest.mark.parametrize("every", [1.0, 5.0, 30.0])
def test_a_walk_is_as_long_as_it_is(every: float) -> None:
    found = worth(walk(1_000, every=every))
    assert found.metres == pytest.approx(1_000, abs=FILTER_M * 1.6)
    assert found.seconds == pytest.approx(800, abs=every)
    assert (found.parts, found.gaps, found.jumps) == (1, 0, 0)


def test_standing_still_walks_nothing_and_takes_its_time() -> None:
    at = np.arange(600.0)
    noise = np.random.default_rng(1).normal(0, 4, (2, 600))
    found = worth(make_fixes(NOON + at, LON + noise[0] * EAST, LAT + noise[1] * NORTH))
    assert found.metres < 2 * FILTER_M, "raw, this is more than four kilometres"
    assert found.seconds == 599
    assert found.jumps == 0


def test_noise_of_the_receiver_adds_little() -> None:
    found = worth(walk(753, noise=4.0))
    assert 753 * 0.95 < found.metres < 753 * 1.1
    assert (found.jumps, found.parts) == (0, 1)


def test_exact_repeats_are_dropped_and_order_does_not_matter() -> None:
    track = walk(500)
    shuffled = join(track, track).take(np.random.default_rng(3).permutation(2 * len(track)))
    found = worth(shuffled)
    assert found.repeats == len(track)
    assert (found.metres, found.seconds) == (worth(track).metres, worth(track).seconds)


def test_a_gap_is_never_bridged() -> None:
    """Five minutes with the screen locked, three hundred metres on: nobody knows that it was walked."""
    first = walk(300)
    second = replace(walk(300, start=float(first.at[-1]) + 300), lat=walk(300).lat + 600 * NORTH)
    found = worth(join(first, second))
    assert (found.parts, found.gaps) == (2, 1)
    assert found.metres == pytest.approx(worth(first).metres + worth(second).metres)
    assert found.seconds == pytest.approx(480)
    between = cell_at([LON], [LAT + 450 * NORTH])[0]
    assert between not in found.effort.cell


def test_splitting_at_a_gap_changes_nothing() -> None:
    first, second = walk(300), walk(400, start=NOON + 2_000)
    whole, apart = worth(join(first, second)), [worth(first), worth(second)]
    assert whole.metres == pytest.approx(sum(one.metres for one in apart))
    assert whole.seconds == pytest.approx(sum(one.seconds for one in apart))


def test_segments_of_a_file_are_never_joined() -> None:
    first = walk(300)
    second = replace(walk(300, start=float(first.at[-1]) + 1), lat=first.lat + 301 * NORTH)
    joined = worth(join(first, second))
    apart = worth(join(first, replace(second, segment=second.segment + 1)))
    assert joined.parts == 1
    assert (apart.parts, apart.gaps) == (2, 0)
    assert apart.seconds == joined.seconds - 1


def test_a_jump_is_cut_out_on_both_sides() -> None:
    track = walk(400)
    lat = track.lat.copy()
    lat[160] += 2_000 * NORTH
    found = worth(replace(track, lat=lat))
    assert (found.parts, found.jumps) == (3, 2)
    assert found.metres < 400
    assert found.metres > 400 - 4 * FILTER_M
    assert cell_at([LON], [lat[160]])[0] not in found.effort.cell


def test_a_jump_after_a_rest_is_a_jump_too() -> None:
    rest = make_fixes(NOON + np.arange(0, 900, 30.0), np.full(30, LON), np.full(30, LAT))
    there = make_fixes([NOON + 890], [LON], [LAT + 400 * NORTH])
    found = worth(join(rest, there))
    assert (found.metres, found.jumps) == (0.0, 1)


@pytest.mark.parametrize(
    ("mode", "kmh", "credited"),
    [
        ("foot", 5, True),
        ("foot", 20, False),
        ("ebike", 20, True),
        ("ebike", 45, False),
        ("car", 45, True),
        ("car", 90, False),
    ],
)
def test_what_is_too_fast_for_its_mode_is_no_patrol(mode: str, kmh: float, credited: bool) -> None:
    found = worth(walk(2_000, speed=kmh / 3.6), mode)
    if credited:
        assert found.metres == pytest.approx(2_000, abs=2 * FILTER_M)
    else:
        assert found.metres == 0
        assert found.seconds < 10
        assert found.jumps > 0


def test_fixes_that_are_not_sure_credit_nothing_and_are_bridged_only_within_a_minute() -> None:
    track = walk(600)
    radius = np.full(len(track), 8.0)
    radius[100:120] = 80.0
    found = worth(replace(track, accuracy_m=radius))
    assert (found.inaccurate, found.parts) == (20, 1)
    radius[100:200] = 80.0
    found = worth(replace(track, accuracy_m=radius))
    assert (found.inaccurate, found.parts, found.gaps) == (100, 2, 1)
    assert found.metres < 600 - 100
    radius[:] = 51.0
    assert worth(replace(track, accuracy_m=radius)).seconds == 0
    radius[:] = 50.0
    assert worth(replace(track, accuracy_m=radius)).seconds > 0


def test_each_cell_gets_what_lies_in_it() -> None:
    found = worth(walk(1_000, every=30.0))
    lon, lat = cell_centre(found.effort.cell)
    assert distance_m(LON, lat, lon, lat).max() < CELL_M, "along the line and nowhere else"
    rows = np.unique(lat)
    inner = found.effort.metres[1:-1]
    assert len(rows) == len(found.effort), "one cell a row: it went straight north"
    assert np.abs(inner - CELL_M).max() < 4, "pieces are of two and a half metres"


def test_a_day_ends_at_local_midnight() -> None:
    shanghai = ZoneInfo("Asia/Shanghai")
    midnight = 1_764_000_000.0  # 2025-11-24T16:00:00Z
    found = measure_track(walk(600, start=midnight - 240), "foot", shanghai)
    assert sorted(set(found.effort.day.tolist())) == [20_416, 20_417]
    before = found.effort.seconds[found.effort.day == 20_416].sum()
    assert before == pytest.approx(240, abs=2)
    assert len(set(measure_track(walk(600, start=midnight - 240), "foot").effort.day.tolist())) == 1


def test_days_follow_summer_time() -> None:
    chicago = ZoneInfo("America/Chicago")
    begin = 1_762_059_600.0  # 2025-11-02T05:00:00Z: midnight there; the clocks go back that night
    at = begin + np.array([-1.0, 0.0, 25 * 3600 - 1, 25 * 3600])
    assert np.diff(local_days(at, chicago)).tolist() == [1, 0, 1]


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_fixes_are_worth_nothing(count: int) -> None:
    found = worth(walk(100).take(np.arange(count)))
    assert (found.metres, found.seconds, len(found.effort)) == (0, 0, 0)


@pytest.mark.parametrize(
    "columns", [([0], [0, 1], [0]), ([0], [181], [0]), ([0], [0], [91]), ([np.nan], [0], [0]), ([0], [np.nan], [0])]
)
def test_what_is_no_track_is_refused(columns: Any) -> None:
    with pytest.raises(InvalidInput):
        make_fixes(*columns)


def test_there_are_three_ways_of_patrolling() -> None:
    with pytest.raises(InvalidInput) as caught:
        measure_track(walk(100), "horse")
    assert caught.value.code == "unknown_mode"


def test_time_that_is_somebody_elses_is_left_out_and_not_bridged() -> None:
    track = walk(600)
    free, inside = leave_out(track, [(NOON + 100, NOON + 130)])
    assert inside == 31
    found = worth(free)
    assert (found.parts, found.gaps) == (2, 0), "thirty seconds are no gap, and yet nothing joins them"
    assert found.seconds == pytest.approx(480 - 32)
    assert leave_out(track, np.zeros((0, 2)))[1] == 0
    assert len(leave_out(track, [(0, NOON * 2)])[0]) == 0


@given(st.floats(-179.9, 179.9), st.floats(-84, 84))
def test_a_point_lies_in_its_cell(lon: float, lat: float) -> None:
    there_lon, there_lat = cell_centre(cell_at([lon], [lat]))
    assert abs(distance_m(lon, lat, lon, there_lat).item()) <= CELL_M / 2 * 1.01
    assert abs(distance_m(lon, there_lat, there_lon, there_lat).item()) <= CELL_M / 2 * 1.01
    assert cell_at(there_lon, there_lat) == cell_at([lon], [lat])


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.floats(0, 9)), max_size=40))
def test_adding_up_loses_nothing(rows: list[tuple[int, int, float]]) -> None:
    day, cell, metres = (np.array(column) for column in zip(*rows, strict=True)) if rows else (np.zeros(0),) * 3
    found = collect(day.astype(np.int64), cell.astype(np.int64), metres.astype(float), metres.astype(float))
    assert found.metres.sum() == pytest.approx(float(metres.sum()))
    assert len(found) == len({row[:2] for row in rows})


@given(st.lists(st.tuples(st.integers(0, 900), st.integers(-200, 200), st.integers(-200, 200)), max_size=60))
def test_no_track_is_worth_more_than_it_was(points: list[tuple[int, int, int]]) -> None:
    at, east, north = (
        (np.array(column, dtype=float) for column in zip(*points, strict=True)) if points else (np.zeros(0),) * 3
    )
    fixes = make_fixes(at, LON + east * EAST, LAT + north * NORTH)
    found = measure_track(fixes, "foot")
    span = float(np.ptp(at)) if len(at) else 0.0
    assert found.seconds <= span + 1e-6
    assert found.metres <= span * 12 / 3.6 + 1e-6
    assert len(tidy(fixes)) == len(set(points))
