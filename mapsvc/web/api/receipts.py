"""`/api/v1/receipts`: which reports, steps and photos the store holds, so that a phone can let go or send again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response

from mapsvc.cases.queries.receipts import held_hashes
from mapsvc.web.api.bodies import ReceiptsBody
from mapsvc.web.contract import Answer, operation
from mapsvc.web.guard import permission
from mapsvc.web.parts import actor, parts
from mapsvc.web.respond import json_response

blueprint = Blueprint("receipts", __name__)


@dataclass(frozen=True)
class ReceiptsAnswer:
    """`held`: the SHA-256 of the bytes as they came, by id; `missing`: not here, or not shown to be the asker's.

    What is missing may be sent again without harm: the same bytes are one report.
    """

    held: Mapping[UUID, str]
    missing: tuple[UUID, ...]


@blueprint.post("/v1/receipts")
@permission("public.report")
@operation(
    "Say which reports, steps and photos are held: those that the same account sent, and those whose hash is said.",
    {200: Answer("What is held and what is not.", ReceiptsAnswer)},
    body=ReceiptsBody,
    errors=(413, 415),
)
def post_receipts(body: ReceiptsBody, raw: bytes) -> Response:
    uuids = tuple(dict.fromkeys((*body.ids, *body.hashes)))
    with parts().store.read() as work:
        held = held_hashes(work, actor(), uuids, body.hashes)
    return json_response(ReceiptsAnswer(held, tuple(uuid for uuid in uuids if uuid not in held)))
