"""The work list and the page of one case."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

from flask import Response, render_template, request, url_for

from mapsvc.areas.queries.posts import find_due_unit
from mapsvc.areas.rules.duties import UnitDue
from mapsvc.areas.rules.located import Located
from mapsvc.base.errors import InvalidInput, MapsvcError, NotFound
from mapsvc.cases.queries.columns.masks import CaseFilter, count_in_box
from mapsvc.cases.queries.counters import Bounds, bounds_of
from mapsvc.cases.queries.details import get_case
from mapsvc.cases.queries.photos import find_photo
from mapsvc.cases.queries.views import CaseFilters, CaseView
from mapsvc.cases.queries.worklist import list_cases
from mapsvc.cases.rules.values import Contact
from mapsvc.cases.rules.workflow import FIELD
from mapsvc.cases.service.disclosure import disclose_contact
from mapsvc.maps.compose import MapParts, View
from mapsvc.people.queries import list_units
from mapsvc.people.rules.permissions import allows
from mapsvc.storage.work import Work
from mapsvc.web.guard import permission
from mapsvc.web.pages.blueprint import pages
from mapsvc.web.pages.figures import find_cut, said_of
from mapsvc.web.pages.forms import form_text, read_id, read_ids
from mapsvc.web.pages.frame import speech
from mapsvc.web.pages.maps import draw, map_of, shown_ground
from mapsvc.web.pages.problems import one_line
from mapsvc.web.parts import actor, now, parts, snapshot, today
from mapsvc.web.present import caseview
from mapsvc.web.present.legend import Legend, LegendSign, ground_legend, line_legend, shapes_of
from mapsvc.web.present.sides import directions
from mapsvc.web.present.steps import StepContext, step_forms
from mapsvc.web.present.worklist import Asked, Option, read_box, work_list

PAGE_SIZE = 50
MOST_CARDS = 12
CARDS_A_PAGE = 20


@pages.get("/cases")
@permission("case.view")
def case_list() -> str:
    asked = Asked.read(request.args, find_area_id(request.args.get("area", "")), read_id(request.args.get("unit", "")))
    bounds = bounds_of(parts().rulebook, now())
    cursor = request.args.get("cursor") or None
    found = find_cut(request.args)
    if found is not None:
        asked = replace(asked, cut=found[0])
    with parts().store.read() as work:
        page = list_cases(work, actor(), asked.filters(bounds), cursor, PAGE_SIZE)
        marked = _count_marked(work, asked, bounds)
    may_open = allows(actor(), "case.open")
    base = url_for("pages.case_list")
    areas = area_options(asked.values.get("area", ""))
    made = work_list(speech(), asked, page, base, areas, paged=cursor is not None, may_open=may_open)
    if found is not None:
        made = replace(made, figure=said_of(found[1], page.count, marked))
    return render_template("cases.html", list=made, rows=page.rows)


def _count_marked(work: Work, asked: Asked, bounds: Bounds) -> int:
    """Return how many of the whole list count in the figure whose list it is."""
    if asked.cut is None or not asked.cut.part:
        return 0
    counting = replace(asked, cut=replace(asked.cut, only=True))
    return list_cases(work, actor(), counting.filters(bounds), limit=1).count if asked.cut.only is None else 0


def find_area_id(text: str) -> int | None:
    """Return the area that `patch:P07` names; None for none, and for one that is not in force."""
    level, _, code = text.partition(":")
    area = snapshot().find_area(level, code) if code else None
    return area.area_id if area else None


def area_options(chosen: str) -> tuple[Option, ...]:
    """Return the areas to filter by: those that answer for cases, and the chosen one."""
    found = []
    for level in parts().levels.chain("default"):
        table = snapshot().tables.get(level)
        for code, name in zip(table.codes, table.names, strict=True) if table else ():
            value = f"{level}:{code}"
            found.append(Option(value, f"{speech().level_name(level)} {name or code}", value == chosen))
    if chosen and not any(option.here for option in found) and find_area_id(chosen) is not None:
        level, _, code = chosen.partition(":")
        area = snapshot().find_area(level, code)
        found.append(Option(chosen, f"{speech().level_name(level)} {area.name if area else code}", here=True))
    return tuple(found)


@pages.get("/cases/cards")
@permission("case.view")
def case_cards() -> str:
    """Return cards for the panel of a map: of cases by their rows, or of all open ones in a box, by pages."""
    if "box" in request.args:
        return _cards_in_box(request.args["box"])
    rows = []
    with parts().store.read() as work:
        for case_id in read_ids(request.args.get("ids", ""), MOST_CARDS):
            try:
                rows.append(get_case(work, actor(), parts().rulebook, case_id).row)
            except NotFound:
                continue  # closed, moved out of scope, or never there: the others are shown
    return render_template("pieces/case_cards.html", rows=rows, count=len(rows), next_url="", list_url="")


def _cards_in_box(text: str) -> str:
    """Return a page of what a circle of the map stands for: the same cases that its number counts."""
    box = read_box(text)
    if box is None:
        raise InvalidInput("bad_bbox", "A box is west,south,east,north in degrees.", hint="Use the links of the map.")
    filters = CaseFilters(open_only=True, include_historic=False, bbox=box)
    with parts().store.read() as work:
        page = list_cases(work, actor(), filters, request.args.get("cursor") or None, CARDS_A_PAGE, counted=False)
    wanted = CaseFilter(open_only=True)
    count = count_in_box(parts().columns.current(), actor(), wanted, now(), box)
    following = url_for("pages.case_cards", box=text, cursor=page.cursor) if page.cursor else ""
    whole = url_for("pages.case_list", box=text)
    return render_template("pieces/case_cards.html", rows=page.rows, count=count, next_url=following, list_url=whole)


@pages.get("/cases/<number>")
@permission("case.view")
def case_page(number: str) -> str:
    return show_case(number, asked=request.args.get("do", ""))


def show_case(number: str, *, problem: str = "", asked: str = "", contact: Contact | None = None) -> str:
    """Return the page of a case, with what went wrong or the contact that was revealed."""
    with parts().store.read() as work:
        view = get_case(work, actor(), parts().rulebook, case_name(number))
        steps = step_forms(speech(), view, _step_context(work, view, asked))
    return render_template(
        "case.html",
        view=view,
        steps=steps,
        stages=caseview.stages_of(speech(), view),
        events=caseview.events_of(speech(), view),
        assignments=caseview.assignments_of(speech(), view),
        clocks=caseview.clocks_of(speech(), view, parts().calendar),
        notices=caseview.notices_of(speech(), view),
        photos=caseview.photos_of(view),
        awaits=_awaits(view),
        back_url=_back_url(view),
        map=_map(view),
        legend=_legend(view),
        problem=problem,
        contact=contact,
    )


def _awaits(view: CaseView) -> str:
    """Return who is to accept the hand-over of a case; the area where nobody is in post there."""
    if view.row.handover_area_id is None:
        return ""
    who = snapshot().responsible(view.row.handover_area_id, today())
    return who.name if who else view.handover_area_name


def _back_url(view: CaseView) -> str:
    """Return the page of the day that the case belongs to: one's own patch or unit, else the list."""
    row, who = view.row, actor()
    if row.area_level == "patch" and row.area_id in (who.areas_of(*FIELD) or ()) and allows(who, "patch.view"):
        return url_for("pages.patch_page", code=row.area_code)
    return url_for("pages.unit") if allows(who, "unit.work") else url_for("pages.case_list")


def case_name(text: str) -> int | str:
    """Return how a case is named in an address: by its number or UUID; the map's dots know its row only."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else text


def _map(view: CaseView) -> MapParts | None:
    row = view.row
    if row.lon is None or row.lat is None:
        return None
    data = {
        "lon": row.lon, "lat": row.lat, "state": row.state, "overdue": row.overdue, "edge": row.edge,
        "accuracy_m": view.accuracy_m, "level": row.area_level, "code": row.area_code,
    }  # fmt: skip
    return draw(map_of().spot(View(lon=row.lon, lat=row.lat, zoom=17), speech().t("case.map"), **data))


def _legend(view: CaseView) -> Legend:
    say, row = speech(), view.row
    sign = LegendSign(row.state, say.state_words(row), row.overdue, row.unplaced, row.edge)
    names = [*(["accuracy"] if view.accuracy_m else []), *(["chosen"] if row.area_code else [])]
    lines = line_legend(say, parts().layers, [row.area_level])
    return Legend((sign,), lines, shapes_of(say, *names), ground_legend(say, shown_ground()))


def _step_context(work: Work, view: CaseView, asked: str) -> StepContext:
    needs = {need for step in view.steps for need in step.needs}
    units = list_units(work, actor(), today()) if "unit" in needs and allows(actor(), "unit.view") else ()
    row, proposed = view.row, None
    located = snapshot().locate(row.lon, row.lat) if row.lon is not None and row.lat is not None else None
    if units:
        proposed = find_due_unit(work, row.category, located, today(), lon=row.lon, lat=row.lat, owner=row.owner)
    areas = _owner_areas() if "area" in needs else ()
    sides = view.assignments[-1].sides if view.assignments and row.edge and "area" in needs else ()
    return StepContext(
        url=lambda step: url_for("pages.case_step", number=row.number, step=step),
        change_url=lambda step: url_for("pages.case_change", number=row.number, step=step),
        units=units,
        proposed_unit_id=proposed.unit_id if proposed else None,
        proposed_because=_because(view, proposed, located) if proposed else "",
        areas=areas,
        today=today(),
        uuid=uuid4,
        asked=asked,
        directions=directions(snapshot(), row.lon, row.lat, None, sides)
        if row.lon is not None and row.lat is not None
        else {},
    )


def _because(view: CaseView, proposed: UnitDue, located: Located | None) -> str:
    """Return why the duty table proposes a unit: the category and what of the place decided."""
    say, row = speech(), view.row
    street = located.find_area("street") if located else None
    places = {"owner": row.owner, "area": street.name if street else "", "level": street.name if street else ""}
    place = places.get(proposed.by, "")
    where = say.t(f"due_by.{proposed.by}", place=place) if place or proposed.by in {"polygon", "anywhere"} else ""
    return say.t("need.because", category=say.category_name(row.category), place=where or say.t("due_by.anywhere"))


def _owner_areas() -> tuple[Option, ...]:
    found = []
    for level in parts().levels.chain("default"):
        table = snapshot().tables.get(level)
        if table is not None:
            for area_id, code, name in zip(table.area_ids.tolist(), table.codes, table.names, strict=True):
                found.append(Option(str(area_id), f"{speech().level_name(level)} {name or code}"))
    return tuple(found)


@pages.post("/cases/<number>/contact")
@permission("contact.reveal")
def case_contact(number: str) -> str | tuple[str, int]:
    try:
        with parts().store.write() as work:
            view = get_case(work, actor(), parts().rulebook, case_name(number))
            contact = disclose_contact(work, actor(), parts().rulebook, view.row.uuid, uuid4(), form_text("reason"))
    except NotFound:
        raise
    except MapsvcError as error:
        return show_case(number, problem=one_line(speech(), error)), 400
    return show_case(number, contact=contact)


@pages.get("/photos/<uuid:uuid>")
@permission("photo.view")
def photo(uuid: UUID) -> Response:
    with parts().store.read() as work:
        sha256 = find_photo(work, actor(), uuid)
    if sha256 is None:
        raise NotFound("no_such_photo", "There is no such photo.", hint="Check the address.")
    return photo_answer(sha256)


def photo_answer(sha256: str) -> Response:
    """Return a stored photo; it never changes, but who may see it does."""
    answer = Response(parts().files.read(sha256), content_type="image/jpeg")
    answer.headers["Cache-Control"] = "private, max-age=300"
    return answer
