"""Classes of heat: five, each twice as wide as the one below, cut at round numbers that a legend can print."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

CLASSES = 5
COLOURS = ("#fee838", "#bcaf6f", "#7d7c78", "#434e6c", "#00224e")
"""Cividis from light to dark: told apart in grey, and without red or green."""

OPACITIES = (0.45, 0.55, 0.65, 0.72, 0.8)
UNKNOWN_COLOUR, UNKNOWN_OPACITY = "#8a8a8a", 0.35
UNKNOWN = CLASSES + 1
"""The class of what cannot be told, such as ground that was never walked; 0 is what lies below the lowest class."""

_ROUND = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


def step_for(highest: float) -> float:
    """Return where the lowest class begins so that `highest` lies in the last one; 0 where there is nothing.

    Examples
    --------
    >>> step_for(100.0), step_for(32.0), step_for(0.0)
    (4.0, 1.0, 0.0)
    """
    if not highest > 0 or not math.isfinite(highest):
        return 0.0
    wanted = highest / 2**CLASSES
    power = 10.0 ** math.floor(math.log10(wanted))
    return next(float(f"{digit * power:.6g}") for digit in _ROUND if digit * power >= wanted * (1 - 1e-9))


def limits(step: float) -> tuple[float, ...]:
    """Return where each class begins.

    Examples
    --------
    >>> limits(4.0)
    (4.0, 8.0, 16.0, 32.0, 64.0)
    """
    return tuple(step * 2**number for number in range(CLASSES))


def classify(values: NDArray[np.floating], step: float) -> NDArray[np.uint8]:
    """Return the class of each value: 0 below the lowest limit, then 1 to `CLASSES`, `UNKNOWN` for NaN.

    Examples
    --------
    >>> classify(np.array([0.0, 4.0, 9.0, 1e9, np.nan]), 4.0).tolist()
    [0, 1, 2, 5, 6]
    """
    found = np.searchsorted(limits(step), values, side="right") if step > 0 else np.zeros(values.shape, np.int64)
    return np.where(np.isnan(values), UNKNOWN, found).astype(np.uint8)
