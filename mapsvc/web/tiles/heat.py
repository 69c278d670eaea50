"""`/tiles/heat/...`: where cases lie close together, in cases per square kilometre, over what the asker may see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from typing import Annotated, Literal

from flask import Blueprint, Response
from pydantic import Field

from mapsvc.base.errors import InvalidInput
from mapsvc.cases.queries.columns.masks import CaseFilter, filter_mask, visible_mask
from mapsvc.geo import heat, heat_classes
from mapsvc.geo.tiles.mercator import MAX_ZOOM, get_tile
from mapsvc.insight.queries.heat import Heat
from mapsvc.insight.queries.walked import FOUND_BY, Walked, cells_seen, least_density
from mapsvc.maps.pictures import encode_png
from mapsvc.patrols.queries.effort import effort_cells, effort_state
from mapsvc.web.contract import Answer, operation
from mapsvc.web.guard import permission
from mapsvc.web.parts import actor, now, parts, snapshot, today
from mapsvc.web.respond import entity_tag, json_response, tagged, unchanged
from mapsvc.web.tiles.filters import CaseQuery, case_filter

blueprint = Blueprint("heat", __name__)

PNG = "image/png"
PIXELS = 256
MOST_MONTHS = 36
EARLIEST = date(2000, 1, 1)
"""Nothing was walked before."""


class HeatQuery(CaseQuery):
    """Which cases, how wide the kernel is, and where the lowest class begins."""

    width_m: Annotated[
        float | None,
        Field(
            description="Standard deviation of the kernel in metres; 150 where the region is no larger than a city.",
            ge=heat.LEAST_WIDTH_M,
            le=heat.MOST_WIDTH_M,
        ),
    ] = None
    step: Annotated[
        float | None,
        Field(
            description="Cases per km2 at which the lowest class begins: the same for maps that are compared.",
            gt=0,
            le=1e9,
        ),
    ] = None
    open_: Annotated[bool, Field(alias="open", description="Only cases that are not closed.")] = False
    historic: Annotated[bool, Field(description="With the history that imports brought in.")] = True
    per: Annotated[
        Literal["km2", "km"],
        Field(description="Divide by ground, or findings of patrols by kilometres walked (`effort.view`)."),
    ] = "km2"


class HeatLegendQuery(HeatQuery):
    """As the tiles; `by=month` makes classes that hold for each month of the window."""

    by: Annotated[Literal["", "month"], Field(description="Classes for each month from `from` to `to`.")] = ""


@dataclass(frozen=True)
class HeatClass:
    """One class: from how many cases per square kilometre, below how many (None: no end), its colour and opacity."""

    at_least: float
    below: float | None
    colour: str
    opacity: float


@dataclass(frozen=True)
class HeatMonth:
    """One month of the window: its first day and last day within it, its cases, its highest density."""

    first: date
    last: date
    n: int
    highest: float


@dataclass(frozen=True)
class HeatLegend:
    """What must stand beside the map: the kernel and its width, the number of cases, the classes of all its tiles.

    With `per=km` values are findings of patrols per kilometre walked, `km` in all; where less than `least_km_per_km2`
    was walked nothing can be told, and tiles bear a grey hatch there.
    `outside` cases are not drawn: they have no position, or lie beyond the borders. `step` is to be sent with every
    tile, so that they all bear these classes.
    """

    unit: str
    kernel: str
    width_m: float
    cell_m: float
    n: int
    outside: int
    highest: float
    step: float
    classes: tuple[HeatClass, ...]
    first: date | None
    last: date | None
    months: tuple[HeatMonth, ...]
    km: float | None
    least_km_per_km2: float | None


@blueprint.get("/heat/<int:z>/<int:x>/<int:y>.png")
@permission("case.view")
@operation(
    "Get a heat tile of the cases that one may see; 256 x 256 pixels, transparent where there is little.",
    {200: Answer("The picture; the legend of the same question says what its colours mean.", None, (PNG,))},
    query=HeatQuery,
    errors=(404,),
)
def heat_tile(query: HeatQuery, z: int, x: int, y: int) -> Response:
    tile = get_tile(z, x, y, MAX_ZOOM)
    question = _question(query)
    tag = entity_tag(question, tile, query.step)
    answer = unchanged(tag, public=False)
    if answer is not None:
        return answer
    found = _heat(query, question)
    step = query.step or heat_classes.step_for(found.highest)
    classes = heat_classes.classify(heat.sample(found.frame, found.values, tile, PIXELS), step)
    return tagged(Response(encode_png(classes), content_type=PNG), tag, public=False)


@blueprint.get("/heat.json")
@permission("case.view")
@operation(
    "Say what the colours of heat tiles mean: kernel and width, number of cases, classes that hold on every tile.",
    {200: Answer("The legend.", HeatLegend)},
    query=HeatLegendQuery,
)
def heat_legend(query: HeatLegendQuery) -> Response:
    question = _question(query)
    tag = entity_tag(question, query.step, query.by)
    answer = unchanged(tag, public=False)
    if answer is not None:
        return answer
    found = _heat(query, question)
    months = tuple(_months(query)) if query.by else ()
    highest = max((month.highest for month in months), default=0.0) if query.by else found.highest
    step = query.step or heat_classes.step_for(highest)
    limits = heat_classes.limits(step) if step else ()
    classes = tuple(
        HeatClass(
            limit, limits[n + 1] if n + 1 < len(limits) else None, heat_classes.COLOURS[n], heat_classes.OPACITIES[n]
        )
        for n, limit in enumerate(limits)
    )
    legend = HeatLegend(
        unit="cases/km2" if query.per == "km2" else "findings/km",
        kernel="gaussian",
        width_m=found.frame.width_m,
        cell_m=round(found.frame.cell_m, 1),
        n=found.n,
        outside=found.outside,
        highest=round(highest, 2),
        step=step,
        classes=classes,
        first=query.from_,
        last=query.to,
        months=months,
        km=None if found.km is None else round(found.km, 1),
        least_km_per_km2=None if found.km is None else round(least_density(found.frame.width_m), 2),
    )
    return tagged(json_response(legend), tag, public=False)


def _filter(query: HeatQuery) -> CaseFilter:
    return case_filter(query, open_only=query.open_, include_historic=query.historic)


def _question(query: HeatQuery) -> tuple[object, ...]:
    """Return what a raster depends on: the state of the cases and borders, who asks, the filter and the width.

    Of what was walked also its own state; who may not see it is refused here, before anything is answered.
    """
    question = parts().columns.current().key, snapshot().bounds, actor(), _filter(query), query.width_m
    if query.per == "km2":
        return question
    with parts().store.read() as work:
        return (*question, snapshot().key, effort_state(work, actor()))


def _heat(query: HeatQuery, question: tuple[object, ...]) -> Heat:
    columns = parts().columns.current()
    wanted = _filter(query)
    if query.per == "km":
        wanted = replace(wanted, channels=FOUND_BY)
    shown = visible_mask(columns, actor()) & filter_mask(columns, wanted, now())
    # One area is drawn within the box of its cases, which a finer kernel may fit; else within that of all borders.
    box = None if query.area_id is not None else snapshot().bounds
    key = (columns.key, *question[1:])
    walked = partial(_walked, query) if query.per == "km" else None
    return parts().heats.get(key, columns, shown, box, query.width_m, walked)


def _walked(query: HeatQuery) -> Walked:
    begin, end = query.from_ or EARLIEST, query.to or today()
    with parts().store.read() as work:
        cells = effort_cells(work, actor(), begin, end)
    return Walked(cells_seen(snapshot(), actor(), cells, query.area_id), snapshot())


def _months(query: HeatLegendQuery) -> Iterator[HeatMonth]:
    if query.from_ is None or query.to is None:
        raise InvalidInput("needs_window", "`by=month` needs `from` and `to`.", hint="Send both days.")
    begins = query.from_
    for _ in range(MOST_MONTHS + 1):
        if begins > query.to:
            return
        following = (begins.replace(day=1) + timedelta(days=32)).replace(day=1)
        ends = min(query.to, following - timedelta(days=1))
        of_month = query.model_copy(update={"from_": begins, "to": ends})
        found = _heat(of_month, _question(of_month))
        yield HeatMonth(begins, ends, found.n, round(found.highest, 2))
        begins = following
    raise InvalidInput("window_too_long", f"A slider has up to {MOST_MONTHS} months.", hint="Ask for fewer.")
