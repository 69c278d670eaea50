"""Categories to choose from: six tiles for the public, minor classes under their majors for staff."""

from __future__ import annotations

from dataclasses import dataclass

from mapsvc.web.present.speech import Speech
from mapsvc.web.present.worklist import Option

ICONS = {
    "rubbish": "trash", "road": "road", "obstruction": "parking", "noise": "volume", "housing": "building-community",
    "other": "dots",
}  # fmt: skip
"""Icons of the shipped tiles; a tile of one's own gets the last one."""


@dataclass(frozen=True)
class TileChoice:
    """One big tile of the report page."""

    code: str
    text: str
    icon: str
    here: bool


@dataclass(frozen=True)
class Group:
    """The minor classes of one major class."""

    text: str
    choices: tuple[Option, ...]


def tile_choices(words: Speech, chosen: str) -> tuple[TileChoice, ...]:
    """Return the tiles in their order."""
    return tuple(
        TileChoice(tile.code, tile.title(words.language), ICONS.get(tile.code, "dots"), tile.code == chosen)
        for tile in words.categories.tiles
    )


def category_groups(words: Speech, chosen: str) -> tuple[Group, ...]:
    """Return every category in use under its major class."""
    return tuple(
        Group(
            major.title(words.language),
            tuple(
                Option(one.code, f"{one.code} {one.title(words.language)}", one.code == chosen)
                for one in words.categories.of_major(major.code)
            ),
        )
        for major in words.categories.majors
    )
