"""Long answers of text leave gzipped where the reader takes it; pages with a form token in them never do.

Compressing a secret beside what a stranger can choose tells the secret by its length (BREACH), hence
data, styles and scripts only.
"""

from __future__ import annotations

import gzip

from flask import Flask, Response, request

LEAST_BYTES = 512
MOST_BYTES = 64 * 1024 * 1024
LEVEL = 5
_TYPES = frozenset(
    {
        "application/json",
        "application/geo+json",
        "application/problem+json",
        "application/javascript",
        "text/javascript",
        "text/css",
        "text/plain",
        "image/svg+xml",
    }
)


def install(app: Flask) -> None:
    """Compress what is worth it, after everything else was said about the answer."""
    app.after_request(shrink)


def shrink(response: Response) -> Response:
    """Gzip the answer when its type, its length and the reader allow it."""
    if response.mimetype not in _TYPES or response.status_code != 200 or "Content-Encoding" in response.headers:
        return response
    length = response.calculate_content_length()
    if length is None:
        length = response.content_length
    if length is None or not LEAST_BYTES <= length <= MOST_BYTES:
        return response
    response.vary.add("Accept-Encoding")
    if request.method == "HEAD" or request.accept_encodings["gzip"] <= 0:
        return response
    response.direct_passthrough = False
    response.set_data(gzip.compress(response.get_data(), LEVEL, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
    etag, _weak = response.get_etag()
    if etag:
        response.set_etag(etag, weak=True)  # the bytes differ, what they say does not
    return response
