"""One table turns errors into status codes; one shape carries them.

Programs get RFC 9457 problem details with a stable `code`; people get a page. The unforeseen answers
with a number only: the number stands in the log beside what happened.
"""

from __future__ import annotations

import errno
import html
import logging
import uuid
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson
from flask import Flask, Response, g, make_response, render_template, request
from jinja2 import TemplateNotFound
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from mapsvc.base import errors
from mapsvc.web.faulty import keep_refused
from mapsvc.web.parts import parts

log = logging.getLogger("mapsvc.web")

STATUS: dict[type[errors.MapsvcError], int] = {
    errors.InvalidInput: 400,
    errors.NotAuthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.UnsupportedType: 415,
    errors.TooManyRequests: 429,
    errors.Misconfigured: 500,
    errors.Unavailable: 503,
}
"""The one table. A class that is not in it is unforeseen: 500, with a number only."""

HTTP_ERRORS: dict[int, tuple[str, str, str]] = {
    # status: (code, what happened, what to do); for what werkzeug raises by itself
    400: ("bad_request", "The request cannot be read.", "Check its syntax, and that it arrived whole."),
    404: ("not_found", "There is nothing at this address.", "Check the address."),
    405: ("method_not_allowed", "This address does not take this method.", "`Allow` lists those it takes."),
    406: ("not_acceptable", "There is no answer in a format that was asked for.", "Ask for application/json."),
    408: ("request_timeout", "The request did not arrive in time.", "Send it again."),
    413: ("body_too_large", "The body is over the limit.", "Send less at once; photos go in chunks."),
    414: ("address_too_long", "The address is too long.", "Send less in the query."),
    415: ("unsupported_type", "This content type is not read here.", "The OpenAPI page lists those that are."),
    416: ("range_not_satisfiable", "There is no such part of it.", "Ask for a range within its length."),
    429: ("too_many_requests", "Too many requests.", "Wait, then try again."),
}

PROBLEM_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Problem:
    """RFC 9457 problem details. `code` is stable; `instance` is the number that stands in the log."""

    status: int
    title: str
    code: str
    detail: str
    hint: str
    instance: str
    type: str = "about:blank"
    values: dict[str, Any] = field(default_factory=dict)


def problem_of(error: Exception) -> Problem:
    """Turn an error into its problem; never tells what an unforeseen one says."""
    error = _translated(error)
    if isinstance(error, errors.Unavailable):
        # Its own words name files and hosts: they are for the log.
        words = ("The service cannot save or read at this moment; nothing was written.", "Try again in a moment.")
        return _problem(503, error.code, *words, {})
    if isinstance(error, errors.MapsvcError) and type(error) in STATUS and not isinstance(error, errors.Misconfigured):
        status = STATUS[type(error)]
        return _problem(status, error.code, error.message, error.hint, error.detail)
    if isinstance(error, HTTPException) and error.code is not None and error.code < 500:
        return _problem(error.code, *_words_of(error), {})
    return _problem(500, "internal_error", "Something unforeseen happened.", "Tell the office the number below.", {})


def _words_of(error: HTTPException) -> tuple[str, str, str]:
    status = error.code or 400
    fallback = (f"http_{status}", "The request was refused.", "")
    return HTTP_ERRORS.get(status, fallback)


def _problem(status: int, code: str, detail: str, hint: str, values: dict[str, Any]) -> Problem:
    title = HTTPStatus(status).phrase
    return Problem(status, title, code, detail, hint, uuid.uuid4().urn, values=dict(values))


def _translated(error: Exception) -> Exception:
    """Return what a failure of the disk means to the one who asked; the store tells its own failures."""
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return errors.Unavailable("disk_full", "The disk is full.")
    return error


def wants_page() -> bool:
    """Whether the one who asks is a person with a browser: outside /api/, and HTML is welcome."""
    if request.path.startswith("/api/"):
        return False
    best = request.accept_mimetypes.best_match(
        ["application/json", PROBLEM_TYPE, "text/html"], default="application/json"
    )
    return best == "text/html"


def answer(problem: Problem) -> Response:
    """Return the problem as a page or as JSON."""
    if wants_page():
        response = make_response(_page(problem), problem.status)
    else:
        response = Response(orjson.dumps(problem, default=str), problem.status, content_type=PROBLEM_TYPE)
    retry_after = problem.values.get("retry_after_s")
    if problem.status in {429, 503}:
        response.headers["Retry-After"] = str(int(retry_after or 5))
    if problem.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="mapsvc"'
    return response


def _page(problem: Problem) -> str:
    try:
        return render_template("error.html", problem=problem)
    except Exception as error:  # the edge: a page that fails must not hide why it was shown
        if not isinstance(error, TemplateNotFound):
            log.error("%s: the error page failed", problem.instance, exc_info=error)
        words = (problem.title, problem.detail, problem.hint, problem.instance)
        return "<!doctype html><title>{0}</title><h1>{0}</h1><p>{1}</p><p>{2}</p><p>{3}</p>".format(
            *map(html.escape, words)
        )


def install(app: Flask) -> None:
    """Give every error of the app its shape."""

    @app.errorhandler(Exception)
    def on_error(error: Exception) -> Response:
        if isinstance(error, HTTPException) and error.code is not None and error.code < 400:
            return make_response(error.get_response())  # a redirect is no error
        problem = problem_of(error)
        _record(problem, error)
        _keep_unread(problem)
        response = answer(problem)
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
        return response


def _keep_unread(problem: Problem) -> None:
    """Keep what somebody with an account sent as JSON and nobody could read; see `faulty`."""
    sent = g.get("raw")
    if problem.status == 400 and sent and request.mimetype == "application/json" and g.actor.user_id is not None:
        keep_refused(
            parts().settings.data_dir / "faulty",
            sent,
            instance=problem.instance,
            path=request.path,
            user_id=g.actor.user_id,
            code=problem.code,
            now=g.now,
        )


def _record(problem: Problem, error: Exception) -> None:
    if isinstance(error, errors.Unavailable):
        # One line: while a database is away each request brings one, and where it came from says nothing new.
        log.error("%s %s %r: %s: %s", problem.instance, request.method, request.path, problem.code, error.message)
    elif problem.status >= 500:
        log.error("%s %s %r: %s", problem.instance, request.method, request.path, problem.code, exc_info=error)
    else:
        log.info("%s %s %r: %s %s", problem.instance, request.method, request.path, problem.status, problem.code)
