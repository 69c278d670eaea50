"""A year of reports has the rhythm of a town, two trouble spots, and one that only looks like one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import shapely

from mapsvc.base import paths
from mapsvc.catalog import load_categories, load_levels
from mapsvc.demo.places import Spots
from mapsvc.demo.town import Town
from mapsvc.demo.year import CHANNELS, FINDERS, HOT, HOT_REACH_M, REPORTED, WALKED, WALKED_REACH_M, Report, Year

from .conftest import HOLIDAY

NOW = datetime(2026, 11, 25, 15, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
BEGIN = NOW - timedelta(days=365)


@pytest.fixture
def reports(year: Year) -> list[Report]:
    return year.draw(12_000, BEGIN, NOW)


def near(town: Town, spots: Spots, landmark: str, reach_m: float) -> np.ndarray:
    x, y = next((x, y) for x, y, use in town.profile.plan.landmarks if use == landmark)
    found: np.ndarray = np.hypot(spots.x_m - x, spots.y_m - y) < reach_m
    return found


def per_spot(reports: list[Report], spots: Spots, wanted: Callable[[Report], bool]) -> np.ndarray:
    return np.bincount([report.spot for report in reports if wanted(report)], minlength=len(spots))


def test_reports_lie_in_the_span_the_earliest_first(reports: list[Report]) -> None:
    assert len(reports) == 12_000
    moments = [report.at for report in reports]
    assert moments == sorted(moments)
    assert moments[0] >= BEGIN
    assert moments[-1] < NOW
    assert {report.channel for report in reports} == set(CHANNELS)


def test_the_same_seed_draws_the_same(suzhou: Town, spots: Spots) -> None:
    def draw(seed: int) -> list[Report]:
        return Year(suzhou, spots, seed, lambda day: day.weekday() < 5).draw(60, BEGIN, NOW)

    assert draw(5) == draw(5)
    assert draw(5) != draw(6)


def test_staff_work_on_weekdays_and_residents_write_on_any(reports: list[Report]) -> None:
    def weekend(channel: str) -> float:
        days = [report.at.weekday() for report in reports if report.channel == channel]
        return sum(day >= 5 for day in days) / len(days)

    assert weekend("patrol") < 0.17
    assert weekend("public") > 0.29
    assert sum(report.at.date() == HOLIDAY and report.channel == "patrol" for report in reports) < 10


def test_patrols_walk_by_day_and_residents_write_in_the_evening(reports: list[Report]) -> None:
    hours = {name: [r.at.hour for r in reports if r.channel == name] for name in CHANNELS}
    assert sum(7 <= hour < 19 for hour in hours["patrol"]) > 0.98 * len(hours["patrol"])
    assert sum(hour >= 17 for hour in hours["public"]) > 0.4 * len(hours["public"])


def test_leaves_fall_in_autumn_and_streets_flood_in_summer(reports: list[Report]) -> None:
    def by_month(category: str) -> Counter[int]:
        return Counter(report.at.month for report in reports if report.category == category)

    leaves, floods = by_month("E0112"), by_month("E0506")
    assert sum(leaves[month] for month in (10, 11)) > 2 * sum(leaves[month] for month in (3, 4))
    assert sum(floods[month] for month in (6, 7, 8)) > 0.6 * sum(floods.values())


@pytest.mark.parametrize("hot", HOT, ids=[landmark for landmark, _, _ in HOT])
def test_real_trouble_spots_are_reported_by_residents_and_patrols_alike(
    suzhou: Town, spots: Spots, reports: list[Report], hot: tuple[str, tuple[str, ...], float]
) -> None:
    landmark, categories, _ = hot
    here = near(suzhou, spots, landmark, HOT_REACH_M)
    for finders in (True, False):
        counts = per_spot(
            reports, spots, lambda r, finders=finders: r.category in categories and (r.channel in FINDERS) == finders
        )
        assert counts[here].mean() > 4 * counts.mean()


def test_the_false_one_is_busy_only_for_those_who_walk_there(suzhou: Town, spots: Spots, reports: list[Report]) -> None:
    here = near(suzhou, spots, WALKED, WALKED_REACH_M)
    walked = per_spot(reports, spots, lambda report: report.channel in FINDERS)
    written = per_spot(reports, spots, lambda report: report.channel not in FINDERS)
    assert walked[here].mean() > 2.5 * walked.mean()
    assert written[here].mean() < 1.5 * written.mean()


def test_effort_is_far_from_even(year: Year) -> None:
    assert np.percentile(year.effort, 95) > 5 * np.percentile(year.effort, 25)


def test_what_is_reported_lies_where_such_a_thing_can_be(spots: Spots, reports: list[Report]) -> None:
    for report in reports[:3000]:
        where = REPORTED[report.category].where
        assert not where or spots.on_street[report.spot] == (where == "street"), report


def test_every_category_told_of_is_in_the_catalog_with_its_condition() -> None:
    levels = load_levels(paths.data_dir() / "levels.toml")
    categories = load_categories(paths.data_dir() / "categories.toml", levels)
    for code, kind in REPORTED.items():
        assert not categories.get(code).retired
        categories.get(code).get_condition(kind.condition)
        assert kind.texts
        assert len(kind.season) in (0, 12)


def test_spots_lie_in_their_grid_and_say_where_in_words_of_the_town(suzhou: Town, spots: Spots) -> None:
    borders = np.array([grid.border for grid in suzhou.at("grid")])
    assert shapely.intersects(borders[spots.grid], shapely.points(spots.lon, spots.lat)).all()
    streets = {road.name for road in suzhou.land.roads if road.name}
    compounds = {compound.name for compound in suzhou.land.compounds}
    for text, on_street in zip(spots.texts, spots.on_street, strict=True):
        known = streets if on_street else compounds
        assert any(text.startswith(name) for name in known), text
    assert any("交叉口向" in text and "米路" in text for text in spots.texts)
    assert len(set(spots.texts)) > 0.7 * len(spots)


def test_the_words_of_a_spot_are_true(suzhou: Town, spots: Spots) -> None:
    """`解放路与建设街交叉口向西80米路南`: it lies so far west of a crossing of these two streets."""
    lines: dict[str, list[shapely.Geometry]] = {}
    for road in suzhou.land.roads:
        if road.name:
            lines.setdefault(road.name, []).append(suzhou.land.frame.geometries_to_metres([road.geometry])[0])
    checked = 0
    for row, text in enumerate(spots.texts):
        if "交叉口向" not in text:
            continue
        names, rest = text.split("交叉口向")
        one, other = names.split("与")
        distance = int(rest[1:].split("米")[0])
        at = shapely.Point(spots.x_m[row], spots.y_m[row])
        pairs = [(a, b) for a in lines[one] for b in lines[other] if a.distance(b) < 1]
        gaps = [shapely.shortest_line(a, b).distance(at) for a, b in pairs]
        assert min(abs(gap - distance) for gap in gaps) < 25, text
        checked += 1
    assert checked > 300
