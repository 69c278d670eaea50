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
from mapsvc.web.parts import parts
from mapsvc.web.respond import json_response

blueprint = Blueprint("receipts", __name__)


@dataclass(frozen=True)
class ReceiptsAnswer:
    """`held`: the SHA-256 of the bytes as they came, by id; `missing`: send these again."""

    held: Mapping[UUID, str]
    missing: tuple[UUID, ...]


@blueprint.post("/v1/receipts")
@permission("public.report")
@operation(
    "Say which reports, steps and photos are held, and with which hash; whoever sent them may then let go of them.",
    {200: Answer("What is held and what is not.", ReceiptsAnswer)},
    body=ReceiptsBody,
    errors=(413, 415),
)
def post_receipts(body: ReceiptsBody, raw: bytes) -> Response:
    with parts().store.read() as work:
        held = held_hashes(work, body.ids)
    return json_response(ReceiptsAnswer(held, tuple(uuid for uuid in body.ids if uuid not in held)))
