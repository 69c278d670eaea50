"""Which cases the ledger of a town has to tell of, so that its last 90 days print the figures of its district."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from mapsvc.areas.index import Snapshot
from mapsvc.cases.rules.rulebook import Rulebook
from mapsvc.cases.rules.workflow import QUICK
from mapsvc.demo.figures import count_past, share_out, window_of
from mapsvc.demo.ledger import Entry, with_recurrences
from mapsvc.demo.town import Town
from mapsvc.demo.year import CHANNELS, FINDERS, REPORTED, WINDOW, YEAR, Report, Year
from mapsvc.storage.work import Store

WAITING_DAYS = 24.0
"""What takes weeks is open less often the longer ago it came in: by this many days, to a third."""
ENOUGH = 10_000
"""With fewer cases in a year the last 90 days are too short for the figures, and none are promised."""


def make_entries(
    store: Store,
    snapshot: Snapshot,
    book: Rulebook,
    town: Town,
    year: Year,
    count: int,
    since: datetime,
    now: datetime,
) -> list[Entry]:
    """Return the entries of the ledger: from a year ago up to `since`, from which on days were lived through."""
    begin = now - timedelta(days=YEAR)
    targets = town.profile.targets
    first, _ = window_of(now)
    if count < ENOUGH or not (targets.findings or targets.received):
        return [Entry(report) for report in with_recurrences(year.draw(count, begin, since), year.rng)]
    patches = [patch.code for patch in town.at("patch")]
    past = count_past(store, snapshot, book.categories, now, patches)
    entries: list[Entry] = []
    if targets.findings:
        effort = [_effort(town, year, patch) for patch in patches]
        wanted, instants = share_out(targets, past, effort, np.random.default_rng(town.profile.seed + 6))
        for patch, findings, instant in zip(patches, wanted.tolist(), instants.tolist(), strict=True):
            entries += _findings(book, town, year, patch, findings, instant, first, since)
        rest = round(count * WINDOW / YEAR) - len(entries)
        entries += [Entry(report) for report in with_recurrences(_others(book, year, rest, first, since), year.rng)]
    if targets.received:
        open_ = targets.in_time - past.in_time
        closed = targets.received - past.received - open_
        reports = with_recurrences(year.draw(closed, first, since), year.rng)
        entries += [Entry(report, punctual=True) for report in reports]
        entries += [Entry(report, open_=True) for report in _under_way(book, year, open_, first, since)]
    before = year.draw(count - len(entries), begin, first)
    settled = bool(targets.received)
    return entries + [Entry(report, punctual=settled) for report in with_recurrences(before, year.rng)]


def light_categories(book: Rulebook) -> list[str]:
    """Return the reported categories that their finder may mend on the spot."""
    found = []
    for code, kind in REPORTED.items():
        category = book.categories.get(code)
        condition = category.get_condition(kind.condition)
        if condition.instant_fix and book.workflow_of("patrol", category, condition) == QUICK:
            found.append(code)
    return found


def _effort(town: Town, year: Year, patch: str) -> float:
    rows = [row for row, grid in enumerate(town.at("grid")) if grid.parents["patch"] == patch]
    return float(year.effort[rows].sum())


def _findings(
    book: Rulebook, town: Town, year: Year, patch: str, count: int, instant: int, first: datetime, until: datetime
) -> list[Entry]:
    """Return the findings of one patch that are within their finders' power, so many of them mended on the spot."""
    grids = np.array([row for row, grid in enumerate(town.at("grid")) if grid.parents["patch"] == patch])
    moments = year.moments("patrol", count, first, until)
    reports = with_recurrences(year.draw_at(moments, "patrol", light_categories(book), grids), year.rng)
    chosen = set(year.rng.permutation(len(reports))[:instant].tolist())
    return [Entry(report, instant=place in chosen) for place, report in enumerate(reports)]


def _others(book: Rulebook, year: Year, count: int, first: datetime, until: datetime) -> list[Report]:
    """Return everything else: what residents report, and findings that are beyond their finders' power."""
    residents = [name for name in CHANNELS if name not in FINDERS]
    heavy = [code for code in REPORTED if code not in light_categories(book)]
    found = round(count * 0.1)
    everywhere = np.arange(len(year.effort))
    reports = year.draw_at(year.moments("patrol", found, first, until), "patrol", heavy, everywhere)
    reports += year.draw(count - found, first, until, residents)
    return sorted(reports, key=lambda report: report.at)


def _under_way(book: Rulebook, year: Year, count: int, first: datetime, until: datetime) -> list[Report]:
    """Return what residents asked for and still wait for, the later it came in the more: nothing that is urgent, and
    nothing that is done within hours."""
    slow = [code for code in REPORTED if _takes_days(book, code)]
    found: list[Report] = []
    for channel, share in (("hotline", 0.6), ("public", 0.4)):
        wanted = round(count * share) if channel == "hotline" else count - len(found)
        moments = year.moments(channel, 6 * wanted, first, until)
        age = np.array([(until - moment) / timedelta(days=1) for moment in moments])
        chance = np.exp(-age / WAITING_DAYS)
        chosen = sorted(year.rng.choice(len(moments), size=wanted, replace=False, p=chance / chance.sum()).tolist())
        everywhere = np.arange(len(year.effort))
        found += year.draw_at([moments[place] for place in chosen], channel, slow, everywhere)
    return found


def _takes_days(book: Rulebook, category: str) -> bool:
    condition = book.categories.get(category).get_condition(REPORTED[category].condition)
    return book.total_term(condition).unit == "working_day"
