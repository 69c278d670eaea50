"""`/api/v1/photos`: a photo by itself, whole or in chunks; the receipt repeats the hash of what was sent."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from uuid import UUID

from flask import Blueprint, Response, request

from mapsvc.base.errors import Conflict, InvalidInput, NotFound, TooLarge
from mapsvc.cases.queries.photos import find_photo
from mapsvc.cases.queries.receipts import find_photo_receipt
from mapsvc.cases.rules.values import PhotoReceipt, PhotoUpload
from mapsvc.cases.service.photos import prepare_photo, store_photo
from mapsvc.people.rules.permissions import require
from mapsvc.web.api.bodies import PhotoQuery
from mapsvc.web.contract import BYTES, Answer, operation
from mapsvc.web.guard import permission
from mapsvc.web.parts import actor, now, parts
from mapsvc.web.requests import header_int, read_bytes, require_type
from mapsvc.web.respond import json_response, tagged, unchanged

blueprint = Blueprint("photos", __name__)

CHUNK_TYPE = "application/offset+octet-stream"
LARGEST_CHUNK = 4 * 1024 * 1024
ONE_DAY_S = 86_400
"""A photo never changes: who may see it may keep it for a day, for himself."""

HASH_HEADERS = {
    "Content-SHA256": "SHA-256 of the whole photo, 64 hexadecimal digits; what arrives is checked against it.",
    "Digest": "The same in base64: `sha-256=...`; either one will do.",
}
CHUNK_HEADERS = {
    "Upload-Offset": "Where the chunk begins; `HEAD` says how much is here.",
    "Upload-Length": "Bytes of the whole photo.",
    **HASH_HEADERS,
}
RECEIPTS = {
    200: Answer("The same bytes were taken before.", PhotoReceipt),
    201: Answer("Taken: it is on disk. `sha256` is of the bytes that were sent.", PhotoReceipt),
}


@blueprint.put("/v1/photos/<uuid:photo_uuid>")
@permission("public.report")
@operation(
    "Send a photo whole, under an id that the sender made; sending it again is safe.",
    RECEIPTS,
    query=PhotoQuery,
    raw_types=("image/*", BYTES),
    errors=(409, 413, 415, 429),
    headers=HASH_HEADERS,
)
def put_photo(photo_uuid: UUID, query: PhotoQuery) -> Response:
    require_type("image/*", BYTES)
    _count_public()
    content = read_bytes(parts().settings.max_photo_bytes)
    _count_public_bytes(content)
    declared = _declared_sha256()
    if declared and declared != hashlib.sha256(content).hexdigest():
        raise _not_what_it_said()
    return _store(PhotoUpload(photo_uuid, content, query.kind, query.case))


@blueprint.route("/v1/photos/<uuid:photo_uuid>", methods=["PATCH"])
@permission("public.report")
@operation(
    "Send a photo in chunks: each begins where the last one ended; the last one stores the photo.",
    {204: Answer("The chunk is on disk; `Upload-Offset` says how much is here."), **RECEIPTS},
    query=PhotoQuery,
    raw_types=(CHUNK_TYPE,),
    errors=(409, 413, 415, 429),
    headers=CHUNK_HEADERS,
)
def patch_photo(photo_uuid: UUID, query: PhotoQuery) -> Response:
    require_type(CHUNK_TYPE)
    offset, length = header_int(request.headers, "Upload-Offset"), header_int(request.headers, "Upload-Length")
    declared = _declared_sha256()
    if not declared:
        raise InvalidInput("hash_missing", "A photo in chunks names its SHA-256.", hint="Send Content-SHA256.")
    limit = parts().settings.max_photo_bytes
    if length > limit:
        raise TooLarge("photo_too_large", f"The photo is over the limit of {limit} bytes.", detail={"limit": limit})
    if offset == 0:
        _count_public()
    chunk = read_bytes(LARGEST_CHUNK)
    _count_public_bytes(chunk)
    if offset + len(chunk) > length:
        raise InvalidInput("beyond_length", "The chunk goes beyond the length that was said.", hint="Begin anew.")
    uploads, owner = parts().uploads, actor().user_id
    here = uploads.append(photo_uuid, owner, offset, chunk, now())
    if here < length:
        return Response(status=204, headers={"Upload-Offset": str(here), "Upload-Length": str(length)})
    content = uploads.read(photo_uuid, owner)
    if hashlib.sha256(content).hexdigest() != declared:
        uploads.discard(photo_uuid, owner)
        raise _not_what_it_said()
    answer = _store(PhotoUpload(photo_uuid, content, query.kind, query.case))
    uploads.discard(photo_uuid, owner)
    return answer


@blueprint.get("/v1/photos/<uuid:photo_uuid>")
@permission("public.report")
@operation(
    "The photo (for those who may see its case). `HEAD` tells its sender how much of it is here.",
    {200: Answer("The photo as it is kept: upright, without EXIF.", None, ("image/jpeg",))},
    errors=(404,),
)
def get_photo(photo_uuid: UUID) -> Response:
    if request.method == "HEAD":
        return _head(photo_uuid)
    require(actor(), "photo.view")
    with parts().store.read() as work:
        stored = find_photo(work, actor(), photo_uuid)
    if stored is None:
        raise _no_photo(photo_uuid)
    answer = unchanged(stored, public=False)
    if answer is None:
        answer = tagged(Response(parts().files.read(stored), mimetype="image/jpeg"), stored, public=False)
    answer.headers["Cache-Control"] = f"private, max-age={ONE_DAY_S}"
    return answer


def _head(photo_uuid: UUID) -> Response:
    """Say how much of the photo is here: to go on from there after a line broke.

    Its hash is told to the account that sent it, or to whoever sends the right one along.
    """
    with parts().store.read() as work:
        receipt = find_photo_receipt(work, actor(), photo_uuid, _declared_sha256())
    if receipt is not None:
        told = {"Content-SHA256": receipt.sha256} if receipt.sha256 else {}
        return Response(headers={"Upload-Complete": "?1", **told, "Cache-Control": "no-store"})
    offset = parts().uploads.find_offset(photo_uuid, actor().user_id)
    if offset is None:
        raise _no_photo(photo_uuid)
    return Response(headers={"Upload-Complete": "?0", "Upload-Offset": str(offset), "Cache-Control": "no-store"})


def _store(upload: PhotoUpload) -> Response:
    prepared = prepare_photo(parts().files, parts().settings, upload)
    with parts().store.write() as work:
        receipt = store_photo(work, actor(), prepared)
    if receipt.status == "conflict":
        raise Conflict("uuid_taken", f"The id {upload.uuid} belongs to another photo.", hint="Send it under a new id.")
    return json_response(receipt, 201 if receipt.status == "created" else 200)


def _count_public() -> None:
    if actor().user_id is None:
        parts().public_photos.take(request.remote_addr or "", now())


def _count_public_bytes(content: bytes) -> None:
    if actor().user_id is None:
        parts().public_bytes.take(request.remote_addr or "", now(), len(content))


def _declared_sha256() -> str:
    """Return the hash that the sender declared, in hexadecimal; empty when none was."""
    text = request.headers.get("Content-SHA256", "").strip().lower()
    if not text:
        found = re.search(r"sha-256=([A-Za-z0-9+/=]{44})", request.headers.get("Digest", ""), re.IGNORECASE)
        try:
            text = base64.b64decode(found[1], validate=True).hex() if found else ""
        except binascii.Error:
            text = "?"
    if text and not re.fullmatch(r"[0-9a-f]{64}", text):
        raise InvalidInput("bad_hash", "The declared hash is no SHA-256.", hint="Send 64 hexadecimal digits.")
    return text


def _not_what_it_said() -> InvalidInput:
    return InvalidInput(
        "hash_mismatch", "What arrived is not what the hash says; nothing was kept.", hint="Send it again."
    )


def _no_photo(photo_uuid: UUID) -> NotFound:
    return NotFound("no_such_photo", f"There is no photo {photo_uuid}, or it is not yours to see.")
