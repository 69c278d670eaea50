"""`/api/v1/cases`: intake by a client-made id, steps, lists, one case, and who would get a report."""

from __future__ import annotations

import hashlib
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, request

from mapsvc.base.errors import Conflict, InvalidInput
from mapsvc.cases.queries.details import get_case as read_case
from mapsvc.cases.queries.views import CaseFilters
from mapsvc.cases.queries.worklist import list_cases as read_cases
from mapsvc.cases.rules.values import STATES, Preview, StepReceipt
from mapsvc.cases.service.intake import open_case
from mapsvc.cases.service.preview import preview_assignment
from mapsvc.cases.service.steps import take_step
from mapsvc.people.rules.permissions import require
from mapsvc.web.api.bodies import CaseBody, CasesQuery, PreviewQuery, StepBody
from mapsvc.web.contract import GEOJSON, Answer, operation
from mapsvc.web.guard import permission
from mapsvc.web.outlines import count_lookup
from mapsvc.web.parts import actor, now, parts, snapshot
from mapsvc.web.present.case import (
    CaseCollection,
    CaseDetail,
    ReceiptAnswer,
    present_case,
    present_page,
    present_receipt,
)
from mapsvc.web.respond import json_response
from mapsvc.web.values import box_of, moment_of

blueprint = Blueprint("cases", __name__)


@blueprint.put("/v1/cases/<uuid:case_uuid>")
@permission("public.report")
@operation(
    "Report a problem under an id that the sender made; sending it again is safe.",
    {
        200: Answer("The same bytes were taken before; this is what became of them.", ReceiptAnswer),
        201: Answer("Taken: it is on disk.", ReceiptAnswer),
    },
    body=CaseBody,
    errors=(409, 413, 415, 429),
)
def put_case(case_uuid: UUID, body: CaseBody, raw: bytes) -> Response:
    who = actor()
    sha256 = hashlib.sha256(raw).hexdigest()
    intake = body.value(case_uuid, sha256, known=who.user_id is not None)
    counted = who.user_id is None
    if counted:
        parts().public_reports.take(request.remote_addr or "", now())
    found = snapshot(fresh=True)
    with parts().store.write() as work:
        receipt = open_case(work, who, found, parts().rulebook, intake)
    if receipt.status == "conflict":
        raise Conflict(
            "uuid_taken",
            f"The id {case_uuid} belongs to another report.",
            hint="Send this one under a new id.",
        )
    if counted and receipt.status == "same":
        parts().public_reports.give_back(request.remote_addr or "")
    return json_response(present_receipt(receipt, sha256), 201 if receipt.status == "created" else 200)


@blueprint.put("/v1/cases/<uuid:case_uuid>/steps/<uuid:step_uuid>")
@permission("public.track")
@operation(
    "Take one step of the workflow under an id that the sender made; sending it again is safe.",
    {200: Answer("The same bytes were taken before.", StepReceipt), 201: Answer("Taken: it is on disk.", StepReceipt)},
    body=StepBody,
    errors=(404, 409, 413, 415),
)
def put_step(case_uuid: UUID, step_uuid: UUID, body: StepBody, raw: bytes) -> Response:
    if not body.track_code:
        require(actor(), "case.step")
    step = body.value(case_uuid, step_uuid, hashlib.sha256(raw).hexdigest())
    found = snapshot(fresh=True)
    with parts().store.write() as work:
        receipt = take_step(work, actor(), found, parts().rulebook, step)
    if receipt.status == "conflict":
        raise Conflict(
            "uuid_taken", f"The id {step_uuid} belongs to another step.", hint="Send this one under a new id."
        )
    return json_response(receipt, 201 if receipt.status == "taken" else 200)


@blueprint.get("/v1/cases")
@permission("case.view")
@operation(
    "List the cases that the one who asks may see.",
    {200: Answer("A page of cases; `cursor` and the link `next` lead on.", CaseCollection, (GEOJSON,))},
    query=CasesQuery,
)
def list_cases(query: CasesQuery) -> Response:
    filters = _filters(query)
    with parts().store.read() as work:
        page = read_cases(work, actor(), filters, query.cursor or None, query.limit)
    next_href = None
    if page.cursor is not None:
        told = {**request.args.to_dict(), "cursor": page.cursor}
        next_href = f"{request.path}?{urlencode(told)}"
    return json_response(present_page(page, next_href), content_type=GEOJSON)


def _filters(query: CasesQuery) -> CaseFilters:
    states = tuple(part for part in query.status.split(",") if part and part != "open")
    unknown = [state for state in states if state not in STATES]
    if unknown:
        raise InvalidInput(
            "unknown_status",
            f"There is no status {unknown[0][:40]!r}.",
            hint=f"The states are open, {', '.join(STATES)}.",
        )
    return CaseFilters(
        area_id=_area_id(query.area) if query.area else None,
        states=states,
        open_only="open" in query.status.split(","),
        category=query.category,
        since=moment_of(query.since) if query.since else None,
        bbox=box_of(query.bbox) if query.bbox else None,
        overdue=query.overdue,
        unplaced=query.unplaced,
        edge=query.edge,
        mine=query.mine,
        text=query.text,
        sort=query.sort,
    )


def _area_id(text: str) -> int:
    """Return the id of the area that `level:code` or a bare code means."""
    found = snapshot()
    level, colon, code = text.partition(":")
    levels = [parts().levels.get(level).code] if colon else [one.code for one in parts().levels]
    areas = [area for one in levels if (area := found.find_area(one, code if colon else text)) is not None]
    if len(areas) == 1:
        return areas[0].area_id
    if areas:
        raise InvalidInput(
            "ambiguous_area",
            f"The code {text!r} is borne at several levels.",
            hint="Write level:code, such as patch:P07.",
        )
    raise InvalidInput(
        "unknown_area", f"There is no area {text!r} in force.", hint="Write level:code, such as patch:P07."
    )


@blueprint.get("/v1/cases/<uuid:case_uuid>")
@permission("case.view")
@operation(
    "Everything about one case: history, why this chief, clocks, photos, and what may be done now.",
    {200: Answer("The case.", CaseDetail, (GEOJSON,))},
    errors=(404,),
)
def get_case(case_uuid: UUID) -> Response:
    with parts().store.read() as work:
        view = read_case(work, actor(), parts().rulebook, case_uuid)
    return json_response(present_case(view), content_type=GEOJSON)


@blueprint.get("/v1/preview")
@permission("public.report")
@operation(
    "Say who would get a report with this position and category, and when it would fall due; nothing is written.",
    {200: Answer("Who would get it.", Preview)},
    query=PreviewQuery,
    errors=(429,),
)
def preview(query: PreviewQuery) -> Response:
    count_lookup()
    with parts().store.read() as work:
        found = preview_assignment(
            work,
            actor(),
            snapshot(),
            parts().rulebook,
            query.position(),
            query.category,
            condition_code=query.condition,
            owner=query.owner,
        )
    return json_response(found)
