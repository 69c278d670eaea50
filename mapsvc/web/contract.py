"""What a route of the API takes and answers, declared on its view: checked on the way in, described by OpenAPI.

`@operation(...)` stands under `@permission`. The query and the JSON body reach the view as checked
values by the names `query` and `body` (with `raw`, the bytes as sent); nothing is described twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from pydantic import BaseModel

from mapsvc.web.parts import parts
from mapsvc.web.requests import Body, Query, read_model, read_query

ATTRIBUTE = "mapsvc_operation"
JSON = "application/json"
GEOJSON = "application/geo+json"
BYTES = "application/octet-stream"


@dataclass(frozen=True)
class Answer:
    """One answer: what it means, the type of its value (a frozen dataclass or None), its content types."""

    means: str
    value: Any = None
    types: tuple[str, ...] = (JSON,)


@dataclass(frozen=True)
class Operation:
    """One route of the API as it is described; `raw_types` are bodies that the view reads by itself."""

    summary: str
    answers: Mapping[int, Answer]
    query: type[Query] | None = None
    body: type[Body] | None = None
    raw_types: tuple[str, ...] = ()
    errors: tuple[int, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


def operation(
    summary: str,
    answers: Mapping[int, Answer],
    *,
    query: type[Query] | None = None,
    body: type[Body] | None = None,
    raw_types: tuple[str, ...] = (),
    errors: tuple[int, ...] = (),
    headers: Mapping[str, str] | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a route of the API; with `raw_types` the view reads its body itself and `body` only describes it."""
    declared = Operation(summary, answers, query, body, raw_types, errors, headers or {})

    def declare(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def checked(**path: Any) -> Any:
            taken: dict[str, BaseModel | bytes] = {}
            if query is not None:
                taken["query"] = read_query(query)
            if body is not None and not raw_types:
                taken["body"], taken["raw"] = read_model(body, parts().settings.max_body_bytes)
            return view(**path, **taken)

        setattr(checked, ATTRIBUTE, declared)
        return checked

    return declare
