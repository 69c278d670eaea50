"""Intervals against scipy's, and control limits that let chance colour nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from mapsvc.insight.rules.intervals import ABOVE, BELOW, NOTHING, WITHIN, control_limits, poisson_exact, wilson


@settings(deadline=None)
@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_scipys(pair: tuple[int, int]) -> None:
    k, n = pair
    low, high = wilson(k, n)
    judge = binomtest(k, n).proportion_ci(0.95, method="wilson")
    assert float(low) == pytest.approx(judge.low, abs=1e-9)
    assert float(high) == pytest.approx(judge.high, abs=1e-9)
    assert low <= k / n <= high


def test_wilson_where_wald_says_nothing() -> None:
    low, high = wilson([3, 0, 0], [3, 4, 0])
    assert low.round(2).tolist()[:2] == [0.44, 0.0]
    assert high.round(2).tolist()[:2] == [1.0, 0.49]
    assert np.isnan(low[2])
    assert np.isnan(high[2])


@pytest.mark.parametrize(("count", "total"), [(2, 1), (-1, 3)])
def test_wilson_refuses_what_is_no_share(count: int, total: int) -> None:
    with pytest.raises(ValueError, match="between 0"):
        wilson(count, total)


def test_poisson_exact_as_published() -> None:
    low, high = poisson_exact([2, 0, 5], [0.8, 1.0, 0.0])
    assert low.round(2).tolist()[0] == 0.30
    assert high.round(2).tolist()[0] == 9.03
    assert (low[1], high[1].round(2)) == (0.0, 3.69)
    assert np.isnan(low[2])


def test_limits_as_published() -> None:
    # patrol notes 2.5: at p0 = 0.62 the 99.8 % limits are 0 to 1 at n = 5, 0.30 to 0.90 at 20, 0.53 to 0.71 at 300.
    counts, totals = np.array([3, 12, 186, 61_690]), np.array([5, 20, 300, 99_500])
    limits = control_limits(counts, totals)
    assert limits.centre == pytest.approx(0.62, abs=0.001)
    assert limits.spread == 1.0
    assert limits.low998[:3].round(2).tolist() == [0.0, 0.30, 0.53]
    assert limits.high998[:3].round(2).tolist() == [1.0, 0.90, 0.71]
    assert (limits.low998 <= limits.low95).all()
    assert (limits.high95 <= limits.high998).all()


def test_chance_colours_an_area_on_one_picture_of_twenty_at_most() -> None:
    rng = np.random.default_rng(7)
    totals = rng.integers(1, 400, 839)
    coloured = sum(
        bool(np.isin(control_limits(rng.binomial(totals, 0.76), totals).standing, (BELOW, ABOVE)).any())
        for _ in range(200)
    )
    assert coloured <= 20, "19 of 20 pictures of nothing but chance are plain; twice that is not luck"


def test_a_really_bad_area_is_coloured_and_an_empty_one_is_not_judged() -> None:
    totals = np.array([60] * 21 + [60, 0])
    counts = np.array([46] * 21 + [12, 0])
    standing = control_limits(counts, totals).standing
    assert standing[21] == BELOW
    assert standing[22] == NOTHING
    assert set(standing[:21].tolist()) == {WITHIN}


def test_limits_of_nothing() -> None:
    limits = control_limits([0, 0], [0, 0])
    assert np.isnan(limits.centre)
    assert limits.standing.tolist() == [NOTHING, NOTHING]
    assert control_limits([], []).standing.tolist() == []


@settings(deadline=None)
@given(st.lists(st.integers(0, 50).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), max_size=30))
def test_limits_hold_the_centre_and_judge_what_has_cases(pairs: list[tuple[int, int]]) -> None:
    counts, totals = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    limits = control_limits(counts, totals)
    for row, total in enumerate(totals):
        assert (limits.standing[row] == NOTHING) == (total == 0)
        if total:
            assert limits.low95[row] <= limits.centre + 1e-12
            assert limits.high95[row] >= limits.centre - 1e-12
