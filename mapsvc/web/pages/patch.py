"""A chief's patch: what to sign for, what falls due, what is late, what is offered; each card one tap from done."""

from __future__ import annotations

from uuid import uuid4

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from mapsvc.areas.rules.located import AreaAt
from mapsvc.cases.queries.cards import list_sides, list_signed_at
from mapsvc.cases.queries.counters import Bounds, bounds_of, count_lists
from mapsvc.cases.queries.views import CaseRow
from mapsvc.cases.queries.worklist import list_cases
from mapsvc.cases.rules.workflow import FIELD
from mapsvc.maps.compose import View
from mapsvc.people.rules.permissions import allows
from mapsvc.storage.work import Work
from mapsvc.web.guard import permission
from mapsvc.web.pages.arearates import rates_of
from mapsvc.web.pages.areas import describe_area, get_area_at, label_point, map_legend_of
from mapsvc.web.pages.blueprint import pages
from mapsvc.web.pages.frame import own_area_url, speech
from mapsvc.web.pages.maps import draw, map_of
from mapsvc.web.parts import actor, now, parts, snapshot, today
from mapsvc.web.present.patchview import (
    MAIN,
    MORE,
    PICKS,
    Around,
    PatchCard,
    PatchCount,
    card_of,
    kind_of,
    lists_of,
    merge,
)
from mapsvc.web.present.sides import directions

CARDS = 50
BESIDE = 10
"""So many cards of 处置中 stand under those that wait to be signed for."""


@pages.get("/patch")
@permission("account.own")
def own_patch() -> str | Response:
    """Go to one's own patch; who has none is told whom to ask."""
    own = own_area_url(actor()) if allows(actor(), "patch.view") else None
    if own:
        return redirect(own[0], 303)
    return render_template("patch_none.html", may_look=allows(actor(), "area.view"))


@pages.get("/patch/<code>")
@permission("patch.view")
def patch_page(code: str) -> str:
    area = get_area_at("patch", code)
    asked = request.args.get("show", "")
    show = asked if asked in {*MAIN, *MORE, *PICKS} else ""
    bounds = bounds_of(parts().rulebook, now())
    with parts().store.read() as work:
        made = describe_area(work, area)
        seen = allows(actor(), "case.view")
        numbers = count_lists(work, actor(), lists_of(area.area_id, bounds)) if seen else {}
        rows = _rows(work, area, show, bounds) if seen else ()
        beside = _list(work, area, "in_progress", bounds, BESIDE) if seen and show == "to_sign" else ()
        around = _around(work, area, show, (*rows, *beside))
    lon, lat = label_point(area)
    view = View(lon=lon, lat=lat, zoom=16)
    plan = map_of().area(view, made.heading, "patch", code, area.area_id, url_for("pages.case_list"))
    return render_template(
        "patch.html",
        area=made,
        acts=around.acts,
        show=show,
        counts=_counts(code, numbers, MAIN, show),
        more=_counts(code, numbers, MORE, show),
        picks={name: numbers.get(name, 0) for name in PICKS},
        cards=_cards(rows, around),
        beside=_cards(beside, around),
        is_empty=not any(numbers.get(name) for name in ("open", "handed")),
        report_url=url_for("pages.case_new", lon=lon, lat=lat) if allows(actor(), "case.open") else "",
        cut=len(rows) >= CARDS,
        map=draw(plan),
        legend=map_legend_of("patch"),
        rates=rates_of(area),
    )


def _list(work: Work, area: AreaAt, name: str, bounds: Bounds, most: int) -> tuple[CaseRow, ...]:
    return list_cases(work, actor(), lists_of(area.area_id, bounds)[name], limit=most, counted=False).rows


def _rows(work: Work, area: AreaAt, show: str, bounds: Bounds) -> tuple[CaseRow, ...]:
    """Return the cases of a list; without one, all that is to be done here, what is offered among it."""
    if show:
        return _list(work, area, show, bounds, CARDS)
    own = _list(work, area, "open", bounds, CARDS)
    return merge(own, _list(work, area, "handed", bounds, CARDS), CARDS)


def _around(work: Work, area: AreaAt, show: str, rows: tuple[CaseRow, ...]) -> Around:
    who = actor()
    held = who.areas_of(*FIELD) or frozenset()
    acts = area.area_id in held and allows(who, "case.step")
    sides = list_sides(work, [row.id for row in rows if row.edge]) if show == "side" else {}
    found = snapshot()
    chiefs = {}
    for other in {row.handover_area_id for row in rows if row.handover_area_id is not None}:
        responsible = found.responsible(other, today())
        if responsible is not None:
            chiefs[other] = responsible.name
    return Around(
        area_id=area.area_id,
        acts=acts,
        show=show,
        sides=sides,
        directions={
            row.id: directions(found, row.lon, row.lat, None, sides[row.id])
            for row in rows
            if row.id in sides and row.lon is not None and row.lat is not None
        },
        signed_at=list_signed_at(work, [row.id for row in rows if row.state == "in_progress"]),
        chiefs=chiefs,
        no_chief=frozenset(
            row.category
            for row in rows
            if (category := parts().categories.find(row.category)) is not None and category.no_chief
        ),
    )


def _cards(rows: tuple[CaseRow, ...], around: Around) -> tuple[PatchCard, ...]:
    return tuple(card_of(speech(), row, around, uuid4()) for row in rows)


def _counts(code: str, numbers: dict[str, int], names: tuple[str, ...], show: str) -> tuple[PatchCount, ...]:
    if not numbers:
        return ()
    return tuple(
        PatchCount(
            name=name,
            text=speech().t(f"count.{name}"),
            number=numbers[name],
            url=url_for("pages.patch_page", code=code, show=None if show == name else name),
            kind=kind_of(name, numbers[name]),
            here=show == name,
        )
        for name in names
        if name in MAIN or numbers[name] or show == name
    )
