"""Working days, hours and overrides."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mapsvc.base import paths
from mapsvc.base.errors import Misconfigured
from mapsvc.base.settings import load_settings
from mapsvc.cases.rules.calendar import Calendar, calendar_from_document
from mapsvc.cases.service.rulebook import load_calendar

SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def test_the_shipped_file_is_the_default_calendar(tmp_path: Path) -> None:
    loaded = load_calendar(load_settings({"MAPSVC_DATA_DIR": str(tmp_path)}))
    assert loaded == Calendar(SHANGHAI)
    assert tomllib.loads((paths.data_dir() / "calendar.toml").read_text(encoding="utf-8"))["country"] == "CN"


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        ("2025-09-05", True),
        ("2025-09-06", False),
        ("2025-09-28", True),  # make-up Sunday
        ("2025-10-01", False),
        ("2025-10-08", False),
        ("2025-10-09", True),
        ("2025-10-11", True),  # make-up Saturday
        ("2024-02-04", True),
        ("2005-12-31", True),  # a make-up day for the holiday of the next year
        ("2026-02-14", True),
        ("2026-02-17", False),
    ],
)
def test_days_of_the_state_council_notices(day: str, worked: bool) -> None:
    assert Calendar(SHANGHAI).is_working_day(date.fromisoformat(day)) is worked


def test_a_year_without_make_up_days_is_warned_of() -> None:
    calendar = Calendar(SHANGHAI)
    assert calendar.warnings(2025) == ()
    assert "2099" in calendar.warnings(2099)[0]
    assert calendar.warnings(1999), "notices are known from 2001 on"
    assert Calendar(SHANGHAI, country="US").warnings(2099) == ()
    assert Calendar(SHANGHAI, country="").warnings(2099) == ()


def test_an_override_adds_to_a_year_or_replaces_it() -> None:
    adding = calendar_from_document(
        {"years": {"2025": {"holidays": ["2025-09-03"], "workdays": [date(2025, 10, 4)]}}}, SHANGHAI
    )
    assert not adding.is_working_day(date(2025, 9, 3))
    assert adding.is_working_day(date(2025, 10, 4))
    assert not adding.is_working_day(date(2025, 10, 1)), "what the package knows is kept"
    replacing = calendar_from_document({"years": {"2099": {"complete": True, "holidays": ["2099-10-01"]}}}, SHANGHAI)
    assert replacing.warnings(2099) == ()
    assert not replacing.is_working_day(date(2099, 10, 1))
    assert replacing.is_working_day(date(2099, 10, 2)), "a complete year knows only its own days"


def test_an_override_may_take_a_make_up_day_back() -> None:
    calendar = calendar_from_document({"years": {"2025": {"holidays": ["2025-10-11"]}}}, SHANGHAI)
    assert not calendar.is_working_day(date(2025, 10, 11))


def test_the_fingerprint_tells_calendars_apart() -> None:
    plain = Calendar(SHANGHAI)
    other = calendar_from_document({"years": {"2027": {"holidays": ["2027-10-01"]}}}, SHANGHAI)
    assert plain.fingerprint == Calendar(SHANGHAI).fingerprint
    assert len({plain.fingerprint, other.fingerprint, Calendar(SHANGHAI, end_of_day=True).fingerprint}) == 3
    assert plain.fingerprint.startswith("CN-")


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"hour": ["08:00-12:00"]}, "hour"),
        ({"hours": ["8-12"]}, "08:00-12:00"),
        ({"hours": ["12:00-08:00"]}, "end before"),
        ({"hours": ["08:00-13:00", "12:00-18:00"]}, "overlap"),
        ({"country": "XX"}, "XX"),
        ({"years": {"next": {}}}, "not a number"),
        ({"years": {"2027": {"holiday": []}}}, "holiday"),
        ({"years": {"2027": {"holidays": ["1 Oct"]}}}, "1 Oct"),
        ({"years": {"2027": {"holidays": ["2028-01-01"]}}}, "2028"),
        ({"years": {"2027": {"holidays": ["2027-10-01"], "workdays": ["2027-10-01"]}}}, "both"),
    ],
)
def test_a_wrong_file_says_what_is_wrong(document: dict[str, object], told: str) -> None:
    with pytest.raises(Misconfigured, match=told) as caught:
        calendar_from_document(document, SHANGHAI, file="mine.toml")
    assert caught.value.detail["file"] == "mine.toml"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "calendar.toml"
    settings = load_settings({"MAPSVC_DATA_DIR": str(tmp_path), "MAPSVC_CALENDAR_FILE": str(path)})
    with pytest.raises(Misconfigured, match=r"calendar\.toml"):
        load_calendar(settings)
    path.write_text("country = ", encoding="utf-8")
    with pytest.raises(Misconfigured, match=r"calendar\.toml"):
        load_calendar(settings)


def test_a_calendar_without_work_is_refused_and_does_not_hang() -> None:
    nights = Calendar(SHANGHAI, hours=())
    with pytest.raises(Misconfigured, match="no working time"):
        nights.add_working(at("2025-09-04 08:00"), timedelta(hours=1))


def test_working_time_between_two_moments() -> None:
    calendar = Calendar(SHANGHAI)
    assert calendar.working_between(at("2025-09-05 11:00"), at("2025-09-08 09:00")) == timedelta(hours=6)
    assert calendar.working_between(at("2025-09-05 12:30"), at("2025-09-05 13:30")) == timedelta(0)
    assert calendar.working_between(at("2025-09-08 09:00"), at("2025-09-05 11:00")) == timedelta(0)


def test_other_zones_keep_their_wall_hours_across_a_clock_change() -> None:
    chicago = Calendar(ZoneInfo("America/Chicago"), hours=((time(9), time(17)),), country="")
    # Sunday 2 Nov 2025 is an hour longer there; Friday 16:00 plus two hours is still Monday 10:00.
    due = chicago.add_working(at("2025-10-31 16:00", chicago.timezone), timedelta(hours=2))
    assert due.astimezone(chicago.timezone).isoformat() == "2025-11-03T10:00:00-06:00"
