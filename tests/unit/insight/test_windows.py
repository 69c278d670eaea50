"""Windows of time by their names in the address."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from mapsvc.base.errors import InvalidInput
from mapsvc.insight.rules.windows import months_up_to, read_window

HERE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 30, 17, 0, tzinfo=UTC)  # 1 December, one in the morning here


def test_a_month_is_local() -> None:
    window = read_window("2026-11", NOW, HERE)
    assert (window.first, window.last, window.month) == (date(2026, 11, 1), date(2026, 11, 30), "2026-11")
    assert window.since.astimezone(UTC) == datetime(2026, 10, 31, 16, tzinfo=UTC)
    assert window.is_over(NOW)
    assert read_window("", NOW, HERE).name == "2026-12"
    assert not read_window("", NOW, HERE).is_over(NOW)


def test_spans_and_two_days() -> None:
    assert read_window("28d", NOW, HERE).first == date(2026, 11, 4)
    assert read_window("28d", NOW, HERE).month == ""
    two = read_window("2026-02-28..2026-03-01", NOW, HERE)
    assert (two.until - two.since).days == 2


def test_months_go_back_over_the_year() -> None:
    assert [window.name for window in months_up_to(NOW, HERE, 13)][::6] == ["2025-12", "2026-06", "2026-12"]


FAR = ["0000-01", "0001-01", "9999-12", "9999-12-30..9999-12-31", "0001-01-01..0001-01-02", "2199-12-31..2200-01-01"]


@pytest.mark.parametrize("name", [*FAR, "2026-13", "yesterday", "2026-03-01..2026-02-28", "0d", "..", "2026-11-01.."])
def test_nonsense_is_refused_with_what_would_do(name: str) -> None:
    with pytest.raises(InvalidInput, match="Use a month"):
        read_window(name, NOW, HERE)
