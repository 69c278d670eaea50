"""The cuts of figures as conditions on `Case`, for the lists behind numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from sqlalchemy import ColumnElement, and_, func, or_

from mapsvc.cases.models import Case
from mapsvc.cases.queries.scope import NONE, is_open, is_overdue
from mapsvc.cases.rules.cuts import NOT_FILED_OUTCOMES, Cut
from mapsvc.cases.rules.workflow import QUICK, QUICK_CHANNELS, STANDARD

Condition = ColumnElement[bool]
IDS_AT_ONCE = 30_000
"""SQLite takes 32,766 values in one statement."""


def in_cut(cut: Cut) -> Condition:
    """Return whether a case is in the list of a cut: in its population, and in the part that is kept."""
    if cut.only is None:
        return _in_population(cut)
    part = in_part(cut)
    return and_(_in_population(cut), part if cut.only else ~part)


def in_part(cut: Cut) -> Condition:
    """Return whether a case is in the part of the cut that counts; never where there is no part."""
    return _PARTS[cut.part](cut) if cut.part else NONE


def _in_population(cut: Cut) -> Condition:
    return and_(*_POPULATIONS[cut.population](cut))


def _received(cut: Cut) -> list[Condition]:
    return [Case.received_at >= cut.since, Case.received_at < cut.end]


def _due(cut: Cut) -> list[Condition]:
    return [
        Case.due_at >= cut.since,
        Case.due_at < cut.end,
        Case.state != "suspended",
        Case.outcome.not_in(NOT_FILED_OUTCOMES),
    ]


def _is_finding() -> Condition:
    return Case.channel.in_(sorted(QUICK_CHANNELS))


def _is_light(cut: Cut) -> Condition:
    by_category = defaultdict(list)
    for category, condition in sorted(cut.light):
        by_category[category].append(condition)
    parts = [
        and_(Case.category == category, Case.condition.in_(conditions)) for category, conditions in by_category.items()
    ]
    return or_(*parts) if parts else NONE


def _is_instant() -> Condition:
    return and_(Case.instant_at.is_not(None), Case.reworks == 0)


def _in_own_power(cut: Cut) -> Condition:
    return and_(Case.workflow == QUICK, _is_light(cut))


_POPULATIONS: dict[str, Callable[[Cut], list[Condition]]] = {
    "received": _received,
    "due": _due,
    "findings": lambda cut: [*_received(cut), _is_finding()],
    "own_power": lambda cut: [*_received(cut), _is_finding(), _in_own_power(cut)],
    "due_findings": lambda cut: [*_due(cut), _is_finding()],
    "due_hotline": lambda cut: [*_due(cut), Case.channel == "hotline"],
    "standard": lambda cut: [*_received(cut), Case.workflow == STANDARD, Case.channel != "import"],
    "filed": lambda cut: [*_POPULATIONS["standard"](cut), Case.filed_at.is_not(None)],
    "instant": lambda cut: [*_received(cut), _is_finding(), Case.instant_at.is_not(None)],
    "instant_checked": lambda cut: [*_POPULATIONS["instant"](cut), Case.check_result.is_not(None)],
    "mended": lambda cut: [Case.fixed_at >= cut.since, Case.fixed_at < cut.end],
}
_PARTS: dict[str, Callable[[Cut], Condition]] = {
    "closed": lambda _cut: Case.state == "closed",
    "on_time": lambda _cut: _is_on_time(),
    "in_time": lambda cut: and_(is_open(), ~_ran_out(cut)),
    "overdue": lambda cut: _ran_out(cut),
    "mended": lambda _cut: or_(Case.fixed_at.is_not(None), and_(Case.state == "closed", Case.outcome == "solved")),
    "solved": lambda _cut: and_(Case.state == "closed", Case.outcome == "solved", Case.reworks == 0),
    "filed": lambda _cut: Case.filed_at.is_not(None),
    "dispatched": lambda _cut: Case.dispatched_at.is_not(None),
    "reworked": lambda _cut: Case.reworks > 0,
    "extended": lambda _cut: Case.extensions > 0,
    "instant": lambda _cut: _is_instant(),
    "own_power": _in_own_power,
    "passed": lambda _cut: func.coalesce(Case.check_result, "") == "passed",
    "recurred": lambda cut: Case.id.in_(cut.recurred[:IDS_AT_ONCE]) if cut.recurred else NONE,
}


def _is_on_time() -> Condition:
    known = and_(Case.closed_at.is_not(None), Case.due_at.is_not(None))  # else "not on time" would be unknown too
    return and_(Case.state == "closed", known, Case.closed_at <= Case.due_at)


def _ran_out(cut: Cut) -> Condition:
    """Whether the time of a case had run out at the cut's moment; due_at may be missing, and then it had not."""
    return and_(Case.due_at.is_not(None), is_overdue(cut.as_of))
