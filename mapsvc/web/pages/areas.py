"""A chief's patch and the page of any other area; the list of areas with who answers for them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from mapsvc.areas.queries.posts import list_team
from mapsvc.areas.rules.located import AreaAt
from mapsvc.base.errors import NotFound
from mapsvc.cases.queries.counters import counters
from mapsvc.cases.queries.views import CaseFilters, CaseRow, Counters
from mapsvc.cases.queries.worklist import list_cases
from mapsvc.maps.compose import View
from mapsvc.people.rules.permissions import allows
from mapsvc.storage.work import Work
from mapsvc.web.guard import permission
from mapsvc.web.pages.arearates import rates_of
from mapsvc.web.pages.blueprint import pages
from mapsvc.web.pages.frame import area_url, speech
from mapsvc.web.pages.maps import district_view, draw, map_of, shown_ground
from mapsvc.web.parts import actor, parts, snapshot, today
from mapsvc.web.present.areaview import AreaPage, heading_of, team_of
from mapsvc.web.present.counts import Count, count_of
from mapsvc.web.present.legend import Legend, ground_legend, line_legend, shapes_of, sign_legend

PAGE_COUNTS = ("to_sign", "due_today", "overdue", "handed", "in_progress", "open")
CARD_COUNTS = ("open", "to_sign", "due_today", "overdue")
CARDS = 50


@dataclass(frozen=True)
class LevelChoice:
    """One level of the list of areas."""

    level: str
    name: str
    count: int


@dataclass(frozen=True)
class AreaLine:
    """One line of the list of areas."""

    code: str
    name: str
    chief: str


@pages.get("/areas/<level>/<code>")
@permission("area.view")
def area_page(level: str, code: str) -> str | Response:
    get_area_at(level, code)
    if level == "patch" and allows(actor(), "patch.view"):
        return redirect(area_url(level, code), 301)
    return _area_page(level, code)


def _area_page(level: str, code: str) -> str:
    area = get_area_at(level, code)
    with parts().store.read() as work:
        counted = _count(work, area)
        made = _describe(work, area, counted, PAGE_COUNTS)
        rows, more = _open_cases(work, area)
    list_url = url_for("pages.case_list", area=f"{level}:{code}")
    lon, lat = label_point(area)
    made = replace(
        made,
        report_url=url_for("pages.case_new", lon=lon, lat=lat) if allows(actor(), "case.open") else "",
        settle=_action(counted, "in_progress", list_url),
        transfer=_action(counted, "edge", list_url),
    )
    view = View(lon=lon, lat=lat, zoom=16)
    plan = map_of().area(view, made.heading, level, code, area.area_id, url_for("pages.case_list"))
    more_url = list_url if more else ""
    return render_template(
        "area.html",
        area=made,
        rows=rows,
        more_url=more_url,
        map=draw(plan),
        legend=map_legend_of(level),
        rates=rates_of(area),
    )


def map_legend_of(level: str) -> Legend:
    """Return the legend of the map of one area."""
    say = speech()
    signs = sign_legend(say) if allows(actor(), "case.view") else ()
    shapes = shapes_of(say, *(["group"] if signs else []), "chosen")
    return Legend(signs, line_legend(say, parts().layers, [level]), shapes, ground_legend(say, shown_ground()))


def get_area_at(level: str, code: str) -> AreaAt:
    """Return an area in force by its code; an unknown one raises `NotFound`."""
    area = snapshot().find_area(level, code)
    if area is None:
        raise NotFound(
            "unknown_area", f"There is no {level[:40]} with the code {code[:40]}.", hint="Check the address."
        )
    return area


def label_point(area: AreaAt) -> tuple[float, float]:
    """Return the point at which an area's name stands, WGS 84 degrees."""
    table = snapshot().tables[area.level]
    row = int(np.flatnonzero(table.area_ids == area.area_id)[0])
    return float(table.label_lonlat[row, 0]), float(table.label_lonlat[row, 1])


def path_above(area: AreaAt) -> tuple[AreaAt, ...]:
    """Return the areas that hold this one, the largest first."""
    lon, lat = label_point(area)
    above = parts().levels.above(area.level) if area.level in parts().levels else ()
    found = snapshot().locate(lon, lat).areas
    return tuple(sorted((one for one in found if one.level in above), key=lambda one: above.index(one.level)))


def describe_area(work: Work, area: AreaAt) -> AreaPage:
    """Return an area with its people and places, without counters."""
    return _describe(work, area, None, ())


def _describe(work: Work, area: AreaAt, counted: Counters | None, names: tuple[str, ...]) -> AreaPage:
    say, who, on = speech(), actor(), today()
    staff = allows(who, "post.view")
    responsible = snapshot().responsible(area.area_id, on)
    members = list_team(work, area.area_id, on)
    table = snapshot().tables[area.level]
    row = int(np.flatnonzero(table.area_ids == area.area_id)[0])
    return AreaPage(
        level=area.level,
        code=area.code,
        name=area.name or area.code,
        heading=heading_of(say, area.level, area.name or area.code, responsible, staff=staff),
        path=path_above(area),
        team=team_of(say, area.level, members, staff=staff),
        counts=_counts(counted, area, names),
        households=table.households[row] if staff else None,
        vacant=staff and responsible is None,
        answering=_who_answers(area, on),
        shows_people=staff,
    )


def _who_answers(area: AreaAt, on: date) -> str:
    """Return who answers in place of a vacant chief: the next area of the chain that has one."""
    lon, lat = label_point(area)
    located = snapshot().locate(lon, lat)
    chain = parts().levels.chain("default")
    for level in chain[chain.index(area.level) + 1 :] if area.level in chain else ():
        above = located.find_area(level)
        found = snapshot().responsible(above.area_id, on) if above else None
        if above and found:
            return f"{above.name} {found.name}"
    return speech().t("area.vacant_above")


def _count(work: Work, area: AreaAt) -> Counters | None:
    return counters(work, actor(), parts().rulebook, area.area_id) if allows(actor(), "case.view") else None


def _action(counted: Counters | None, name: str, list_url: str) -> Count | None:
    """Return the list that an action begins at, with how many cases wait there."""
    return count_of(speech(), counted, name, list_url) if counted else None


def _counts(counted: Counters | None, area: AreaAt, names: tuple[str, ...]) -> tuple[Count, ...]:
    if counted is None:
        return ()
    list_url, extra = url_for("pages.case_list"), f"area={area.level}:{area.code}"
    found = [count_of(speech(), counted, name, list_url, extra) for name in names]
    return tuple(count for name, count in zip(names, found, strict=True) if name != "handed" or count.number != "0")


def _open_cases(work: Work, area: AreaAt) -> tuple[tuple[CaseRow, ...], bool]:
    if not allows(actor(), "case.view"):
        return (), False
    filters = CaseFilters(area_id=area.area_id, open_only=True, include_historic=False)
    page = list_cases(work, actor(), filters, limit=CARDS)
    return page.rows, page.cursor is not None


@pages.get("/areas/<level>/<code>/card")
@permission("public")
def area_card(level: str, code: str) -> str:
    if not map_of().audience.sees_borders:
        raise NotFound("unknown_area", "There is no such area.", hint="Check the address.")
    with parts().store.read() as work:
        area = get_area_at(level, code)
        made = _describe(work, area, _count(work, area), CARD_COUNTS)
    return render_template("pieces/area_card.html", area=made, rates=rates_of(area))


@pages.get("/areas")
@permission("area.view")
def area_list() -> str:
    tables = snapshot().tables
    order = [level for level in parts().levels.codes if level in tables]
    choices = tuple(LevelChoice(level, speech().level_name(level), len(tables[level])) for level in order)
    asked = request.args.get("level", "patch")
    known = asked in tables or asked in parts().levels  # of a level without areas the page says so
    level = asked if known else (order[0] if order else "")
    without_chief = request.args.get("without_chief") == "1"
    lines = _lines(level, without_chief=without_chief) if level in tables else ()
    return render_template(
        "area_list.html", choices=choices, level=level, areas=lines, without_chief=without_chief, view=district_view()
    )


def _lines(level: str, *, without_chief: bool) -> tuple[AreaLine, ...]:
    table, on = snapshot().tables[level], today()
    found = []
    for row, area_id in enumerate(table.area_ids.tolist()):
        who = snapshot().responsible(area_id, on)
        if without_chief and who is not None and not who.stand_in:
            continue
        chief = "" if who is None else who.name
        if who is not None and who.stand_in:
            chief = f"{chief} ({speech().t('post.' + who.stand_in)})"
        found.append(AreaLine(table.codes[row], table.names[row] or table.codes[row], chief))
    return tuple(found)
