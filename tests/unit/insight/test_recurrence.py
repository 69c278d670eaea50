"""复发 against the plain way of looking at every pair."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mapsvc.insight.rules.recurrence import recurred

DAY = 86_400


def plain(mended, fixed, received, category, x, y):
    return [
        bool(mended[i]) and any(
            j != i and category[j] == category[i] and 0 < received[j] - fixed[i] <= 7 * DAY
            and np.hypot(x[j] - x[i], y[j] - y[i]) <= 30
            for j in range(len(x))
        )
        for i in range(len(x))
    ]  # fmt: skip


case = st.tuples(
    st.booleans(), st.integers(0, 40), st.integers(0, 40), st.integers(0, 1),
    st.sampled_from([0.0, 20.0, 30.0, 31.0, 90.0, float("nan")]), st.sampled_from([0.0, 10.0, 200.0]),
)  # fmt: skip


@given(st.lists(case, max_size=25))
@settings(max_examples=150, deadline=None)
def test_as_every_pair_says(cases: list[tuple[bool, int, int, int, float, float]]) -> None:
    mended, fixed, received, category, x, y = (np.array(column) for column in zip(*cases, strict=True)) if cases else (
        np.zeros(0, bool), *[np.zeros(0, np.int64)] * 3, *[np.zeros(0)] * 2
    )  # fmt: skip
    fixed, received = fixed.astype(np.int64) * (DAY // 2), received.astype(np.int64) * (DAY // 2)
    found = recurred(mended.astype(bool), fixed, received, category.astype(np.int16), x.astype(float), y.astype(float))
    assert found.tolist() == plain(mended, fixed, received, category, x, y)


def test_ten_thousand_on_one_point() -> None:
    size = 10_000
    received = np.arange(size, dtype=np.int64)
    zeros = np.zeros(size)
    found = recurred(np.ones(size, bool), received + 1, received, zeros.astype(np.int16), zeros, zeros)
    assert found.sum() == size - 2, "all but the last two, after whose mending nothing came in"
