"""Walks of a demo town: the same from the same seed, on streets, by day, more where patrols go more."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import shapely

from mapsvc.demo.town import Town
from mapsvc.demo.walks import BESIDE_M, QUIET_DAYS, make_streets, quiet_patch, walk_year
from mapsvc.demo.year import WALKED, WALKED_REACH_M, Year
from mapsvc.geo.tracks import measure_track
from mapsvc.patrols.rules.values import PatrolData, fixes_sha256

from .conftest import HOLIDAY, SEED, is_workday

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 25, 21, 30, tzinfo=ZONE)


def walks_of(town: Town, year: Year, count: int, days: int = 365) -> list[PatrolData]:
    first = NOW - timedelta(days=days)
    return list(
        walk_year(town, year.effort, SEED, is_workday, lambda grid: f"R{grid}", first=first, until=NOW, count=count)
    )


@pytest.fixture
def walks(suzhou: Town, year: Year) -> list[PatrolData]:
    return walks_of(suzhou, year, 150)


def test_the_same_seed_walks_the_same(suzhou: Town, year: Year, walks: list[PatrolData]) -> None:
    again = walks_of(suzhou, year, 150)
    assert [(one.uuid, fixes_sha256(one.fixes)) for one in again] == [
        (one.uuid, fixes_sha256(one.fixes)) for one in walks
    ]
    assert len({one.uuid for one in walks}) == len(walks) > 140


def test_they_are_walked_on_working_days_by_daylight_each_person_once_a_day(walks: list[PatrolData]) -> None:
    days = set()
    for walk in walks:
        begin, end = (datetime.fromtimestamp(float(walk.fixes.at[place]), ZONE) for place in (0, -1))
        assert is_workday(begin.date())
        assert begin.date() == end.date() != HOLIDAY
        assert 8 <= begin.hour <= end.hour < 18
        assert (walk.person_code, begin.date()) not in days
        days.add((walk.person_code, begin.date()))


def test_all_that_is_walked_is_credited_and_lies_on_streets(suzhou: Town, year: Year, walks: list[PatrolData]) -> None:
    streets = make_streets(suzhou, year.effort)
    net = shapely.multilinestrings([shapely.linestrings(points) for points in streets.points])
    shapely.prepare(net)
    for walk in walks[:30]:
        measured = measure_track(walk.fixes, walk.mode, ZONE)
        assert (measured.gaps, measured.jumps, measured.inaccurate, measured.parts) == (0, 0, 0, 1)
        assert 1_700 < measured.metres < 5_500, "the last street is walked to its end"
        x, y = suzhou.land.frame.to_metres(walk.fixes.lon, walk.fixes.lat)
        assert shapely.dwithin(net, shapely.points(x, y), 15.0).all()


def test_a_walk_spends_its_length_by_weight(suzhou: Town, year: Year) -> None:
    x, y = np.hstack([suzhou.land.frame.to_metres(one.fixes.lon, one.fixes.lat) for one in walks_of(suzhou, year, 300)])
    places = {use: (x, y) for x, y, use in reversed(suzhou.profile.plan.landmarks)}
    near = np.hypot(x - places[WALKED][0], y - places[WALKED][1]) < WALKED_REACH_M
    streets = make_streets(suzhou, year.effort)
    middle = np.array([points.mean(axis=0) for points in streets.points])
    there = np.hypot(middle[:, 0] - places[WALKED][0], middle[:, 1] - places[WALKED][1]) < WALKED_REACH_M
    wanted = streets.weight * streets.length_m
    assert near.mean() == pytest.approx(wanted[there].sum() / wanted.sum(), rel=0.35)
    assert near.mean() > 2.5 * streets.length_m[there].sum() / streets.length_m.sum()


def test_one_patch_is_left_out_in_the_last_week(suzhou: Town, year: Year) -> None:
    quiet = quiet_patch(suzhou)
    border = suzhou.land.frame.geometries_to_metres([patch.border for patch in suzhou.at("patch")])[
        [patch.code for patch in suzhou.at("patch")].index(quiet)
    ]
    inside = border.buffer(-BESIDE_M)
    last, before = [], []
    for walk in walks_of(suzhou, year, 120, days=40):
        x, y = suzhou.land.frame.to_metres(walk.fixes.lon, walk.fixes.lat)
        late = walk.fixes.at[0] >= (NOW - timedelta(days=QUIET_DAYS)).timestamp()
        (last if late else before).append(bool(shapely.contains_xy(inside, x, y).any()))
    assert len(last) > 10
    assert not any(last)
    assert any(before)
