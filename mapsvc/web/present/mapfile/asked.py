"""What a stand-alone map shall show, what it is made from, and which areas of which levels come into it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from mapsvc.areas.index import Snapshot
from mapsvc.areas.rules.located import AreaAt
from mapsvc.base.errors import InvalidInput
from mapsvc.cases.queries.columns.table import CaseColumns
from mapsvc.catalog import Layer, Layers
from mapsvc.insight.queries.tables import areas_shown, lies_in
from mapsvc.insight.rules.rates import FORMULAS, MAPPED
from mapsvc.insight.rules.windows import Window
from mapsvc.maps.plans import Audience
from mapsvc.people.rules.actor import PUBLIC, Actor
from mapsvc.storage.work import Work
from mapsvc.web.present.speech import Speech

BORDERS, CASES, HEAT = "borders", "cases", "heat"
THEMES = (BORDERS, *MAPPED, HEAT, CASES)
NEEDS = {CASES: "case.view", HEAT: "case.view"}
"""What a theme of figures asks of whoever wants it; rates ask for `insight.view`."""

MOST_AREAS = 5_000
"""Of one level in a file; a level with more gives way to a coarser one."""


@dataclass(frozen=True)
class MapFileAsked:
    """What a file shall show; `level` and `lines` may be empty for what is usual. `staff`: also what is not public."""

    window: Window
    level: str = ""
    lines: tuple[str, ...] | None = None
    theme: str = BORDERS
    area: AreaAt | None = None
    staff: bool = False


@dataclass(frozen=True)
class MapFileSource:
    """What a file is made from. `reviewed`: borders may be public; `columns` reads the cases when they are needed."""

    work: Work
    snapshot: Snapshot
    layers: Layers
    actor: Actor
    say: Speech
    columns: Callable[[], CaseColumns]
    light: frozenset[tuple[str, str]]
    as_of: datetime
    site: str
    caption: str
    reviewed: bool
    review_number: str = ""


def find_theme(text: str) -> str:
    """Return a theme by its name or, for a rate, by its title in either tongue; raises `InvalidInput`."""
    for theme in THEMES:
        formula = FORMULAS.get(theme)
        if text in (theme, *((formula.zh, formula.en) if formula else ())):
            return theme
    raise InvalidInput("unknown_theme", f"There is no theme {text[:40]!r}.", hint=f"Themes are {', '.join(THEMES)}.")


@dataclass(frozen=True)
class Shown:
    """The level in front, all levels from the coarsest on, the rows of each, the box of everything, what to say."""

    level: str
    levels: tuple[str, ...]
    layers: dict[str, Layer]
    rows: dict[str, NDArray[np.intp]]
    notes: list[str]


def choose(source: MapFileSource, asked: MapFileAsked) -> Shown:
    say, tables = source.say, source.snapshot.tables
    audience = Audience(source.actor if asked.staff else PUBLIC, source.reviewed)
    layers = {layer.level: layer for layer in audience.choose(source.layers, "areas") if layer.level in tables}
    if not layers:
        raise InvalidInput(
            "no_borders_to_show",
            "There is no border that this file may show." if tables else "There are no areas yet.",
            hint="Borders are public only under a map review number (MAPSVC_MAP_REVIEW_NUMBER); "
            "--audience staff makes a file for the office." if tables else "Import borders first.",
        )  # fmt: skip
    for name in (asked.level, *(asked.lines or ())):
        if name and name not in layers:
            raise InvalidInput(
                "unknown_level", f"There is no layer of a level {name[:40]!r}.", hint=f"There are {', '.join(layers)}."
            )
    found = {level: _rows(source, asked, level) for level in layers}
    rows = {level: those for level, those in found.items() if len(those) or level == asked.level}
    chain = [level for level in source.snapshot.levels.chain() if level in rows]
    wanted = asked.level or (chain or list(rows) or [""])[0]
    notes: list[str] = []
    level = _fitting(wanted, rows)
    if level != wanted:
        notes.append(
            say.t(
                "mapfile.coarser", wanted=say.level_name(wanted), count=len(rows[wanted]), level=say.level_name(level)
            )
        )
    coarser = [name for name in rows if len(rows[name]) < len(rows[level])]
    lines = [name for name in asked.lines if name in rows] if asked.lines is not None else coarser
    for name in [name for name in lines if len(rows[name]) > MOST_AREAS]:
        lines.remove(name)
        notes.append(say.t("mapfile.left_out", level=say.level_name(name), count=len(rows[name])))
    kept = tuple(name for name in rows if name == level or name in lines)
    return Shown(level, kept, layers, rows, notes)


def _rows(source: MapFileSource, asked: MapFileAsked, level: str) -> NDArray[np.intp]:
    """Return the areas of a level that are drawn: within the area asked for; figures, of what the asker may see."""
    area_id = asked.area.area_id if asked.area else None
    if asked.theme in MAPPED:
        return areas_shown(source.snapshot, source.actor, level, area_id)[1]
    table = source.snapshot.tables[level]
    rows: NDArray[np.intp] = np.arange(len(table))
    return rows if area_id is None else rows[lies_in(source.snapshot, table, [area_id])]


def _fitting(wanted: str, rows: dict[str, NDArray[np.intp]]) -> str:
    """Return the level, or where it has too many areas the finest one that has not."""
    if not len(rows.get(wanted, ())):
        raise InvalidInput("no_areas_there", "There is no area to draw.", hint="Ask for another level or area.")
    if len(rows[wanted]) <= MOST_AREAS:
        return wanted
    fitting = [level for level, found in rows.items() if 0 < len(found) <= MOST_AREAS]
    if not fitting:
        raise InvalidInput(
            "too_many_areas",
            f"{len(rows[wanted]):,} areas are too many for one file.",
            hint="Ask for one area (--area LEVEL:CODE), or for a coarser level.",
        )
    return max(fitting, key=lambda level: len(rows[level]))
