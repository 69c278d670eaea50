"""Answers of the API: JSON by orjson, entity tags by generation."""

from __future__ import annotations

import hashlib

import orjson
from flask import Response, request

from mapsvc.web.contract import JSON


def json_response(value: object, status: int = 200, content_type: str = JSON) -> Response:
    """Return a value (frozen dataclasses, plain values, numpy arrays) as JSON; times end in Z."""
    text = orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)
    return Response(text, status, content_type=content_type)


def entity_tag(*parts: object) -> str:
    """Return a tag that changes when one of the parts does."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:20]


def unchanged(tag: str, *, public: bool) -> Response | None:
    """Return 304 when the reader has what `tag` names; else None, and the answer is worth making."""
    if request.if_none_match.contains_weak(tag):
        return tagged(Response(status=304), tag, public=public)
    return None


def tagged(response: Response, tag: str, *, public: bool) -> Response:
    """Let readers keep the answer and ask whether it still holds; a weak tag, since it may leave gzipped."""
    response.set_etag(tag, weak=True)
    response.headers["Cache-Control"] = "public, no-cache" if public else "private, no-cache"
    return response
