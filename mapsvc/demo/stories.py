"""What becomes of a report in a demo town: seeded, pure, without a store.

Each story has a fate; the steps that it leads to are taken by `history`, through the services and by the rules
that hold for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from mapsvc.demo.places import Spots
from mapsvc.demo.year import FINDERS, Report

OUTSIDE_SHARE = 0.012

# fate: share; "instant" holds for findings that may be fixed on the spot
FATES = {
    "mended": 0.705,
    "late": 0.07,
    "returned": 0.05,
    "refused": 0.04,
    "failed_check": 0.045,
    "reopened": 0.025,
    "cannot": 0.01,
    "suspended": 0.01,
    "asleep": 0.045,
}
PUNCTUAL = {"mended": 0.95, "refused": 0.05}
"""The fates where nothing is overdue."""
INSTANT_SHARE = 0.8


@dataclass(frozen=True)
class Story:
    """One report: when (aware), where (WGS 84 degrees), what, and its fate.

    `pace` is the share of the term that mending takes (over 1: late); `patience` scales the waits of
    clerks and checkers. `placed` is False for a report that comes with words only.
    """

    at: datetime
    lon: float
    lat: float
    placed: bool
    accuracy_m: float
    category: str
    condition: str
    channel: str
    description: str
    place_text: str
    fate: str
    instant: bool
    pace: float
    patience: float


def make_stories(
    reports: Iterable[Report], spots: Spots, seed: int, fates: Mapping[str, float] = FATES
) -> tuple[Story, ...]:
    """Return a story for each report. Where `PUNCTUAL` fates are given nobody is slow either."""
    rng = np.random.default_rng(seed + 4)
    slow = "late" in fates
    return tuple(_story(rng, report, spots, fates, slow) for report in reports)


def _story(rng: np.random.Generator, report: Report, spots: Spots, fates: Mapping[str, float], slow: bool) -> Story:
    # A finding has the position of its finder; only who calls or writes may say no place.
    placed = bool(rng.random() >= OUTSIDE_SHARE) or report.channel in FINDERS or not slow
    fate = _pick(rng, fates)
    pace = float(rng.uniform(1.05, 1.9) if fate == "late" else rng.beta(2.0, 3.2))
    patience = float(rng.lognormal(0, 0.5))
    return Story(
        at=report.at,
        lon=float(spots.lon[report.spot]),
        lat=float(spots.lat[report.spot]),
        placed=placed,
        accuracy_m=float(np.round(rng.gamma(3.0, 2.2) + 3, 1)),
        category=report.category,
        condition=report.condition,
        channel=report.channel,
        description=report.words,
        place_text=spots.texts[report.spot] if placed else "来电人未说明具体位置",
        fate=fate,
        instant=bool(rng.random() < INSTANT_SHARE),
        pace=pace if slow else min(pace, 0.5),
        patience=patience if slow else min(patience, 0.8),
    )


def _pick(rng: np.random.Generator, shares: Mapping[str, float]) -> str:
    names: Sequence[str] = list(shares)
    weights = np.array(list(shares.values()))
    return names[int(rng.choice(len(names), p=weights / weights.sum()))]
