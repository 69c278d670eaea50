"""Rows of other offices' tables read as cases: columns, words for states, categories, the key that keeps rows apart."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mapsvc.base.tables.columns import Column
from mapsvc.catalog import Categories

COLUMNS: tuple[Column, ...] = (
    Column("source_number", ("工单编号", "工单号", "编号", "诉求编号", "案件编号", "number", "ticket", "request number",
                             "service_request_number", "service_request_id", "case id", "id")),
    Column("category", ("类别", "问题类别", "诉求类别", "小类", "事项", "type", "service_name", "service_code",
                        "type_of_service_request")),
    Column("condition", ("立案条件", "filing condition")),
    Column("description", ("内容", "描述", "问题描述", "诉求内容", "反映内容", "nature", "details")),
    Column("place", ("地址", "地点", "位置", "事发地址", "address", "street_address", "location")),
    Column("lon", ("经度", "longitude", "lng", "long")),
    Column("lat", ("纬度", "latitude")),
    Column("x", ("x坐标", "x_coordinate", "东坐标", "easting")),
    Column("y", ("y坐标", "y_coordinate", "北坐标", "northing")),
    Column("received", ("受理时间", "来电时间", "上报时间", "登记时间", "创建时间", "created", "creation_date",
                        "requested_datetime", "date"), required=True),
    Column("closed", ("办结时间", "结案时间", "完成时间", "completed", "completion_date", "closed_date")),
    Column("status", ("状态", "办理状态", "state")),
    Column("owner", ("权属", "权属单位", "产权单位", "owner")),
    # What a ledger tells of the past of a case; read for history only (see `pasts`).
    Column("channel", ("渠道", "来源渠道", "受理渠道", "上报渠道", "channel")),
    Column("due", ("办结时限", "处置时限", "截止时间", "应结案时间", "due", "due_date")),
    Column("filed", ("立案时间", "filed")),
    Column("dispatched", ("派遣时间", "派单时间", "dispatched")),
    Column("unit", ("处置单位", "处置部门", "承办单位", "责任单位")),
    Column("signed", ("签收时间", "signed")),
    Column("fixed", ("处置完成时间", "处置反馈时间", "整改时间", "fixed")),
    Column("instant", ("即查即改", "是否即查即改", "instant_fix")),
    Column("reworked", ("返工时间", "发回重办时间", "reworked")),
    Column("refixed", ("返工完成时间", "重办完成时间", "refixed")),
    Column("checked", ("核查时间", "核查通过时间", "checked")),
    Column("outcome", ("处理结果", "结案类型", "办理结果", "outcome")),
    Column("reporter", ("姓名", "来电人", "反映人", "联系人", "requestor_name")),
    Column("phone", ("电话", "联系电话", "来电号码", "手机", "telephone", "mobile")),
)  # fmt: skip
"""What an import reads. Columns that are not there are not read; only the time of intake must be."""

_CLOSED = ("completed", "closed", "resolved", "办结", "结案", "已完成", "关闭")
_DUPLICATE = ("dup", "重复")


@dataclass(frozen=True)
class Status:
    """What a word for a state means here."""

    closed: bool
    flag: str


def read_status(text: str) -> Status:
    """Return whether a row is closed, and its flag `duplicate` where the source says so; unknown words mean open."""
    words = text.casefold()
    negated = any(word in words for word in ("未办结", "未结案", "未完成", "not closed", "incomplete", "unresolved"))
    closed = not negated and any(word in words for word in _CLOSED)
    return Status(closed, "duplicate" if any(word in words for word in _DUPLICATE) else "")


@dataclass(frozen=True)
class CategoryMap:
    """Their words for categories and ours; `default` for what is not in the map (empty: such a row is refused)."""

    default: str = ""
    words: Mapping[str, str] = field(default_factory=dict)

    def find(self, text: str, categories: Categories) -> str | None:
        """Return our code for their word: by the map, by code, by name in either tongue, else the default; or None."""
        word = text.strip()
        mapped = self.words.get(word)
        if mapped is None and word:
            known = categories.find(word)
            mapped = known.code if known else _by_name(categories).get(word.casefold())
        return mapped or self.default or None


def _by_name(categories: Categories) -> dict[str, str]:
    found: dict[str, str] = {}
    for category in categories.in_use:
        found.setdefault(category.zh.casefold(), category.code)
        found.setdefault(category.en.casefold(), category.code)
    return found


def row_hash(cells: Iterable[str]) -> str:
    """Return the hash of a whole row as text; two rows that say the same have the same."""
    return hashlib.sha256("\x1f".join(cells).encode("utf-8", "surrogatepass")).hexdigest()


def import_key(source: str, hashed: str, occurrence: int) -> str:
    """Return the key that one row is imported under.

    The number of a ticket does not keep rows apart (sources repeat them); source, content and the how-manieth of
    its like do, and a second import of the same rows finds each again.
    """
    return hashlib.sha256(f"{source}\x1f{hashed}\x1f{occurrence}".encode()).hexdigest()
