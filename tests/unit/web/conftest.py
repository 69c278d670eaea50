"""A small town behind the web, on SQLite."""

from __future__ import annotations

import pytest

from mapsvc.base.clock import FixedClock
from mapsvc.base.settings import Settings
from mapsvc.storage.work import Store
from tests import town as towns


@pytest.fixture
def town(sqlite_store: Store, settings: Settings, clock: FixedClock) -> towns.Town:
    return towns.build(sqlite_store, settings, clock)
