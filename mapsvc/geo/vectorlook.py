"""A look at a border file before GDAL opens it: how large, what its first bytes are, whether it names its system."""

from __future__ import annotations

import codecs
import json
import re
from pathlib import Path

from mapsvc.base.errors import InvalidInput, NotFound, TooLarge, UnsupportedType

DRIVERS = ("GPKG", "ESRI Shapefile", "GeoJSON", "KML", "LIBKML", "FlatGeobuf")
SUFFIXES = (".gpkg", ".shp", ".zip", ".geojson", ".json", ".kml", ".kmz", ".fgb")

PARSED_WHOLE = 64_000_000
"""GeoJSON up to so many bytes is parsed to find its `crs`; of larger ones the first and last 64 KB are searched."""

_EDGE = 65_536


def check_size(path: Path, max_bytes: int) -> None:
    """Raise NotFound `file_not_found`, UnsupportedType `not_a_border_file`, or TooLarge `file_too_large`."""
    if not path.is_file():
        raise NotFound("file_not_found", f"There is no file {path.name}.", hint="Check the path.")
    if path.suffix.lower() not in SUFFIXES:
        raise UnsupportedType(
            "not_a_border_file",
            f"{path.name} is no file of borders.",
            hint=f"Borders are read from {', '.join(SUFFIXES)} files.",
        )
    parts = (
        [path]
        if path.suffix.lower() != ".shp"
        else [path, *path.parent.glob(f"{_escaped(path.stem)}.[sdSD][hbHB][xfXF]")]
    )
    size = sum(part.stat().st_size for part in parts)
    if size > max_bytes:
        raise TooLarge(
            "file_too_large",
            f"{path.name} has {size / 1e6:.0f} MB; at most {max_bytes / 1e6:.0f} MB are read.",
            hint="Split it, or raise the limit in the settings.",
            detail={"limit": max_bytes, "size": size},
        )


def _escaped(stem: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", stem)


def check_content(path: Path) -> None:
    """Raise when the first bytes are not those of the format that the name says.

    UnsupportedType `not_a_border_file`; InvalidInput `invalid_text` for GeoJSON that is not UTF-8, `xml_entities`
    for KML with definitions of its own, `missing_part` for a shapefile without its .shx or .dbf, `truncated_file` for
    one shorter than it says, of which GDAL would read the rest as rows without geometry.
    """
    suffix = path.suffix.lower()
    with path.open("rb") as stream:
        head = stream.read(4096)
    if suffix == ".gpkg":
        _demand(head.startswith(b"SQLite format 3\0"), path, "GeoPackage")
    elif suffix == ".shp":
        _demand(head[:4] == b"\x00\x00\x27\x0a", path, "Shapefile")
        _check_sidecars(path)
        _check_length(path, head)
    elif suffix == ".fgb":
        _demand(head[:3] == b"fgb", path, "FlatGeobuf")
    elif suffix == ".kml":
        _demand(b"<kml" in head, path, "KML")
        if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
            raise InvalidInput("xml_entities", f"{path.name} defines XML entities.", hint="Export the KML file again.")
    else:
        _demand(head.removeprefix(codecs.BOM_UTF8).lstrip()[:1] == b"{", path, "GeoJSON")
        _check_utf8(path)


def names_its_crs(path: Path, driver: str) -> bool:
    """Return whether a file itself says in which system it is: KML never does, GeoJSON by an old `crs` member only."""
    if driver in ("KML", "LIBKML"):
        return False
    if driver != "GeoJSON":
        return True
    size = path.stat().st_size
    if size <= PARSED_WHOLE:
        try:
            found = json.loads(path.read_bytes().decode("utf-8-sig"))
        except ValueError:
            return False
        return isinstance(found, dict) and bool(found.get("crs"))
    with path.open("rb") as stream:
        head = stream.read(_EDGE)
        stream.seek(size - _EDGE)
        tail = stream.read()
    return re.search(rb'"crs"\s*:\s*\{\s*"type"', head + tail) is not None


def _demand(right: bool, path: Path, name: str) -> None:
    if not right:
        raise UnsupportedType(
            "not_a_border_file",
            f"{path.name} is not a {name} file, whatever its name says.",
            hint="Export it again, or give it the ending of what it is.",
            detail={"expected": name},
        )


def _check_sidecars(path: Path) -> None:
    there = {item.suffix.lower() for item in path.parent.iterdir() if item.stem == path.stem}
    missing = [suffix for suffix in (".shx", ".dbf") if suffix not in there]
    if missing:
        raise InvalidInput(
            "missing_part",
            f"A shapefile is several files; beside {path.name} there is no {missing[0]}.",
            hint="Put .shp, .shx, .dbf and .prj together, best in one zip file.",
            detail={"missing": missing},
        )


def _check_length(path: Path, head: bytes) -> None:
    """Compare a shapefile's length with the one in its header: 16-bit words, as a big-endian number at byte 24."""
    announced = 2 * int.from_bytes(head[24:28], "big")
    size = path.stat().st_size
    if len(head) < 100 or size < announced:
        raise InvalidInput(
            "truncated_file",
            f"{path.name} announces {announced} bytes and holds {size}: it is not complete.",
            hint="Copy or upload it again.",
            detail={"announced": announced, "read": size},
        )


def _check_utf8(path: Path) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    done = 0
    with path.open("rb") as stream:
        try:
            while block := stream.read(1 << 20):
                decoder.decode(block)
                done += len(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            raise InvalidInput(
                "invalid_text",
                f"{path.name} is not UTF-8 near byte {done + error.start}.",
                hint="Save it as UTF-8; GeoJSON knows no other encoding.",
                detail={"byte": done + error.start},
            ) from error
