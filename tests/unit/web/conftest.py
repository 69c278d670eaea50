"""A small town behind the web, on SQLite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mapsvc.base.clock import FixedClock
from mapsvc.base.settings import Settings
from mapsvc.storage.work import Store
from tests import town as towns

Make = Callable[..., towns.Town]


@pytest.fixture
def make_town(sqlite_store: Store, settings: Settings, clock: FixedClock) -> Iterator[Make]:
    """Make a town on SQLite; keyword arguments are those of `towns.build`."""
    made: list[towns.Town] = []

    def make(**changed: Any) -> towns.Town:
        made.append(towns.build(sqlite_store, settings, clock, **changed))
        return made[-1]

    yield make
    for town in made:
        town.close()


@pytest.fixture
def town(make_town: Make) -> towns.Town:
    return make_town()
