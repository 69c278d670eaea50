"""What the last days of a town must add up to: the figures of the districts, shared out among its patches.

What was lived through step by step is counted first; the ledger then makes up the rest, so that the sums are right
whatever chance did before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

import numpy as np
from numpy.typing import NDArray

from mapsvc.areas.index import Snapshot
from mapsvc.cases.queries.columns.memory import ColumnsMemory
from mapsvc.cases.rules.cuts import light_of
from mapsvc.catalog import Categories
from mapsvc.demo.profiles import Targets
from mapsvc.demo.year import WINDOW
from mapsvc.insight.queries.figures import Figures, Question
from mapsvc.people.rules.actor import SYSTEM
from mapsvc.storage.work import Store

Counts = NDArray[np.int64]

BELOW_TARGET = (3, 14)
"""Two patches, by their place in the order of codes, that stay below 75 %, within what chance allows."""
BELOW_SHARE, USUAL_SPREAD = 0.705, 0.03
LEAST = 0.75


@dataclass(frozen=True)
class Past:
    """What the store says of the window so far: findings and instant fixes by patch, and what came in and went."""

    findings: Counts
    instant: Counts
    received: int
    closed: int
    in_time: int
    overdue: int


def window_of(now: datetime) -> tuple[datetime, datetime]:
    """Return the first moment of the window and the one after its last, for a local moment `now`."""
    midnight = datetime.combine(now.date(), time.min, now.tzinfo)
    return midnight - timedelta(days=WINDOW - 1), midnight + timedelta(days=1)


def window_name(now: datetime) -> str:
    """Return the window as pages of figures name it: `2026-08-28..2026-11-25`."""
    first, until = window_of(now)
    return f"{first:%Y-%m-%d}..{until - timedelta(days=1):%Y-%m-%d}"


def count_past(store: Store, snapshot: Snapshot, categories: Categories, now: datetime, patches: Sequence[str]) -> Past:
    """Count the window as the pages of figures do, by patch in the order given."""
    columns = ColumnsMemory(store).current()
    since, until = window_of(now)
    question = Question(since=since, until=until, as_of=store.clock.now(), light=light_of(categories))
    figures = Figures(columns, SYSTEM, question)
    areas = [snapshot.find_area("patch", code) for code in patches]
    counts = figures.by_area("instant", "patch", [area.area_id if area else 0 for area in areas])
    tally = figures.tally()
    return Past(counts.totals, counts.numerators, tally.received, tally.closed, tally.in_time, tally.overdue)


def share_out(targets: Targets, past: Past, effort: Sequence[float], rng: np.random.Generator) -> tuple[Counts, Counts]:
    """Return for each patch how many findings, and how many instant fixes, the ledger still has to bring.

    With what is there they add up to the targets: two patches below 75 %, all others at it or above, none beyond
    chance.
    """
    patches = len(effort)
    weight = np.asarray(effort, dtype=float) ** 0.6
    totals = _whole(np.maximum(weight / weight.sum() * targets.findings, past.findings + 20), targets.findings)
    low = np.isin(np.arange(patches), [place for place in BELOW_TARGET if place < patches])
    share = np.clip(rng.normal(0.0, USUAL_SPREAD, patches), -0.012, 0.05) + targets.instant / targets.findings
    instants = np.where(low, np.floor(totals * BELOW_SHARE), np.ceil(totals * np.maximum(share, LEAST))).astype(
        np.int64
    )
    floor = np.where(low, past.instant, np.ceil(totals * LEAST).astype(np.int64))
    ceiling = np.where(low, np.floor(totals * 0.735).astype(np.int64), totals - (past.findings - past.instant))
    instants = np.clip(instants, floor, ceiling)
    while instants.sum() != targets.instant:
        step = 1 if instants.sum() < targets.instant else -1
        room = ceiling - instants if step > 0 else instants - floor
        room = np.where(low, 0, room)
        assert room.max() > 0, "the patches have room for the figure"
        instants[int(np.argmax(room / totals))] += step
    return totals - past.findings, instants - past.instant


def _whole(ideal: NDArray[np.float64], total: int) -> Counts:
    """Return whole numbers near `ideal` that add up to `total`."""
    whole: Counts = np.floor(ideal * total / ideal.sum()).astype(np.int64)
    rest = total - int(whole.sum())
    whole[np.argsort(whole - ideal, kind="stable")[:rest]] += 1
    return whole
