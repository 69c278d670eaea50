"""`/api/openapi.json`: OpenAPI 3.1, made from what the routes declare; nothing in it is written twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson
from flask import Blueprint, Flask, Response, current_app
from pydantic import TypeAdapter
from werkzeug.routing import Rule

from mapsvc.people.rules.permissions import get_permission
from mapsvc.web.contract import ATTRIBUTE, JSON, Answer, Operation
from mapsvc.web.errors import HTTP_ERRORS, PROBLEM_TYPE, Problem
from mapsvc.web.guard import declared, permission
from mapsvc.web.parts import parts

blueprint = Blueprint("openapi", __name__)

REF = "#/components/schemas/{model}"
VERSION = "1"
_PATH_VARIABLE = re.compile(r"<(?:(\w+):)?(\w+)>")
_FORMATS = {"uuid": {"type": "string", "format": "uuid"}, "int": {"type": "integer", "minimum": 0}}
_ALWAYS = (400, 401, 403, 503)
"""A token that is not valid is refused everywhere, open routes included."""
_ERRORS_IN_WORDS = {
    401: "A log-in is missing, or no longer valid.",
    403: "Your roles do not allow this.",
    409: "Its state does not allow this, or somebody else was first.",
    429: "Slow down; `Retry-After` says for how long.",
    503: "The service cannot save or read at this moment; nothing was written.",
}

Schema = dict[str, Any]


@blueprint.get("/openapi.json")
@permission("public")
def openapi() -> Response:
    described = current_app.extensions.get("mapsvc_openapi")
    if described is None:
        described = current_app.extensions["mapsvc_openapi"] = orjson.dumps(describe(current_app))
    return Response(described, content_type=JSON)


def operations(app: Flask) -> Iterator[tuple[Rule, str, Operation]]:
    """Yield every route of the API that describes itself, with its method."""
    for rule in sorted(app.url_map.iter_rules(), key=str):
        found = getattr(app.view_functions[rule.endpoint], ATTRIBUTE, None)
        if found is not None:
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"} or {"HEAD"}):
                yield rule, method.lower(), found


def describe(app: Flask) -> Schema:
    """Return the OpenAPI document of an app."""
    schemas: Schema = {}
    paths: dict[str, Schema] = {}
    for rule, method, operation in operations(app):
        path = _PATH_VARIABLE.sub(r"{\2}", str(rule))
        paths.setdefault(path, {})[method] = _describe(app, rule, method, operation, schemas)
    _schema(Problem, schemas)
    settings = parts().settings
    return {
        "openapi": "3.1.0",
        "info": {"title": settings.display_name or "mapsvc", "version": VERSION, "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "cookie": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "mapsvc",
                    "description": "With X-CSRF-Token to change.",
                },
            },
        },
    }


_ABOUT = (
    "Positions are longitude first, in degrees, WGS 84 unless a datum is stated. Times are UTC. "
    "Errors are problem details (RFC 9457) with a stable `code`."
)


def _describe(app: Flask, rule: Rule, method: str, operation: Operation, schemas: Schema) -> Schema:
    name = declared(app, rule.endpoint) or ""
    open_to_all = str(get_permission(name).who) == "everybody"
    statuses = {*_ALWAYS, *operation.errors}
    described: Schema = {
        "operationId": f"{rule.endpoint.removeprefix('api.')}.{method}".replace(".", "_"),
        "summary": operation.summary,
        "description": f"Permission: `{name}` ({get_permission(name).who}).",
        "parameters": [*_path_parameters(rule), *_query_parameters(operation, schemas), *_header_parameters(operation)],
        "responses": {
            **{str(status): _answer(answer, schemas) for status, answer in operation.answers.items()},
            **{str(status): _error(status) for status in sorted(statuses)},
        },
    }
    if open_to_all:
        described["security"] = [{}, {"bearer": []}, {"cookie": []}]
    else:
        described["security"] = [{"bearer": []}, {"cookie": []}]
    body = _body(operation, schemas)
    if body:
        described["requestBody"] = body
    return described


def _path_parameters(rule: Rule) -> list[Schema]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _FORMATS.get(kind, {"type": "string"})}
        for kind, name in _PATH_VARIABLE.findall(str(rule))
    ]


def _query_parameters(operation: Operation, schemas: Schema) -> list[Schema]:
    if operation.query is None:
        return []
    schema = operation.query.model_json_schema(ref_template=REF)
    schemas.update(schema.pop("$defs", {}))
    required = set(schema.get("required", ()))
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "description": found.get("description", ""),
            "schema": _without_null(found),
        }
        for name, found in schema["properties"].items()
    ]


def _without_null(schema: Schema) -> Schema:
    """A query cannot hold null: what may be left out is described without it."""
    choices = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key not in {"anyOf", "title", "description", "default"}}
    if not choices:
        return rest
    return {**rest, **choices[0]} if len(choices) == 1 else {**rest, "anyOf": choices}


def _header_parameters(operation: Operation) -> list[Schema]:
    return [
        {"name": name, "in": "header", "required": False, "description": means, "schema": {"type": "string"}}
        for name, means in operation.headers.items()
    ]


def _body(operation: Operation, schemas: Schema) -> Schema | None:
    content: Schema = {}
    if operation.body is not None:
        content[JSON] = {"schema": _schema(operation.body, schemas)}
    for content_type in operation.raw_types:
        content.setdefault(content_type, {"schema": {"type": "string", "format": "binary"}})
    return {"required": True, "content": content} if content else None


def _answer(answer: Answer, schemas: Schema) -> Schema:
    described: Schema = {"description": answer.means}
    if answer.value is not None:
        described["content"] = {
            content_type: {"schema": _schema(answer.value, schemas) if "json" in content_type else _BINARY}
            for content_type in answer.types
        }
    elif answer.types != (JSON,):
        described["content"] = {content_type: {"schema": _BINARY} for content_type in answer.types}
    return described


_BINARY: Schema = {"type": "string", "format": "binary"}


def _error(status: int) -> Schema:
    words = _ERRORS_IN_WORDS.get(status) or HTTP_ERRORS[status][1]
    return {"description": words, "content": {PROBLEM_TYPE: {"schema": {"$ref": REF.format(model="Problem")}}}}


def _schema(of: Any, schemas: Schema) -> Schema:
    """Return a reference to the schema of a type, put among the others under its name."""
    adapter = TypeAdapter(of)
    is_input = isinstance(of, type) and hasattr(of, "model_validate")
    schema = adapter.json_schema(ref_template=REF, mode="validation" if is_input else "serialization")
    schemas.update(schema.pop("$defs", {}))
    name = str(getattr(of, "__name__", "Value"))
    if set(schema) == {"$ref"}:
        return schema
    schemas[name] = schema
    return {"$ref": REF.format(model=name)}
