"""A town's spots and year, drawn once: they are the same for every test."""

from __future__ import annotations

from datetime import date

import pytest

from mapsvc.demo.places import Spots, make_spots
from mapsvc.demo.town import Town, make_town
from mapsvc.demo.year import Year

SEED = 5
HOLIDAY = date(2026, 10, 1)


def is_workday(day: date) -> bool:
    return day.weekday() < 5 and day != HOLIDAY


@pytest.fixture(scope="session")
def suzhou() -> Town:
    return make_town(profile="suzhou")


@pytest.fixture(scope="session")
def spots(suzhou: Town) -> Spots:
    return make_spots(suzhou, SEED, 40)


@pytest.fixture
def year(suzhou: Town, spots: Spots) -> Year:
    return Year(suzhou, spots, SEED, is_workday)
