"""How far chance alone may carry a figure: intervals of one figure, control limits of many beside each other.

The Wilson interval is written out here, for arrays, because the kept libraries have it for one pair of numbers
(scipy) or load for two seconds (statsmodels); tests hold it to scipy's. Everything else is scipy's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CONFIDENCE = 0.95
FEW = 20
"""Below so many cases a rate is shown with 数量少,仅供参考."""

FALSE_ALARM = 0.05
"""The chance that any area at all of a map is coloured though nothing but chance is at work."""

BELOW, WITHIN, ABOVE, NOTHING = -1, 0, 1, 2


def wilson(counts: ArrayLike, totals: ArrayLike, confidence: float = CONFIDENCE) -> tuple[Floats, Floats]:
    """Return the lower and upper ends of the Wilson score interval of counts / totals; NaN where a total is 0.

    Never beyond 0 and 1, and never of no width: 3 of 3 is 0.44 to 1. Shapes as numpy broadcasts them.
    """
    k, n = np.broadcast_arrays(np.asarray(counts, np.float64), np.asarray(totals, np.float64))
    if np.any(k < 0) or np.any(k > n):
        raise ValueError("a count lies between 0 and its total")
    z = float(special.ndtri(0.5 + confidence / 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = k / n
        shrink = 1 + z * z / n
        centre = (share + z * z / (2 * n)) / shrink
        half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / shrink
    low = np.where(k == 0, np.where(n > 0, 0.0, np.nan), np.clip(centre - half, 0, 1))
    high = np.where(k == n, np.where(n > 0, 1.0, np.nan), np.clip(centre + half, 0, 1))
    return low, high


def poisson_exact(counts: ArrayLike, exposure: ArrayLike, confidence: float = CONFIDENCE) -> tuple[Floats, Floats]:
    """Return the exact (Garwood) interval of counts per unit of exposure; NaN where there was no exposure."""
    y, e = np.broadcast_arrays(np.asarray(counts, np.float64), np.asarray(exposure, np.float64))
    tail = (1 - confidence) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        low = np.where(y > 0, stats.chi2.ppf(tail, 2 * y) / 2, 0.0) / e
        high = stats.chi2.ppf(1 - tail, 2 * y + 2) / 2 / e
    return np.where(e > 0, low, np.nan), np.where(e > 0, high, np.nan)


@dataclass(frozen=True)
class Limits:
    """A control chart (控制限图, funnel plot): where each area stands against the rate of all together.

    `centre` is that rate (NaN where nothing fell due). `low95`/`high95` and `low998`/`high998` are the usual limits at
    each area's total, as rates, for the picture. `standing` colours: -1 below, 0 within, 1 above, 2 nothing to
    judge. It uses limits wide enough that with nothing but chance at work no area at all is coloured on 19 pictures
    of 20 (`FALSE_ALARM` shared among the areas), widened by `spread` where areas differ more than chance allows.
    """

    centre: float
    spread: float
    low95: Floats
    high95: Floats
    low998: Floats
    high998: Floats
    standing: NDArray[np.int8]


def control_limits(counts: ArrayLike, totals: ArrayLike) -> Limits:
    """Return the limits and standings of areas: `counts` of `totals` each, one-dimensional."""
    k, n = np.asarray(counts, np.int64), np.asarray(totals, np.int64)
    judged = n > 0
    total = int(n.sum())
    centre = float(k.sum() / total) if total else float("nan")
    if not total:
        nothing = np.full(len(n), np.nan)
        return Limits(centre, 1.0, nothing, nothing, nothing, nothing, np.full(len(n), NOTHING, np.int8))
    spread = _spread(k[judged], n[judged], centre)
    low95, high95 = _limits(n, centre, 0.05, spread)
    low998, high998 = _limits(n, centre, 0.002, spread)
    low, high = _limits(n, centre, FALSE_ALARM / max(int(judged.sum()), 1), spread)
    rate = np.divide(k, n, out=np.full(len(n), np.nan), where=judged)
    # A hair's breadth: a rate that is exactly a limit is within.
    standing = np.where(rate < low - 1e-12, BELOW, np.where(rate > high + 1e-12, ABOVE, WITHIN))
    standing = np.where(judged, standing, NOTHING).astype(np.int8)
    return Limits(centre, spread, low95, high95, low998, high998, standing)


def _limits(n: Ints, centre: float, alpha: float, spread: float) -> tuple[Floats, Floats]:
    """Return the rates beyond which chance carries an area with probability `alpha`, both sides together."""
    with np.errstate(divide="ignore", invalid="ignore"):
        low = stats.binom.ppf(alpha / 2, n, centre) / n
        high = stats.binom.ppf(1 - alpha / 2, n, centre) / n
    low, high = centre - (centre - low) * spread, centre + (high - centre) * spread
    nothing = n == 0
    return np.where(nothing, np.nan, np.clip(low, 0, 1)), np.where(nothing, np.nan, np.clip(high, 0, 1))


def _spread(k: Ints, n: Ints, centre: float) -> float:
    """Return the square root of the over-dispersion (mean of squared z, the outer tenths drawn in), at least 1."""
    if len(n) < 2 or centre in (0.0, 1.0):
        return 1.0
    z = (k / n - centre) / np.sqrt(centre * (1 - centre) / n)
    low, high = np.quantile(z, [0.1, 0.9])
    return float(max(1.0, np.sqrt(np.mean(np.clip(z, low, high) ** 2))))
