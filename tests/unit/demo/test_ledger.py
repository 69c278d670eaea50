"""The ledger tells of pasts that can have been, and makes the figures of a district come out to the digit."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from mapsvc.base.settings import load_settings
from mapsvc.cases.rules.rulebook import Rulebook
from mapsvc.cases.service.rulebook import load_calendar, make_rulebook
from mapsvc.catalog import load_catalog
from mapsvc.demo.entries import light_categories
from mapsvc.demo.figures import BELOW_TARGET, Past, share_out, window_name, window_of
from mapsvc.demo.ledger import MILESTONES, MOMENT, Entry, Ledger, with_recurrences
from mapsvc.demo.places import Spots
from mapsvc.demo.profiles import SUZHOU
from mapsvc.demo.year import Year
from mapsvc.insight.rules.intervals import WITHIN, control_limits

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 25, 15, 30, tzinfo=ZONE)
Row = dict[str, str]


@pytest.fixture(scope="module")
def book() -> Rulebook:
    settings = load_settings({})
    catalog = load_catalog(settings)
    return make_rulebook(settings, catalog.levels, catalog.categories, load_calendar(settings))


@pytest.fixture
def write(book: Rulebook, spots: Spots, tmp_path: Path) -> Callable[[list[Entry]], list[Row]]:
    def written(entries: list[Entry]) -> list[Row]:
        path = tmp_path / "ledger.csv"
        Ledger(book, spots, lambda _category, _spot: "SZ", NOW, 5).write(path, entries)
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    return written


def moment(text: str) -> datetime:
    return datetime.strptime(text, MOMENT).replace(tzinfo=ZONE)


def test_moments_follow_each_other_and_none_is_to_come(year: Year, write: Callable[[list[Entry]], list[Row]]) -> None:
    rows = write([Entry(report) for report in year.draw(1500, NOW - timedelta(days=60), NOW)])
    for row in rows:
        told = [moment(row[name]) for name in ("受理时间", *MILESTONES, "办结时间") if row[name]]
        assert told == sorted(told), row
        assert told[-1] <= NOW
        assert (row["状态"] == "已办结") == bool(row["办结时间"])
        assert moment(row["办结时限"]) > moment(row["受理时间"])
    closed = [row for row in rows if row["办结时间"]]
    assert len(closed) > 0.95 * len(rows)
    late = sum(moment(row["办结时间"]) > moment(row["办结时限"]) for row in closed)
    assert 0.02 < late / len(closed) < 0.1
    assert sum(bool(row["返工时间"]) for row in rows) > 20
    assert sum(row["处理结果"] == "不予立案" for row in rows) > 10
    assert {row["即查即改"] for row in rows} == {"", "是"}


def test_most_work_is_done_in_working_time(year: Year, write: Callable[[list[Entry]], list[Row]]) -> None:
    rows = write([Entry(report) for report in year.draw(800, NOW - timedelta(days=60), NOW, ["hotline"])])
    filed = [
        moment(row["处置完成时间"]).hour for row in rows if row["处置完成时间"] and row["类别"] in ("E0113", "E0698")
    ]
    assert sum(8 <= hour <= 18 for hour in filed) > 0.95 * len(filed)


def test_what_is_open_is_within_its_time_and_what_is_punctual_is_closed_in_time(
    year: Year, write: Callable[[list[Entry]], list[Row]]
) -> None:
    reports = year.draw(300, NOW - timedelta(days=89), NOW, ["hotline", "public"])
    for row in write([Entry(report, open_=True) for report in reports]):
        assert not row["办结时间"]
        assert moment(row["办结时限"]) > NOW
    for row in write([Entry(report, punctual=True) for report in reports]):
        assert moment(row["办结时间"]) <= min(NOW, moment(row["办结时限"]) + timedelta(minutes=6)), row


def test_some_problems_come_again_within_days(year: Year) -> None:
    reports = with_recurrences(year.draw(3000, NOW - timedelta(days=60), NOW), np.random.default_rng(1), 0.05)
    seen: dict[tuple[int, str], datetime] = {}
    again = 0
    for report in reports:
        before = seen.get((report.spot, report.category))
        again += before is not None and report.at - before <= timedelta(days=7)
        seen[report.spot, report.category] = report.at
    assert again > 90


def test_light_categories_may_be_mended_on_the_spot(book: Rulebook) -> None:
    found = light_categories(book)
    assert "E0110" in found
    assert "E0502" not in found, "gas is nothing that a chief mends on the spot"


@pytest.mark.parametrize("seed", range(12))
def test_findings_are_shared_out_to_the_digit_and_within_chance(seed: int) -> None:
    rng = np.random.default_rng(seed)
    there = rng.integers(0, 9, 22)
    past = Past(there, rng.binomial(there, 0.75), 0, 0, 0, 0)
    findings, instants = share_out(SUZHOU.targets, past, rng.lognormal(1, 0.5, 22).tolist(), rng)
    totals, mended = findings + past.findings, instants + past.instant
    assert (totals.sum(), mended.sum()) == (1_584, 1_206)
    assert (findings >= 0).all()
    assert ((instants >= 0) & (instants <= findings)).all()
    below = np.flatnonzero(mended / totals < 0.75)
    assert tuple(below) == BELOW_TARGET
    assert (control_limits(mended, totals).standing == WITHIN).all()


def test_the_window_is_90_days_with_today() -> None:
    first, until = window_of(NOW)
    assert (until - first).days == 90
    assert first <= NOW < until
    assert window_name(NOW) == "2026-08-28..2026-11-25"
