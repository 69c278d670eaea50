"""What the themes of a stand-alone map bring: colours and figures of areas, heat, or open cases."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mapsvc.base.errors import InvalidInput
from mapsvc.cases.queries.columns.masks import CaseFilter, filter_mask, visible_mask
from mapsvc.geo import heat_classes
from mapsvc.insight.queries.figures import Figures, Question
from mapsvc.insight.queries.heat import make_heat
from mapsvc.insight.queries.tables import AreaLine, by_area
from mapsvc.insight.rules.intervals import FEW
from mapsvc.insight.rules.rates import FORMULAS
from mapsvc.maps.pictures import draw_region
from mapsvc.maps.standalone import Picture, PointLayer, data_url
from mapsvc.web.outlines import ROUGH_DIGITS
from mapsvc.web.present.insight import per_cent, shades_of
from mapsvc.web.present.mapfile.asked import BORDERS, CASES, HEAT, MapFileAsked, MapFileSource, Shown
from mapsvc.web.present.speech import Speech

MOST_POINTS = 20_000


@dataclass(frozen=True)
class ClassLine:
    """One line of the legend: `look` is fill, few, nothing, line or circle."""

    look: str
    text: str
    colour: str = ""
    opacity: float = 1.0
    weight: float = 2.0


@dataclass
class Theme:
    """What a theme brings: elements under and over the borders, data, legend, figures by area."""

    under: list[Any] = field(default_factory=list)
    over: list[Any] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    legend: list[ClassLine] = field(default_factory=list)
    facts: list[tuple[str, str]] = field(default_factory=list)
    columns: tuple[str, ...] = ()
    cells: dict[str, tuple[str, ...]] = field(default_factory=dict)
    frame: dict[str, list[int]] = field(default_factory=dict)
    shades: list[dict[str, Any]] = field(default_factory=list)


def theme_title(say: Speech, theme: str) -> str:
    """Return the name of a theme."""
    return FORMULAS[theme].title(say.language) if theme in FORMULAS else say.t(f"mapfile.theme_{theme}")


def make_theme(source: MapFileSource, asked: MapFileAsked, shown: Shown) -> Theme:
    if asked.theme == BORDERS:
        return Theme()
    if asked.theme == HEAT:
        return _heat(source, asked, shown)
    if asked.theme == CASES:
        return _cases(source, asked)
    return _rate(source, asked, shown)


def _question(source: MapFileSource, asked: MapFileAsked) -> Question:
    return Question(
        since=asked.window.since,
        until=asked.window.until,
        as_of=source.as_of,
        light=source.light,
        area_id=asked.area.area_id if asked.area else None,
    )


def _rate(source: MapFileSource, asked: MapFileAsked, shown: Shown) -> Theme:
    """Colour the areas by a rate; few cases are hatched and areas without any have no rate, as on the page."""
    say, table = source.say, source.snapshot.tables[shown.level]
    figures = Figures(source.columns(), source.actor, _question(source, asked))
    found = by_area(figures, table, shown.rows[shown.level], shown.level, asked.theme)
    formula = FORMULAS[asked.theme]
    shades = shades_of(say, asked.theme)
    legend = [ClassLine("fill", shade.text, shade.colour, 0.6) for shade in shades]
    legend += [
        ClassLine("few", say.t("insight.legend_few", few=FEW)),
        ClassLine("nothing", say.t("insight.legend_none")),
    ]
    return Theme(
        legend=legend,
        facts=[(formula.title(say.language), formula.formula(say.language))],
        columns=(formula.title(say.language), say.t("insight.interval"), say.t("mapfile.counts")),
        cells={line.code: _cells(line) for line in found.lines},
        frame={line.code: [line.rate.numerator, line.rate.n, line.standing] for line in found.lines},
        shades=[{"upto": shade.upto, "colour": shade.colour} for shade in shades],
    )


def _cells(line: AreaLine) -> tuple[str, ...]:
    rate = line.rate
    if rate.share is None or rate.low is None or rate.high is None:
        return "–", "–", "–"
    return per_cent(rate.share), f"{per_cent(rate.low)} – {per_cent(rate.high)}", f"{rate.numerator} / {rate.n}"


def _heat(source: MapFileSource, asked: MapFileAsked, shown: Shown) -> Theme:
    say, columns = source.say, source.columns()
    wanted = CaseFilter(
        received_from=asked.window.since,
        received_to=asked.window.until,
        area_id=asked.area.area_id if asked.area else None,
    )
    marked = visible_mask(columns, source.actor) & filter_mask(columns, wanted, source.as_of)
    box = None if asked.area else source.snapshot.bounds
    found = make_heat(columns, marked, box, None)
    step = heat_classes.step_for(found.highest)
    limits = heat_classes.limits(step) if step else ()
    legend = []
    for at, low in enumerate(limits):
        words = f"{low:g} – {limits[at + 1]:g}" if at + 1 < len(limits) else f"≥ {low:g}"
        legend.append(ClassLine("fill", words, heat_classes.COLOURS[at], heat_classes.OPACITIES[at]))
    told = say.t("insight.heat_legend", width=f"{found.frame.width_m:g}", count=found.n)
    theme = Theme(legend=legend, facts=[(say.t("insight.show_heat"), told)])
    frame = found.frame
    whole = (frame.west, frame.south, frame.west + frame.columns * frame.dlon, frame.south + frame.rows * frame.dlat)
    if step:
        picture = draw_region(frame, found.values, whole, step)
        west, south, east, north = picture.box
        theme.under.append(Picture(url=data_url(picture.png, "image/png"), bounds=[[south, west], [north, east]]))
    return theme


def _cases(source: MapFileSource, asked: MapFileAsked) -> Theme:
    """Count open cases at places rounded as they are for the public: how many, how many overdue, and nothing else."""
    say, columns = source.say, source.columns()
    area_id = asked.area.area_id if asked.area else None
    visible = visible_mask(columns, source.actor)
    counted: list[Counter[tuple[float, float]]] = []
    for overdue in (False, True):
        wanted = CaseFilter(area_id=area_id, open_only=True, overdue=overdue, include_historic=False)
        marked = (visible & filter_mask(columns, wanted, source.as_of))[: columns.placed]
        rows = np.flatnonzero(marked)
        lon, lat = (np.round(column[rows], ROUGH_DIGITS).tolist() for column in (columns.lon, columns.lat))
        counted.append(Counter(zip(lon, lat, strict=True)))
    every, late = counted
    if len(every) > MOST_POINTS:
        raise InvalidInput(
            "too_many_points",
            f"{sum(every.values()):,} open cases are too many for one file.",
            hint="Ask for one area (--area LEVEL:CODE), or for heat.",
        )
    points = [[lon, lat, count, late[lon, lat]] for (lon, lat), count in sorted(every.items())]
    return Theme(
        over=[PointLayer(url="points")],
        data={"points": {"points": points}},
        legend=[
            ClassLine("circle", say.t("mapfile.circle"), "var(--accent)"),
            ClassLine("circle", say.t("mapfile.circle_overdue"), "var(--danger)"),
        ],
        facts=[(say.t("mapfile.theme_cases"), say.t("mapfile.cases_note", count=sum(every.values())))],
    )
