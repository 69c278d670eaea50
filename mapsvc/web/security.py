"""Headers on every answer: content security policy with a nonce per answer, and its companions."""

from __future__ import annotations

import secrets

from flask import Flask, Response, g

from mapsvc.base.basemap import BadAddress, parse_base_map

STEADY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(self), camera=(self), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
"""For answers that are data: nothing in them may ever run."""


def nonce() -> str:
    """Return the nonce of this answer; made when first asked for."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return str(g.nonce)


def page_policy(nonce_value: str, base_map_url: str = "") -> str:
    """Return the policy of a page; `base_map_url` is the one outside host that may be set, for map pictures only.

    An archive of tiles is read in pieces by a script, hence the right to connect to its host.
    """
    kind, host = _base_map(base_map_url)
    images = f"'self' data: blob: {host if kind == 'tiles' else ''}".rstrip()
    connect = f"'self' {host if kind == 'pmtiles' else ''}".rstrip()
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' 'nonce-{nonce_value}'",
            "style-src 'self'",
            f"img-src {images}",
            f"connect-src {connect}",
            "worker-src 'self'",
            "manifest-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def _base_map(url: str) -> tuple[str, str]:
    """Return of which kind a base map is, and its host; empty for none and for what is no address of one."""
    if not url:
        return "", ""
    try:
        found = parse_base_map(url)
    except BadAddress:
        return "", ""
    return found.kind, found.origin


def install(app: Flask, base_map_url: str = "", *, secure: bool = False) -> None:
    """Put the headers on every answer of the app, errors and static files included."""
    steady = dict(STEADY_HEADERS)
    if secure:
        steady["Strict-Transport-Security"] = "max-age=31536000"

    @app.after_request
    def add_headers(response: Response) -> Response:
        headers = response.headers
        headers.extend(steady)
        if response.mimetype == "text/html":
            headers["Content-Security-Policy"] = page_policy(nonce(), base_map_url)
        else:
            headers["Content-Security-Policy"] = DATA_POLICY
        if "Cache-Control" not in headers:
            headers["Cache-Control"] = "no-store"
        return response

    app.jinja_env.globals["nonce"] = nonce
