"""Puts a stand-alone map together and writes its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup
from numpy.typing import NDArray

from mapsvc.areas.sketches import load_sketches
from mapsvc.base.errors import InvalidInput
from mapsvc.base.paths import static_dir
from mapsvc.geo.sketch import encode_rings
from mapsvc.insight.rules.intervals import FEW
from mapsvc.maps.compose import MapPlan, View
from mapsvc.maps.elements import AreaLayer, Behaviour, LabelLayer, script_json
from mapsvc.maps.plans import NEVER
from mapsvc.maps.standalone import inline
from mapsvc.people.rules.permissions import require
from mapsvc.web.present.insight import window_name
from mapsvc.web.present.mapfile.asked import BORDERS, CASES, NEEDS, MapFileAsked, MapFileSource, Shown, choose
from mapsvc.web.present.mapfile.themes import ClassLine, Theme, make_theme, theme_title
from mapsvc.web.present.speech import Speech

MOST_BYTES = 1_300_000
"""Of borders in a file: with scripts and styles it stays below two megabytes."""

LABELS = ("legend", "layers", "table", "name", "about", "close", "noscript")
FIRST_TOLERANCE_M, LAST_TOLERANCE_M = 2.0, 130.0


@dataclass(frozen=True)
class MapFile:
    """The file, the level that it shows, and what whoever asked for it should know of it."""

    html: str
    name: str
    level: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """One area in the table of figures: its code, its name, its figures in the order of the columns."""

    code: str
    name: str
    cells: Sequence[str]


@dataclass(frozen=True)
class Sheet:
    """What stands on the file round its map, all as it is read; `words` are what its script says."""

    html_language: str
    title: str
    subtitle: str
    date: str
    warning: str
    caption: str
    facts: Sequence[tuple[str, str]]
    legend: Sequence[ClassLine]
    toggles: Sequence[tuple[str, str]]
    labels: Mapping[str, str]
    columns: Sequence[str] = ()
    rows: Sequence[Row] = ()
    words: Mapping[str, str] = field(default_factory=dict)


def make_map_file(source: MapFileSource, asked: MapFileAsked) -> MapFile:
    """Make the file. Raises `InvalidInput` for what a file cannot show, and what `require` raises.

    What is public is what somebody without an account sees. Figures are for `staff` files alone, and of these the
    asker gets what the pages show to him.
    """
    if asked.theme != BORDERS and not asked.staff:
        raise InvalidInput(
            "figures_not_public",
            "Figures are not public.",
            hint="Ask for a file for staff (--audience staff), and keep it in the office.",
        )
    require(source.actor, NEEDS.get(asked.theme, "layer.view" if asked.theme == BORDERS else "insight.view"))
    shown = choose(source, asked)
    theme = make_theme(source, asked, shown)
    rows = {level: shown.rows[level] for level in shown.levels}
    drawn, tolerance_m = _draw(source, rows)
    features = {level: _features(source, level, rows[level], drawn[level], theme) for level in shown.levels}
    plan = _plan(source, shown, theme)
    data = {**{f"areas/{level}": {"areas": found} for level, found in features.items()}, **theme.data}
    sheet = _sheet(source, asked, shown, theme, tolerance_m)
    html = _write(plan, sheet, data)
    name = f"map-{shown.level}-{asked.theme}-{source.as_of.astimezone(source.say.times.timezone):%Y%m%d}.html"
    return MapFile(html, name, shown.level, tuple(shown.notes))


def _draw(source: MapFileSource, rows: dict[str, NDArray[np.intp]]) -> tuple[dict[str, list[Any]], float]:
    """Return the rings of each level, simplified as far as their weight asks for, and how far that was in metres."""
    sketches = load_sketches(source.work, source.snapshot, rows)
    tolerance_m = FIRST_TOLERANCE_M
    while True:
        drawn = {
            level: [encode_rings(shape) for shape in shapes] for level, shapes in sketches.draw(tolerance_m).items()
        }
        if len(orjson.dumps(drawn)) <= MOST_BYTES or tolerance_m >= LAST_TOLERANCE_M:
            return drawn, tolerance_m
        tolerance_m *= 2


def _features(
    source: MapFileSource, level: str, rows: NDArray[np.intp], rings: list[Any], theme: Theme
) -> list[dict[str, Any]]:
    table, tables = source.snapshot.tables[level], source.snapshot.tables
    found = []
    for row, shape in zip(rows.tolist(), rings, strict=True):
        above = [
            [source.say.level_name(parent), tables[parent].names[int(at[row])] or tables[parent].codes[int(at[row])]]
            for parent, at in table.parents.items()
            if at[row] >= 0 and parent in tables
        ]
        code = table.codes[row]
        one: dict[str, Any] = {
            "code": code,
            "name": table.names[row] or code,
            "label": [round(float(value), 6) for value in table.label_lonlat[row]],
            "above": above,
            "rings": shape,
        }
        if code in theme.cells:
            one["counts"] = list(theme.cells[code])
        found.append(one)
    return found


def _plan(source: MapFileSource, shown: Shown, theme: Theme) -> MapPlan:
    say = source.say
    layers: list[Any] = list(theme.under)
    for level in shown.levels:
        layer = shown.layers[level]
        leads = level == shown.level
        layers.append(
            AreaLayer(
                url=f"areas/{level}",
                level=level,
                leads_from=0 if leads else NEVER,
                chiefs_from=NEVER,
                zooms=[0, 22] if leads else list(layer.zooms),
                color=layer.style.color,
                weight=layer.style.weight,
                opacity=layer.style.opacity,
                fill=layer.style.fill_opacity,
            )
        )
    behaviour = Behaviour(
        "sheet",
        level=shown.level,
        show="value",
        few=FEW,
        bare=bool(theme.under),
        shades=theme.shades,
        frame=theme.frame,
        columns=list(theme.columns),
    )
    table = source.snapshot.tables[shown.level]
    box = source.snapshot.bounds
    if len(shown.rows[shown.level]) < len(table):
        box = _box_of(table.label_lonlat[shown.rows[shown.level]])
    assert box is not None  # there are areas
    view = View(box=(box[0], box[1], box[2], box[3]))
    return MapPlan(view, say.t("mapfile.map"), [*layers, LabelLayer(), *theme.over], behaviour, {"zoom_snap": 0.25})


def _box_of(lonlat: NDArray[np.float64]) -> tuple[float, float, float, float]:
    west, south = lonlat.min(axis=0).tolist()
    east, north = lonlat.max(axis=0).tolist()
    margin = max(0.15 * max(east - west, north - south), 0.004)
    return west - margin, south - margin, east + margin, north + margin


def _sheet(source: MapFileSource, asked: MapFileAsked, shown: Shown, theme: Theme, tolerance_m: float) -> Sheet:
    say = source.say
    site = source.site or say.t("frame.site")
    title = [theme_title(say, asked.theme), say.level_name(shown.level)]
    if asked.area is not None:
        title.insert(0, asked.area.name or asked.area.code)
    if asked.theme not in (BORDERS, CASES):
        title.append(window_name(say, asked.window))
    facts = [
        *theme.facts,
        (say.t("mapfile.datum"), say.t("mapfile.datum_text")),
        (
            say.t("mapfile.source"),
            say.t(
                "mapfile.source_text", site=source.site or say.t("frame.site"), generation=source.snapshot.generation
            ),
        ),
        (say.t("mapfile.simplified"), say.t("mapfile.simplified_text", metres=f"{tolerance_m:g}")),
        *((say.t("mapfile.note"), note) for note in shown.notes),
    ]
    lines = [
        ClassLine("line", layer.legend(say.language), _css(layer.style.color), weight=layer.style.weight)
        for layer in (shown.layers[level] for level in shown.levels)
    ]
    toggles = [(level, say.level_name(level)) for level in shown.levels]
    toggles.append(("labels", say.t("city.labels")))
    if theme.under or theme.over:
        toggles.insert(0, ("theme", theme_title(say, asked.theme)))
    table = source.snapshot.tables[shown.level]
    rows = [
        Row(table.codes[row], table.names[row] or table.codes[row], theme.cells[table.codes[row]])
        for row in shown.rows[shown.level].tolist()
        if table.codes[row] in theme.cells
    ]
    words = say.book.under(say.language, "script")
    return Sheet(
        html_language="zh-CN" if say.language == "zh" else "en",
        title=site,
        subtitle=" · ".join(title),
        date=say.t("mapfile.made", at=source.as_of.astimezone(say.times.timezone).strftime("%Y-%m-%d %H:%M")),
        warning=_warning(say, asked),
        caption=_caption(source, asked),
        facts=facts,
        legend=[*theme.legend, *lines],
        toggles=toggles,
        labels={
            name: say.t(f"mapfile.{name}")
            for name in ("legend", "layers", "table", "name", "about", "close", "noscript")
        },
        columns=theme.columns,
        rows=rows,
        words={"zoom_in": words["zoom_in"], "zoom_out": words["zoom_out"], "code": words["code"]},
    )


def _caption(source: MapFileSource, asked: MapFileAsked) -> str:
    """Return the line under the map, as the pages have it."""
    lines = [source.caption]
    if source.review_number:
        lines.append(source.say.t("frame.review", number=source.review_number))
    elif asked.staff and not source.caption:
        lines.append(source.say.t("frame.internal"))
    return " · ".join(line for line in lines if line)


def _warning(say: Speech, asked: MapFileAsked) -> str:
    if not asked.staff:
        return ""
    return say.t("mapfile.staff_borders" if asked.theme == BORDERS else "mapfile.staff")


def _css(colour: str) -> str:
    return f"var({colour})" if colour.startswith("--") else colour


def _write(plan: MapPlan, sheet: Sheet, data: Mapping[str, Any]) -> str:
    # The elements of script and style are written here and not in the template: nothing in them is filled in, and the
    # policy allows these very texts only.
    made = inline(plan, static_dir())
    return _template().render(
        sheet=sheet,
        map=Markup(made.html),  # noqa: S704  # an empty element of our own
        style=Markup(f"<style>{made.style}</style>"),  # noqa: S704  # files of ours
        script=Markup(f"<script>{made.script}</script>"),  # noqa: S704  # files of ours, and data through script_json
        policy=made.policy,
        words=Markup(script_json(dict(sheet.words))),  # noqa: S704  # written so that it may stand in a script element
        data=Markup(script_json(data)),  # noqa: S704  # likewise
    )


@cache
def _template() -> Template:
    """Return the template; the command line has no app that could."""
    environment = Environment(
        loader=PackageLoader("mapsvc.web", "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("standalone.html")
