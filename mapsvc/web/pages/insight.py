"""Figures: rates by their names with interval and count, maps of them, trends, and the formulas (数据口径)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np
import orjson
from flask import Response, render_template, request, url_for

from mapsvc.base.errors import InvalidInput, NotFound
from mapsvc.cases.rules.values import CHANNEL_GROUPS
from mapsvc.insight.queries.figures import Figures
from mapsvc.insight.queries.months import count_numbers, differences, find_month
from mapsvc.insight.queries.tables import (
    AreaFigures,
    MonthLine,
    areas_by_month,
    areas_shown,
    by_area,
    by_code,
    by_month,
)
from mapsvc.insight.queries.walked import walked_by_area
from mapsvc.insight.rules.intervals import FEW
from mapsvc.insight.rules.rates import FORMULAS, MAPPED, SUMMARY, Formula
from mapsvc.insight.rules.windows import SPANS, Window, months_up_to
from mapsvc.insight.service.briefing.print import print_briefing
from mapsvc.insight.service.months import check_may_print
from mapsvc.maps.compose import View
from mapsvc.patrols.queries.effort import effort_cells
from mapsvc.people.rules.permissions import allows
from mapsvc.web.guard import permission
from mapsvc.web.pages.blueprint import pages
from mapsvc.web.pages.cases import area_options
from mapsvc.web.pages.figures import HEATS, SHOWS, Asked, figures_of, read_asked
from mapsvc.web.pages.forms import form_text
from mapsvc.web.pages.frame import area_url, speech
from mapsvc.web.pages.maps import district_view, draw, map_of
from mapsvc.web.parts import actor, now, parts, snapshot
from mapsvc.web.present import insight as present
from mapsvc.web.present.insight import Links, RateText, per_cent
from mapsvc.web.present.worklist import Option

MONTHS = 12
CODES = 10


@dataclass(frozen=True)
class Choices:
    """The selectors of the page."""

    windows: tuple[Option, ...]
    levels: tuple[Option, ...]
    shows: tuple[Option, ...]
    rates: tuple[Option, ...]
    areas: tuple[Option, ...]
    categories: tuple[Option, ...]
    channels: tuple[Option, ...]
    history: bool


@dataclass(frozen=True)
class InsightPage:
    """What the page reads."""

    title: str
    scope: str
    as_of: str
    choices: Choices
    tally: present.TallyText
    rates: tuple[RateText, ...]
    chosen: Formula
    chosen_title: str
    chosen_formula: str
    whole: RateText
    level_name: str
    areas: tuple[present.AreaText, ...]
    months: tuple[present.LineText, ...]
    categories: tuple[present.LineText, ...]
    channels: tuple[present.LineText, ...]
    shades: tuple[present.Shade, ...]
    frozen: present.FrozenText | None
    walked: present.WalkedText | None
    slider: tuple[str, ...]
    slider_at: int
    may_print: bool
    export_url: str
    few: int
    charts: dict[str, Any]


@pages.get("/insight")
@permission("insight.view")
def insight() -> str:
    asked = read_asked(request.args)
    say, figures = speech(), figures_of(asked.question())
    links = Links(url_for("pages.case_list"), asked.kept, int(figures.question.as_of.timestamp()))
    windows = months_up_to(now(), parts().settings.timezone, MONTHS)
    table, months = _areas(figures, asked), by_month(figures, asked.rate, windows)
    chosen, walked = FORMULAS[asked.rate], _walked(asked)
    page = InsightPage(
        title=present.window_name(say, asked.window),
        scope=asked.area.name if asked.area else say.t("insight.everything"),
        as_of=say.when(figures.question.as_of),
        choices=_choices(asked, windows),
        tally=present.tally_text(figures.tally(), links),
        rates=_summary(figures, links),
        chosen=chosen,
        chosen_title=chosen.title(say.language),
        chosen_formula=chosen.formula(say.language),
        whole=present.rate_text(say, figures.rate(asked.rate), links),
        level_name=say.level_name(asked.level),
        areas=present.area_texts(say, table, links, _area_urls(table)) if table else (),
        months=present.month_texts(say, months, links, {w.name: _url(asked, window=w.name) for w in windows}),
        categories=present.code_texts(say, by_code(figures, asked.rate, "category", CODES), links, "category"),
        channels=present.code_texts(say, by_code(figures, asked.rate, "channel", CODES), links, "channel"),
        shades=_shades(asked, walked),
        walked=walked,
        frozen=_frozen(asked, figures),
        slider=tuple(present.window_name(say, window) for window in windows),
        slider_at=_slider_at(windows, asked.window),
        may_print=allows(actor(), "insight.export"),
        export_url=_export_url(asked),
        few=FEW,
        charts=_charts(table, months),
    )
    return render_template("insight.html", page=page, asked=asked, map=draw(_map(asked, table, page)))


def _areas(figures: Figures, asked: Asked) -> AreaFigures | None:
    if not asked.level:
        return None
    table, rows = areas_shown(snapshot(), actor(), asked.level, figures.question.area_id)
    return by_area(figures, table, rows, asked.level, asked.rate)


def _shades(asked: Asked, walked: present.WalkedText | None) -> tuple[present.Shade, ...]:
    if walked is not None:
        return walked.shades
    return present.standing_shades(speech()) if asked.show == "limits" else present.shades_of(speech(), asked.rate)


def _walked(asked: Asked) -> present.WalkedText | None:
    """Return findings per kilometre walked of each area, where they are asked for."""
    if asked.show != "per_km" or not asked.level:
        return None
    question = asked.question()
    table, rows = areas_shown(snapshot(), actor(), asked.level, question.area_id)
    with parts().store.read() as work:
        cells = effort_cells(work, actor(), asked.window.first, asked.window.last)
    lines = walked_by_area(parts().columns.current(), actor(), snapshot(), question, table, rows, cells)
    return present.walked_text(speech(), lines)


def _summary(figures: Figures, links: Links) -> tuple[RateText, ...]:
    say, found = speech(), []
    beside = {name for formula in FORMULAS.values() for name in formula.beside}
    for rate in figures.summary(SUMMARY):
        text = present.rate_text(say, rate, links)
        found.append(_beside(text) if rate.name in beside else text)
    return tuple(found)


def _beside(text: RateText) -> RateText:
    return RateText(**{**vars(text), "beside": True})


def _frozen(asked: Asked, figures: Figures) -> present.FrozenText | None:
    """Return when this month was printed for this area; a narrowed question was never printed."""
    if not asked.window.month or asked.category or asked.channel or not asked.history:
        return None
    with parts().store.read() as work:
        frozen = find_month(work, asked.window.month, figures.question.area_id)
    if frozen is None:
        return None
    return present.frozen_text(speech(), frozen, differences(frozen.numbers, count_numbers(figures)))


def _area_urls(figures: AreaFigures) -> dict[str, str]:
    return {line.code: area_url(figures.level, line.code) for line in figures.lines}


def _url(asked: Asked, **changes: str) -> str:
    return f"{url_for('pages.insight')}?{urlencode({**asked.values, **changes}, safe=':.')}"


def _export_url(asked: Asked) -> str:
    """Return where the map on the page is made into a file of its own; empty for who may not."""
    if not allows(actor(), "map.export"):
        return ""
    theme = "heat" if asked.show in HEATS else asked.rate
    return url_for("pages.map_export", theme=theme, level=asked.level, window=asked.window.name,
                   area=asked.kept.get("area"), audience="staff")  # fmt: skip


def _slider_at(windows: tuple[Window, ...], window: Window) -> int:
    names = [each.name for each in windows]
    return names.index(window.name) if window.name in names else len(names) - 1


def _choices(asked: Asked, windows: tuple[Window, ...]) -> Choices:
    say, here = speech(), asked.window.name
    times = [Option(w.name, present.window_name(say, w), w.name == here) for w in reversed(windows)]
    times += [Option(name, say.t(f"insight.last_{name}"), name == here) for name in SPANS]
    if not any(option.here for option in times):
        times.insert(0, Option(here, present.window_name(say, asked.window), here=True))
    majors = [Option(one.code, f"{one.code} {one.title(say.language)}", one.code == asked.category)
              for one in say.categories.majors]  # fmt: skip
    if asked.category and not any(option.here for option in majors):
        majors.append(Option(asked.category, say.category_name(asked.category), here=True))
    order = [level for level in parts().levels.codes if level in snapshot().tables]
    area = f"{asked.area.level}:{asked.area.code}" if asked.area else ""
    return Choices(
        windows=tuple(times),
        levels=tuple(Option(level, say.level_name(level), level == asked.level) for level in order),
        shows=tuple(Option(show, say.t(f"insight.show_{show}"), show == asked.show) for show in SHOWS),
        rates=tuple(Option(name, FORMULAS[name].title(say.language), name == asked.rate) for name in MAPPED),
        areas=area_options(area),
        categories=tuple(majors),
        channels=tuple(
            Option(name, say.t(f"insight.channel_{name}"), name == asked.channel) for name in CHANNEL_GROUPS
        ),
        history=asked.history,
    )


def _map(asked: Asked, table: AreaFigures | None, page: InsightPage) -> Any:
    frame: dict[str, list[float]] = {}
    if page.walked is not None:
        frame = page.walked.frame
    elif table is not None:
        frame = {line.code: [line.rate.numerator, line.rate.n, line.standing] for line in table.lines}
    data = {
        "level": asked.level,
        "show": asked.show,
        "few": 0 if page.walked else FEW,
        "frame": frame,
        "frames_url": f"{url_for('pages.insight_frames')}?{urlencode(asked.values, safe=':.')}",
        "at": page.slider_at,
        "months": list(page.slider),
        "shades": [{"upto": shade.upto, "colour": shade.colour} for shade in page.shades],
        "standings": present.STANDING_COLOURS,
        "area_url": url_for("pages.area_list"),
    }
    if asked.show in HEATS:
        data["heat"] = _heat(asked)
    view = _view(asked)
    return map_of().insight(view, speech().t("insight.map"), **data)


def _heat(asked: Asked) -> dict[str, Any]:
    """Return what the heat of the window is drawn from: the cases that came in, by the same filters as the page."""
    windows = months_up_to(now(), parts().settings.timezone, MONTHS)
    chosen = {
        "category": asked.category,
        "channel": ",".join(CHANNEL_GROUPS.get(asked.channel, ())),
        "area_id": str(asked.area.area_id) if asked.area else "",
        "historic": "true" if asked.history else "false",
        "per": "km" if asked.show == "heat_km" else "",
    }
    return {
        "tiles_url": url_for("tiles.heat.heat_tile", z=0, x=0, y=0).replace("/0/0/0.png", "/{z}/{x}/{y}.png"),
        "legend_url": url_for("tiles.heat.heat_legend"),
        "filter": {name: value for name, value in chosen.items() if value},
        "whole": {"from": windows[0].first.isoformat(), "to": windows[-1].last.isoformat()},
        "first": asked.window.first.isoformat(),
        "last": asked.window.last.isoformat(),
        "legend": speech().find("insight.heat_km_legend" if asked.show == "heat_km" else "insight.heat_legend") or "",
        "unknown": speech().t("insight.walked_too_little"),
    }


def _view(asked: Asked) -> View:
    if asked.area is None:
        return district_view()
    table = snapshot().tables[asked.area.level]
    lon, lat = table.label_lonlat[int(np.flatnonzero(table.area_ids == asked.area.area_id)[0])]
    return View(lon=float(lon), lat=float(lat), zoom=14)


def _charts(table: AreaFigures | None, months: tuple[MonthLine, ...]) -> dict[str, Any]:
    """Return what the charts draw; their tables stand on the page."""
    say = speech()
    found: dict[str, Any] = {
        "trend": [
            {
                "name": present.window_name(say, line.window), "share": line.rate.share, "n": line.rate.n,
                "low": line.rate.low, "high": line.rate.high, "few": line.rate.n < FEW,
            }
            for line in months
        ]
    }  # fmt: skip
    if table is not None:
        limits = table.limits
        found["centre"] = None if np.isnan(limits.centre) else limits.centre
        found["areas"] = [
            {
                "name": line.name, "n": line.rate.n, "share": line.rate.share, "text": per_cent(line.rate.share or 0.0),
                "standing": present.standing_name(line.standing),
                "limits": [float(limit[at]) for limit in (limits.low95, limits.high95, limits.low998, limits.high998)],
            }
            for at, line in enumerate(table.lines)
            if line.rate.share is not None
        ]  # fmt: skip
    return found


@pages.get("/insight/frames")
@permission("insight.view")
def insight_frames() -> Response:
    """Return the areas of a level through twelve months: numerator, total and standing of each."""
    asked = read_asked(request.args)
    if not asked.level:
        raise InvalidInput("no_areas", "There are no areas yet.", hint="Import borders first.")
    windows = months_up_to(now(), parts().settings.timezone, MONTHS)
    if asked.show == "per_km":
        return _walked_frames(asked, windows)
    figures = figures_of(asked.question())
    table, rows = areas_shown(snapshot(), actor(), asked.level, figures.question.area_id)
    frames = areas_by_month(figures, table, rows, asked.level, asked.rate, windows)
    told = {
        "months": [present.window_name(speech(), window) for window in frames.windows],
        "codes": frames.codes,
        "numerators": frames.numerators.tolist(),
        "totals": frames.totals.tolist(),
        "standings": frames.standings.tolist(),
    }
    return Response(orjson.dumps(told), content_type="application/json")


def _walked_frames(asked: Asked, windows: tuple[Window, ...]) -> Response:
    """Return findings and kilometres of each area and month; 0 kilometres where too little was walked to tell."""
    months = [_walked(replace(asked, window=window)) for window in windows]
    frames = [month.frame for month in months if month is not None]
    codes = list(frames[-1])
    told = {
        "months": [present.window_name(speech(), window) for window in windows],
        "codes": codes,
        "numerators": [[frame[code][0] for code in codes] for frame in frames],
        "totals": [[frame[code][1] for code in codes] for frame in frames],
        "standings": [[2] * len(codes)] * len(frames),
    }
    return Response(orjson.dumps(told), content_type="application/json")


@pages.post("/insight/briefing")
@permission("insight.export")
def insight_briefing() -> Response:
    """Print the briefing of an area as Word, Excel or a picture; the first print of a past month fixes its figures."""
    asked = read_asked({"window": form_text("window"), "area": form_text("area")})
    if form_text("area") and asked.area is None:
        raise NotFound("unknown_area", "There is no such area, or it is not yours.", hint="Choose another.")
    check_may_print(actor(), snapshot(), asked.area.area_id if asked.area else None)
    figures = Figures(parts().columns.current(fresh=True), actor(), asked.question())
    with parts().store.write() as work:
        printed = print_briefing(
            work, parts().settings, parts().rulebook, snapshot(), figures, asked.window, form_text("form")
        )
    answer = Response(printed.content, content_type=printed.content_type)
    answer.headers.set("Content-Disposition", "attachment", filename=f"briefing.{form_text('form')}")
    plain = answer.headers["Content-Disposition"]
    answer.headers["Content-Disposition"] = f"{plain}; filename*=UTF-8''{quote(printed.name)}"
    answer.headers["Cache-Control"] = "no-store"
    return answer


@pages.get("/insight/formulas")
@permission("insight.view")
def insight_formulas() -> str:
    """Show what every figure is a share of (数据口径)."""
    say = speech()
    formulas = [(one.title(say.language), one.zh, one.formula(say.language)) for one in FORMULAS.values()]
    return render_template("insight_formulas.html", formulas=formulas, few=FEW)
