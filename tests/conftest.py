"""What all tests share: a clock, settings in a temporary folder, a clean store on both databases, the data at hand.

* `clock`          a FixedClock at 2026-11-23T01:00Z (09:00 in Shanghai, a Monday)
* `settings`       Settings whose data folder is temporary; its store is SQLite
* `store`          a clean Store, once on SQLite and once on PostGIS
* `sqlite_store`, `postgis_store`   the same, one database only
* `store_settings` Settings that lead to the same database as `store`
* `shared_data`    the folder ../shared/data, or the test is skipped with a line

Under CI=true nothing may be skipped but for want of ../shared/data: any other skip fails the run.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from mapsvc.base.clock import FixedClock
from mapsvc.base.settings import Settings, load_settings
from mapsvc.storage.engine import create_store_file, make_engine
from mapsvc.storage.work import Store

from . import postgis, schema

SHARED_DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
DATA_REASON = "../shared/data is not there"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 23, 1, 0, tzinfo=UTC))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"MAPSVC_DATA_DIR": str(tmp_path / "instance")})


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if not SHARED_DATA.is_dir():
        pytest.skip(DATA_REASON)
    return SHARED_DATA


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One empty store file, made once and copied for each test."""
    path = tmp_path_factory.mktemp("template") / "mapsvc.db"
    engine = make_engine(f"sqlite:///{path}")
    create_store_file(engine)
    schema.create(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgis_cluster() -> Iterator[postgis.Cluster]:
    """The private cluster of this test process; tests that want PostGIS are skipped where it cannot be had."""
    try:
        with postgis.private_cluster() as cluster:
            yield cluster
    except postgis.PostgisMissing as missing:
        pytest.skip(f"PostGIS cannot be had: {missing}")


@pytest.fixture(scope="session")
def _postgis_template(postgis_cluster: postgis.Cluster) -> str:
    """One empty database, made once and copied for each test."""
    postgis_cluster.run("CREATE DATABASE template_mapsvc")
    engine = make_engine(postgis_cluster.url("template_mapsvc"))
    create_store_file(engine)
    schema.create(engine)
    engine.dispose()
    return "template_mapsvc"


@pytest.fixture
def sqlite_store(settings: Settings, clock: FixedClock, _sqlite_template: Path) -> Iterator[Store]:
    path = settings.data_dir / "mapsvc.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_sqlite_template, path)
    yield from _opened(settings.store_url, clock)


@pytest.fixture(scope="session")
def _postgis_database(postgis_cluster: postgis.Cluster, _postgis_template: str) -> postgis.Database:
    return postgis.Database(postgis_cluster, _postgis_template, "test")


@pytest.fixture
def postgis_store(_postgis_database: postgis.Database, clock: FixedClock) -> Iterator[Store]:
    yield from _opened(_postgis_database.url, clock)
    _postgis_database.empty()


@pytest.fixture(params=["sqlite", pytest.param("postgis", marks=pytest.mark.postgis)])
def store(request: pytest.FixtureRequest) -> Store:
    found: Store = request.getfixturevalue(f"{request.param}_store")
    return found


@pytest.fixture
def store_settings(settings: Settings, store: Store) -> Settings:
    return settings_for(settings, store.engine)


def settings_for(settings: Settings, engine: Engine) -> Settings:
    """Return the settings with which another process or an app comes to the database of `engine`."""
    if engine.dialect.name == "sqlite":
        return settings
    return replace(settings, database_url=engine.url.render_as_string(hide_password=False))


def _opened(url: str, clock: FixedClock) -> Iterator[Store]:
    engine = make_engine(url)
    yield Store(engine, clock)
    engine.dispose()


# What was skipped, and whether it may be.

_skipped: dict[str, int] = {}


def _note_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reason = reason.removeprefix("Skipped: ")
        _skipped[reason] = _skipped.get(reason, 0) + 1


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _note_skip(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    _note_skip(report)


def _forbidden_skips() -> dict[str, int]:
    if os.environ.get("CI", "").lower() not in {"1", "true"}:
        return {}
    return {reason: number for reason, number in _skipped.items() if not reason.startswith(DATA_REASON)}


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput") and session.exitstatus == 0 and _forbidden_skips():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _skipped:
        terminalreporter.section("skipped, because")
    for reason, number in sorted(_skipped.items()):
        terminalreporter.write_line(f"{number} tests: {reason}")
    for reason, number in sorted(_forbidden_skips().items()):
        terminalreporter.write_line(f"FAILED: under CI these {number} tests must run: {reason}", red=True)
