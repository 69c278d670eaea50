"""The people of the demo town: who holds which post, which units repair what, who can log in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from mapsvc.areas.service.posts import PostData
from mapsvc.demo.town import Town

FAMILY = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
GIVEN = (
    "安邦博诚川丹东帆峰刚广桂海浩宏华辉慧佳建健洁金军凯兰磊丽莉亮林玲龙梅明娜"
    "宁鹏平强琴青清蓉瑞珊盛涛婷伟文霞祥晓欣旭雪岩燕阳怡英永玉园悦云芸泽哲珍志忠"
)

NO_CHIEF = {"P13"}
"""The patch that stands without a chief, so that the office sees the standing warning."""


CHIEF_PATCH, NEXT_PATCH = "P07", "P08"
CHIEFS = {CHIEF_PATCH: "张敏", NEXT_PATCH: "周航"}
GRID_CHIEF = "吴霞"
LIAISON = ("R99999", "徐宁")
HERE = "*"
"""Stands for the town's own area of a level: its district, the street and the first grid of `CHIEF_PATCH`."""

HEADS = ("compound", "building", "resident_group")
DOCUMENT = "青政办〔2026〕{number}号"
SINCE = date(2026, 3, 1)


@dataclass(frozen=True)
class Account:
    """A log-in of the demo. `post` names the area whose post gives the role; else the role is granted for
    `area`, for `unit`, or everywhere."""

    name: str
    display_name: str
    role: str
    post: tuple[str, str] | None = None
    unit: str = ""
    area: tuple[str, str] | None = None


@dataclass(frozen=True)
class UnitRow:
    """A handling unit and the categories (beginnings of codes) it is due for, in some streets or everywhere.

    `part` is `near` for the streets of `CHIEF_PATCH`, `far` for the others.
    """

    code: str
    name: str
    phone: str
    categories: Sequence[str]
    part: str = ""


UNITS = (
    UnitRow("HW-NE", "东北环卫所", "000-0001-0001", ("E01",), "near"),
    UnitRow("HW-SW", "西南环卫所", "000-0001-0002", ("E01",), "far"),
    UnitRow("SZ", "市政设施管理所", "000-0001-0003", ("C01", "C02", "E0113", "E05")),
    UnitRow("YL", "园林绿化管理所", "000-0001-0004", ("C04", "E0117", "E0118", "E0121")),
    UnitRow("CG", "城管执法中队", "000-0001-0005", ("E02", "E03", "E04")),
    UnitRow("HJ", "环卫设施管理站", "000-0001-0006", ("C03",)),
    UnitRow("GS", "供水公司", "000-0001-0007", ("E0501", "C0101")),
    UnitRow("RQ", "燃气公司", "000-0001-0008", ("E0502", "C0111")),
    UnitRow("GR", "供热公司", "000-0001-0009", ("E0504",)),
    UnitRow("WY", "物业服务中心", "000-0001-0010", ("E0697", "E0698")),
)

ACCOUNTS = (
    Account("zhangmin", "张敏", "area_chief", post=("patch", CHIEF_PATCH)),
    Account("zhouhang", "周航", "area_chief", post=("patch", NEXT_PATCH)),
    Account("wuxia", GRID_CHIEF, "grid_chief", post=("grid", HERE)),
    Account("xuning", LIAISON[1], "liaison", post=("patch", CHIEF_PATCH)),
    Account("wanglei", "王磊", "patrol", area=("district", HERE)),
    Account("hefang", "何芳", "intake"),
    Account("zhaoxue", "赵雪", "dispatcher"),
    Account("chenlan", "陈岚", "duty_officer"),
    Account("maqiang", "马强", "unit_staff", unit="HW-NE"),
    Account("liuyang", "刘洋", "street", area=("street", HERE)),
    Account("lijing", "李静", "planner"),
    Account("sunwei", "孙伟", "approver"),
    Account("gaoshan", "高山", "leader"),
    Account("admin", "系统管理员", "admin"),
)


def own_area(town: Town, level: str) -> str:
    """Return the code of the area of a level that the demo's accounts stand for: where `CHIEF_PATCH` lies."""
    grid = town.grids_of(CHIEF_PATCH)[0]
    return {"grid": grid.code, "district": town.profile.district[0], "street": grid.code[:9]}[level]


def accounts_of(town: Town) -> tuple[Account, ...]:
    """Return the accounts with the codes of this town's areas."""

    def here(place: tuple[str, str] | None) -> tuple[str, str] | None:
        return (place[0], own_area(town, place[0])) if place and place[1] == HERE else place

    return tuple(replace(account, post=here(account.post), area=here(account.area)) for account in ACCOUNTS)


def make_posts(town: Town) -> tuple[PostData, ...]:
    """Return the heads of the town: of every street, community, patch (but those of `NO_CHIEF`) and grid, and of
    every compound, building and residents' group that it has."""
    names = _names(np.random.default_rng(town.profile.seed))
    own_grid = own_area(town, "grid")
    posts: list[PostData] = []
    for level in ("street", "community", "patch", "grid", *HEADS):
        for area in town.at(level):
            if area.code in NO_CHIEF:
                continue
            number = len(posts) + 1
            person = CHIEFS.get(area.code) or (GRID_CHIEF if area.code == own_grid else next(names))
            posts.append(
                PostData(
                    level=level,
                    area_code=area.code,
                    role="chief",
                    person_code=f"R{number:05d}",
                    person=person,
                    phone=f"000-{number // 10000:04d}-{number % 10000:04d}",
                    public=level == "patch",
                    liaison_code=LIAISON[0] if area.code == CHIEF_PATCH else "",
                    liaison=LIAISON[1] if area.code == CHIEF_PATCH else "",
                    document=DOCUMENT.format(number=3 + number % 3),
                    valid_from=SINCE,
                )
            )
    return (*posts, *_branches(town, names))


def _branches(town: Town, names: Iterator[str]) -> Iterator[PostData]:
    """Yield the secretaries of the party branches, each in the team of the one grid that the branch is mapped onto.

    Every grid has one; the most peopled ones have a second one, until the town has as many as its profile says.
    """
    grids = list(town.at("grid"))
    second = sorted(grids, key=lambda grid: -(grid.households or 0))[: max(town.profile.branches - len(grids), 0)]
    for number, grid in enumerate((*grids, *second) if town.profile.branches else (), start=1):
        ordinal = "第一" if number <= len(grids) else "第二"
        yield PostData(
            level="grid",
            area_code=grid.code,
            role="member",
            person_code=f"D{number:05d}",
            person=next(names),
            phone=f"000-0009-{number:04d}",
            document=f"{grid.name}{ordinal}党支部书记",
            valid_from=SINCE,
        )


def unit_streets(town: Town, part: str) -> tuple[str, ...]:
    """Return the codes of the streets that a unit is due for; none where it is due everywhere."""
    near = {grid.code[:9] for grid in town.grids_of(CHIEF_PATCH)}
    if not part:
        return ()
    return tuple(street.code for street in town.at("street") if (street.code in near) == (part == "near"))


def _names(rng: np.random.Generator) -> Iterator[str]:
    """Yield invented names, never one of those that the accounts bear; a town of thousands has namesakes."""
    taken = {account.display_name for account in ACCOUNTS}
    while True:
        family = FAMILY[int(rng.integers(len(FAMILY)))]
        given = "".join(GIVEN[int(rng.integers(len(GIVEN)))] for _ in range(int(rng.integers(1, 3))))
        if family + given not in taken:
            yield family + given
