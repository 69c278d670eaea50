"""A resident's report by its code: plain words, no persons, no words of others."""

from __future__ import annotations

import io
from dataclasses import dataclass
from uuid import UUID, uuid4

import segno
from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from mapsvc.base.errors import Conflict, MapsvcError, NotFound
from mapsvc.cases.queries.tracking import find_after_photo, track_case
from mapsvc.cases.queries.views import TrackView
from mapsvc.cases.rules.codes import read_track_code, show_track_code
from mapsvc.cases.rules.values import StepRequest
from mapsvc.cases.service.steps import take_step
from mapsvc.web.guard import permission
from mapsvc.web.pages.blueprint import pages
from mapsvc.web.pages.cases import photo_answer
from mapsvc.web.pages.forms import form_hash, form_text, read_id, read_uuid
from mapsvc.web.pages.frame import speech
from mapsvc.web.pages.problems import one_line
from mapsvc.web.parts import actor, now, parts, snapshot
from mapsvc.web.present.caseview import step_title

RESIDENT_STEPS = {"reopen": "track.reopened", "confirm": "track.confirmed", "answer_side": "track.side_taken"}
"""What the holder of a code may do, and what the page says then."""


@dataclass(frozen=True)
class PlainState:
    """A state in a resident's words."""

    title: str
    text: str


@dataclass(frozen=True)
class SignRow:
    """What the sign of a state is drawn from; a resident sees no flags."""

    state: str
    overdue: bool = False
    unplaced: bool = False
    edge: bool = False


@pages.get("/track")
@permission("public.track")
def track_form() -> str | Response:
    asked = request.args.get("code", "").strip()[:40]
    code = read_track_code(asked) if asked else None
    if code is not None:
        return redirect(url_for("pages.track", code=show_track_code(code)), 303)
    return render_template("track_form.html", code=asked, unknown=bool(asked))


@pages.get("/track/<code>")
@permission("public.track")
def track(code: str) -> str | tuple[str, int]:
    try:
        view = _look(code)
    except NotFound:
        return render_template("track_form.html", code=code[:40], unknown=True), 404
    shown = show_track_code(read_track_code(code) or code)
    return render_template(
        "track.html",
        code=shown,
        view=view,
        fresh=request.args.get("new") == "1",
        first=request.args.get("first") == "1",
        expected=speech().times.day(view.due_at) if view.due_at else "",
        state=plain_state(view),
        sign_row=SignRow(view.state),
        steps=tuple((at, step_title(speech(), step)) for at, step in reversed(view.steps)),
        step_uuid=uuid4(),
        confirm_uuid=uuid4(),
    )


def _look(code: str) -> TrackView:
    """Return what the code opens. Codes that do not exist are counted: whoever tries many is not answered at all."""
    address = request.remote_addr or ""
    parts().wrong_codes.check(address, now())
    try:
        with parts().store.read() as work:
            return track_case(work, code)
    except NotFound:
        parts().wrong_codes.take(address, now())
        raise


def plain_state(view: TrackView) -> PlainState:
    """Return a resident's words for how the report stands; what was closed unsolved, or came back, says why."""
    outcome = f"closed_{view.outcome}"
    name = outcome if view.state == "closed" and speech().find(f"plain.{outcome}") else view.state
    if view.state in {"received", "assigned"} and view.reworks:
        name = "raised" if view.raised else "again"
    return PlainState(speech().t(f"plain.{name}"), speech().t(f"plain.{name}_text"))


@pages.get("/track/<code>/qr.svg")
@permission("public.track")
def track_qr(code: str) -> Response:
    found = read_track_code(code)
    if found is None:
        raise NotFound("no_such_code", "There is no such code.", hint="Check the twelve characters.")
    address = url_for("pages.track", code=show_track_code(found), _external=True)
    out = io.BytesIO()
    segno.make(address, error="m", micro=False).save(out, kind="svg", scale=4, border=2, xmldecl=False, svgns=True)
    return Response(out.getvalue(), content_type="image/svg+xml")


@pages.get("/track/<code>/photos/<uuid:uuid>")
@permission("public.track")
def track_photo(code: str, uuid: UUID) -> Response:
    parts().wrong_codes.check(request.remote_addr or "", now())
    with parts().store.read() as work:
        sha256 = find_after_photo(work, code, uuid)
    if sha256 is None:
        parts().wrong_codes.take(request.remote_addr or "", now())
        raise NotFound("no_such_photo", "There is no such photo.", hint="Check the address.")
    return photo_answer(sha256)


@pages.post("/track/<code>/steps/<step>")
@permission("public.track")
def track_step(code: str, step: str) -> Response:
    if step not in RESIDENT_STEPS:
        raise NotFound("no_such_step", "There is no such step.", hint="Go back to the report.")
    try:
        _take(code, step)
    except (Conflict, NotFound):
        raise
    except MapsvcError as error:
        flash(one_line(speech(), error))
    else:
        flash(speech().t(RESIDENT_STEPS[step]))
    return redirect(url_for("pages.track", code=code), 303)


def _take(code: str, step: str) -> None:
    view = _look(code)
    wanted = StepRequest(
        case_uuid=view.uuid,
        step_uuid=read_uuid(form_text("step_uuid")),
        step=step,
        content_sha256=form_hash(("csrf_token",), step),
        reason=form_text("reason"),
        area_id=read_id(form_text("area_id")),
        track_code=code,
    )
    found = snapshot(fresh=True)
    with parts().store.write() as work:
        receipt = take_step(work, actor(), found, parts().rulebook, wanted)
    if receipt.status == "conflict":
        raise Conflict("uuid_taken", "This form was sent before with other content.", hint="Reload the page.")
