"""Which areas a position may lie in, and how likely each is, from the radius of its accuracy."""

from __future__ import annotations

from functools import cache
from math import isfinite, log, sqrt

import numpy as np
from numpy.typing import NDArray

from mapsvc.base.errors import InvalidInput
from mapsvc.geo.locate.nearest import frame_at

SAMPLES = 1024

Floats = NDArray[np.float64]


def sigma_m(accuracy_m: float, level: float) -> float:
    """Return the standard deviation along each axis of a position whose radius holds a share `level` of fixes.

    The distance of a normal error in two dimensions follows Rayleigh's law: P(d <= r) = 1 - exp(-r^2 / 2 sigma^2).

    Examples
    --------
    >>> round(sigma_m(30.0, 0.95), 2), round(sigma_m(30.0, 0.68), 2)
    (12.26, 19.87)
    """
    if not 0.0 < level < 1.0:
        raise InvalidInput("bad_level", f"A level of {level} is not between 0 and 1.", hint="Usual are 0.95 and 0.68.")
    if not isfinite(accuracy_m) or accuracy_m < 0.0:
        raise InvalidInput(
            "bad_accuracy", f"An accuracy of {accuracy_m} m is no radius.", hint="Give metres, zero or more."
        )
    return accuracy_m / sqrt(-2.0 * log(1.0 - level))


def cloud(lon: float, lat: float, sigma: float) -> tuple[Floats, Floats]:
    """Return the longitudes and latitudes of 1,024 evenly weighted points around a position, always the same."""
    east, north = _standard_cloud()
    frame = frame_at(lat)
    return lon + east * (sigma / frame[0] * 1e-8), lat + north * (sigma / frame[3] * 1e-8)


def shares(numbers: NDArray[np.int32]) -> list[tuple[int, float]]:
    """Return each number with its share of the sample, the likeliest first, then the smaller number."""
    values, counts = np.unique(numbers, return_counts=True)
    pairs = zip(values.tolist(), (counts / len(numbers)).tolist(), strict=True)
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))


@cache
def _standard_cloud() -> tuple[Floats, Floats]:
    """Return a two-dimensional standard normal sample by Hammersley's net: rings of equal probability, angles by bits.

    The net is that of Sobol's first two dimensions, with its first coordinate moved by half a step off zero.
    """
    i = np.arange(SAMPLES)
    bits = SAMPLES.bit_length() - 1
    turned = sum(((i >> b) & 1) << (bits - 1 - b) for b in range(bits))
    radius = np.sqrt(-2.0 * np.log(1.0 - (i + 0.5) / SAMPLES))
    angle = 2.0 * np.pi * (turned + 0.5) / SAMPLES
    return radius * np.cos(angle), radius * np.sin(angle)
