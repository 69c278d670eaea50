"""The people of the demo town: who holds which post, which units repair what, who can log in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from mapsvc.demo.town import Town

FAMILY = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
GIVEN = (
    "安邦博诚川丹东帆峰刚广桂海浩宏华辉慧佳建健洁金军凯兰磊丽莉亮林玲龙梅明娜"
    "宁鹏平强琴青清蓉瑞珊盛涛婷伟文霞祥晓欣旭雪岩燕阳怡英永玉园悦云芸泽哲珍志忠"
)

NO_CHIEF = {"P13"}
"""The patch that stands without a chief, so that the office sees the standing warning."""

TITLES = {"street": "街道办事处", "community": "社区党组织", "patch": "片区", "grid": "网格"}


@dataclass(frozen=True)
class PostRow:
    """One line of the posts table, in the columns that `posts import` reads."""

    level: str
    area_code: str
    role: str
    person_code: str
    person: str
    phone: str
    deputy_code: str
    liaison_code: str
    document: str
    since: date


@dataclass(frozen=True)
class Account:
    """A log-in of the demo. `person` is the name on posts where the role comes from a post."""

    name: str
    display_name: str
    role: str
    person: str = ""
    unit: str = ""
    area: tuple[str, str] | None = None


@dataclass(frozen=True)
class UnitRow:
    """A handling unit and the categories (beginnings of codes) it is due for, by street number or everywhere."""

    code: str
    name: str
    phone: str
    categories: Sequence[str]
    streets: Sequence[int] = ()


CHIEFS = {"P07": "张敏", "P08": "周航"}

UNITS = (
    UnitRow("HW-NE", "东北环卫所", "000-0001-0001", ("E01",), (1, 2, 3)),
    UnitRow("HW-SW", "西南环卫所", "000-0001-0002", ("E01",), (4, 5)),
    UnitRow("SZ", "市政设施管理所", "000-0001-0003", ("C01", "C02", "E0113", "E05"), ()),
    UnitRow("YL", "园林绿化管理所", "000-0001-0004", ("C04", "E0117", "E0118", "E0121"), ()),
    UnitRow("CG", "城管执法中队", "000-0001-0005", ("E02", "E03", "E04"), ()),
    UnitRow("HJ", "环卫设施管理站", "000-0001-0006", ("C03",), ()),
    UnitRow("GS", "供水公司", "000-0001-0007", ("E0501", "C0101"), ()),
    UnitRow("RQ", "燃气公司", "000-0001-0008", ("E0502", "C0111"), ()),
)

ACCOUNTS = (
    Account("zhangmin", "张敏", "area_chief", person="张敏"),
    Account("zhouhang", "周航", "area_chief", person="周航"),
    Account("wuxia", "吴霞", "grid_chief", person="吴霞"),
    Account("xuning", "徐宁", "liaison", person="徐宁"),
    Account("wanglei", "王磊", "patrol"),
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


def make_posts(town: Town, seed: int) -> tuple[PostRow, ...]:
    """Return a chief for every street, community, patch (but those of `NO_CHIEF`) and grid of the town."""
    rng = np.random.default_rng(seed)
    names = _names(rng)
    rows: list[PostRow] = []
    people: dict[str, str] = {}

    def person(name: str) -> tuple[str, str]:
        code = f"R{len(people) + 1:05d}"
        people[code] = name
        return code, f"000-{len(people) // 10000:04d}-{len(people) % 10000:04d}"

    liaison_code, liaison_phone = person("徐宁")
    for level in ("street", "community", "patch", "grid"):
        for area in town.at(level):
            if area.code in NO_CHIEF:
                continue
            name = CHIEFS.get(area.code) or next(names)
            if level == "grid" and area.parents["patch"] == "P07" and "吴霞" not in people.values():
                name = "吴霞"
            code, phone = person(name)
            rows.append(
                PostRow(
                    level=level,
                    area_code=area.code,
                    role="chief",
                    person_code=code,
                    person=name,
                    phone=phone,
                    deputy_code="",
                    liaison_code=liaison_code if area.code == "P07" else "",
                    document=f"青政办〔2026〕{3 + len(rows) % 3}号",
                    since=date(2026, 3, 1),
                )
            )
    helper = PostRow("patch", "P07", "member", liaison_code, "徐宁", liaison_phone, "", "", "", date(2026, 3, 1))
    return (helper, *rows)


def _names(rng: np.random.Generator) -> Iterator[str]:
    """Yield invented names, never one of those that the accounts bear."""
    taken = {account.display_name for account in ACCOUNTS}
    while True:
        family = FAMILY[int(rng.integers(len(FAMILY)))]
        given = "".join(GIVEN[int(rng.integers(len(GIVEN)))] for _ in range(int(rng.integers(1, 3))))
        if family + given not in taken:
            taken.add(family + given)
            yield family + given
