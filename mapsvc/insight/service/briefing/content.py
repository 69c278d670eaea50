"""What a briefing says, gathered once for all its forms: figures, areas below, what is late, who is missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from mapsvc.areas.index import Snapshot
from mapsvc.areas.queries.areas import list_areas_by_id
from mapsvc.areas.queries.posts import areas_without_chief
from mapsvc.areas.queries.state import AreaTable
from mapsvc.areas.rules.located import AreaAt
from mapsvc.base.errors import TooLarge
from mapsvc.base.settings import Settings
from mapsvc.cases.queries.lines import CaseLine, list_lines
from mapsvc.cases.rules.rulebook import Rulebook
from mapsvc.insight.queries.figures import Figures
from mapsvc.insight.queries.months import Difference, FrozenMonth, Numbers, count_numbers, differences
from mapsvc.insight.queries.tables import AreaLine, areas_shown, by_area
from mapsvc.insight.rules.rates import FORMULAS, TALLY_PARTS, Rate, Tally
from mapsvc.insight.rules.windows import Window
from mapsvc.people.rules.actor import SYSTEM, Actor
from mapsvc.storage.work import Work

MAIN = ("on_time", "mended", "solved", "instant", "reworked", "recurred")
"""The rates of the page itself; the workbook has all."""

MOST_ROWS = 100_000
OLDEST = 5
RECEIVED = "received"
MOST_ON_MAP = 60
"""More areas than this cannot be told apart on a picture the width of a column."""

MOST_DRAWN = 500


@dataclass(frozen=True)
class MapArea:
    """One area of the map: its border in degrees, its name and the number that colours it."""

    border: BaseGeometry
    name: str
    count: int


@dataclass(frozen=True)
class Briefing:
    """Everything that the forms of a briefing print. Chinese, as it goes up; `marking` is 内部使用 or the number."""

    office: str
    title: str
    area_name: str
    window: Window
    window_text: str
    as_of_text: str
    marking: str
    caption: str
    numbers: Numbers
    now: Numbers
    frozen: FrozenMonth | None
    moved: tuple[Difference, ...]
    level: str
    level_name: str
    parts: tuple[AreaLine, ...]
    on_map: tuple[MapArea, ...]
    map_level_name: str
    categories: tuple[tuple[str, int], ...]
    oldest: tuple[CaseLine, ...]
    vacant: tuple[str, ...]

    @property
    def tally(self) -> Tally:
        """What became of what came in."""
        return self.numbers.tally

    @property
    def rates(self) -> Mapping[str, Rate]:
        """All rates, by name."""
        return {rate.name: rate for rate in self.numbers.rates()}


def gather(
    work: Work, settings: Settings, book: Rulebook, snapshot: Snapshot, figures: Figures, window: Window,
    frozen: FrozenMonth | None,
) -> Briefing:  # fmt: skip
    """Return what the briefing of a question says; a frozen month keeps its figures, whatever the cases are now.

    Counted over everything in the area, whoever prints: the caller has checked that they may.
    """
    asked = replace(figures.question, category="", channels=())
    whole = Figures(figures.columns, SYSTEM, asked)
    now = count_numbers(whole)
    area = snapshot.find_area_by_id(asked.area_id) if asked.area_id is not None else None
    level, table, rows = _below(snapshot, area)
    map_level = _map_level(snapshot, book, area) or level
    parts = by_area(whole, table, rows, level, "on_time").lines if table is not None else ()
    local = (frozen.as_of if frozen else asked.as_of).astimezone(settings.timezone)
    name = f"{area.name or area.code}" if area else (settings.display_name or _name_of_all(snapshot))
    window_text = (
        f"{window.first.year}年{window.first.month}月"
        if window.month
        else f"{window.first:%Y.%m.%d}–{window.last:%m.%d}"
    )
    return Briefing(
        office=settings.display_name or "网格化服务管理中心",
        title=f"{name}{window_text}网格化服务管理工作情况通报",
        area_name=name,
        window=window,
        window_text=window_text,
        as_of_text=f"{local.year}年{local.month}月{local.day}日{local:%H:%M}",
        marking=f"审图号：{settings.map_review_number}" if settings.map_review_number else "内部使用",
        caption=settings.caption,
        numbers=frozen.numbers if frozen else now,
        now=now,
        frozen=frozen,
        moved=differences(frozen.numbers, now) if frozen else (),
        level=level,
        level_name=book.levels.get(level).zh if level else "",
        parts=parts,
        on_map=_on_map(work, snapshot, whole, map_level, area),
        map_level_name=book.levels.get(map_level).zh if map_level else "",
        categories=_categories(whole, book),
        oldest=_oldest(work, whole),
        vacant=_vacant(work, book, snapshot, figures, area),
    )


def _below(snapshot: Snapshot, area: AreaAt | None) -> tuple[str, AreaTable | None, NDArray[np.intp]]:
    """Return the coarsest level that divides an area (None: everything) into at least two, and its rows there."""
    codes = snapshot.levels.codes
    finer = codes[codes.index(area.level) + 1 :] if area and area.level in codes else codes
    for level in finer:
        if level in snapshot.tables:
            table, rows = areas_shown(snapshot, SYSTEM, level, area.area_id if area else None)
            if len(rows) > 1:
                return level, table, rows
    return "", None, np.zeros(0, np.intp)


def _name_of_all(snapshot: Snapshot) -> str:
    """Return the name of the one area that holds everything, such as the district; 全区 where there is none."""
    for level in snapshot.levels.codes:
        table = snapshot.tables.get(level)
        if table is not None:
            return table.names[0] if len(table) == 1 and table.names[0] else "全区"
    return "全区"


def _map_level(snapshot: Snapshot, book: Rulebook, area: AreaAt | None) -> str:
    """Return the level of those that answer which divides the area finely and can still be read; none: empty."""
    for level in book.levels.chain("default"):
        if level in snapshot.tables and (area is None or level != area.level):
            _, rows = areas_shown(snapshot, SYSTEM, level, area.area_id if area else None)
            if 1 < len(rows) <= MOST_ON_MAP:
                return level
    return ""


def _on_map(work: Work, snapshot: Snapshot, figures: Figures, level: str, area: AreaAt | None) -> tuple[MapArea, ...]:
    if not level:
        return ()
    table, rows = areas_shown(snapshot, SYSTEM, level, area.area_id if area else None)
    rows = rows[:MOST_DRAWN]
    ids = table.area_ids[rows].tolist()
    counts = dict(zip(ids, figures.count_by_area(level, ids).tolist(), strict=True))
    views = list_areas_by_id(work, ids, work.now)
    return tuple(
        MapArea(view.border, view.name or view.code, counts[view.area_id]) for view in views if view.border is not None
    )


def _categories(figures: Figures, book: Rulebook) -> tuple[tuple[str, int], ...]:
    codes = figures.columns.names["category"]
    counts = np.bincount(figures.columns.category[figures.population(RECEIVED)], minlength=len(codes))
    order = sorted(range(len(codes)), key=lambda at: (-int(counts[at]), codes[at]))[:5]
    found = []
    for at in order:
        category = book.categories.find(codes[at])
        if counts[at]:
            found.append((category.zh if category else codes[at], int(counts[at])))
    return tuple(found)


def _oldest(work: Work, figures: Figures) -> tuple[CaseLine, ...]:
    late = np.flatnonzero(figures.part(RECEIVED, "overdue"))
    first = late[np.argsort(figures.columns.due_at[late], kind="stable")][:OLDEST]
    lines = list_lines(work, SYSTEM, figures.columns.id[first].tolist())
    return tuple(sorted(lines, key=lambda line: (line.due_at is None, line.due_at)))


def _vacant(work: Work, book: Rulebook, snapshot: Snapshot, figures: Figures, area: AreaAt | None) -> tuple[str, ...]:
    """Return the areas without anybody who answers, of the answering levels, within the area."""
    levels = [level for level in book.levels.chain("default") if level in snapshot.tables]
    missing = areas_without_chief(work, levels, book.local_day(work.now), work.now)
    found = []
    for level in levels:
        table, rows = areas_shown(snapshot, SYSTEM, level, area.area_id if area else None)
        inside = {table.codes[row] for row in rows.tolist()}
        title = book.levels.get(level).chief("zh") or "负责人"
        found += [f"{one.name or one.code}无{title}" for one in missing if one.level == level and one.code in inside]
    return tuple(found)


@dataclass(frozen=True)
class CaseTable:
    """The cases behind the figures: lines; for each figure which count (1), are only in n (0), or are in neither."""

    lines: tuple[CaseLine, ...]
    columns: Mapping[str, tuple[int | None, ...]]


def case_table(work: Work, actor: Actor, figures: Figures) -> CaseTable:
    """Return the table of cases behind every figure of a briefing, as they are now."""
    asked = replace(figures.question, category="", channels=())
    whole = Figures(figures.columns, SYSTEM, asked)
    members: dict[str, tuple[set[int], set[int]]] = {}
    ids = whole.columns.id
    for part in TALLY_PARTS:
        inside = set(ids[whole.population(RECEIVED)].tolist())
        members[part] = (inside, set(ids[whole.part(RECEIVED, part)].tolist()))
    for name in count_numbers(whole).counts:
        of, counting = whole.cases_of(name)
        members[name] = (set(of.tolist()), set(counting.tolist()))
    every = sorted(set().union(*(of for of, _ in members.values())))
    if len(every) > MOST_ROWS:
        raise TooLarge(
            "too_many_rows",
            f"The figures rest on {len(every)} cases; a workbook takes {MOST_ROWS}.",
            hint="Choose an area or a shorter window.",
            detail={"limit": MOST_ROWS},
        )
    lines = list_lines(work, SYSTEM if actor.system else actor, every)
    columns = {
        name: tuple(None if line.id not in of else int(line.id in counting) for line in lines)
        for name, (of, counting) in members.items()
    }
    return CaseTable(lines, columns)


def per_cent(share: float | None, digits: int = 1) -> str:
    """Return a share in per cent as documents print it; a dash where there is none."""
    if share is None:
        return "—"
    if share in (0.0, 1.0):
        return f"{share:.0%}"
    least = 10**-digits
    return f"{min(max(share * 100, least), 100 - least):.{digits}f}%"


def interval_text(rate: Rate) -> str:
    """Return the interval of a rate; a dash where there is none."""
    if rate.low is None or rate.high is None:
        return "—"
    return f"{per_cent(rate.low)}–{per_cent(rate.high)}"


NOTES = {"none": "无到期案件，不计", "few": "数量少，仅供参考", "ok": "", "not_applicable": "不适用"}


def short_formula(name: str) -> str:
    """Return the first sentence of a formula: what is divided by what."""
    first = FORMULAS[name].formula_zh.split("。")[0].split("；")[0]
    return re.sub("（[^）]*）", "", first)
