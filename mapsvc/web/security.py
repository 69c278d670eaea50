"""Headers on every answer: content security policy with a nonce per answer, and its companions."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from flask import Flask, Response, g

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
    """Return the policy of a page; `base_map_url` is the one outside host that may be set, for tiles only."""
    tiles = _origin(base_map_url)
    images = f"'self' data: blob: {tiles}".rstrip()
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' 'nonce-{nonce_value}'",
            "style-src 'self'",
            f"img-src {images}",
            "connect-src 'self'",
            "worker-src 'self'",
            "manifest-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def _origin(url: str) -> str:
    """Return scheme and host of a tile address; `{s}` (sub-domains) becomes a wildcard."""
    if not url:
        return ""
    split = urlsplit(url)
    if split.scheme not in {"http", "https"} or not split.netloc:
        return ""
    return f"{split.scheme}://{split.netloc.replace('{s}', '*')}"


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
