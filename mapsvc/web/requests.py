"""Reading what was sent: bodies that arrived whole, JSON that means one thing, values checked by a schema."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import numpy as np
import orjson
from flask import g, request
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from werkzeug.datastructures import Headers, MultiDict
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from mapsvc.base.errors import InvalidInput, TooLarge, UnsupportedType

Model = TypeVar("Model", bound=BaseModel)

JSON_TYPE = "application/json"
MAX_DEPTH = 32
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Body(BaseModel):
    """Base of every JSON body: no field unknown, no value bent into another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Query(BaseModel):
    """Base of every query string: texts are read as numbers and dates, unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _without_controls(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("holds control characters")
    return text


Text = Annotated[str, AfterValidator(_without_controls)]
"""A text without control characters (line breaks and tabs are kept): what both stores can hold."""


def read_bytes(limit: int) -> bytes:
    """Return the raw body; one over `limit` bytes, or one that was cut short, is refused."""
    length = request.content_length
    if length is not None and length > limit:
        raise _too_large(limit)
    request.max_content_length = limit + 1  # a body without a length is cut there in silence: one more tells it apart
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge as error:
        raise _too_large(limit) from error
    except (ClientDisconnected, OSError) as error:
        raise _cut_short() from error
    if len(body) > limit:
        raise _too_large(limit)
    if length is not None and len(body) != length:
        raise _cut_short()
    g.raw = body
    return body


def _too_large(limit: int) -> TooLarge:
    return TooLarge(
        "body_too_large",
        f"The body is over the limit of {limit} bytes.",
        hint="Send less at once; photos can be sent in chunks.",
        detail={"limit": limit},
    )


def _cut_short() -> InvalidInput:
    return InvalidInput("truncated", "The body was cut short on its way; nothing was saved.", hint="Send it again.")


def require_type(*allowed: str) -> str:
    """Return the content type of the body when it is one of `allowed`; `image/*` allows a family."""
    sent = request.mimetype
    for one in allowed:
        if sent == one or (one.endswith("/*") and sent.startswith(one[:-1])):
            return sent
    raise UnsupportedType(
        "unsupported_type",
        f"The content type {sent or '(none)'} is not read here.",
        hint=f"Send {' or '.join(allowed)}.",
        detail={"allowed": list(allowed)},
    )


def read_model(model: type[Model], limit: int) -> tuple[Model, bytes]:
    """Return the JSON body as a checked value, and its raw bytes (idempotency compares their hash)."""
    require_type(JSON_TYPE)
    if request.mimetype_params.get("charset", "utf-8").lower() not in {"utf-8", "utf8"}:
        raise UnsupportedType("unsupported_charset", "JSON is read in UTF-8 only.", hint="Send UTF-8.")
    raw = read_bytes(limit)
    try:
        value = model.model_validate_json(raw)
    except ValidationError as error:
        parse_json(raw)  # says better what is wrong with the JSON itself
        raise invalid(error) from error
    if not _says_all(value, raw):
        parse_json(raw)
    return value, raw


def _says_all(value: BaseModel, raw: bytes) -> bool:
    """Whether a body of numbers has no room for a key that stands twice, so that it need not be read again.

    Every key and every text bears two quotation marks. When the text holds as many as the fields that were
    found need, nothing else was in it. Bodies with objects inside are always read again; they are small.
    """
    marks = 0
    for name in value.model_fields_set:
        field = getattr(value, name)
        if isinstance(field, BaseModel | dict):
            return False
        marks += 4 if isinstance(field, str) else 2
    return raw.count(b'"') == marks


def parse_json(raw: bytes) -> Any:
    """Return the value of a JSON text that means one thing to every reader.

    Refused: NaN and Infinity, invalid UTF-8 and lone surrogates (orjson), a key twice in one object
    (Python's reader, since readers differ in which one they keep), nesting beyond `MAX_DEPTH`.
    """
    if not raw:
        raise InvalidInput("empty_body", "The body is empty.", hint="Send a JSON object.")
    _check_depth(raw)
    try:
        value = orjson.loads(raw)
        json.loads(raw, object_pairs_hook=_without_repeats)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(
            "bad_json", f"The body is not valid JSON in UTF-8: {error}.", hint="NaN is no JSON."
        ) from error
    except ValueError as error:
        raise InvalidInput("bad_json", f"The body is not clear JSON: {error}.", hint="Send each key once.") from error
    return value


_IN_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def _check_depth(raw: bytes) -> None:
    """Refuse deep nesting before a parser walks it; a flat body is told by its number of opening brackets alone."""
    if raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH:
        return
    brackets = np.frombuffer(_IN_TEXT.sub(b"", raw).translate(None, _NO_BRACKETS), dtype=np.uint8)
    opening = (brackets == ord("[")) | (brackets == ord("{"))
    if np.cumsum(np.where(opening, 1, -1)).max(initial=0) > MAX_DEPTH:
        raise InvalidInput("too_deep", f"The JSON is nested deeper than {MAX_DEPTH}.", hint="Send a flat object.")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice[:60]!r} stands twice in one object")
    return found


def check(model: type[Model], value: object) -> Model:
    """Return a checked value; what is wrong is told field by field."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise invalid(error) from error


def check_json(model: type[Model], raw: bytes) -> Model:
    """Return the checked value of a JSON text that `parse_json` found clear."""
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        raise invalid(error) from error


def read_query(model: type[Model], args: MultiDict[str, str] | None = None) -> Model:
    """Return the query string as a checked value; a name that stands twice is refused."""
    sent = request.args if args is None else args
    values: dict[str, str] = {}
    for name, found in sent.lists():
        if len(found) > 1:
            raise InvalidInput("repeated_parameter", f"The parameter {name[:60]!r} stands twice.", hint="Send it once.")
        values[name] = found[0]
    return check(model, values)


def invalid(error: ValidationError) -> InvalidInput:
    """Turn pydantic's findings into our error: at most ten, each with its place; values are not repeated."""
    fields = [
        {"field": ".".join(str(part) for part in finding["loc"]), "problem": finding["msg"]}
        for finding in error.errors(include_url=False, include_input=False, include_context=False)[:10]
    ]
    first = fields[0] if fields else {"field": "", "problem": "is not valid"}
    return InvalidInput(
        "invalid_input",
        f"{first['field'] or 'The input'}: {first['problem']}",
        hint="/api/openapi.json describes what is taken.",
        detail={"fields": fields},
    )


def header_int(headers: Headers | Mapping[str, str], name: str) -> int:
    """Return a header that must be a whole number, zero or more."""
    text = headers.get(name, "")
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise InvalidInput("bad_header", f"The header {name} must be a whole number.", hint="Send it with each chunk.")
    return int(text)
