"""The four units of terms: the eleven published vectors, and what must hold for any start."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsvc.base.errors import InvalidInput
from mapsvc.cases.rules.calendar import Calendar
from mapsvc.cases.rules.deadlines import UNITS, Span, due_after_pause, due_at
from mapsvc.catalog import TERM_UNITS

SHANGHAI = ZoneInfo("Asia/Shanghai")
CALENDAR = Calendar(SHANGHAI)
TO_THE_DAY = Calendar(SHANGHAI, end_of_day=True)

VECTORS = [
    ("2025-09-03 13:00", 2, "working_hour", "2025-09-03 16:00"),
    ("2025-09-04 08:00", 1, "working_day", "2025-09-04 18:00"),
    ("2025-09-04 09:30", 5, "working_day", "2025-09-11 09:30"),
    ("2025-09-04 12:00", 4, "working_hour", "2025-09-04 18:00"),
    ("2025-09-05 17:00", 4, "working_hour", "2025-09-08 11:00"),
    ("2025-09-05 17:00", 1, "working_day", "2025-09-08 17:00"),
    ("2025-09-05 17:00", 2, "urgent_hour", "2025-09-05 19:00"),
    ("2025-09-06 10:00", 2, "working_hour", "2025-09-08 10:00"),
    ("2025-09-06 10:00", 2, "urgent_day", "2025-09-08 10:00"),
    ("2025-09-30 16:00", 1, "working_day", "2025-10-09 16:00"),
    ("2025-10-10 17:00", 4, "working_hour", "2025-10-11 11:00"),
]


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


@pytest.mark.parametrize(("start", "amount", "unit", "due"), VECTORS)
def test_published_vectors(start: str, amount: float, unit: str, due: str) -> None:
    found = due_at(CALENDAR, local(start), Span(amount, unit))
    assert found == local(due)
    assert found.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("start", "amount", "due"),
    [
        ("2025-09-04 08:00", 1, "2025-09-05 18:00"),
        ("2025-09-05 23:00", 1, "2025-09-08 18:00"),
        ("2025-09-06 10:00", 1, "2025-09-08 18:00"),
        ("2025-09-05 09:00", 1.5, "2025-09-09 18:00"),
        ("2025-09-30 16:00", 1, "2025-10-09 18:00"),
    ],
)
def test_a_day_may_mean_the_end_of_the_next_working_day(start: str, amount: float, due: str) -> None:
    assert due_at(TO_THE_DAY, local(start), Span(amount, "working_day")) == local(due)


def test_the_units_are_those_of_the_category_file() -> None:
    assert set(UNITS) == set(TERM_UNITS)


@pytest.mark.parametrize("amount", [0, -1, float("nan"), float("inf")])
def test_a_term_of_nothing_is_refused(amount: float) -> None:
    with pytest.raises(InvalidInput) as caught:
        Span(amount, "working_hour")
    assert caught.value.code == "bad_term"


def test_an_unknown_unit_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        Span(1, "fortnight")
    assert caught.value.code == "unknown_unit"


def test_a_term_in_words() -> None:
    assert Span(2, "urgent_hour").in_words() == "2紧急工作时"
    assert Span(1.5, "working_day").in_words("en") == "1.5 working days"


moments = st.datetimes(datetime(2020, 1, 1), datetime(2027, 12, 1)).map(lambda moment: moment.replace(tzinfo=UTC))
terms = st.builds(
    Span,
    st.one_of(st.integers(1, 30), st.floats(0.05, 30, allow_nan=False)).map(float),
    st.sampled_from(sorted(UNITS)),
)
calendars = st.sampled_from([CALENDAR, TO_THE_DAY])
gaps = st.timedeltas(timedelta(0), timedelta(days=20))


@given(calendars, moments, gaps, terms)
def test_a_later_start_never_falls_due_earlier(calendar: Calendar, start: datetime, gap: timedelta, term: Span) -> None:
    assert due_at(calendar, start, term) <= due_at(calendar, start + gap, term)


@given(calendars, moments, terms, st.floats(1, 3))
def test_a_longer_term_never_falls_due_earlier(calendar: Calendar, start: datetime, term: Span, factor: float) -> None:
    assert start < due_at(calendar, start, term) <= due_at(calendar, start, Span(term.amount * factor, term.unit))


@given(moments, terms)
def test_a_working_term_holds_exactly_its_working_time(start: datetime, term: Span) -> None:
    due = due_at(CALENDAR, start, term)
    if term.working:
        hours = term.amount * (8 if term.unit == "working_day" else 1)
        worked = CALENDAR.working_between(start, due)
        assert abs(worked - timedelta(hours=hours)) < timedelta(milliseconds=1)
        assert CALENDAR.is_working_day(CALENDAR.local(due).date())
    else:
        assert due - start == timedelta(**{"hours" if term.unit == "urgent_hour" else "days": term.amount})


@given(moments, terms, gaps, gaps)
def test_a_pause_moves_the_due_time_by_the_time_that_was_paused(
    start: datetime, term: Span, before: timedelta, length: timedelta
) -> None:
    due = due_at(CALENDAR, start, term)
    paused, resumed = start + before, start + before + length
    moved = due_after_pause(CALENDAR, term.unit, due, paused, resumed)
    assert moved >= due
    if due <= paused:
        assert moved == due, "a pause heals nothing"
    elif term.working:
        slip = CALENDAR.working_between(paused, resumed)
        assert abs(CALENDAR.working_between(due, moved) - slip) < timedelta(milliseconds=1)
    else:
        assert moved - due == length


@given(moments, terms, gaps, gaps)
def test_a_longer_pause_never_falls_due_earlier(
    start: datetime, term: Span, length: timedelta, more: timedelta
) -> None:
    due = due_at(CALENDAR, start, term)
    paused = start + timedelta(minutes=1)
    short = due_after_pause(CALENDAR, term.unit, due, paused, paused + length)
    assert short <= due_after_pause(CALENDAR, term.unit, due, paused, paused + length + more)


def test_a_pause_over_a_weekend_costs_no_working_time() -> None:
    due = due_at(CALENDAR, local("2025-09-05 17:00"), Span(4, "working_hour"))
    moved = due_after_pause(CALENDAR, "working_hour", due, local("2025-09-05 18:00"), local("2025-09-08 07:00"))
    assert moved == due
