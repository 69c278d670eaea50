"""The people of the demo town: who holds which post, which units repair what, who can log in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
    """A handling unit and the categories (beginnings of codes) it is due for, in some streets or everywhere."""

    code: str
    name: str
    phone: str
    categories: Sequence[str]
    streets: Sequence[str] = ()


GRID_CHIEF = "990101001005003"
CHIEFS = {"P07": "张敏", "P08": "周航", GRID_CHIEF: "吴霞"}

UNITS = (
    UnitRow("HW-NE", "东北环卫所", "000-0001-0001", ("E01",), ("990101001", "990101002", "990101003")),
    UnitRow("HW-SW", "西南环卫所", "000-0001-0002", ("E01",), ("990101004", "990101005")),
    UnitRow("SZ", "市政设施管理所", "000-0001-0003", ("C01", "C02", "E0113", "E05"), ()),
    UnitRow("YL", "园林绿化管理所", "000-0001-0004", ("C04", "E0117", "E0118", "E0121"), ()),
    UnitRow("CG", "城管执法中队", "000-0001-0005", ("E02", "E03", "E04"), ()),
    UnitRow("HJ", "环卫设施管理站", "000-0001-0006", ("C03",), ()),
    UnitRow("GS", "供水公司", "000-0001-0007", ("E0501", "C0101"), ()),
    UnitRow("RQ", "燃气公司", "000-0001-0008", ("E0502", "C0111"), ()),
)

ACCOUNTS = (
    Account("zhangmin", "张敏", "area_chief", post=("patch", "P07")),
    Account("zhouhang", "周航", "area_chief", post=("patch", "P08")),
    Account("wuxia", "吴霞", "grid_chief", post=("grid", GRID_CHIEF)),
    Account("xuning", "徐宁", "liaison", post=("patch", "P07")),
    Account("wanglei", "王磊", "patrol", area=("district", "990101")),
    Account("hefang", "何芳", "intake"),
    Account("zhaoxue", "赵雪", "dispatcher"),
    Account("chenlan", "陈岚", "duty_officer"),
    Account("maqiang", "马强", "unit_staff", unit="HW-NE"),
    Account("liuyang", "刘洋", "street", area=("street", "990101001")),
    Account("lijing", "李静", "planner"),
    Account("sunwei", "孙伟", "approver"),
    Account("gaoshan", "高山", "leader"),
    Account("admin", "系统管理员", "admin"),
)


def make_posts(town: Town, seed: int) -> tuple[PostData, ...]:
    """Return a chief for every street, community, patch (but those of `NO_CHIEF`) and grid of the town."""
    names = _names(np.random.default_rng(seed))
    posts: list[PostData] = []
    for level in ("street", "community", "patch", "grid"):
        for area in town.at(level):
            if area.code in NO_CHIEF:
                continue
            number = len(posts) + 1
            posts.append(
                PostData(
                    level=level,
                    area_code=area.code,
                    role="chief",
                    person_code=f"R{number:05d}",
                    person=CHIEFS.get(area.code) or next(names),
                    phone=f"000-0000-{number:04d}",
                    public=level == "patch",
                    liaison_code="R09999" if area.code == "P07" else "",
                    liaison="徐宁" if area.code == "P07" else "",
                    document=f"青政办〔2026〕{3 + number % 3}号",
                    valid_from=date(2026, 3, 1),
                )
            )
    return tuple(posts)


def _names(rng: np.random.Generator) -> Iterator[str]:
    """Yield invented names, never one of those that the accounts bear."""
    taken = {account.display_name for account in ACCOUNTS}
    while True:
        family = FAMILY[int(rng.integers(len(FAMILY)))]
        given = "".join(GIVEN[int(rng.integers(len(GIVEN)))] for _ in range(int(rng.integers(1, 3))))
        if family + given not in taken:
            taken.add(family + given)
            yield family + given
