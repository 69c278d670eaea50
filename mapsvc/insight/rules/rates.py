"""The indicators by their names (notes of the trade: 立案率, 按期结案率, 即查即改率 ...), each with its formula.

Three different questions have three different names and are never one number: findings 整改率, cases 按期结案率,
hotline tickets 解决率. What is a share of what is written once, here: `population` and `part` are those of
`cases.rules.cuts`, by which the list behind each number is made too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mapsvc.base.errors import InvalidInput
from mapsvc.insight.rules.intervals import FEW, wilson

NOTHING_DUE, FEW_CASES, ENOUGH, NOT_APPLICABLE = "none", "few", "ok", "not_applicable"
STANDINGS = (NOTHING_DUE, FEW_CASES, ENOUGH, NOT_APPLICABLE)


@dataclass(frozen=True)
class Formula:
    """One indicator: its names, what is divided by what, in words of both tongues.

    `higher_is_better` says which side of the control limits is the worrying one. `beside` are indicators that are
    always printed next to it, because it can be bettered in ways that they show.
    """

    name: str
    zh: str
    en: str
    population: str
    part: str
    formula_zh: str
    formula_en: str
    higher_is_better: bool = True
    beside: tuple[str, ...] = ()

    def title(self, language: str) -> str:
        """Return its name in a tongue."""
        return self.zh if language == "zh" else self.en

    def formula(self, language: str) -> str:
        """Return its formula in a tongue."""
        return self.formula_zh if language == "zh" else self.formula_en


_COHORT_ZH = "应结案数 = 处置时限在统计期内届满的案件，不含挂账、不予立案、重复和非本级职责"
_COHORT_EN = "cohort = cases whose deadline fell within the window, less suspended, refused, duplicate and not ours"

_ALL = (
    Formula(
        "on_time", "按期结案率", "closed in time", "due", "on_time",
        f"按期结案数 ÷ 应结案数。{_COHORT_ZH}；超期才结案的不算按期。",
        f"closed by the deadline / cohort. {_COHORT_EN}. Closed late counts as not in time.",
    ),
    Formula(
        "closed_of_due", "结案率", "closed", "due", "closed",
        f"结案数 ÷ 应结案数。{_COHORT_ZH}；超期结案的计入。",
        f"closed, in time or late / cohort. {_COHORT_EN}.",
    ),
    Formula(
        "mended", "整改率", "findings mended", "due_findings", "mended",
        "已整改的巡查发现问题（含超期整改）÷ 处置时限在统计期内届满的巡查发现问题；"
        "不含挂账、不予立案、重复和非本级职责。",
        "findings mended, in time or late / findings whose deadline fell within the window, less suspended, refused, "
        "duplicate and not ours.",
    ),
    Formula(
        "solved", "解决率", "hotline tickets solved", "due_hotline", "solved",
        "以“已解决”办结且未发回重办的12345工单 ÷ 处置时限在统计期内届满的12345工单；"
        "不含挂账、不予立案、重复和非本级职责。",
        "hotline tickets closed as solved and not opened again / tickets whose deadline fell within the window, less "
        "suspended, refused, duplicate and not ours.",
    ),
    Formula(
        "filed", "立案率", "filed", "standard", "filed",
        "立案数 ÷ 受理数（统计期内受理、走标准流程的案件）。即查即改流程没有立案环节，不适用。",
        "filed / received within the window in the standard workflow. The quick workflow has no filing: "
        "not applicable.",
    ),
    Formula(
        "dispatched", "派遣率", "dispatched", "filed", "dispatched",
        "派遣数 ÷ 立案数（统计期内受理并立案的案件中已派遣给处置单位的）。",
        "dispatched to a unit / filed, of what was received within the window.",
    ),
    Formula(
        "reworked", "返工率", "reworked", "due", "reworked",
        f"返工（核查不通过或发回重办）的案件 ÷ 应结案数。{_COHORT_ZH}。",
        f"cases that failed a check or were opened again / cohort. {_COHORT_EN}.",
        higher_is_better=False,
    ),
    Formula(
        "extended", "延期率", "extended", "due", "extended",
        f"获准延期的案件 ÷ 应结案数。{_COHORT_ZH}。",
        f"cases that were given more time / cohort. {_COHORT_EN}.",
        higher_is_better=False,
    ),
    Formula(
        "instant", "即查即改率", "fixed on the spot", "own_power", "instant",
        "即查即改且未返工的问题 ÷ 统计期内巡查发现、在发现人权限内可当场整改的问题（问题类别加立案条件的白名单）。",
        "fixed on the spot and not reworked / findings of the window within their finder's own power (a whitelist of "
        "category and condition).",
        beside=("instant_all", "recurred_instant", "light", "passed"),
    ),
    Formula(
        "instant_all", "即查即改占全部发现", "fixed on the spot, of all findings", "findings", "instant",
        "即查即改且未返工的问题 ÷ 统计期内全部巡查发现问题。",
        "fixed on the spot and not reworked / all findings of the window.",
    ),
    Formula(
        "recurred_instant", "即查即改后复发率", "fixed on the spot, then again", "instant", "recurred",
        "即查即改后7天内、同一地点（30米内）同一类别再次出现的 ÷ 统计期内即查即改的问题。",
        "came again within 7 days at the same place (30 m) in the same category / findings fixed on the spot.",
        higher_is_better=False,
    ),
    Formula(
        "light", "轻微问题占比", "share of light findings", "findings", "own_power",
        "可当场整改的轻微问题 ÷ 统计期内全部巡查发现问题。占比突然升高时，即查即改率的升高不说明问题。",
        "light findings (that may be fixed on the spot) / all findings of the window. When it jumps, so does the rate.",
    ),
    Formula(
        "passed", "即查即改核查通过率", "passed their check", "instant_checked", "passed",
        "核查通过 ÷ 已被他人核查的即查即改问题。",
        "passed / those fixed on the spot that somebody else has checked.",
    ),
    Formula(
        "recurred", "复发率", "came again", "mended", "recurred",
        "整改后7天内、同一地点（30米内）同一类别再次出现的 ÷ 统计期内整改的案件。最近7天整改的还可能复发。",
        "came again within 7 days at the same place (30 m) in the same category / mended within the window. What was "
        "mended in the last 7 days may still come again.",
        higher_is_better=False,
    ),
)  # fmt: skip

FORMULAS: Mapping[str, Formula] = {formula.name: formula for formula in _ALL}
MAPPED = ("on_time", "mended", "solved", "instant", "closed_of_due", "reworked", "recurred", "filed", "dispatched")
"""The rates that a map may show, in the order of the selector."""

SUMMARY = (
    "on_time",
    "closed_of_due",
    "mended",
    "solved",
    "filed",
    "dispatched",
    "reworked",
    "extended",
    "instant",
    "recurred",
)
"""The rates of the summary; what stands beside one follows it."""


def get_formula(name: str) -> Formula:
    """Return an indicator by its name; an unknown one raises `InvalidInput`."""
    found = FORMULAS.get(name)
    if found is None:
        raise InvalidInput("unknown_rate", f"There is no rate {name[:40]!r}.", hint=f"Rates are {', '.join(FORMULAS)}.")
    return found


@dataclass(frozen=True)
class Rate:
    """One rate as counted: `numerator` of `n`, with its interval; None where nothing is there to be a share of.

    `standing` is `ok`, `few` (n below `FEW`: 数量少,仅供参考), `none` (nothing fell due: no rate) or `not_applicable`
    (the question makes no sense here, as filing in the quick workflow; never 100 %).
    """

    name: str
    numerator: int
    n: int
    share: float | None
    low: float | None
    high: float | None
    standing: str

    @property
    def formula(self) -> Formula:
        """The indicator that this is a value of."""
        return FORMULAS[self.name]


def make_rates(name: str, numerators: ArrayLike, totals: ArrayLike, *, received: ArrayLike | None = None) -> list[Rate]:
    """Return a rate for each pair of counts; vectorised, for many areas at once.

    `received` is how many cases came in at all: where some did and `filed` has none to divide by, all of them were
    quick, and the rate is not applicable.
    """
    k, n = np.asarray(numerators, np.int64).ravel(), np.asarray(totals, np.int64).ravel()
    low, high = wilson(k, n)
    came = np.zeros(len(n), np.int64) if received is None else np.asarray(received, np.int64).ravel()
    found = []
    for row in range(len(n)):
        count, total = int(k[row]), int(n[row])
        if total == 0:
            quick_only = name in {"filed", "dispatched"} and came[row] > 0
            found.append(Rate(name, 0, 0, None, None, None, NOT_APPLICABLE if quick_only else NOTHING_DUE))
            continue
        standing = FEW_CASES if total < FEW else ENOUGH
        found.append(Rate(name, count, total, count / total, float(low[row]), float(high[row]), standing))
    return found


@dataclass(frozen=True)
class Tally:
    """What became of what came in (受理 = 办结 + 未到期在办 + 超期): four counts of the same cases.

    `closed_of_received` is 办结数 ÷ 受理数. It is not a fix rate: cases whose time has not run out cannot have failed.
    """

    received: int
    closed: int
    in_time: int
    overdue: int

    def __post_init__(self) -> None:
        if self.received != self.closed + self.in_time + self.overdue:
            raise ValueError("what came in is closed, open in time, or overdue")

    @property
    def closed_of_received(self) -> float | None:
        """The share of what came in that is closed; None where nothing came in."""
        return self.closed / self.received if self.received else None


TALLY_PARTS = ("closed", "in_time", "overdue")
