"""A second store beside the one under test, in which nothing is killed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mapsvc.base.clock import FixedClock
from mapsvc.base.settings import Settings, load_settings
from mapsvc.storage.engine import make_engine
from mapsvc.storage.work import Store

from .crash_town import settled


@pytest.fixture
def twin(tmp_path: Path, _sqlite_template: Path) -> Iterator[tuple[Store, Settings]]:
    """The same town in a second store, where nothing is killed."""
    settings = load_settings({"MAPSVC_DATA_DIR": str(tmp_path / "twin")})
    settings.data_dir.mkdir()
    shutil.copyfile(_sqlite_template, settings.data_dir / "mapsvc.db")
    engine = make_engine(settings.store_url)
    yield settled(Store(engine, FixedClock(datetime(2026, 11, 23, 1, 0, tzinfo=UTC))), settings), settings
    engine.dispose()
