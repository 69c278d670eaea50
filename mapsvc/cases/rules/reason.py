"""The sentence that says why (责任认定依据), in both tongues, from recorded facts only."""

from __future__ import annotations

from collections.abc import Mapping

from mapsvc.areas.rules.located import AreaAt
from mapsvc.cases.rules.assignment import Decision

SEPARATOR = "\n"
"""Between the Chinese and the English sentence in the one column that keeps them."""

_HOW = {
    "inside": ("点位在界内", "the point lies inside"),
    "edge": ("点位靠近界线,按可能性最大认定", "the point lies near a border, the most likely area was taken"),
    "nearest": ("点位在各辖区之外,按最近认定", "the point lies outside every area, the nearest one was taken"),
    "side": ("由反映人选择道路一侧", "the reporter said which side of the road"),
    "manual": ("由工作人员指定", "it was assigned by hand"),
    "hand_over": ("对方接收移交", "the other side accepted the hand-over"),
    "decided": ("由派遣员裁定归属", "the dispatcher decided the side"),
    "raised": ("提级办理", "it was raised one level"),
}
_CAUSE = {
    "redraw": ("界线调整, 按第{}版次重新认定: ", "The borders changed; decided again by generation {}: "),
    "post": ("任职变动, 交接: ", "Who is in post changed: "),
}
_STAND_IN = {
    "acting": ("代理", "acting"),
    "deputy": ("副职代为负责", "the deputy stands in"),
}


def _names(areas: tuple[AreaAt, ...]) -> str:
    return " › ".join(area.name or area.code for area in areas)


def _cause(decision: Decision, tongue: int) -> str:
    return _CAUSE[decision.cause][tongue].format(decision.generation) if decision.cause else ""


def _level(names: Mapping[str, tuple[str, str]], level: str, tongue: int) -> str:
    return names.get(level, (level, level))[tongue]


def in_chinese(decision: Decision, level_names: Mapping[str, tuple[str, str]]) -> str:
    """Return the Chinese sentence; `level_names` maps a level to its Chinese and English name."""
    version, cause = f"界线第{decision.generation}版次", _cause(decision, 0)
    if decision.owner is None and decision.path:
        return f"{cause}未落格: 点位在{_names(decision.path)}内, 但该处没有可负责案件的层级的辖区({version})。"
    if decision.owner is None:
        return f"{cause}未落格: 点位不在任何辖区内, 附近也没有可认定的辖区({version})。"
    owner = decision.owner
    parts = [f"{cause}{_names(decision.path)}({version})", _HOW[decision.rule][0]]
    if decision.rule == "nearest":
        parts.append(f"距离{decision.distance_m:.0f}米")
    if decision.sides or decision.edge:
        parts.append(f"归属把握度{decision.certainty:.0%}")
    if decision.office_only:
        parts.append("该类问题不得以社区、网格或片区长为主要责任主体")
    if decision.vacant:
        parts.append(f"{_names(decision.vacant)}无人任职, 由上一级负责")
    parts.append(f"由{_level(level_names, owner.level, 0)}“{owner.name or owner.code}”负责")
    return ", ".join(parts) + _person_zh(decision)


def _person_zh(decision: Decision) -> str:
    who = decision.responsible
    if who is None:
        return ", 目前无人任职。"
    stand_in = f"({_STAND_IN[who.stand_in][0]})" if who.stand_in else ""
    document = f", 任职文件 {who.document}" if who.document else ""
    return f": {who.name}{stand_in}{document}。"


def in_english(decision: Decision, level_names: Mapping[str, tuple[str, str]]) -> str:
    """Return the English sentence."""
    version, cause = f"borders of generation {decision.generation}", _cause(decision, 1)
    if decision.owner is None and decision.path:
        where = f"the point lies in {_names(decision.path)}"
        return f"{cause}Unplaced: {where}, but no level that answers for cases exists there ({version})."
    if decision.owner is None:
        return f"{cause}Unplaced: the point lies in no area and near none ({version})."
    owner = decision.owner
    parts = [f"{cause}{_names(decision.path)} ({version})", _HOW[decision.rule][1]]
    if decision.rule == "nearest":
        parts.append(f"{decision.distance_m:.0f} m away")
    if decision.sides or decision.edge:
        parts.append(f"{decision.certainty:.0%} sure")
    if decision.office_only:
        parts.append("this category may not be given to a community, grid or chief as the main responsible body")
    if decision.vacant:
        parts.append(f"nobody is in post for {_names(decision.vacant)}, so one level up answers")
    parts.append(f"the {_level(level_names, owner.level, 1)} {owner.name or owner.code} answers")
    return ", ".join(parts) + _person_en(decision)


def _person_en(decision: Decision) -> str:
    who = decision.responsible
    if who is None:
        return ", where nobody is in post."
    stand_in = f" ({_STAND_IN[who.stand_in][1]})" if who.stand_in else ""
    document = f", by document {who.document}" if who.document else ""
    return f": {who.name}{stand_in}{document}."


def both(decision: Decision, level_names: Mapping[str, tuple[str, str]]) -> str:
    """Return both sentences as the assignment keeps them."""
    return in_chinese(decision, level_names) + SEPARATOR + in_english(decision, level_names)


def split(reason: str) -> tuple[str, str]:
    """Return the Chinese and the English sentence of a stored reason."""
    chinese, _, english = reason.partition(SEPARATOR)
    return chinese, english
