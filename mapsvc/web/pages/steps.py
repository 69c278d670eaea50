"""Steps on a case by form, and the page that shows what moving the pin or changing the category would do."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from mapsvc.base.errors import Conflict, MapsvcError, NotFound
from mapsvc.cases.queries.details import get_case
from mapsvc.cases.rules.values import Position, Preview, StepReceipt, StepRequest
from mapsvc.cases.rules.workflow import UNDOABLE
from mapsvc.cases.service.preview import preview_assignment
from mapsvc.cases.service.steps import take_step
from mapsvc.maps.compose import View
from mapsvc.web.guard import permission
from mapsvc.web.pages.account import safe_next
from mapsvc.web.pages.blueprint import pages
from mapsvc.web.pages.cases import case_name, show_case
from mapsvc.web.pages.forms import form_hash, form_text, read_day, read_degrees, read_id, read_uuid
from mapsvc.web.pages.frame import offer_undo, speech
from mapsvc.web.pages.maps import choosing_legend, district_view, draw, map_of
from mapsvc.web.pages.photos import hashes, read_photos, store_photos
from mapsvc.web.pages.problems import one_line
from mapsvc.web.parts import actor, parts, snapshot
from mapsvc.web.present.caseview import step_title
from mapsvc.web.present.categories import category_groups
from mapsvc.web.present.steps import PREVIEWED


@dataclass(frozen=True)
class ChangeForm:
    """What the form of a change holds."""

    lon: str
    lat: str
    source: str
    category: str


@pages.post("/cases/<number>/steps/<step>")
@permission("case.step")
def case_step(number: str, step: str) -> str | tuple[str, int] | Response:
    try:
        receipt = _take(number, step)
    except NotFound:
        raise
    except MapsvcError as error:
        status = 409 if isinstance(error, Conflict) else 400
        return show_case(number, problem=one_line(speech(), error)), status
    back = safe_next(form_text("back")) or _after(number)
    _tell(number, step, receipt)
    for notice in receipt.notices:
        text = speech().find(f"notice.{notice}")
        if text:
            flash(text)
    return redirect(back, 303)


def _tell(number: str, step: str, receipt: StepReceipt) -> None:
    """Say on the next page what was done; a step of one tap is told by the offer to take it back."""
    key = "case.same" if receipt.status == "same" else "case.undone" if step == "undo" else "case.taken"
    text = speech().t(key, step=step_title(speech(), step))
    if step in UNDOABLE and receipt.status == "taken":
        offer_undo(text, number, receipt.version)
    else:
        flash(text)


def _after(number: str) -> str:
    """Return where to go after a step: the case, or where it is no longer the asker's to see, the list."""
    with parts().store.read() as work:
        try:
            get_case(work, actor(), parts().rulebook, case_name(number))
        except NotFound:
            return url_for("pages.case_list")
    return url_for("pages.case_page", number=number)


def _take(number: str, step: str) -> StepReceipt:
    step_uuid = read_uuid(form_text("step_uuid"))
    photos = read_photos(step_uuid, "after")
    with parts().store.read() as work:
        case_uuid = get_case(work, actor(), parts().rulebook, case_name(number)).row.uuid
    wanted = _request(case_uuid, step_uuid, step, tuple(photo.upload.uuid for photo in photos), hashes(photos))
    found = snapshot(fresh=True)
    with parts().store.write() as work:
        store_photos(work, actor(), photos)
        receipt = take_step(work, actor(), found, parts().rulebook, wanted)
    if receipt.status == "conflict":
        raise Conflict("uuid_taken", "This form was sent before with other content.", hint="Reload the page.")
    return receipt


def _request(
    case_uuid: UUID, step_uuid: UUID, step: str, photos: tuple[UUID, ...], photo_hashes: tuple[str, ...]
) -> StepRequest:
    lon, lat = read_degrees(form_text("lon")), read_degrees(form_text("lat"))
    place = step == "move_pin" and lon is not None and lat is not None
    source = form_text("source")
    return StepRequest(
        case_uuid=case_uuid,
        step_uuid=step_uuid,
        step=step,
        content_sha256=form_hash(("csrf_token",), step, *photo_hashes),
        version=read_id(form_text("version")),
        reason=form_text("reason"),
        photos=photos,
        unit_id=read_id(form_text("unit_id")),
        area_id=read_id(form_text("area_id")),
        category=form_text("category") if step == "recategorise" else "",
        condition=form_text("condition"),
        position=Position(lon, lat, source=source if source in {"gps", "tap", "typed"} else "tap")
        if place and lon is not None and lat is not None
        else None,
        until=read_day(form_text("until"), parts().settings.timezone),
        duplicate_of=form_text("duplicate_of"),
        result=form_text("result"),
        owner=form_text("owner") if step == "correct_owner" else None,
    )


@pages.get("/cases/<number>/change/<step>")
@permission("case.preview")
def case_change(number: str, step: str) -> str:
    if step not in PREVIEWED:
        raise NotFound("no_such_step", f"There is no page for the step {step[:40]!r}.", hint="Go back to the case.")
    with parts().store.read() as work:
        view = get_case(work, actor(), parts().rulebook, case_name(number))
    row = view.row
    form = ChangeForm(
        lon=request.args.get("lon", "") or ("" if row.lon is None else f"{row.lon:.7f}"),
        lat=request.args.get("lat", "") or ("" if row.lat is None else f"{row.lat:.7f}"),
        source=request.args.get("source", ""),
        category=request.args.get("category", "") if step == "recategorise" else "",
    )
    problem, preview = "", None
    if any(name in request.args for name in ("lon", "category")):
        try:
            preview = _preview(form, form.category or row.category)
        except MapsvcError as error:
            problem = one_line(speech(), error)
    return render_template(
        "case_change.html",
        number=number,
        step=step,
        title=speech().t(f"step.{step}"),
        form=form,
        problem=problem,
        preview=preview,
        preview_notices=preview_notices(preview),
        categories=category_groups(speech(), form.category or row.category),
        step_uuid=uuid4(),
        version=row.version,
        legend=choosing_legend(),
        map=draw(map_of().pin(_view(row.lon, row.lat), speech().t("report.map"), "change")),
    )


def _view(lon: float | None, lat: float | None) -> View:
    return View(lon=lon, lat=lat, zoom=17) if lon is not None and lat is not None else district_view()


def _preview(form: ChangeForm, category: str) -> Preview | None:
    lon, lat = read_degrees(form.lon), read_degrees(form.lat)
    if lon is None or lat is None:
        return None
    with parts().store.read() as work:
        return preview_assignment(
            work, actor(), snapshot(), parts().rulebook, Position(lon, lat, source="tap"), category
        )


def preview_notices(preview: Preview | None) -> tuple[str, ...]:
    """Return the notices of a preview in words."""
    names = preview.notices if preview else ()
    return tuple(text for name in names if (text := speech().find(f"notice.{name}")))
