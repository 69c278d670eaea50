"""What is reported in the demo town, and what becomes of it: seeded, pure, without a store.

Some grids see far more than others, and the evening more than the night. Each story has a fate; the
steps that it leads to are taken by `history`, through the services and by the rules that hold for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import shapely

from mapsvc.demo.town import DemoArea, Town

DAYS = 92
OUTSIDE_SHARE = 0.004

# category: (share, condition, what people write)
REPORTED: dict[str, tuple[float, str, tuple[str, ...]]] = {
    "E0110": (15, "1", ("垃圾桶满溢，袋装垃圾堆在路边", "路口暴露垃圾无人清理", "绿化带旁有成堆生活垃圾")),
    "E0111": (4, "1", ("拆迁空地积存渣土", "装修垃圾堆放多日")),
    "E0112": (8, "1", ("人行道落叶和纸屑未清扫", "路面油污，行人易滑倒")),
    "E0113": (5, "1", ("路面坑洼，积水绊人", "人行道地砖松动破损")),
    "E0117": (4, "1", ("绿地里塑料袋较多", "草坪内有烟头和饮料瓶")),
    "E0128": (3, "1", ("店铺外放音响扰民",)),
    "E0136": (7, "1", ("楼前堆放杂物占用通道", "门店外堆料未归位")),
    "E0201": (8, "1", ("电线杆张贴小广告", "单元门口喷涂小广告")),
    "E0304": (2, "1", ("工地未洒水，扬尘较大",)),
    "E0405": (9, "1", ("店外摆放货架占用人行道", "餐桌摆出店外")),
    "E0406": (8, "1", ("流动摊点占道经营", "路口占道卖菜")),
    "E0409": (10, "1", ("机动车停在人行道上", "消防通道口停车")),
    "E0410": (7, "1", ("共享单车乱停，堵住盲道", "电动车停放杂乱")),
    "E0503": (2, "1", ("下水井堵塞，污水外溢",)),
    "E0506": (1.5, "1", ("雨后路口积水过脚踝",)),
    "E0697": (4, "1", ("楼道内堆放纸箱旧家具",)),
    "E0698": (4, "1", ("单元门禁损坏多日未修", "电梯间照明不亮")),
    "C0103": (3, "2", ("雨水井盖破损移位",)),
    "C0305": (3, "1", ("垃圾箱破损，箱门脱落",)),
    "E0502": (0.2, "1", ("楼下闻到燃气味",)),
    "E0505": (0.3, "1", ("路面塌陷出现空洞",)),
}

CHANNELS = {"patrol": 0.36, "public": 0.34, "hotline": 0.22, "staff": 0.08}

# fate: share; "instant" holds for findings that may be fixed on the spot
FATES = {
    "mended": 0.735,
    "late": 0.07,
    "returned": 0.05,
    "refused": 0.04,
    "failed_check": 0.045,
    "reopened": 0.025,
    "cannot": 0.01,
    "suspended": 0.01,
    "asleep": 0.015,
}
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


def make_stories(town: Town, count: int, now: datetime, seed: int) -> tuple[Story, ...]:
    """Return `count` stories of the last three months up to `now`, the oldest first."""
    rng = np.random.default_rng(seed)
    grids = town.at("grid")
    liveliness = rng.gamma(1.1, 1.0, len(grids)) + 0.15
    places = rng.choice(len(grids), size=count, p=liveliness / liveliness.sum())
    moments = sorted(_moments(rng, count, now))
    return tuple(_story(rng, grids[int(place)], moment) for place, moment in zip(places, moments, strict=True))


def _moments(rng: np.random.Generator, count: int, now: datetime) -> list[datetime]:
    """Return moments within the last `DAYS`, mostly by day, each before `now`; today has its share too."""
    days = rng.integers(0, DAYS, count)
    hours = np.clip(rng.normal(13.5, 4.2, count), 0, 23.9)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    passed = (now - midnight) / timedelta(hours=1)
    hours = np.where(days == 0, hours / 24 * passed, hours)
    return [midnight - timedelta(days=int(d)) + timedelta(hours=float(h)) for d, h in zip(days, hours, strict=True)]


def _story(rng: np.random.Generator, grid: DemoArea, at: datetime) -> Story:
    codes = list(REPORTED)
    weights = np.array([REPORTED[code][0] for code in codes])
    category = codes[int(rng.choice(len(codes), p=weights / weights.sum()))]
    _, condition, texts = REPORTED[category]
    channel = _pick(rng, CHANNELS)
    inside = bool(rng.random() >= OUTSIDE_SHARE)
    lon, lat = _point_in(rng, grid)
    fate = _pick(rng, FATES)
    late = fate == "late"
    return Story(
        at=at,
        lon=lon,
        lat=lat,
        placed=inside,
        accuracy_m=float(np.round(rng.gamma(3.0, 2.2) + 3, 1)),
        category=category,
        condition=condition,
        channel=channel,
        description=texts[int(rng.integers(len(texts)))],
        place_text=f"{grid.name}附近" if inside else "来电人未说明具体位置",
        fate=fate,
        instant=bool(rng.random() < INSTANT_SHARE),
        pace=float(rng.uniform(1.05, 1.9) if late else rng.beta(2.0, 3.2)),
        patience=float(rng.lognormal(0, 0.5)),
    )


def _point_in(rng: np.random.Generator, grid: DemoArea) -> tuple[float, float]:
    """Return a point of the grid, drawn evenly from its ground."""
    west, south, east, north = grid.border.bounds
    while True:
        lon, lat = float(rng.uniform(west, east)), float(rng.uniform(south, north))
        if shapely.contains_xy(grid.border, lon, lat):
            return lon, lat


def _pick(rng: np.random.Generator, shares: dict[str, float]) -> str:
    names: Sequence[str] = list(shares)
    weights = np.array(list(shares.values()))
    return names[int(rng.choice(len(names), p=weights / weights.sum()))]
