"""Makes a composed map part of one HTML file that opens without a network and without a server.

Scripts, styles, the pictures that styles name and all data stand in the file. Its policy allows nothing but this very
script and this very style sheet, by their hashes, and no request to anywhere, so that a file which is handed on
can do no more than show its map.
"""

from __future__ import annotations

import base64
import hashlib
import mimetypes
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path

from mapsvc.base.errors import Misconfigured
from mapsvc.maps.bundle import bundle
from mapsvc.maps.compose import MapPlan, compose
from mapsvc.maps.elements import DataLayer

ENTRY = "export/index.js"
INSTEAD = {"map/load.js": "export/load.js"}
"""Nothing is fetched: the layers of the pages find in the file what they load by address."""

STYLES = ("css/tokens.css", "vendor/leaflet/leaflet.css", "css/map.css", "css/export.css")


class Picture(DataLayer):
    """A picture under the borders: `url` holds it whole, `bounds` are [[south, west], [north, east]]."""

    maker = "picture"


class PointLayer(DataLayer):
    """How many cases lie at a place, from the data at `url`."""

    maker = "points"


@dataclass(frozen=True)
class Inlined:
    """A map whole: an element for the body, one script, one style sheet, the policy by which only these two run."""

    html: str
    script: str
    style: str
    policy: str


def inline(plan: MapPlan, folder: Path) -> Inlined:
    """Compose a map whose layers find their data in the file; `folder` is that of the static files.

    Raises `Misconfigured` for a static file that is missing.
    """
    parts = compose(plan, lambda name: name)
    libraries = re.findall(r'<script src="([^"]+)"', parts.header)
    script = "\n".join(
        [
            "(() => {",
            *(_script(folder, name) for name in libraries),
            bundle(folder / "js", ENTRY, "mapsvc", INSTEAD),
            parts.script,
            "})();",
        ]
    )
    script = script.replace("</script", "<\\/script").replace("<!--", "<\\!--")
    style = "\n".join(_style(folder, name) for name in STYLES)
    return Inlined(parts.html, script, style, _policy(script, style))


def _script(folder: Path, name: str) -> str:
    """Return a library's script without the line that names a map of its sources, which nobody has."""
    text = _text(folder, name)
    return re.sub(r"^//# sourceMappingURL=.*$", "", text, flags=re.MULTILINE) + "\n;"


def _style(folder: Path, name: str) -> str:
    """Return a style sheet with the pictures that it names inside it."""

    def inside(match: re.Match[str]) -> str:
        address = match[1].strip("\"'")
        if address.startswith(("data:", "#")):
            return match[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(name), address))
        return f"url({data_url(_read(folder, path), mimetypes.guess_type(path)[0] or 'image/png')})"

    return re.sub(r"url\(([^)]+)\)", inside, _text(folder, name))


def data_url(content: bytes, content_type: str) -> str:
    """Return content as an address that holds it."""
    return f"data:{content_type};base64,{base64.b64encode(content).decode('ascii')}"


def _text(folder: Path, name: str) -> str:
    """Return a file as a browser reads it inside a page, where every line ends in one character: so it is hashed."""
    return _read(folder, name).decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise Misconfigured(
            "static_file_missing",
            f"The file {name} of the pages is missing.",
            hint="Fill static/vendor (see the README), or install again.",
        ) from error


def _policy(script: str, style: str) -> str:
    """Return the policy of the file: it names no address at all."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_hash(script)}'",
            f"style-src '{_hash(style)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}"
