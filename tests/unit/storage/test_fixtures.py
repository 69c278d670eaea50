"""The fixtures that every other test stands on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, insert, select, text

from mapsvc.areas.models import Generation
from mapsvc.base.clock import FixedClock
from mapsvc.base.settings import Settings
from mapsvc.people.models import Person
from mapsvc.storage.engine import make_engine
from mapsvc.storage.work import Store


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_gets_a_clean_store_of_its_own(store: Store, turn: int) -> None:
    with store.write() as work:
        assert work.session.scalars(select(Person)).all() == []
        work.session.execute(insert(Person).values(code="p1", name="王芳", public=False, phone=""))
    with store.read() as work:
        assert work.session.scalars(select(Person.name)).all() == ["王芳"]


def test_the_clock_of_the_store_is_the_clock_fixture(store: Store, clock: FixedClock) -> None:
    with store.read() as work:
        assert work.now == clock.now()


def test_settings_of_the_store_lead_another_engine_to_it(store: Store, store_settings: Settings) -> None:
    with store.write() as work:
        work.session.add(Person(code="p1", name="李强"))
    other = make_engine(store_settings.store_url)
    with other.connect() as connection:
        assert connection.scalar(select(Person.name)) == "李强"
    other.dispose()


def test_settings_write_below_the_temporary_folder_only(settings: Settings, tmp_path: Path) -> None:
    assert settings.data_dir.is_relative_to(tmp_path)


@pytest.mark.postgis
@pytest.mark.parametrize("turn", [1, 2, 3])
def test_ids_start_at_one_whatever_the_test_before_did(postgis_store: Store, turn: int) -> None:
    with postgis_store.write() as work:
        assert work.session.scalars(select(Generation.number)).all() == []
        work.session.add(Generation(level="grid", started_at=work.now, note="x" * 100))
        work.session.flush()  # the next statement counts it
        assert work.session.scalars(select(Generation.number)).all() == [1]
        if turn == 1:
            rows = [{"code": f"p{number}", "name": "x" * 100, "phone": "", "public": False} for number in range(20_000)]
            work.session.execute(insert(Person), rows)
    if turn == 2:
        with postgis_store.engine.begin() as connection:
            connection.execute(text("ALTER TABLE person DROP COLUMN phone"))
    with postgis_store.read() as work:
        if turn == 3:
            assert work.session.scalars(select(Person.phone)).all() == []


@pytest.fixture
def left_open() -> Iterator[list[Connection]]:
    """Connections that are closed only after the store was made clean: this fixture is asked for before it."""
    connections: list[Connection] = []
    yield connections
    for connection in connections:
        connection.invalidate()
        connection.engine.dispose()


@pytest.mark.postgis
@pytest.mark.parametrize("turn", [1, 2])
def test_a_connection_left_open_does_not_hold_up_the_next_test(
    left_open: list[Connection], postgis_store: Store, turn: int
) -> None:
    other = make_engine(postgis_store.engine.url.render_as_string(hide_password=False)).connect()
    left_open.append(other)
    assert other.scalar(select(func.count(Person.id))) == 0, "and its transaction goes on"
    with postgis_store.write() as work:
        work.session.add(Person(code="p1", name="x"))
