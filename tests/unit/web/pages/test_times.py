"""Moments and deadlines in the words of the screen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsvc.web.present.times import Times
from mapsvc.web.words.book import load_book

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 22, 6, 5, tzinfo=UTC)  # Sunday 14:05 in Shanghai
KINDS = {"late", "near", "today", "later"}


def times(language: str = "zh", now: datetime = NOW) -> Times:
    return Times(load_book(), language, SHANGHAI, now)


@pytest.mark.parametrize(
    ("moment", "zh", "en"),
    [
        (NOW, "11月22日 周日 14:05", "Sun 22 Nov 14:05"),
        (datetime(2026, 11, 22, 16, 0, tzinfo=UTC), "11月23日 周一 00:00", "Mon 23 Nov 00:00"),
        (datetime(2025, 12, 31, 15, 59, tzinfo=UTC), "2025年12月31日 周三 23:59", "Wed 31 Dec 2025 23:59"),
        (datetime(2026, 12, 31, 16, 0, tzinfo=UTC), "2027年1月1日 周五 00:00", "Fri 1 Jan 2027 00:00"),
    ],
)
def test_moments_are_local_and_say_the_year_only_where_it_is_another(moment: datetime, zh: str, en: str) -> None:
    assert times("zh").when(moment) == zh
    assert times("en").when(moment) == en


@pytest.mark.parametrize(
    ("hours", "kind", "zh", "en"),
    [
        (2.5, "near", "剩2小时", "2 h left"),
        (0.5, "near", "剩30分钟", "30 min left"),
        (0.001, "near", "剩1分钟", "1 min left"),
        (5, "today", "剩5小时", "5 h left"),
        (8, "today", "今日22:05到期", "due today 22:05"),
        (12, "later", "明日到期", "due tomorrow"),
        (30, "later", "明日到期", "due tomorrow"),
        (72, "later", "11月25日到期", "due 25 Nov"),
        (-0.2, "late", "超期12分钟", "12 min overdue"),
        (-3, "late", "超期3小时", "3 h overdue"),
        (-47, "late", "超期47小时", "47 h overdue"),
        (-49, "late", "超期2天", "2 d overdue"),
    ],
)
def test_due_texts_are_those_of_the_districts(hours: float, kind: str, zh: str, en: str) -> None:
    due_at = NOW + timedelta(hours=hours)
    chinese, english = times("zh").due(due_at), times("en").due(due_at)
    assert chinese is not None
    assert english is not None
    assert (chinese.kind, chinese.text) == (kind, zh)
    assert (english.kind, english.text) == (kind, en)


def test_a_closed_case_and_one_without_a_clock_have_no_due_text() -> None:
    assert times().due(None) is None
    assert times().due(NOW, state="closed") is None


def test_a_suspended_case_is_not_late() -> None:
    found = times().due(NOW - timedelta(days=9), state="suspended")
    assert found is not None
    assert (found.kind, found.text) == ("later", "挂账中")


@given(st.floats(-5e6, 5e6), st.sampled_from(["zh", "en"]))
def test_every_deadline_has_words_and_is_late_exactly_when_it_has_passed(seconds: float, language: str) -> None:
    found = times(language).due(NOW + timedelta(seconds=seconds))
    assert found is not None
    assert found.kind in KINDS
    assert found.text
    assert "{" not in found.text
    assert (found.kind == "late") == (timedelta(seconds=seconds) < timedelta(0))
