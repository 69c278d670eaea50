"""The city map at `/`, and the data that only maps need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from flask import Response, render_template, request, url_for

from mapsvc.base.errors import InvalidInput
from mapsvc.cases.queries.counters import count_open_by_area, list_points
from mapsvc.cases.queries.views import CaseFilters
from mapsvc.people.rules.permissions import allows
from mapsvc.web.guard import permission
from mapsvc.web.outlines import hides_borders
from mapsvc.web.pages.blueprint import pages
from mapsvc.web.pages.forms import read_id
from mapsvc.web.pages.frame import speech
from mapsvc.web.pages.ground import drawn_ground
from mapsvc.web.pages.maps import district_view, draw, map_of
from mapsvc.web.parts import actor, parts, snapshot, today
from mapsvc.web.present.legend import Legend, ground_legend, line_legend, shapes_of, sign_legend
from mapsvc.web.present.search import search
from mapsvc.web.present.worklist import read_box

SHADES = ((0, 0, "#fee838"), (1, 2, "#bcaf6f"), (3, 5, "#7d7c78"), (6, 10, "#434e6c"), (11, None, "#00224e"))
"""Five steps of cividis, the more the darker: told apart in grey and without red or green."""


MOST_CHIEFS = 500
"""Names of chiefs in one answer: more labels than that have no room on a screen."""


@dataclass(frozen=True)
class Choice:
    """A level to choose, or a layer to switch."""

    level: str
    name: str
    layer: str = ""
    shown: bool = True


@dataclass(frozen=True)
class Shade:
    """One class of the shading: up to how many, its colour, its words."""

    upto: int | None
    colour: str
    text: str


@dataclass(frozen=True)
class City:
    """What the page of the city map shows beside the map."""

    level_choices: tuple[Choice, ...]
    toggles: tuple[Choice, ...]
    shades: tuple[Shade, ...]
    shows_cases: bool
    legend: Legend
    no_borders: bool
    no_areas: bool
    may_export: bool


@pages.get("/")
@permission("public")
def city_map() -> str:
    made = map_of()
    levels = [layer.level for layer in made.audience.choose(parts().layers, "areas") if layer.level in made.levels]
    page = _city(levels, shows_cases=allows(actor(), "case.view"))
    data: dict[str, Any] = {
        "level_names": {level: speech().level_name(level) for level in levels},
        "locate_url": url_for("api.locate.locate"),
        "area_url": url_for("pages.area_list"),
        "search_url": url_for("pages.map_search"),
        "case_cards_url": url_for("pages.case_cards"),
        "figures_url": url_for("pages.area_figures") if page.shades else "",
        "shades": [{"upto": shade.upto, "colour": shade.colour} for shade in page.shades],
    }
    drawn = draw(made.city(district_view(), speech().t("city.title"), **data))
    return render_template("city.html", map=drawn, city=page)


def _city(levels: list[str], *, shows_cases: bool) -> City:
    say, ground = speech(), drawn_ground()
    toggles = [Choice("", say.t("city.labels"), "labels")] if levels or ground else []
    if shows_cases:
        toggles.append(Choice("", say.t("city.cases"), "cases"))
    drawn = map_of().ground.shows_own
    toggles += [
        Choice("", one.layer.legend(say.language), f"ground:{one.layer.code}", drawn) for one in reversed(ground)
    ]
    return City(
        level_choices=tuple(Choice(level, say.level_name(level)) for level in levels),
        toggles=tuple(toggles),
        shades=_shades() if shows_cases and levels else (),
        shows_cases=shows_cases,
        legend=Legend(
            signs=sign_legend(say) if shows_cases else (),
            lines=line_legend(say, parts().layers, levels),
            shapes=shapes_of(say, *(["group"] if shows_cases else []), *(["chosen"] if levels else [])),
            ground=ground_legend(say, ground),
        ),
        no_borders=not map_of().audience.sees_borders,
        no_areas=not snapshot().tables,
        may_export=bool(levels) and allows(actor(), "map.export"),
    )


def _shades() -> tuple[Shade, ...]:
    say = speech().t
    found = []
    for low, high, colour in SHADES:
        if high == 0:
            text = say("city.shade_none")
        elif high is None:
            text = say("city.shade_more", low=low)
        else:
            text = say("city.shade_range", low=low, high=high)
        found.append(Shade(high, colour, text))
    return tuple(found)


@pages.get("/map/cases")
@permission("case.view")
def case_points() -> Response:
    """Return open cases as dots that the asker may see; all, or those of an area."""
    area_id = read_id(request.args.get("area_id", ""))
    filters = CaseFilters(area_id=area_id, open_only=True, include_historic=False)
    with parts().store.read() as work:
        points = list_points(work, actor(), filters)
    cases = [
        {"id": p.id, "lon": p.lon, "lat": p.lat, "state": p.state, "overdue": p.overdue, "edge": p.edge} for p in points
    ]
    return Response(orjson.dumps({"cases": cases}), content_type="application/json")


@pages.get("/map/figures")
@permission("case.view")
def area_figures() -> Response:
    """Return how many cases are open in each area of a level, by code; over what the asker may see."""
    level = request.args.get("level", "")
    table = snapshot().tables.get(level)
    if table is None:
        raise InvalidInput("unknown_level", f"No areas of a level {level[:40]!r} are in force.")
    with parts().store.read() as work:
        counted = count_open_by_area(work, actor(), level)
    codes = dict(zip(table.area_ids.tolist(), table.codes, strict=True))
    figures = {codes[area_id]: count for area_id, (count, _) in counted.items() if area_id in codes}
    return Response(orjson.dumps({"open": figures}), content_type="application/json")


@pages.get("/map/chiefs")
@permission("layer.view")
def map_chiefs() -> Response:
    """Return who answers for the areas of a level that are labelled in a box, by code; at most `MOST_CHIEFS`.

    Names that are not posted up are told to staff only, and where a label lies only to those who may see borders.
    """
    level, box = request.args.get("level", ""), read_box(request.args.get("box", ""))
    table = snapshot().tables.get(level)
    if table is None or box is None:
        raise InvalidInput("bad_bbox", "A level and a box of the map are asked for.", hint="Use the links of the map.")
    names = {}
    if not hides_borders():
        west, south, east, north = box
        lon, lat = table.label_lonlat.T
        staff, shown, on = allows(actor(), "locate.names"), snapshot(), today()
        rows = np.flatnonzero((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))
        for row in rows[:MOST_CHIEFS].tolist():
            found = shown.responsible(int(table.area_ids[row]), on)
            if found is not None and (staff or found.public):
                names[table.codes[row]] = found.name
    return Response(orjson.dumps({"names": names}), content_type="application/json")


@pages.get("/map/search")
@permission("layer.view")
def map_search() -> Response:
    """Return areas and named places on the ground that match `q`: a code, a name, or a part of one."""
    found = search(speech(), snapshot(), drawn_ground(), request.args.get("q", ""))
    return Response(orjson.dumps({"found": found}), content_type="application/json")
