"""Zip files of borders, unpacked within bounds: bytes really written, members, ratio; no path of theirs is used."""

from __future__ import annotations

import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mapsvc.base.errors import InvalidInput, TooLarge

MAX_MEMBERS = 2_000
MAX_RATIO = 200
"""Unpacked bytes per packed byte; borders reach 5 to 20, zip bombs a thousand and more."""

RATIO_FROM = 10_000_000
"""Below so many unpacked bytes the ratio does not matter."""

BORDER_SUFFIXES = (".shp", ".gpkg", ".geojson", ".json", ".kml", ".fgb")
SIDECARS = (".shx", ".dbf", ".prj", ".cpg")
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Unpacked:
    """One border file out of a zip, by the name of its stem."""

    name: str
    path: Path


def unpack(source: Path, folder: Path, max_unpacked: int) -> tuple[Unpacked, ...]:
    """Write the border files of a zip below `folder` under names of our own, and return them.

    Raises
    ------
    InvalidInput
        `zip_broken`, `zip_encrypted`, `zip_path` (a member that would leave its folder), `zip_nested`, `zip_empty`.
    TooLarge
        `zip_too_large`: more members, bytes or a higher ratio than borders ever have.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            members = _members(archive)
            _unpack_members(archive, members, folder, max_unpacked)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, zlib.error) as error:
        raise InvalidInput(
            "zip_broken", f"{source.name} is no complete zip file.", hint="Pack it again, or upload it again."
        ) from error
    return tuple(_found(folder))


def _members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    every = archive.infolist()
    if len(every) > MAX_MEMBERS:
        raise _bomb(f"it holds {len(every)} files")
    members = []
    for member in every:
        name = _name(member)
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if ".." in parts or name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
            raise InvalidInput(
                "zip_path", f"The zip file holds a path that leaves its folder: {name!r}.", hint="Pack the files anew."
            )
        if member.flag_bits & 1:
            raise InvalidInput("zip_encrypted", "The zip file has a password.", hint="Pack it without one.")
        if not member.is_dir() and "__MACOSX" not in parts and not parts[-1].startswith("."):
            members.append(member)
    return members


def _name(member: zipfile.ZipInfo) -> str:
    """Return the member's name; old Chinese packers write GBK, which reads as cp437."""
    if member.flag_bits & 0x800:
        return member.filename
    try:
        return member.filename.encode("cp437").decode("gb18030")
    except UnicodeError:
        return member.filename


def _unpack_members(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], folder: Path, max_unpacked: int) -> None:
    wanted = [m for m in members if PurePosixPath(_name(m)).suffix.lower() in (*BORDER_SUFFIXES, *SIDECARS)]
    borders = [m for m in wanted if PurePosixPath(_name(m)).suffix.lower() in BORDER_SUFFIXES]
    if not borders:
        if any(_name(m).lower().endswith((".zip", ".kmz")) for m in members):
            raise InvalidInput("zip_nested", "The zip file holds another zip file.", hint="Unpack the inner one first.")
        raise InvalidInput(
            "zip_empty", "The zip file holds no borders.", hint=f"Borders are {', '.join(BORDER_SUFFIXES)} files."
        )
    total = 0
    for member in wanted:
        path = PurePosixPath(_name(member).replace("\\", "/"))
        group = re.sub(r"[^\w-]", "_", str(path.parent)) or "_"
        stem = re.sub(r"[^\w-]", "_", path.stem) or "_"
        target = folder / group / f"{stem}{path.suffix.lower()}"
        target.parent.mkdir(parents=True, exist_ok=True)
        total = _unpack_member(archive, member, target, total, max_unpacked)


def _unpack_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, total: int, most: int) -> int:
    """Write one member block by block: the sizes that a zip states of itself can lie."""
    written = 0
    with archive.open(member) as stream, target.open("wb") as out:
        while block := stream.read(_BLOCK):
            written += len(block)
            total += len(block)
            if total > most:
                raise _bomb(f"it unpacks to more than {most} bytes", most)
            if written > RATIO_FROM and written > MAX_RATIO * max(member.compress_size, 1):
                raise _bomb(f"{member.filename!r} is packed more than {MAX_RATIO} times")
            out.write(block)
    return total


def _bomb(why: str, limit: int | None = None) -> TooLarge:
    return TooLarge(
        "zip_too_large",
        f"The zip file is not unpacked: {why}.",
        hint="Send the border file itself, or a smaller one.",
        detail={"limit": limit} if limit else None,
    )


def _found(folder: Path) -> list[Unpacked]:
    paths = sorted(path for path in folder.rglob("*") if path.suffix in BORDER_SUFFIXES)
    return [Unpacked(path.stem, path) for path in paths]
