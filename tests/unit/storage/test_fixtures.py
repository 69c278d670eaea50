"""The fixtures that every other test stands on."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import insert, select

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
