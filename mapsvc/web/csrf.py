"""Requests that change something and ride on a cookie must prove that they come from our own pages.

The token lives in the signed session. Forms send it as `csrf_token`, scripts as `X-CSRF-Token`.
Bearer tokens need none (no browser adds them by itself); neither does the API without a log-in,
which acts for nobody. Pages need it even without a log-in, so that nobody can be logged in by a trick.
"""

from __future__ import annotations

import hmac
import secrets

from flask import Flask, g, request, session

from mapsvc.base.errors import Forbidden

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FIELD = "csrf_token"
HEADER = "X-CSRF-Token"
_KEY = "csrf"
_BY = "."
"""What stands between the secret and the number of the account that the page was made for."""


def csrf_token() -> str:
    """Return the token of this session; made when first asked for."""
    if _KEY not in session:
        session[_KEY] = secrets.token_urlsafe(24)
    who = g.get("actor")
    return f"{session[_KEY]}{_BY}{(who.user_id if who else None) or ''}"


def writer_of(token: str) -> str:
    """Return for whom a form with this token was made, whether its session still holds or not; empty for nobody.

    Nothing is permitted by it: it keeps what one person typed from being sent by the next who logs in.
    """
    secret, _, writer = token.partition(_BY)
    return writer if secret and writer.isascii() and writer.isdigit() else ""


def require_token() -> None:
    """Refuse a state-changing request by cookie, or from a page, that does not carry the token."""
    if request.method in SAFE_METHODS or request.url_rule is None or g.actor.via_token:
        return
    if g.actor.user_id is None and request.path.startswith("/api/"):
        return
    expected = str(session.get(_KEY, ""))
    sent = (request.headers.get(HEADER) or _form_token()).partition(_BY)[0]
    if not expected or not hmac.compare_digest(expected.encode(), sent.encode()):
        raise Forbidden(
            "csrf_failed",
            "The request does not carry the token of this session.",
            hint=f"Reload the page and send it again; programs use a bearer token, scripts the header {HEADER}.",
        )


def _form_token() -> str:
    if request.mimetype in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        return request.form.get(FIELD, "")
    return ""


def install(app: Flask) -> None:
    """Make `csrf_token()` known to templates."""
    app.jinja_env.globals["csrf_token"] = csrf_token
