"""Clock, events and paths: small, and everything stands on them."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from mapsvc.base import events, paths
from mapsvc.base.clock import FixedClock, SystemClock
from mapsvc.base.events import BordersPublished, CaseOpened, Event


def test_the_systems_clock_is_aware_and_in_utc() -> None:
    now = SystemClock().now()
    assert now.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - now) < timedelta(minutes=1)


def test_a_fixed_clock_stands_until_it_is_moved() -> None:
    shanghai = timezone(timedelta(hours=8))
    clock = FixedClock(datetime(2026, 3, 1, 8, tzinfo=shanghai))
    assert clock.now() == clock.now() == datetime(2026, 3, 1, tzinfo=UTC)
    assert clock.now().tzinfo is UTC
    clock.move_to(datetime(2026, 3, 2, 8, tzinfo=shanghai))
    assert clock.now() == datetime(2026, 3, 2, tzinfo=UTC)


KINDS = [found for found in vars(events).values() if isinstance(found, type) and issubclass(found, Event)]


@pytest.mark.parametrize("event", KINDS)
def test_every_event_has_a_kind_of_its_own(event: type[Event]) -> None:
    assert sum(other.kind == event.kind for other in KINDS) == 1
    assert event is Event or event.kind.replace("_", "").islower()


def test_an_event_is_json_and_does_not_change() -> None:
    opened = CaseOpened(case_id=7, emergency=True)
    payload: dict[str, Any] = json.loads(json.dumps(opened.payload()))
    assert payload == {"case_id": 7, "emergency": True}
    assert CaseOpened(**payload) == opened
    assert BordersPublished(3, None).payload() == {"generation": 3, "effective_from": None}
    with pytest.raises(FrozenInstanceError):
        opened.case_id = 8  # type: ignore[misc]


def test_what_travels_with_the_program_is_there() -> None:
    assert (paths.data_dir() / "levels.toml").is_file()
    assert (paths.data_dir() / "categories.toml").is_file()
    assert paths.layers_dir().is_dir()
    assert paths.static_dir().is_dir()
    assert paths.guide_dir().parent == paths.PACKAGE


def test_inside_a_wheel_the_share_folder_is_taken(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "mapsvc"
    package.mkdir()
    monkeypatch.setattr(paths, "PACKAGE", package)
    assert paths.layers_dir() == tmp_path / "layers"
    (package / "share").mkdir()
    assert paths.layers_dir() == package / "share" / "layers"
