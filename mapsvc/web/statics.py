"""Styles, scripts and icons, served by the program itself: no page ever needs an outside host.

`static_url("css/app.css")` adds a hash of the content to the address; such an answer may be kept for
a year. Without the hash (modules that import each other) the browser asks again and gets a 304.
"""

from __future__ import annotations

import hashlib
import mimetypes
import threading
from pathlib import Path

from flask import Flask, Response, request, url_for
from werkzeug.security import safe_join

from mapsvc.base.errors import NotFound
from mapsvc.base.paths import static_dir
from mapsvc.web.guard import permission

ENDPOINT = "static"
ONE_YEAR_S = 31_536_000
TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
}
"""Where the machine's own table of types may be missing or wrong; a module of another type is not run."""


class ContentHashes:
    """The hash of each static file, computed when first asked for and again when the file changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._known: dict[str, tuple[int, int, str]] = {}

    def read(self, filename: str) -> bytes:
        """Return the content of a file that `find` found."""
        return Path(safe_join(str(self.folder), filename) or "").read_bytes()

    def find(self, filename: str) -> str:
        """Return ten hex digits of the file's SHA-256; empty when there is no such file."""
        path = safe_join(str(self.folder), filename)
        try:
            found = Path(path or "").stat() if path else None
        except (OSError, ValueError):  # the second: a name that no file can bear
            found = None
        if found is None or path is None or not Path(path).is_file():
            return ""
        known = self._known.get(filename)
        if known is not None and known[:2] == (found.st_mtime_ns, found.st_size):
            return known[2]
        digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()[:10]
        with self._lock:
            self._known[filename] = (found.st_mtime_ns, found.st_size, digest)
        return digest


def install(app: Flask, folder: Path | None = None) -> None:
    """Serve the folder under /static/ and make `static_url` known to templates."""
    hashes = ContentHashes(folder or static_dir())

    @permission("public")
    def static(filename: str) -> Response:
        digest = hashes.find(filename)
        if not digest:
            raise NotFound("not_found", "There is no such file.", hint="Check the address.")
        hashed = request.args.get("v") == digest
        # Whole into memory: the largest is half a megabyte, and no file stays open behind a slow reader.
        content_type = mimetypes.guess_type(filename)[0] or "application/octet-stream"
        response = Response(hashes.read(filename), mimetype=TYPES.get(Path(filename).suffix, content_type))
        response.set_etag(digest)
        response.headers["Cache-Control"] = f"public, max-age={ONE_YEAR_S}, immutable" if hashed else "public, no-cache"
        response.make_conditional(request)
        return response

    def static_url(filename: str) -> str:
        return url_for(ENDPOINT, filename=filename, v=hashes.find(filename) or None)

    app.add_url_rule("/static/<path:filename>", endpoint=ENDPOINT, view_func=static)
    app.jinja_env.globals["static_url"] = static_url
