"""What is reported in a demo town in a year: when, where, what, by whom. Seeded, pure, without a store.

There is a rhythm: patrols walk on working days by daylight, residents write in the evening and at weekends,
dust flies in spring, leaves fall in autumn. Two places are real trouble spots, for everybody who reports;
a third one is busy only because it is walked more: findings of patrols heap up there, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from mapsvc.demo.places import Spots
from mapsvc.demo.town import Town

YEAR = 365
WINDOW = 90
"""The last days, today among them, for which the figures of a profile are printed."""

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Kind:
    """One category as it is reported: how often, where (`street`, `yard` or both), in which months more, in which
    words. `season` are factors by month, empty for none."""

    share: float
    condition: str
    texts: tuple[str, ...]
    where: str = ""
    season: tuple[float, ...] = ()


SUMMER = (0.4, 0.4, 0.7, 1.0, 1.4, 1.8, 2.0, 1.9, 1.3, 0.9, 0.5, 0.4)
RAINS = (0.1, 0.1, 0.3, 0.6, 0.9, 1.8, 3.4, 3.0, 1.2, 0.5, 0.3, 0.1)
WINDY = (0.5, 0.8, 1.9, 2.2, 1.5, 0.8, 0.6, 0.6, 0.9, 1.4, 1.2, 0.6)
LEAVES = (0.7, 0.6, 0.7, 0.8, 0.8, 0.7, 0.7, 0.7, 1.1, 2.2, 2.4, 1.2)

REPORTED: dict[str, Kind] = {
    "E0110": Kind(15, "1", ("垃圾桶满溢，袋装垃圾堆在路边", "路口暴露垃圾无人清理", "绿化带旁有成堆生活垃圾")),
    "E0111": Kind(4, "1", ("拆迁空地积存渣土", "装修垃圾堆放多日"), season=WINDY),
    "E0112": Kind(8, "1", ("人行道落叶和纸屑未清扫", "路面油污，行人易滑倒"), "street", LEAVES),
    "E0113": Kind(5, "1", ("路面坑洼，积水绊人", "人行道地砖松动破损"), "street"),
    "E0117": Kind(4, "1", ("绿地里塑料袋较多", "草坪内有烟头和饮料瓶"), season=SUMMER),
    "E0128": Kind(3, "1", ("店铺外放音响扰民", "夜间音响声音很大"), "street", SUMMER),
    "E0136": Kind(7, "1", ("楼前堆放杂物占用通道", "门店外堆料未归位")),
    "E0201": Kind(8, "1", ("电线杆张贴小广告", "单元门口喷涂小广告")),
    "E0304": Kind(2, "1", ("工地未洒水，扬尘较大",), "street", WINDY),
    "E0405": Kind(9, "1", ("店外摆放货架占用人行道", "餐桌摆出店外"), "street", SUMMER),
    "E0406": Kind(8, "1", ("流动摊点占道经营", "路口占道卖菜"), "street", SUMMER),
    "E0409": Kind(10, "1", ("机动车停在人行道上", "消防通道口停车")),
    "E0410": Kind(7, "1", ("共享单车乱停，堵住盲道", "电动车停放杂乱"), "street"),
    "E0503": Kind(2, "1", ("下水井堵塞，污水外溢",)),
    "E0506": Kind(1.5, "1", ("雨后路口积水过脚踝",), "street", RAINS),
    "E0697": Kind(4, "1", ("楼道内堆放纸箱旧家具",), "yard"),
    "E0698": Kind(4, "1", ("单元门禁损坏多日未修", "电梯间照明不亮"), "yard"),
    "C0103": Kind(3, "2", ("雨水井盖破损移位",), "street"),
    "C0305": Kind(3, "1", ("垃圾箱破损，箱门脱落",)),
    "E0502": Kind(0.2, "1", ("楼下闻到燃气味",), "yard"),
    "E0505": Kind(0.3, "1", ("路面塌陷出现空洞",), "street"),
}
CHANNELS = {"patrol": 0.38, "public": 0.32, "hotline": 0.22, "staff": 0.08}
FINDERS = ("patrol", "staff")

HOT_REACH_M = 190.0
HOT = (("market", ("E0405", "E0406", "E0110", "E0112"), 16.0), ("station", ("E0409", "E0410", "E0406"), 14.0))
"""The two real trouble spots: the landmark that they lie round, what is reported there, how much more of it."""
WALKED = "college"
WALKED_REACH_M = 330.0
WALKED_MORE = 6.0
"""The false one: round this landmark patrols walk so many times more, and there is no more to be found."""

WEEK = {
    "patrol": (1.12, 1.05, 1.05, 1.02, 1.08, 0.42, 0.3),
    "staff": (1.15, 1.05, 1.0, 1.0, 1.0, 0.2, 0.12),
    "hotline": (1.2, 1.05, 1.0, 0.98, 1.0, 0.82, 0.75),
    "public": (0.92, 0.9, 0.92, 0.95, 1.0, 1.2, 1.16),
}
"""Factors from Monday to Sunday."""
HOURS = {
    "patrol": ((9.6, 0.9, 0.55), (15.4, 1.1, 0.45)),
    "staff": ((10.2, 1.3, 0.5), (15.3, 1.3, 0.5)),
    "hotline": ((9.8, 1.8, 0.45), (15.5, 2.2, 0.4), (20.0, 1.3, 0.15)),
    "public": ((8.3, 1.2, 0.25), (12.8, 1.6, 0.2), (19.2, 1.8, 0.55)),
}
"""When in the day: humps at an hour, so wide, with so much of it all."""


@dataclass(frozen=True)
class Report:
    """One report: when (aware, local), the row of its spot, category, channel and words."""

    at: datetime
    spot: int
    category: str
    channel: str
    words: str

    @property
    def condition(self) -> str:
        """The filing condition that is reported."""
        return REPORTED[self.category].condition


class Year:
    """Draws reports of a town from a seed.

    `is_workday` tells working days from holidays; on holidays patrols rest as on Sundays.
    """

    def __init__(self, town: Town, spots: Spots, seed: int, is_workday: Callable[[date], bool]) -> None:
        self.spots = spots
        self.rng = np.random.default_rng(seed + 3)
        self._is_workday = is_workday
        self._town = town
        grids = len(town.at("grid"))
        self.effort = self.rng.lognormal(0, 0.55, grids)
        """How much each grid is walked, as a factor."""
        near = self._near(WALKED, WALKED_REACH_M)
        self.effort[np.unique(spots.grid[near])] *= WALKED_MORE
        lively = self.rng.gamma(0.8, 1.0, len(spots)) + 0.12
        self._lively = lively * self.rng.lognormal(0, 0.25, grids)[spots.grid]
        self._weights: dict[tuple[str, str], Floats] = {}

    def draw(self, count: int, first: datetime, until: datetime, channels: Sequence[str] = ()) -> list[Report]:
        """Return so many reports from a local moment up to another one, the earliest first."""
        names = list(channels or CHANNELS)
        shares = np.array([CHANNELS[name] for name in names])
        chosen = self.rng.choice(len(names), size=count, p=shares / shares.sum())
        found: list[Report] = []
        for number, channel in enumerate(names):
            found += self._of_channel(channel, int((chosen == number).sum()), first, until)
        found.sort(key=lambda report: (report.at, report.spot, report.category))
        return found

    def draw_at(
        self, moments: Sequence[datetime], channel: str, categories: Sequence[str], grids: Rows
    ) -> list[Report]:
        """Return a report for each moment in some grids, of some categories."""
        return [self._report(moment, channel, self._category(moment, categories), grids) for moment in moments]

    def moments(self, channel: str, count: int, first: datetime, until: datetime) -> list[datetime]:
        """Return so many moments of a channel's week and day, from one local moment up to another, sorted."""
        found: list[datetime] = []
        days = (until.date() - first.date()).days + 1
        dates = [first.date() + timedelta(days=day) for day in range(days)]
        weights = np.array([self._weight_of(channel, day) for day in dates])
        weights[0] *= max(1 - _hour_of(first) / 24, 0.02)
        weights[-1] *= max(_hour_of(until) / 24, 0.02)
        while len(found) < count:
            wanted = count - len(found)
            on = self.rng.choice(days, size=wanted, p=weights / weights.sum())
            for day, hour in zip(on.tolist(), self._hours(channel, wanted).tolist(), strict=True):
                at = datetime.combine(dates[day], datetime.min.time(), first.tzinfo) + timedelta(hours=hour)
                at = at.replace(microsecond=0)
                if first <= at < until:
                    found.append(at)
        return sorted(found)

    def _of_channel(self, channel: str, count: int, first: datetime, until: datetime) -> list[Report]:
        everywhere = np.arange(len(self._town.at("grid")))
        categories = list(REPORTED)
        return self.draw_at(self.moments(channel, count, first, until), channel, categories, everywhere)

    def _report(self, at: datetime, channel: str, category: str, grids: Rows) -> Report:
        texts = REPORTED[category].texts
        return Report(
            at, self.spot(channel, category, grids), category, channel, texts[int(self.rng.integers(len(texts)))]
        )

    def spot(self, channel: str, category: str, grids: Rows) -> int:
        """Return the row of a spot in some grids, as often as such a thing is reported there by such a channel."""
        total = self._cumulative(channel, category)
        if len(grids) == len(self._town.at("grid")):
            return int(np.searchsorted(total, self.rng.random() * total[-1], side="right"))
        weights = np.diff(total, prepend=0.0)
        rows = np.flatnonzero(np.isin(self.spots.grid, grids) & (weights > 0))
        return int(self.rng.choice(rows, p=weights[rows] / weights[rows].sum()))

    def _category(self, at: datetime, categories: Sequence[str]) -> str:
        shares = self._shares(at.month, tuple(categories))
        return categories[int(np.searchsorted(shares, self.rng.random() * shares[-1], side="right"))]

    def _shares(self, month: int, categories: tuple[str, ...]) -> Floats:
        kinds = [REPORTED[code] for code in categories]
        return np.cumsum([kind.share * (kind.season[month - 1] if kind.season else 1.0) for kind in kinds])

    def _cumulative(self, channel: str, category: str) -> Floats:
        """Return the running total of the spots' weights for a channel and a category."""
        finder = "patrol" if channel in FINDERS else "resident"
        known = self._weights.get((finder, category))
        if known is None:
            known = self._weights[finder, category] = np.cumsum(self._spot_weights(finder, category))
        return known

    def _spot_weights(self, finder: str, category: str) -> Floats:
        weights = self._lively.copy()
        where = REPORTED[category].where
        if where:
            weights[self.spots.on_street != (where == "street")] = 0
        for landmark, categories, more in HOT:
            if category in categories:
                weights[self._near(landmark, HOT_REACH_M)] *= more
        if finder == "patrol":
            weights *= self.effort[self.spots.grid]
        return weights

    def _near(self, landmark: str, reach_m: float) -> NDArray[np.bool_]:
        places = [(x, y) for x, y, use in self._town.profile.plan.landmarks if use == landmark]
        near = np.zeros(len(self.spots), dtype=np.bool_)
        for x, y in places[:1]:
            near |= np.hypot(self.spots.x_m - x, self.spots.y_m - y) < reach_m
        return near

    def _weight_of(self, channel: str, day: date) -> float:
        week = WEEK[channel]
        if self._is_workday(day):
            return week[day.weekday()] if day.weekday() < 5 else week[0]
        return week[day.weekday()] if day.weekday() >= 5 else week[6]

    def _hours(self, channel: str, count: int) -> Floats:
        humps = HOURS[channel]
        shares = np.array([share for _, _, share in humps])
        which = self.rng.choice(len(humps), size=count, p=shares / shares.sum())
        middle, width = (np.array([hump[k] for hump in humps])[which] for k in (0, 1))
        hours: Floats = np.clip(self.rng.normal(middle, width), 0.2, 23.8)
        return hours


def _hour_of(moment: datetime) -> float:
    return moment.hour + moment.minute / 60
