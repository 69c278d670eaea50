"""The address of an outside base map, as offices have it: XYZ, WMTS (both its forms) or a PMTiles archive.

Whatever is given is brought to one form, with {z}, {x} and {y}, or found to be an archive; what a web map cannot
draw is refused here, at the start, with the reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

_DRAWN_SETS = frozenset({"w", "googlemapscompatible", "epsg:3857", "epsg:900913", "webmercatorquad"})
_IN_DEGREES = frozenset({"c", "epsg:4490", "epsg:4326", "cgcs2000", "worldcrs84quad", "epsg:4610"})
_PLACES = {"tilematrix": "{z}", "tilerow": "{y}", "tilecol": "{x}", "level": "{z}", "row": "{y}", "col": "{x}"}


class BadAddress(ValueError):
    """An address of a base map that cannot be drawn; the text says why and what to do."""


@dataclass(frozen=True)
class BaseMapAddress:
    """`kind` is `tiles` (`url` has {z}, {x} and {y} or {-y}) or `pmtiles`.

    `origin` is its scheme and host as a policy names them, empty for our own.
    """

    kind: str
    url: str
    origin: str


def parse_base_map(text: str) -> BaseMapAddress:
    """Return a base map's address in one form; raises `BadAddress`.

    Examples
    --------
    >>> parse_base_map("https://t{s}.example.cn/vec_w/wmts?SERVICE=WMTS&REQUEST=GetTile&TILEMATRIXSET=w&tk=K").url[-45:]
    'w&tk=K&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}'
    >>> parse_base_map("https://example.org/town.pmtiles").kind
    'pmtiles'
    """
    url = text.strip()
    split = urlsplit(url)
    if url and not (split.scheme in {"http", "https"} and split.netloc) and not url.startswith("/"):
        raise BadAddress("is no address that begins with https://, http:// or /")
    origin = f"{split.scheme}://{split.netloc.replace('{s}', '*')}" if split.netloc else ""
    if "*" in origin and not re.fullmatch(r"https?://\*\.[^*]+", origin):
        # A policy knows a wildcard for a whole label only: t{s}.example.cn becomes *.example.cn.
        origin = re.sub(r"//[^.]*\*[^.]*\.", "//*.", origin)
    if split.path.lower().endswith(".pmtiles"):
        return BaseMapAddress("pmtiles", url, origin)
    url = re.sub(r"\{(\w+)\}", lambda found: _PLACES.get(found[1].lower(), found[0]), url)
    _check_matrix_set(split.path, dict(parse_qsl(split.query)))
    if "{z}" not in url and re.search(r"[?&]request=gettile\b", url, re.IGNORECASE):
        url += "&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}"
    if not ("{z}" in url and "{x}" in url and ("{y}" in url or "{-y}" in url)):
        raise BadAddress("has neither {z}, {x} and {y}, nor is it a WMTS GetTile address or a .pmtiles archive")
    left = sorted(set(re.findall(r"\{(-?\w+)\}", url)) - {"z", "x", "y", "-y", "s", "r"})
    if left:
        raise BadAddress(f"has a place {{{left[0]}}} that nothing is known for; write its value")
    return BaseMapAddress("tiles", url, origin)


def _check_matrix_set(path: str, query: dict[str, str]) -> None:
    """Refuse tiles in degrees: those of 天地图 have the same address with w in place of c."""
    named = {key.lower(): value for key, value in query.items()}.get("tilematrixset", "")
    by_path = re.search(r"/\w+_([cw])(?:/|$)", path)
    chosen = named or (by_path[1] if by_path else "")
    if chosen.lower() in _IN_DEGREES:
        raise BadAddress(
            f"names the tile matrix set {chosen!r}, which lies in degrees (EPSG:4490 or EPSG:4326) and cannot be drawn "
            "in a web map; 天地图 serves the same maps as set w: write _w in place of _c and TILEMATRIXSET=w"
        )
    if named and named.lower() not in _DRAWN_SETS:
        raise BadAddress(f"names the tile matrix set {named!r}; only web Mercator (w, EPSG:3857) can be drawn")
