"""Rates by their names: nothing due, few, not applicable; G1 of the district that asked."""

from __future__ import annotations

import pytest

from mapsvc.base.errors import InvalidInput
from mapsvc.cases.rules.cuts import PARTS, POPULATIONS
from mapsvc.insight.rules.rates import FORMULAS, MAPPED, SUMMARY, TALLY_PARTS, Tally, get_formula, make_rates


def test_every_formula_divides_what_the_cuts_know() -> None:
    for name, formula in FORMULAS.items():
        assert formula.name == name
        assert formula.population in POPULATIONS, name
        assert formula.part in PARTS, name
        assert "÷" in formula.formula_zh, name
        assert "/" in formula.formula_en, name
        assert set(formula.beside) <= set(FORMULAS), name
    assert set(MAPPED) | set(SUMMARY) <= set(FORMULAS)
    assert not {"received", *TALLY_PARTS} & set(FORMULAS), "a name in a report is one figure"


def test_the_three_fix_rates_bear_three_names_and_three_denominators() -> None:
    names = [FORMULAS[name].zh for name in ("mended", "on_time", "solved")]
    assert names == ["整改率", "按期结案率", "解决率"]
    assert len({FORMULAS[name].population for name in ("mended", "on_time", "solved")}) == 3


def test_the_figures_of_a_published_bulletin() -> None:
    # Zhengzhou, week of 8 April 2019 (notes on cases, 4.5).
    printed = {"closed_of_due": (43523, 52434, 83.01), "on_time": (40394, 52434, 77.04), "reworked": (276, 52434, 0.53),
               "filed": (51229, 51571, 99.34), "dispatched": (49151, 51229, 95.94)}  # fmt: skip
    for name, (count, total, per_cent) in printed.items():
        rate = make_rates(name, count, total)[0]
        assert round(rate.share * 100, 2) == per_cent, name  # type: ignore[operator]  # it has one
        assert rate.low < rate.share < rate.high  # type: ignore[operator]


def test_nothing_due_is_no_rate_and_few_are_called_few() -> None:
    none, few, enough = make_rates("on_time", [0, 3, 76], [0, 4, 100])
    assert (none.share, none.low, none.standing) == (None, None, "none")
    assert (few.share, few.standing) == (0.75, "few")
    assert enough.standing == "ok"


def test_filing_is_not_applicable_where_all_went_the_quick_way() -> None:
    quick, nothing, standard = make_rates("filed", [0, 0, 9], [0, 0, 30], received=[12, 0, 40])
    assert (quick.share, quick.standing) == (None, "not_applicable")
    assert nothing.standing == "none"
    assert standard.share == 0.3
    assert make_rates("on_time", 0, 0, received=12)[0].standing == "none"


def test_g1_closed_of_received_is_no_fix_rate() -> None:
    tally = Tally(4663, 3099, 1564, 0)
    assert round(100 * tally.closed_of_received, 2) == 66.46  # type: ignore[operator]  # something came in
    assert "closed_of_received" not in FORMULAS
    assert Tally(0, 0, 0, 0).closed_of_received is None
    with pytest.raises(ValueError, match="closed, open in time, or overdue"):
        Tally(10, 5, 4, 0)


def test_an_unknown_rate_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidInput, match="on_time"):
        get_formula("fix_rate")
