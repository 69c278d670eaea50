"""The public report form, and the same form for those who take reports in."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from flask import flash, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from mapsvc.areas.queries.areas import find_size_m2
from mapsvc.areas.rules.located import AreaAt
from mapsvc.base.errors import Conflict, InvalidInput, MapsvcError, Unavailable
from mapsvc.cases.queries.receipts import find_follower
from mapsvc.cases.rules.codes import show_track_code
from mapsvc.cases.rules.values import Contact, Intake, PhotoReceipt, Position, Preview, Receipt
from mapsvc.cases.service.intake import CHANNEL_ROLES, open_case
from mapsvc.cases.service.join import join_case
from mapsvc.cases.service.preview import preview_assignment
from mapsvc.maps.compose import View
from mapsvc.storage.work import Work
from mapsvc.web.errors import problem_of
from mapsvc.web.guard import permission
from mapsvc.web.outlines import count_lookup, rough_label
from mapsvc.web.pages.areas import label_point
from mapsvc.web.pages.blueprint import pages
from mapsvc.web.pages.forms import form_hash, form_text, read_degrees, read_id, read_uuid
from mapsvc.web.pages.frame import speech
from mapsvc.web.pages.maps import choosing_legend, choosing_view, draw, map_of
from mapsvc.web.pages.nearby import read_offer
from mapsvc.web.pages.photos import hashes, read_photos, store_photos
from mapsvc.web.pages.problems import one_line
from mapsvc.web.pages.steps import preview_notices
from mapsvc.web.parts import actor, now, parts, snapshot
from mapsvc.web.present.categories import category_groups, tile_choices
from mapsvc.web.present.worklist import Option

SOURCES = frozenset({"gps", "tap", "typed"})
STAFF_CHANNELS = ("hotline", "staff", "patrol")
LARGEST_ACCURACY_M = 5000.0
MERCATOR_LAT = 85.0
"""Beyond it a map in Mercator shows nothing."""


@dataclass(frozen=True)
class ReportForm:
    """What the form holds, so that nothing is lost when it has to be shown again."""

    uuid: str
    lon: str = ""
    lat: str = ""
    accuracy: str = ""
    source: str = ""
    place_text: str = ""
    tile: str = ""
    category: str = ""
    description: str = ""
    contact_name: str = ""
    contact_phone: str = ""
    source_number: str = ""
    owner: str = ""
    channel: str = ""
    board: str = ""
    join: str = ""

    @classmethod
    def posted(cls) -> ReportForm:
        """Read the form as it was sent."""
        names = [name for name in cls.__dataclass_fields__ if name != "uuid"]
        return cls(uuid=str(read_uuid(form_text("uuid"))), **{name: form_text(name) for name in names})


@pages.get("/report")
@permission("public.report")
def report() -> str:
    return _page(_blank(), staff=False)


@pages.get("/cases/new")
@permission("case.open")
def case_new() -> str:
    return _page(_blank(), staff=True)


def _blank() -> ReportForm:
    """Return an empty form; a link may bring a place with it."""
    lon, lat = request.args.get("lon", ""), request.args.get("lat", "")
    try:
        given = read_degrees(lon) is not None and read_degrees(lat) is not None
    except InvalidInput:
        given = False
    return ReportForm(
        uuid=str(uuid4()),
        lon=lon if given else "",
        lat=lat if given else "",
        source="tap" if given else "",
        board=request.args.get("area", "")[:80],
    )


@pages.post("/report")
@permission("public.report")
def send_report() -> str | tuple[str, int] | Response | tuple[Response, int]:
    return _receive(staff=False)


@pages.post("/cases/new")
@permission("case.open")
def open_by_staff() -> str | tuple[str, int] | Response | tuple[Response, int]:
    return _receive(staff=True)


def _receive(*, staff: bool) -> str | tuple[str, int] | Response | tuple[Response, int]:
    form = ReportForm.posted()
    try:
        if form.join and not staff:
            return _go(url_for("pages.track", code=_join(form), new=1))
        receipt = _open(form, staff=staff)
    except MapsvcError as error:
        if isinstance(error, Unavailable) and not staff:
            parts().public_reports.give_back(request.remote_addr or "")  # whoever tries again is no flood
        line, status = one_line(speech(), error), problem_of(error).status
        if _wants_json():
            return jsonify({"words": line, "code": error.code}), status
        # An offer that failed is not shown again as chosen: what is sent next is a report of its own.
        return _page(replace(form, join=""), staff=staff, problem=line), status
    if staff:
        flash(speech().t("intake.opened", number=receipt.number))
        target = url_for("pages.case_page", number=receipt.number)
    else:
        target = url_for("pages.track", code=show_track_code(receipt.track_code), new=1)
    return _go(target)


def _go(target: str) -> Response:
    return jsonify({"location": target}) if _wants_json() else redirect(target, 303)


def _wants_json() -> bool:
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"


def _open(form: ReportForm, *, staff: bool) -> Receipt:
    uuid = UUID(form.uuid)
    category = _category(form, staff=staff)
    channel = form.channel if staff and form.channel in channels() else ("staff" if staff else "public")
    if not staff:
        parts().public_reports.take(request.remote_addr or "", now())
    prepared = read_photos(uuid, "")
    if not staff:
        sent = sum(len(photo.upload.content) for photo in prepared)
        parts().public_bytes.take(request.remote_addr or "", now(), sent)
    found = snapshot(fresh=True)
    with parts().store.write() as work:
        if find_follower(work, uuid) is not None:
            raise _already()  # it came before as one that joined another: the same form is no second report
        photos = store_photos(work, actor(), prepared)
        position, place_text = _position(form) or _position_of_photos(photos), form.place_text
        if position is None and not staff:
            position, place_text = _position_of_board(work, form)
        intake = Intake(
            uuid=uuid,
            content_sha256=form_hash(("csrf_token", "photos"), *hashes(prepared)),
            category=category,
            channel=channel,
            description=form.description,
            place_text=place_text,
            position=position,
            contact=_contact(form),
            photos=tuple(photo.uuid for photo in photos),
            side_area_id=read_id(form_text("side")),
            source_number=form.source_number if staff else "",
            owner=form.owner if staff else "",
        )
        receipt = open_case(work, actor(), found, parts().rulebook, intake)
    if receipt.status == "conflict":
        raise _already()
    if receipt.status == "same" and not staff:
        parts().public_reports.give_back(request.remote_addr or "")
    return receipt


def _already() -> Conflict:
    return Conflict("already_reported", "This form was sent before with other content.", hint="Reload the page.")


def _join(form: ReportForm) -> str:
    """Let the form follow the case that was offered (我也遇到); return the follow code of its sender."""
    uuid, case_id = UUID(form.uuid), read_offer(form.join)
    parts().public_reports.take(request.remote_addr or "", now())
    prepared = read_photos(uuid, "")
    with parts().store.write() as work:
        photos = store_photos(work, actor(), prepared)
        intake = Intake(
            uuid=uuid,
            content_sha256=form_hash(("csrf_token", "photos"), *hashes(prepared)),
            category=_category(form, staff=False),
            channel="public",
            description=form.description,
            place_text=form.place_text,
            position=_position(form),
            contact=_contact(form),
            photos=tuple(photo.uuid for photo in photos),
        )
        joined = join_case(work, actor(), case_id, intake)
    if joined.status == "conflict":
        raise _already()
    if joined.status == "same":
        parts().public_reports.give_back(request.remote_addr or "")
    return show_track_code(joined.track_code)


def _category(form: ReportForm, *, staff: bool) -> str:
    if staff and form.category:
        return form.category
    tile = next((tile for tile in parts().categories.tiles if tile.code == form.tile), None)
    if tile is None:
        raise InvalidInput("what_missing", "Choose what the problem is.")
    return tile.category


def _position(form: ReportForm) -> Position | None:
    lon, lat = read_degrees(form.lon), read_degrees(form.lat)
    if lon is None or lat is None:
        return None
    accuracy = read_degrees(form.accuracy)
    if accuracy is not None and not 0 <= accuracy <= LARGEST_ACCURACY_M:
        accuracy = LARGEST_ACCURACY_M if accuracy > 0 else None
    return Position(lon, lat, accuracy_m=accuracy or None, source=form.source if form.source in SOURCES else "typed")


def _position_of_photos(photos: tuple[PhotoReceipt, ...]) -> Position | None:
    """Return where the camera says it was, when the form names no place."""
    for photo in photos:
        if photo.exif_lon is not None and photo.exif_lat is not None:
            return Position(photo.exif_lon, photo.exif_lat, accuracy_m=photo.exif_error_m, source="exif")
    return None


def _position_of_board(work: Work, form: ReportForm) -> tuple[Position | None, str]:
    """Return the middle of the area whose board was scanned, as vague as the area is large, and the words for it.

    Whoever gives no place but came by the code on a door stands near that door: a guess, and marked as one.
    """
    area = _board_area(form)
    if area is None:
        return None, form.place_text
    note = speech().book.text("zh", "report.board_place", name=area.name or area.code)
    words = " ".join(filter(None, (form.place_text, note)))
    size_m2 = find_size_m2(work, area.version_id)
    if not size_m2:
        return None, words
    lon, lat = label_point(area)
    radius_m = min(LARGEST_ACCURACY_M, math.sqrt(size_m2 / math.pi))
    return Position(lon, lat, accuracy_m=radius_m, source="typed"), words


def _board_area(form: ReportForm) -> AreaAt | None:
    level, _, code = form.board.partition(":")
    return snapshot().find_area(level, code) if code else None


def _contact(form: ReportForm) -> Contact | None:
    return Contact(form.contact_name, form.contact_phone) if form.contact_name or form.contact_phone else None


def channels() -> tuple[str, ...]:
    """Return the channels by which the asker may open a case by form."""
    roles = actor().role_names
    return tuple(
        name for name in STAFF_CHANNELS if CHANNEL_ROLES[name] is None or roles & (CHANNEL_ROLES[name] or roles)
    )


def _page(form: ReportForm, *, staff: bool, problem: str = "") -> str:
    say = speech()
    try:
        preview = _preview(form, staff=staff)
    except MapsvcError:
        preview = None  # what is wrong with the place is said by `problem` once it is sent
    place_line = say.t("report.placed" if form.lat else "report.not_placed")
    board = None if staff else _board_area(form)
    return render_template(
        "report.html",
        staff=staff,
        form=form,
        problem=problem,
        place_line=place_line,
        board_name=(board.name or board.code) if board else "",
        action=url_for("pages.case_new" if staff else "pages.report"),
        tiles=tile_choices(say, form.tile),
        categories=category_groups(say, form.category) if staff else (),
        channels=tuple(Option(name, say.t(f"channel.{name}"), name == form.channel) for name in channels())
        if staff
        else (),
        preview=preview,
        preview_notices=preview_notices(preview),
        side_form="report",
        legend=choosing_legend(),
        map=draw(map_of().pin(_view(form), say.t("report.map"), "report")),
    )


def _view(form: ReportForm) -> View:
    try:
        position = _position(form)
    except InvalidInput:
        position = None  # shown again as it was written; the map stays where it was
    if position is not None and abs(position.lat) <= MERCATOR_LAT and abs(position.lon) <= 180:
        return View(lon=position.lon, lat=position.lat, zoom=17)
    area = _board_area(form)
    if area is not None:
        lon, lat = rough_label(*label_point(area))
        return View(lon=lon, lat=lat, zoom=17)
    return choosing_view()


def _preview(form: ReportForm, *, staff: bool) -> Preview | None:
    position = _position(form)
    if position is None:
        return None
    tile = next((tile for tile in parts().categories.tiles if tile.code == form.tile), parts().categories.tiles[-1])
    category = form.category if staff and form.category else tile.category
    with parts().store.read() as work:
        return preview_assignment(
            work, actor(), snapshot(), parts().rulebook, position, category, owner=form.owner if staff else ""
        )


@pages.get("/report/preview")
@permission("public.report")
def report_preview() -> str:
    """Return who would get a report at this place; a piece of the form's page."""
    args = request.args
    count_lookup()
    form = ReportForm(
        uuid="", lon=args.get("lon", ""), lat=args.get("lat", ""), accuracy=args.get("accuracy", ""),
        tile=args.get("tile", ""), category=args.get("category", ""), owner=args.get("owner", ""),
    )  # fmt: skip
    preview = _preview(form, staff=actor().user_id is not None)
    return render_template(
        "pieces/preview.html",
        preview=preview,
        preview_notices=preview_notices(preview),
        side_form="report",
        staff=actor().user_id is not None,
    )
